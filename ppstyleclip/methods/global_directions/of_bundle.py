# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style directions of a bundle's generator, for edits in words; what was computed is remembered."""

from __future__ import annotations

import warnings
from functools import cached_property, lru_cache
from typing import Any

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import cache_home
from ppstyleclip.methods.global_directions.choose import choose_matcher, measured_styles
from ppstyleclip.methods.global_directions.direction import (
    NoChannel,
    StyleDirection,
    style_direction,
)
from ppstyleclip.methods.global_directions.regression import remembered_regression
from ppstyleclip.stylespace import StyleRegression, StyleStats, TextMatcher
from ppstyleclip.text import text_direction, unknown_words
from ppstyleclip.wording import counted
from ppstyleclip.zoo import Bundle

REMEMBERED = 64  # directions
FEW, HARDLY = 3, 1.25  # channels, and the usual beta's multiple that the strongest stays below: chance


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
            return self._answer(edit, edit.reference.direction(bundle.clip), relevance, stats)
        dt = text_direction(bundle.clip, edit.neutral, edit.target, templates=edit.templates)
        try:
            found = self._answer(edit, dt, relevance, stats)
        except NoChannel:
            unknown, beta = unknown_words(bundle.clip, edit.neutral, edit.target), edit.beta
            if not unknown:
                raise
            words = bundle.clip.describe_unknown(unknown)
            raise UserError(
                f"the CLIP of '{bundle.clip.name}' never saw {words}, and nothing reaches beta {beta:g}; use "
                "other words"
            ) from None
        if found.num_channels <= FEW and found.max_relevance < HARDLY * bundle.defaults.beta:
            channels, most = counted(found.num_channels, "style channel"), f"{found.max_relevance:.3f}"
            warnings.warn(
                f"hardly anything answers '{edit.neutral} -> {edit.target}': {channels}, at {most} of beta "
                f"{edit.beta:g}; what it does is chance, so use other words",
                stacklevel=3,
            )
        return found

    def _answer(self, edit: Any, dt: Any, relevance: TextMatcher, stats: StyleStats) -> StyleDirection:
        bundle = self._bundle
        return style_direction(
            relevance,
            dt,
            bundle.layout,
            stats,
            beta=edit.beta,
            unit=edit.unit,
            soft=edit.soft,
            pull=edit.pull,
            regression=self._regression if edit.pull else None,
        )

    @cached_property
    def stats(self) -> StyleStats:
        """Statistics of styles: the bundle's, or where it has none, new ones, measured in seconds."""
        try:
            return self._bundle.stats
        except MissingFile:
            return measured_styles(self._bundle)[0]

    @cached_property
    def _regression(self) -> StyleRegression:
        """What the bundle's relevance brings, or else what is measured once and kept in the cache."""
        bundle = self._bundle
        if (known := bundle.regression) is not None:
            return known
        mark = bundle.fingerprints.get("generator")
        return remembered_regression(
            bundle.generator, bundle.clip, folder=cache_home() / "instant", mark=mark
        )

    @cached_property
    def _matcher(self) -> tuple[TextMatcher, StyleStats]:
        return choose_matcher(self._bundle, self._source)
