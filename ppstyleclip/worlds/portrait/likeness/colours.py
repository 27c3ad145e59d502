# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Factors of colours: which of the drawn world's hair, backdrops, clothes and lips come nearest."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ppstyleclip.worlds.portrait.colours import BACKDROPS, CLOTHES, natural_hair, palette
from ppstyleclip.worlds.portrait.likeness.patch import Patch, to_lab
from ppstyleclip.worlds.portrait.smooth import sat

HAIR_LIGHT = 0.8  # on drawn hair, as a share of its colour
HAIR_NAMES = ("hair_lightness", "hair_redness", "hair_grey")
WHITE = 80.0  # L from which hair is white, whatever the light's colour
# What hair loses where skin, which is redder in photos, sets the light.
WARM = np.array([0, 4, 2], np.float32)
GLEAM = 22.0  # of black hair, in L
ODD = (0.0, 3.0, 4.0)  # of Lab, what a deviation of lightness, redness and grey has to be worth
NAVY, BLACK_CLOTH = -1.5, 30.0  # nothing drawn is blacker than navy; L of black clothes
LIPS, LIPS_SPREAD = 8.0, 6.0  # by how much lips are redder than skin, in a of Lab


@lru_cache(maxsize=1)
def drawn_hair() -> tuple[np.ndarray, np.ndarray]:
    """(factors `[N, 3]` by HAIR_NAMES, Lab `[N, 3]`) of hair in all its natural colours."""
    grid = np.stack(
        np.meshgrid(
            np.linspace(-2, 2, 13), (-1.0, -0.4, 0.0, 0.6, 1.3), (-0.3, 0.4, 0.8, 1.2, 1.6), indexing="ij"
        ),
        -1,
    ).reshape(-1, 3)
    colours = [natural_hair(dict(zip(HAIR_NAMES, row))) for row in grid]
    return grid, to_lab(np.asarray(colours, np.float32) * np.asarray(HAIR_LIGHT, np.float32))


def hair_factors(lab: np.ndarray) -> dict[str, float]:
    """Factors of the natural hair that is nearest to a colour `[3]` Lab; dyes are never read."""
    grid, colours = drawn_hair()
    lab = np.array(lab, np.float32)
    dull = max(1 - float(np.hypot(*lab[1:])) / 22, 0.0)
    if lab[0] > WHITE:
        lab[1:] *= 0.3
    elif lab[0] < 45:
        lab[0] -= GLEAM * dull
    if 40 < lab[0] <= WHITE:
        lab += WARM
    apart = (colours - lab) * (0.8, 1.0, 1.0)
    price = np.abs(grid - (0, 0, -0.3)) @ ODD
    return dict(zip(HAIR_NAMES, map(float, grid[int(np.argmin(np.sqrt((apart**2).sum(1)) + price))])))


@lru_cache(maxsize=4)
def _drawn(codes, k):
    values = np.linspace(-1.8, 1.8, 25)
    return values, to_lab(np.array([palette(codes, 0.5 + 0.5 * sat(v, k)) for v in values], np.float32))


def nearest(codes, lab: np.ndarray, k: float = 0.75) -> float:
    """The factor along a palette that comes nearest to a colour `[3]` Lab; lightness counts little."""
    values, colours = _drawn(codes, k)
    return float(values[int(np.argmin((((colours - lab) * (0.25, 1, 1)) ** 2).sum(1)))])


def backdrop_factors(patch: Patch, lab: np.ndarray) -> dict[str, float]:
    """Colour and brightness of what is behind the head."""
    parts = [patch.values(lab, side * 2.3, -1.0, 0.45, 0.8) for side in (-1, 1)]
    values = np.concatenate(parts)
    if len(values) < 200:
        return {}
    colour = np.median(values, 0)
    tone = float(np.clip((colour[0] - 60) / 16, -1.6, 1.5))
    return dict(background_colour=0.8 * nearest(BACKDROPS, colour), background_tone=tone)


def clothes_factors(patch: Patch, lab: np.ndarray) -> dict[str, float]:
    """Colour of the clothes below the chin."""
    chin = float(patch.points[8, 1])
    parts = [patch.values(lab, side * 0.9, chin + 0.95, 0.35, 0.2) for side in (-1, 1)]
    values = np.concatenate(parts)
    if len(values) < 200:
        return {}
    colour = np.median(values, 0)
    return dict(clothes_colour=NAVY if colour[0] < BLACK_CLOTH else nearest(CLOTHES, colour))


def lipstick_factor(patch: Patch, lab: np.ndarray, skin: np.ndarray) -> float:
    """Lipstick: how much redder the lips are than the skin."""
    outer, inner = patch.points[48:60], patch.points[60:68]
    lips = patch.inside(outer) & ~patch.inside(inner)
    if lips.sum() < 30:
        return 0.0
    redder = float(np.median(lab[lips][:, 1]) - skin[1])
    return float(np.clip((redder - LIPS) / LIPS_SPREAD, -0.3, 1.5))
