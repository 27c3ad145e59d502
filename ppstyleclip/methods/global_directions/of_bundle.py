# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style directions of a bundle's generator, for edits in words; what was computed is remembered."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import paddle

from ppstyleclip.methods.global_directions.choose import choose_matcher
from ppstyleclip.methods.global_directions.direction import StyleDirection, style_direction
from ppstyleclip.stylespace import StyleStats, TextMatcher
from ppstyleclip.text import text_direction
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import Bundle

POPULATION = 4000  # faces whose differences `pull` leans towards
REMEMBERED = 64  # directions


class BundleDirections:
    """What turns an edit with everything filled in into its style direction.

    Args:
        bundle: the model.
        source: where relevance comes from, as in choose_matcher.
    """

    def __init__(self, bundle: Bundle, source: str | None):
        self._bundle, self._source = bundle, source
        self.direction = lru_cache(maxsize=REMEMBERED)(self._direction)

    def _direction(self, edit: Any) -> StyleDirection:
        """The StyleDirection of a ResolvedEdit; errors as text_direction and style_direction, or of its
        reference."""
        bundle = self._bundle
        relevance, stats = self._matcher  # where one is missing, no CLIP is fetched first
        if edit.reference is not None:
            dt = edit.reference.direction(bundle.clip)
        else:
            dt = text_direction(bundle.clip, edit.neutral, edit.target, templates=edit.templates)
        return style_direction(
            relevance,
            dt,
            bundle.layout,
            stats,
            beta=edit.beta,
            unit=edit.unit,
            soft=edit.soft,
            covariance_weight=edit.pull,
            population=self._population if edit.pull else None,
        )

    @cached_property
    @on_worker
    @paddle.no_grad()
    def _population(self) -> np.ndarray:
        """Styles of the editable channels `[N, E]` of faces that are always the same."""
        generator, layout = self._bundle.generator, self._bundle.layout
        z = np.random.RandomState(0).standard_normal([POPULATION, generator.style_dim]).astype(np.float32)
        s = layout.flatten(generator.style_affine(generator.get_latent(paddle.to_tensor(z))))
        return s.numpy()[:, layout.editable_index]

    @cached_property
    def _matcher(self) -> tuple[TextMatcher, StyleStats]:
        return choose_matcher(self._bundle, self._source)
