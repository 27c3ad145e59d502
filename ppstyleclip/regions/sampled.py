# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which seeds and z the faces of a w_plus were sampled from, as far as one editor has sampled them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np

MOST = 4096  # faces that are remembered


class SampledFaces:
    """Remembers what w_plus was drawn from; the oldest faces are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[int | None, float, np.ndarray]] = OrderedDict()

    def remember(self, w_plus: Any, seeds: Any, z: Any, truncation: float) -> None:
        """Keep the seeds, None where there are none, and z `[N, D]` of faces `[N, L, D]`."""
        seeds = [None] * len(z) if seeds is None else np.atleast_1d(seeds).tolist()
        for row, seed, latent in zip(np.asarray(w_plus, np.float32), seeds, z):
            self._known[_key(row)] = seed, float(truncation), latent
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def seed_of(self, row: Any) -> tuple[int, float] | None:
        """Seed and truncation of a face `[L, D]`, or None."""
        seed, truncation, _ = self._known.get(_key(row), (None, 1.0, None))
        return None if seed is None else (seed, truncation)

    def z_of(self, row: Any) -> np.ndarray | None:
        """z `[D]` of a face `[L, D]`, where it was not truncated, or None."""
        known = self._known.get(_key(row))
        return known[2] if known is not None and known[1] == 1 else None


def _key(row: Any) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(row, np.float32).tobytes()).digest()
