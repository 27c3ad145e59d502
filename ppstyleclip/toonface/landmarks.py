# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The 68 landmarks of a drawn face, in the order of the 300-W data set, as dlib's predictors give them.

    0-16 jaw, 17-21 and 22-26 brows, 27-30 bridge of the nose, 31-35 its lower edge, 36-41 and 42-47 eyes,
    48-59 outer and 60-67 inner edge of the lips; "left" is the left of the picture.

All points lie on the parts that they name. Those of the eyes are placed so that the FFHQ crop of the
landmarks is the renderer's own frame, whatever the face: the crop is four times as wide as the eyes are
apart, and here they are a quarter of the frame apart; a face's true eyes are up to 0.06 of it nearer together
or farther apart.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.toonface.face_shape import (
    CX,
    CY,
    EYE_Y,
    NOSE_Y,
    brow_line,
    eye_axes,
    eye_place,
    head_axes,
    mouth_curves,
    nose_size,
)
from ppstyleclip.toonface.renderer import FACTORS

NUM_LANDMARKS = 68
EYE_ANCHOR = 0.125  # of the frame, from the middle of the face to the middle of an eye's landmarks


def landmarks_68(factors):
    """Landmarks of one face.

    Args:
        factors: `[NUM_FACTORS]` as the renderer takes them.
    Returns:
        `[68, 2]` float64, (x, y) as fractions of the renderer's picture, from its upper left corner.
    """
    f = dict(zip(FACTORS, (float(v) for v in factors)))
    size, distance = eye_place(f["eye_size"], f["eye_distance"])
    mouth = _mouth(f)
    corners_y = (mouth[0, 1] + mouth[6, 1]) / 2
    eye_y = (0.5 - 0.1 * corners_y) / 0.9  # the crop's middle is a tenth of the way down to the mouth
    eyes = [_eye(side, eye_y, *eye_axes(size, f["anger"])) for side in (-1, 1)]
    return np.concatenate([_jaw(*head_axes(f["face_width"], f["face_height"])),
                           _brow(-1, size, distance, f["anger"])[::-1], _brow(1, size, distance, f["anger"]),
                           _nose(nose_size(f["nose"])), *eyes, mouth])  # fmt: skip


def _jaw(half_width, half_height):
    angle = np.radians(np.linspace(185, -5, 17))
    return np.stack([CX + half_width * np.cos(angle), CY + half_height * np.sin(angle)], 1)


def _brow(side, size, distance, anger):
    """Five points from the nose outwards."""
    line = np.array(brow_line(side, size, distance, anger))
    places = [0, 0.5, 1, 1.5, 2]
    return np.stack([np.interp(places, [0, 1, 2], line[:, k]) for k in (0, 1)], 1)


def _nose(size):
    bridge = np.stack([np.full(4, CX), np.linspace(EYE_Y + 0.01, NOSE_Y, 4)], 1)
    angle = np.radians(np.linspace(155, 25, 5))
    edge = np.stack([CX + size * np.cos(angle), NOSE_Y + 0.95 * size * np.sin(angle)], 1)
    return np.concatenate([bridge, edge])


def _eye(side, y, half_width, half_height):
    """Six points clockwise from the left corner, half the size of the eye, so that they stay in it."""
    angle = np.radians([180, 240, 300, 0, 60, 120])
    x = CX + side * EYE_ANCHOR + 0.5 * half_width * np.cos(angle)
    return np.stack([x, y + 0.5 * half_height * np.sin(angle)], 1)


def _mouth(f):
    shape = f["smile"], f["mouth_open"], f["feminine"]
    outer, inner = np.linspace(-1, 1, 7), np.linspace(-1, 1, 5)
    top, low, _, _ = mouth_curves(outer, *shape)
    top[[0, -1], 1] = (top[[0, -1], 1] + low[[0, -1], 1]) / 2
    _, _, inner_top, inner_low = mouth_curves(inner, *shape)
    return np.concatenate([top, low[5:0:-1], inner_top, inner_low[3:0:-1]])
