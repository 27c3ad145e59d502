# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where a bundle's directions come from: its matrix, or gradients where it has none."""

from __future__ import annotations

import warnings

import numpy as np

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import cache_home
from ppstyleclip.methods.global_directions.instant import InstantRelevance, default_instant_config
from ppstyleclip.methods.global_directions.refined import FACES, RefinedRelevance
from ppstyleclip.methods.global_directions.statistics import StatisticsConfig, collect_statistics
from ppstyleclip.progress import last
from ppstyleclip.stylespace import StyleStats, TextMatcher
from ppstyleclip.zoo import Bundle
from ppstyleclip.zoo.registry import EMBEDDED

SOURCES = ("matrix", "instant", "instant+")
SAMPLES = 2000  # of statistics that a bundle does not have


def choose_matcher(bundle: Bundle, source: str | None = None) -> tuple[TextMatcher, StyleStats]:
    """What tells how a bundle's channels answer a text, and the statistics that go with it.

    Args:
        bundle: the model.
        source: "matrix": the bundle's Relevance. "instant": gradients, see InstantRelevance. "instant+": the
            strongest channels drawn, too, see RefinedRelevance. None: the matrix, or where the bundle has
            none, after a warning, gradients.
    Raises:
        UserError: an unknown source.
        MissingFile: the bundle has no matrix, and one is asked for, or no CLIP is at hand either.
    """
    if source not in (None, *SOURCES):
        raise UserError(f"unknown relevance '{source}', known: {', '.join(SOURCES)}")
    if source in (None, "matrix"):
        try:
            return bundle.relevance, bundle.stats
        except MissingFile as error:
            if source is not None:
                raise
            _fetch_clip(bundle, error)
            warnings.warn(f"instant directions are used, because {error}", stacklevel=2)
    statistics, s_base = measured_styles(bundle)
    folder = cache_home() / "instant"
    instant = InstantRelevance(bundle.generator, bundle.clip, statistics, s_base, folder=folder)
    return RefinedRelevance(instant) if source == "instant+" else instant, statistics


def _fetch_clip(bundle: Bundle, reason: MissingFile) -> None:
    """Refuse a bundle that has neither a matrix, for a reason, nor a CLIP to do without."""
    try:
        bundle.clip  # noqa: B018  it is loaded when it is asked for
    except MissingFile as error:
        raise MissingFile(
            f"{reason}; without it directions come from gradients, which need a CLIP: name one with --clip, "
            f"such as --clip {EMBEDDED} ({error})"
        ) from None


def measured_styles(bundle: Bundle, faces: int | None = None) -> tuple[StyleStats, np.ndarray]:
    """Statistics and base styles of a bundle, at least so many, its own or, in seconds, new ones."""
    if faces is None:
        faces = max(default_instant_config(bundle.generator).faces, FACES)
    try:
        statistics, s_base = bundle.stats, bundle.s_base
        if s_base is not None and len(s_base) >= faces:
            return statistics, s_base
    except MissingFile:
        statistics = None
    config = StatisticsConfig(num_samples=SAMPLES, keep=faces, truncation=bundle.defaults.truncation)
    record = last(collect_statistics(bundle.generator, config))
    assert record.stats is not None and record.s is not None
    return record.stats if statistics is None else statistics, record.s
