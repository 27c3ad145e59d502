# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A face twice: aligned, as encoders know faces, and upright in its photo; and what takes one to the other.

StyleGAN3 can draw a face in any pose (Alaluf et al. 2022, "Third Time's the Charm?"): a photo is inverted
from its aligned crop, and drawn through a transform so that it comes back as it stands in the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ppstyleclip.align.crop import (
    LEFT_EYE,
    RIGHT_EYE,
    Alignment,
    cut_frame,
    frame_of_landmarks,
    landmarks_on_crop,
)


class Pose(NamedTuple):
    """How a face stands in its upright crop, seen from the aligned one; what models.canvas.Canvas takes.

    Attributes:
        translate: (x, y) in sides of the crop; to the right, downwards.
        rotate: degrees, counter-clockwise, about the middle; before it is moved.
    """

    translate: tuple[float, float]
    rotate: float


@dataclass(frozen=True, eq=False)
class FacePair:
    """Two crops of one face; both have the same middle and side.

    Attributes:
        aligned: `[S, S, 3]` uint8, turned as encoders know faces.
        alignment: where it lies in the photo.
        upright: `[S, S, 3]` uint8, not turned.
        upright_alignment: where that lies.
        pose: how the aligned face stands in `upright`. `Canvas(*pose).matrix()` is the transform `[3, 3]`
            through which a generator draws it so, the landmarks_transform of stylegan3-editing.
    """

    aligned: np.ndarray
    alignment: Alignment
    upright: np.ndarray
    upright_alignment: Alignment
    pose: Pose


def frame_of_eyes(landmarks: ArrayLike) -> np.ndarray:
    """The square of stylegan3-editing and seed 004: FFHQ's, but always 4 times as wide as the eyes are apart.

    Args, raises:
        as frame_of_landmarks, which takes the distance to the mouth where that asks for more.
    Returns:
        `[4, 2]` float64 corners.
    """
    quad = frame_of_landmarks(landmarks)
    left, right = _eyes(landmarks)
    middle, side = quad.mean(0), np.hypot(*(quad[3] - quad[0]))
    return middle + (quad - middle) * (4 * np.hypot(*(right - left)) / side)


def upright_frame(quad: np.ndarray) -> np.ndarray:
    """The square `[4, 2]` of the same middle and side that is not turned."""
    half = np.hypot(*(quad[3] - quad[0])) / 2
    return quad.mean(0) + half * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])


def landmarks_pose(aligned: ArrayLike, upright: ArrayLike, size: int) -> Pose:
    """Find how an aligned face stands in its upright crop.

    The eyes' line is turned about the middle of the picture, then the left eye is moved to its place. Where
    stylegan3-editing takes the angle without its sign and guesses the sign from the upright eyes alone, this
    takes the angle with its sign; the two differ for faces that are turned less than their eyes' line leans.

    Args:
        aligned: `[68, 2]` landmarks in the pixels of the aligned crop.
        upright: `[68, 2]` landmarks in the pixels of the upright crop.
        size: side of both, in pixels.
    """
    eyes, wanted = (np.stack(_eyes(points)) for points in (aligned, upright))
    before, after = (np.arctan2(*(line[1] - line[0])[::-1]) for line in (eyes, wanted))  # clockwise as seen
    angle, middle = before - after, (size - 1) / 2
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    x, y = (wanted[0] - turn @ (eyes[0] - middle) - middle) / size
    return Pose((float(x), float(y)), float(np.degrees(angle)))


def cut_pair(photo: np.ndarray, landmarks: ArrayLike, size: int, quad: np.ndarray | None = None) -> FacePair:
    """Cut one face out of a photo aligned and upright.

    Args:
        photo: `[H, W, 3]` uint8.
        landmarks: `[68, 2]` in it.
        size: side of the crops, in pixels.
        quad: `[4, 2]` the aligned square; None takes frame_of_eyes.
    Raises:
        UserError: as align_face.
    """
    quad = frame_of_eyes(landmarks) if quad is None else quad
    aligned, alignment = cut_frame(photo, quad, size)
    return FacePair(aligned, alignment, *cut_upright(photo, landmarks, alignment))


def cut_upright(
    photo: np.ndarray, landmarks: ArrayLike, alignment: Alignment
) -> tuple[np.ndarray, Alignment, Pose]:
    """Cut a face upright that was cut aligned: (crop, where it lies, how the aligned face stands in it)."""
    size = alignment.size
    upright, placed = cut_frame(photo, upright_frame(alignment.quad), size)
    before, after = (landmarks_on_crop(one, landmarks, size) for one in (alignment, placed))
    return upright, placed, landmarks_pose(before, after, size)


def _eyes(landmarks: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The middles of the left and the right eye."""
    points = np.asarray(landmarks, np.float64)
    return points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0)
