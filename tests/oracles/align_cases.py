# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The scenes on which alignment is compared with the published recipe.

Faces within the photo, cut off by its edges (padded) and much larger than the crop (shrunk), with landmarks
that are off by some pixels, as a predictor's are.
"""

import numpy as np

from ppstyleclip.worlds.portrait.scenes import draw_scene

SIZE = 64  # of the crop
NUM_CASES = 24
PADDED, SHRUNK = range(8, 16), range(14, 24)


def case(k):
    """(photo `[H, W, 3]` uint8, landmarks `[68, 2]`) of case `k`."""
    sides = (300, 380) if k in SHRUNK else (110, 200)
    scene = draw_scene(7000 + k, faces=1, sides=sides, width=641 + k, height=487 + 3 * k)
    photo, face = scene.pixels, scene.faces[0]
    rng = np.random.RandomState(k)
    landmarks = face.landmarks + rng.normal(0, face.side * 0.01, (68, 2))
    if k in PADDED:
        left, top = np.maximum(np.subtract(face.centre, face.side * rng.uniform(0.2, 0.45, 2)), 0).astype(int)
        photo, landmarks = photo[top:, left:], landmarks - [left, top]
    if k % 4 == 1:
        photo, landmarks = _cut_right(photo, face, landmarks)
    return np.ascontiguousarray(photo), landmarks


def _cut_right(photo, face, landmarks):
    right = int(landmarks[:, 0].max() + 0.02 * face.side)
    return photo[:, :right], landmarks


def samples(crop):
    """Every fourth pixel of a crop: what is stored."""
    return crop[1::4, 2::4]


def detected(k, landmarks, quad, which):
    """Landmarks `[68, 2]` of case `k` on the crop of SIZE pixels of `quad`, a little off as found ones are.

    `which` is 0 for the aligned crop and 1 for the upright one: the two are looked at one after the other.
    """
    right, down = quad[3] - quad[0], quad[1] - quad[0]
    places = (landmarks - quad[0]) @ np.stack([right, down], 1) / (right @ right) * SIZE - 0.5
    return places + np.random.RandomState(100 + 2 * k + which).normal(0, 0.004 * SIZE, (68, 2))
