# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How well pictures tell people apart: two of each person, dressed differently."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.worlds.portrait.identity import IDENTITY, dressed

SEED = 424242
MARKS = np.linspace(-1, 1, 401)  # cosines from which on two pictures are taken for one person


@dataclass(frozen=True)
class Verification:
    """How well people are told apart.

    Attributes:
        auc: share of pairs (two pictures of one person, two of different ones) of which the first are nearer.
        right: share of pairs that the best threshold judges right.
        found: share of people whose other picture is the nearest of all.
        alike, apart: mean cosines of one person and of two.
    """

    auc: float
    right: float
    found: float
    alike: float
    apart: float

    def __str__(self):
        return (
            f"AUC {self.auc:.4f}, verification {self.right:.3f}, found among all {self.found:.3f}, "
            f"cosine alike {self.alike:.3f}, apart {self.apart:.3f}"
        )


def verify(features, draw, people=500):
    """Verification on `people` people.

    Args:
        features: function from pixels `[N, S, S, 3]` to unit vectors `[N, D]`.
        draw: function from z `[N, Z_DIM]` to pixels.
        people: how many.
    """
    rng = np.random.RandomState(SEED)
    shapes = rng.randn(people, len(IDENTITY)) @ _spread().T
    first, second = (features(draw(dressed(shapes, rng))) for _ in range(2))
    cosines = first @ second.T
    alike, apart = np.diag(cosines), cosines[~np.eye(people, dtype=bool)]
    below = np.searchsorted(np.sort(apart), alike)
    right = [((alike > mark).mean() + (apart <= mark).mean()) / 2 for mark in MARKS]
    found = (cosines.argmax(1) == np.arange(people)).mean()
    figures = (below.mean() / len(apart), max(right), found, alike.mean(), apart.mean())
    return Verification(*map(float, figures))


def _spread():
    """Makes the factors of identity go together as they do in the population."""
    from ppstyleclip.worlds.portrait.factors import INDEX, correlation_matrix

    places = [INDEX[name] for name in IDENTITY]
    return np.linalg.cholesky(correlation_matrix()[np.ix_(places, places)])
