# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A face of a photo, upright and of one size, so that its parts lie where they are expected.

Places are (u, v) in units of the face: u to the right, v down, from the middle between the eyes. A unit is
the distance of the eyes on a face from the front; on one that is turned it is told by eyes and mouth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIDE, UNIT = 256, 44  # pixels of the patch, and of a unit in it
MIDDLE = (SIDE / 2 - 0.5, 116.0)  # pixel (x, y) of the middle between the eyes
EYES_TO_MOUTH = 1.12  # of a face from the front, in distances of its eyes
LEFT_EYE, RIGHT_EYE, MOUTH_CORNERS = slice(36, 42), slice(42, 48), [48, 54]


@dataclass(frozen=True, eq=False)
class Patch:
    """A face, upright.

    Attributes:
        linear: `[SIDE, SIDE, 3]` float32 in [0, 1], linear light; beyond the photo it goes on as at its edge.
        seen: `[SIDE, SIDE]` bool, False beyond the photo.
        points: `[68, 2]` landmarks (u, v).
        pixels: side of a pixel of the photo in pixels of the patch; large for small faces.
    """

    linear: np.ndarray
    seen: np.ndarray
    points: np.ndarray
    pixels: float

    def window(self, u: float, v: float, half_u: float, half_v: float | None = None) -> tuple[slice, slice]:
        """Rows and columns of a rectangle around a place; at least one pixel, within the patch."""
        half_v = half_u if half_v is None else half_v
        x0, x1 = (MIDDLE[0] + UNIT * (u + side * half_u) for side in (-1, 1))
        y0, y1 = (MIDDLE[1] + UNIT * (v + side * half_v) for side in (-1, 1))
        left, top = (int(np.clip(round(a), 0, SIDE - 1)) for a in (x0, y0))
        return (
            slice(top, max(top + 1, min(SIDE, int(round(y1)) + 1))),
            slice(left, max(left + 1, min(SIDE, int(round(x1)) + 1))),
        )

    def values(self, picture: np.ndarray, u: float, v: float, half_u: float, half_v=None) -> np.ndarray:
        """`[N, ...]` of a picture `[SIDE, SIDE, ...]` around a place, of the pixels that the photo has."""
        at = self.window(u, v, half_u, half_v)
        return picture[at][self.seen[at]]

    def inside(self, places: np.ndarray) -> np.ndarray:
        """`[SIDE, SIDE]` bool: the inside of a polygon of places `[N, 2]`, and of the photo."""
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [np.round(places * UNIT + MIDDLE).astype(np.int32)], 1)
        return (mask > 0) & self.seen


def unit_of(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(middle between the eyes, unit vector to the right, length of a unit) of landmarks `[68, 2]`."""
    left, right = points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0)
    across, middle = right - left, (left + right) / 2
    down = points[MOUTH_CORNERS].mean(0) - middle
    length = float(np.hypot(*across))
    along = across + np.array([down[1], -down[0]])  # the eyes' line and the square to the mouth's, as FFHQ's
    return middle, along / np.hypot(*along), max(length, float(np.hypot(*down)) / EYES_TO_MOUTH * 0.9)


def cut_patch(photo: np.ndarray, landmarks: np.ndarray) -> Patch:
    """Cut an upright face out of a photo `[H, W, 3]` uint8 by its landmarks `[68, 2]` in pixels."""
    middle, right, unit = unit_of(landmarks)
    scale = UNIT / unit
    turn = scale * np.array([right, [-right[1], right[0]]])  # photo to patch
    shift = np.array(MIDDLE) - turn @ middle
    small = _averaged(photo, 1 / scale)
    move = np.column_stack([turn, shift])
    picture = cv2.warpAffine(
        small[0],
        _of_small(move, small[1]),
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = np.ones(photo.shape[:2], np.uint8)
    seen = cv2.warpAffine(inside, move, (SIDE, SIDE), flags=cv2.INTER_NEAREST) > 0
    points = (landmarks @ turn.T + shift - MIDDLE) / UNIT
    return Patch(to_linear(picture), seen, points, scale)


def _averaged(photo, factor):
    """(photo made smaller by a whole number up to `factor`, that number), so that no detail aliases."""
    step = max(1, int(factor))
    if step == 1:
        return photo, 1
    height, width = (max(1, side // step) for side in photo.shape[:2])
    return cv2.resize(
        photo[: height * step, : width * step], (width, height), interpolation=cv2.INTER_AREA
    ), step


def _of_small(move, step):
    """The affine map `[2, 3]` of a photo, for the same photo made smaller by `step`."""
    linear = move[:, :2] * step
    return np.column_stack([linear, move[:, 2] + move[:, :2] @ np.full(2, (step - 1) / 2)])


def to_linear(pixels: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1], float32, of sRGB pixels uint8."""
    x = np.arange(256) / 255
    table = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return table[pixels]


def to_lab(linear: np.ndarray) -> np.ndarray:
    """CIE Lab float32 `[..., 3]` of linear light `[..., 3]`."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    srgb = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)
    return cv2.cvtColor(srgb.reshape(1, -1, 3), cv2.COLOR_RGB2LAB).reshape(srgb.shape)
