# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How dark a face's skin is, whatever the light; and the photo in the light of the drawn world.

A dim photo of fair skin and a bright one of dark skin hold the same numbers. What differs is the skin's
yellowness: melanin takes blue away before green. So the tone is read from that, less what the surroundings
have of it, and only a little from the brightness. Once the tone is known, the skin is the reference of
exposure and white balance: each channel is scaled so that the cheeks are those of the drawn world.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ppstyleclip.worlds.portrait.colours import SKINS, palette
from ppstyleclip.worlds.portrait.likeness.patch import MIDDLE, SIDE, UNIT, Patch
from ppstyleclip.worlds.portrait.smooth import sat

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
CHEEKS = ((-0.62, 0.62, 0.17), (0.62, 0.62, 0.17), (-0.45, 0.85, 0.12), (0.45, 0.85, 0.12))  # u, v, half
NOSE = (0.0, 0.45, 0.10)
# The tone, fitted to faces of photographs whose tone was judged by eye: the skin's log2 of green to blue, the
# surroundings' own, and log2 of the skin's brightness, each from its middle.
YELLOW = 3.4
AROUND, AROUND_MIDDLE, AROUND_MOST = -0.7, 0.15, 0.5
BRIGHT, BRIGHT_MIDDLE = -0.26, -2.1
TONE = -0.25
TONES = (-1.5, 1.15)
DARKER = 1.35  # tones beyond the middle: few of the faces that were fitted were dark
GAINS = (0.3, 8.0)  # by which a photo is made darker or brighter
# On the cheeks of drawn faces, as a share of their colour.
DRAWN_LIGHT = np.array([0.92, 0.86, 0.82], np.float32)


def skin_samples(patch: Patch) -> np.ndarray:
    """`[N, 3]` linear light of cheeks and nose: skin that neither hair nor beard covers."""
    turn = 0.5 * float(patch.points[30, 0])  # the cheeks move with the nose
    found = [patch.values(patch.linear, u + turn, v, half) for u, v, half in (*CHEEKS, NOSE)]
    return np.concatenate(found) if any(map(len, found)) else patch.linear.reshape(-1, 3)


def typical_skin(samples: np.ndarray) -> np.ndarray:
    """`[3]` linear light of the lit skin: the median of its brighter half, without highlights."""
    bright = samples.mean(1)
    low, high = np.quantile(bright, (0.5, 0.9))
    return np.median(samples[(bright >= low) & (bright <= high)], 0)


def read_tone(patch: Patch, skin: np.ndarray, middle: float) -> float:
    """The factor skin_tone of lit skin `[3]`; `middle` is the yellowness of people's."""
    u, v = places()
    around = patch.linear[patch.seen & ((np.abs(u) > 1.6) | (v > 2.4))]
    cast = yellowness(around.mean(0)) if len(around) > 100 else AROUND_MIDDLE
    tone = (
        TONE
        + YELLOW * (yellowness(skin) - middle)
        + AROUND * float(np.clip(cast - AROUND_MIDDLE, -AROUND_MOST, AROUND_MOST))
        + BRIGHT * (float(np.log2(skin @ LUMINANCE + 0.002)) - BRIGHT_MIDDLE)
    )
    return float(np.clip(tone * DARKER if tone > 0 else tone, *TONES))


def yellowness(colour: np.ndarray) -> float:
    """log2 of green to blue of linear light `[3]`."""
    return float(np.log2((colour[1] + 0.003) / (colour[2] + 0.003)))


def drawn_skin(tone: float) -> np.ndarray:
    """`[3]` linear light of a drawn cheek of this tone."""
    return palette(SKINS, 0.5 + 0.5 * sat(tone, 0.72)) * DRAWN_LIGHT


def in_drawn_light(patch: Patch, skin: np.ndarray, tone: float) -> np.ndarray:
    """The patch `[SIDE, SIDE, 3]` in linear light, scaled so that lit skin is that of a drawn face."""
    return np.minimum(patch.linear * gains(skin, tone), 1)


def gains(skin: np.ndarray, tone: float) -> np.ndarray:
    """`[3]` float32 by which lit skin becomes that of a drawn face."""
    return np.clip(drawn_skin(tone) / np.maximum(skin, 1e-3), *GAINS).astype(np.float32)


@lru_cache(maxsize=1)
def places() -> tuple[np.ndarray, np.ndarray]:
    """(u `[1, SIDE]`, v `[SIDE, 1]`) of a patch's pixels."""
    axis = np.arange(SIDE, dtype=np.float32)
    return (axis[None] - MIDDLE[0]) / UNIT, (axis[:, None] - MIDDLE[1]) / UNIT
