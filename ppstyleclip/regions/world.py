# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Regions of a drawn world: its renderer knows where each part of the face of a z lies.

A world offers its regions by one function, `masks(z, names, size)`; `_WORLDS` names the function of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ppstyleclip.regions.masks import grown

FINE = 256
# Factors, in deviations, that show where else a part can be: an edit may open a mouth or put on glasses.
_VARIANTS: dict[str, tuple[dict[str, float], ...]] = {
    "mouth": ({"smile": 2.0, "mouth_open": 1.0}, {"smile": -2.0}),
    "eyes": ({"surprise": 2.0}, {"anger": 2.0}),
    "brows": ({"anger": 2.0}, {"surprise": 2.0}),
    "hair": ({"hair_length": 2.0, "hair_volume": 1.0}, {"fringe": 2.0}),
    "beard": ({"beard": 2.0},),
    "glasses": ({"glasses": 2.0, "shades": 2.0},),
}
_PARTS = {"skin": ("skin", "nose")}  # of the renderer that a region is made of; else its own name
_GROWTH = {"mouth": 0.03, "eyes": 0.02, "hair": 0.02, "beard": 0.02}  # of the side
_LEAST_GROWTH = 0.012

Masks = Callable[[np.ndarray, Sequence[str], int], dict[str, np.ndarray]]


def has_world(name: str) -> bool:
    """Whether the model of this name is of a drawn world that tells its regions."""
    return name in _WORLDS


def masks_of_world(name: str, z: np.ndarray, names: Sequence[str], size: int) -> dict[str, np.ndarray]:
    """Soft masks of the regions of drawn faces.

    Args:
        name: of the world's model, for which has_world holds.
        z: `[N, D]` latents.
        names: of regions.
        size: side of the masks.
    Returns:
        `{name: [N, size, size]}` float32, 0 to 1.
    """
    return _WORLDS[name](z, names, size)


def _portrait(z: np.ndarray, names: Sequence[str], size: int) -> dict[str, np.ndarray]:
    from ppstyleclip.worlds.portrait.factors import INDEX, factors_from_z
    from ppstyleclip.worlds.portrait.render import regions

    def where(row: np.ndarray, name: str) -> np.ndarray:
        fine, found = max(FINE, size), []
        for variant in ({}, *_VARIANTS.get(name, ())):
            changed = row.copy()
            for factor, value in variant.items():
                changed[INDEX[factor]] = value
            parts = regions(changed, fine)
            found.append(np.sum([parts[part] for part in _PARTS.get(name, (name,))], axis=0))
        mask = grown(np.max(found, axis=0), fine * _GROWTH.get(name, _LEAST_GROWTH))
        times = fine // size
        return mask.reshape(size, times, size, times).mean(axis=(1, 3))

    rows = factors_from_z(z)
    return {name: np.stack([where(row, name) for row in rows]).astype(np.float32) for name in names}


_WORLDS: dict[str, Masks] = {"portrait": _portrait, "portrait-sg3": _portrait}
