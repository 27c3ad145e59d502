# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The beard: how far chin, jaw and upper lip go from the colour of skin to that of hair."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.likeness.patch import Patch

SHADE = (5.0, 8.0, 3.0)  # by which chin, jaw and upper lip are darker than cheeks by themselves, in L


def beard_shares(patch: Patch, lab: np.ndarray, skin: np.ndarray, hair: np.ndarray) -> tuple[float, ...]:
    """(chin, jaw, upper lip): 0 where it is as light as skin, 1 where it is as dark as the hair."""
    p = patch.points
    full = max(float(skin[0] - min(hair[0], 0.6 * skin[0])), 12.0)
    lip, chin = p[57], p[8]
    places = (
        [0.55 * lip + 0.45 * chin, 0.3 * lip + 0.7 * chin],
        [0.7 * p[k] + 0.3 * p[corner] for k, corner in ((5, 48), (6, 48), (10, 54), (11, 54))],
        [0.5 * (p[33] + p[51]) + (du, 0.02) for du in (-0.16, 0.16)],
    )
    found = []
    for spots, shade in zip(places, SHADE):
        values = [
            np.median(patch.values(lab, spot[0], spot[1], 0.08)[:, 0], 0)
            for spot in spots
            if _seen(patch, spot)
        ]
        dark = skin[0] - np.median(values) - shade if values else 0.0
        found.append(float(np.clip(dark / full, -0.3, 1.2)))
    return tuple(found)


def _seen(patch, spot):
    return len(patch.values(patch.seen, *spot, 0.08)) > 8
