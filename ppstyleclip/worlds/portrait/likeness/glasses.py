# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Glasses: the lines of their frames, on the bridge of the nose and under the eyes."""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.worlds.portrait.likeness.patch import Patch

SEEN = 0.175  # strength of the lines from which there are glasses
BRIDGE = 0.065  # of the bridge's line alone; wide smiles and edges make the others
REACH = 0.09  # of a line's two sides, in units of the face


def frame_lines(patch: Patch, lab: np.ndarray, skin: np.ndarray) -> dict[str, float]:
    """How strong lines are where frames have theirs, as shares of the skin's lightness.

    Returns:
        bridge: across the nose between the eyes; under: under the eyes, the weaker one; arms: from the eyes
        to the ears, the stronger one; lens: lightness of what is behind the lenses.
    """
    light = cv2.GaussianBlur(lab[..., 0], (0, 0), 1.2) / max(float(skin[0]), 55.0)
    eye = float(np.abs(patch.points[36:48, 0]).mean())
    nose = float(patch.points[27, 0])
    bridge = _line(patch, light, (nose - 0.11, nose + 0.11), (-0.22, 0.22))
    under = [_line(patch, light, (side * eye - 0.2, side * eye + 0.2), (0.2, 0.62)) for side in (-1, 1)]
    ends = [float(patch.points[0, 0]), float(patch.points[16, 0])]
    arms = [
        _line(
            patch,
            light,
            sorted((0.75 * end + 0.25 * side * eye, 0.95 * end + 0.05 * side * eye)),
            (-0.3, 0.2),
        )
        for side, end in zip((-1, 1), ends)
    ]
    whites = [patch.values(light, side * eye, 0.0, 0.28, 0.22) for side in (-1, 1)]
    return dict(
        bridge=bridge,
        under=min(under),
        arms=max(arms),
        lens=float(np.mean([np.quantile(one, 0.85) if len(one) else 1.0 for one in whites])),
    )


def _line(patch, light, across, down):
    """Strength of the strongest level line, dark or bright, in a rectangle (u from, to), (v from, to)."""
    at = patch.window(
        sum(across) / 2, sum(down) / 2, (across[1] - across[0]) / 2, (down[1] - down[0]) / 2 + REACH
    )
    if not patch.seen[at].all():
        return 0.0
    profile = light[at].mean(1)
    step = 4
    if len(profile) <= 2 * step:
        return 0.0
    bend = profile[step:-step] - (profile[2 * step :] + profile[: -2 * step]) / 2
    return float(np.abs(bend).max())
