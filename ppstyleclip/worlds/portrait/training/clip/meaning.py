# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a caption says of the factors, as numbers: what the faces of which it is true have in common.

A linear layer, thrown away afterwards, reads this from the features of captions. It is told of each what it
means, which is learnt much sooner than from which of its neighbours is true of more faces.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ppstyleclip.worlds.portrait.captions.truth import truth_table
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS

FACES = 4000  # whose factors do not depend on one another
WIDTH = 2 * NUM_FACTORS  # mean of every factor, and how much less it varies


@lru_cache(maxsize=1)
def meanings() -> np.ndarray:
    """`[len(ATTRIBUTES), len(DEGREES), WIDTH]` of each statement; zeros say nothing."""
    factors = 1.2 * np.random.RandomState(0).randn(FACES, NUM_FACTORS)
    true = (truth_table(factors) > 0).reshape(FACES, -1).astype(np.float64)  # [F, A * D]
    counts = np.maximum(true.sum(0), 1)[:, None]
    mean = true.T @ factors / counts
    spread = np.sqrt(np.maximum(true.T @ factors**2 / counts - mean**2, 0)) - factors.std(0)
    # What a statement has nothing to do with is chance: a factor of it moves by several standard errors.
    noise = 4 * factors.std(0) / np.sqrt(counts)
    found = np.concatenate([np.where(np.abs(v) > noise, v, 0) for v in (mean, spread)], 1)
    return (found * (true.sum(0) > 4)[:, None]).reshape(*truth_table(factors[:1]).shape[1:], WIDTH)


def meaning(statements) -> np.ndarray:
    """`[WIDTH]` of a caption that says all of them."""
    table = meanings()
    return sum((table[index, degree] for index, degree in statements), np.zeros(WIDTH)).clip(-2.5, 2.5)
