# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Instant relevance whose strongest channels are measured as a matrix's are."""

from __future__ import annotations

import numpy as np

from ppstyleclip.engine import CompiledNetworks
from ppstyleclip.methods.global_directions.instant import InstantRelevance
from ppstyleclip.methods.global_directions.instant_cache import InstantCache
from ppstyleclip.methods.global_directions.relevance import RelevanceConfig, compute_relevance
from ppstyleclip.progress import last
from ppstyleclip.stylespace import EFFECT_NORM_SPAN, ChannelMatch

STRONGEST, FACES = 200, 12


class RefinedRelevance:
    """An InstantRelevance that draws the strongest channels of each text, as compute_relevance does.

    A channel that was drawn is known for all later texts, so with every text this comes nearer to a matrix.

    Args:
        instant: the InstantRelevance, with its networks, base faces and folder.
        strongest: how many channels of each text are drawn.
        faces: how many of the base faces they are drawn on.
    """

    def __init__(self, instant: InstantRelevance, *, strongest: int = STRONGEST, faces: int = FACES):
        self.instant, self._strongest = instant, strongest
        self._faces = instant.s_base[:faces]
        self._networks: CompiledNetworks | None = None
        key = [instant.key, "drawn", self._faces, RelevanceConfig()]
        self._cache = InstantCache(instant.folder, key)
        shape = [instant.generator.layout.num_editable, instant.clip.dim + 1]
        known = self._cache.read("channels")
        # Of each channel its row and its effect norm; -1 in place of the latter where it was not drawn.
        self._drawn = np.full(shape, -1, np.float32) if known is None else known.reshape(shape)

    def match(self, dt: np.ndarray) -> ChannelMatch:
        """Compare the channels with a text direction `[D]`; as InstantRelevance.match."""
        guess = self.instant.match(dt)
        self._draw(np.argsort(-np.abs(guess.r), kind="stable")[: self._strongest])
        rows, effect_norm = self._drawn[:, :-1], self._drawn[:, -1]
        drawn = effect_norm >= 0
        return ChannelMatch(
            np.where(drawn, rows @ np.asarray(dt, np.float32), guess.r),
            np.where(drawn, np.any(rows, axis=1), guess.alive),
            np.where(drawn, effect_norm, np.asarray(guess.effect_norm)),
        )

    def _draw(self, channels: np.ndarray) -> None:
        """Measure those of the channels that are not known."""
        missing = tuple(sorted(int(c) for c in channels if self._drawn[c, -1] < 0))
        if not missing:
            return
        instant = self.instant
        if self._networks is None:
            self._networks = CompiledNetworks(instant.generator, instant.clip)
        records = compute_relevance(
            instant.generator,
            instant.clip,
            instant.statistics,
            RelevanceConfig(channels=missing),
            s_base=self._faces,
            compiled=self._networks,
        )
        relevance = last(records).relevance
        assert relevance is not None
        effect_norm = np.asarray(relevance.effect_norm_over(EFFECT_NORM_SPAN))
        found = self._drawn.copy()  # another thread may be reading
        for c in missing:
            found[c] = np.append(relevance.rows[c], effect_norm[c])
        self._drawn = found
        self._cache.write("channels", found.reshape(-1))
