# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The latents that a mapper is trained and validated on."""

from __future__ import annotations

from typing import Callable

import numpy as np

from ppstyleclip.methods.mapper.text_sets import TextSet


class LatentDataset:
    """Latents, the class of texts that each is for, and what is known of their pictures.

    Args:
        latents: `[N, L, D]` w_plus or `[N, S]` styles.
        texts: TextSet.

    Attributes: `latents`; `classes`, `[N]` the number of each latent's class.
    """

    def __init__(self, latents: np.ndarray, texts: TextSet):
        self.latents = np.ascontiguousarray(latents, np.float32)
        self.classes = texts.class_of(len(self.latents))
        self._cache: dict[tuple, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.latents)

    def cached(self, name: str, rows: np.ndarray, compute: Callable) -> np.ndarray:
        """`[len(rows), ...]` what `compute` gives for each latent.

        It is computed once and of one latent at a time, so that it is the same whatever was drawn before.
        """
        for row in rows:
            if (name, row) not in self._cache:
                self._cache[name, row] = compute(self.latents[row : row + 1])[0]
        return np.stack([self._cache[name, row] for row in rows])
