# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How well the faces of held-out scenes are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.align import find_faces, frame_of_landmarks
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.worlds.portrait.training.faces.fit import SIDES, matches

HELD_OUT_SEED = 900_000
KINDS = (
    {"width": 640, "height": 480, "sides": (96, 192)},
    {"width": 960, "height": 720, "sides": SIDES},
    {"width": 2000, "height": 1500, "sides": (80, 900)},
)  # of held-out scenes: of every ten the first seven, the next two, the last one


@dataclass(frozen=True)
class Report:
    """How well faces are found.

    Attributes:
        faces, found, false: true faces, those of them that were found, boxes on none.
        landmark_error: mean over the found, of the distance of the eyes; landmark_error_95: 95th percentile.
        corner_error: mean distance of the crop's corners from the frame's, of its side; corner_error_95.
        size_error: root mean square of the crop's side against the frame's, as a share.
    """

    faces: int
    found: int
    false: int
    landmark_error: float
    landmark_error_95: float
    corner_error: float
    corner_error_95: float
    size_error: float

    def __str__(self):
        return (
            f"precision {self.found / max(1, self.found + self.false):.4f}, "
            f"recall {self.found / self.faces:.4f} of {self.faces} faces; "
            f"landmarks off by {self.landmark_error:.4f} of the eyes' distance (95%: "
            f"{self.landmark_error_95:.4f}); corners of the crop by {self.corner_error:.4f} of its side "
            f"(95%: {self.corner_error_95:.4f}), its size by {self.size_error:.4f}"
        )


def held_out_scene(number):
    """One of the held-out scenes, of one to four faces."""
    kind = KINDS[0 if number % 10 < 7 else 1 if number % 10 < 9 else 2]
    return draw_scene(HELD_OUT_SEED + number, **kind)


def measure(finder, crop, scenes):
    """Find the faces of scenes, an iterable; returns a Report."""
    pairs, faces, false = [], 0, 0
    for scene in scenes:
        found = find_faces(finder, scene.pixels)
        same = matches(found, scene.faces)
        pairs += same
        faces += len(scene.faces)
        false += len(found) - len(same)
    landmarks = [mean_distance(one.landmarks, true.landmarks) / eye_distance(true) for one, true in pairs]
    crops = [(frame_of_landmarks(one.landmarks, crop), true) for one, true in pairs]
    corners = [mean_distance(quad, true.frame) / true.side for quad, true in crops]
    sizes = [np.hypot(*(quad[3] - quad[0])) / true.side - 1 for quad, true in crops]
    figures = (
        *_mean_and_tail(landmarks),
        *_mean_and_tail(corners),
        float(np.sqrt(np.mean(np.square(sizes)))),
    )
    return Report(faces, len(pairs), false, *figures)


def _mean_and_tail(values):
    return float(np.mean(values)), float(np.percentile(values, 95))


def mean_distance(a, b):
    return np.hypot(*(a - b).T).mean()


def eye_distance(face):
    """Of the middles of a SceneFace's eyes, in pixels."""
    return np.hypot(*(face.landmarks[42:48].mean(0) - face.landmarks[36:42].mean(0)))
