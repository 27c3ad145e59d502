# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Lengths of a face, read off its 68 landmarks in units of the face, and how they compare with people's."""

from __future__ import annotations

import numpy as np

EYE_MIDDLE = 0.0


def lengths(points: np.ndarray) -> dict[str, float]:
    """Lengths of a face in units of it, by name.

    Args:
        points: `[68, 2]` landmarks (u, v) of a Patch.
    Returns:
        width, height: of the face from ear to ear, and from the eyes to the chin.
        jaw, chin: widths half way up and near the chin, as shares of the width.
        eye_open, eye_width, eye_gap: of the eyes, and between their inner corners.
        brow_rise, brow_inner: brows above the eyes, and how far their inner ends hang below their middles.
        nose_width, nose_length: of the nose.
        mouth_width, corner_rise, gap, lips: of the mouth: its corners above its middle, what is between the
            lips, both lips' thickness.
        turn: nose aside of the face's middle, as a share of half the width.
    """
    p = points

    def apart(a, b):
        return float(np.hypot(*(p[a] - p[b])))

    def mean(*numbers):
        return p[list(numbers)].mean(0)

    width = apart(1, 15)
    corners, brows = mean(48, 54)[1], mean(18, 19, 20, 23, 24, 25)[1]
    return dict(
        width=width,
        height=float(p[8, 1]),
        jaw=apart(4, 12) / width,
        chin=apart(6, 10) / width,
        eye_open=(apart(37, 41) + apart(38, 40) + apart(43, 47) + apart(44, 46)) / 4,
        eye_width=(apart(36, 39) + apart(42, 45)) / 2,
        eye_gap=apart(39, 42),
        brow_rise=float(mean(37, 38, 43, 44)[1] - brows),
        brow_inner=float(mean(21, 22)[1] - mean(19, 24)[1]),
        brow_gap=apart(21, 22),
        nose_width=apart(31, 35),
        nose_length=float(p[33, 1] - p[27, 1]),
        mouth_width=apart(48, 54),
        corner_rise=float(p[62, 1] - corners),
        gap=apart(62, 66),
        lips=apart(51, 62) + apart(57, 66),
        turn=float((p[30, 0] - (p[1, 0] + p[15, 0]) / 2) / (width / 2)),
    )
