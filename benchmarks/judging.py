# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What every judgement of the face world shares: two judges, a reading of pixels, and their agreement.

A reading is in the renderer's own units: one is a true standard deviation of the factor over the population.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.toonface.judge import read_factors
from ppstyleclip.toonface.renderer import INDEX
from ppstyleclip.toonface.train_generator import load_judge

JUDGES = Path(__file__).parent / "judges"
# Patches [top, bottom, left, right] as fractions of the picture where nothing but the thing itself is drawn.
HAIR_PATCH = (0.28, 0.31, 0.40, 0.60)  # below the highlight, above the fringe's edge
SKIN_PATCH = (0.49, 0.53, 0.47, 0.53)  # the bridge of the nose
PIXEL_FACTORS = {"hair_light": HAIR_PATCH, "hair_tone": HAIR_PATCH, "skin": SKIN_PATCH}


def load_judges():
    """The two judges, trained from different seeds on different faces."""
    paths = sorted(JUDGES.glob("judge-*.safetensors"))
    if len(paths) < 2:
        raise SystemExit(
            f"two judges are needed in {JUDGES}; make them with: python -m ppstyleclip.toonface.train_judge"
        )
    return [load_judge(path) for path in paths[:2]]


def readings(judges, images):
    """`[J, N, NUM_FACTORS]` readings of images `[N, 3, H, W]`."""
    return np.stack([read_factors(judge, images) for judge in judges])


def patch_colors(images, patch):
    """Mean RGB `[N, 3]` in [0, 1] of a patch."""
    side = images.shape[-1]
    top, bottom, left, right = (int(round(v * side)) for v in patch)
    return np.clip(np.asarray(images)[:, :, top:bottom, left:right].mean((2, 3)) * 0.5 + 0.5, 0, 1)


def _terms(rgb):
    r, g, b = rgb.T
    light, chroma = rgb.mean(1), (r - b)
    return np.stack(
        [
            np.ones_like(r),
            r,
            g,
            b,
            r * r,
            g * g,
            b * b,
            r * g,
            r * b,
            g * b,
            chroma / (light + 0.1),
            (r - g) / (light + 0.1),
            (g - b) / (light + 0.1),
        ],
        1,
    )


class PixelReader:
    """Reads hair and skin colour from the mean colour of a patch: least squares on rendered pictures."""

    def __init__(self, images, factors):
        self.weights = {}
        for name, patch in PIXEL_FACTORS.items():
            terms = _terms(patch_colors(images, patch))
            self.weights[name] = np.linalg.lstsq(terms, factors[:, INDEX[name]], rcond=None)[0]

    def read(self, images):
        """`{factor: [N]}` in the renderer's units."""
        return {
            name: _terms(patch_colors(images, PIXEL_FACTORS[name])) @ w for name, w in self.weights.items()
        }
