# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleCLIP's global directions (Patashnik et al., 2021, section 6): a style direction for any pair of texts.

    generator -> collect_statistics -> StyleStats, styles s of base pictures
    those, CLIP -> compute_relevance -> Relevance
    Relevance, text direction dt -> style_direction -> ds

The first two are done once for a generator and a CLIP. jobs/ keeps the second on disk. InstantRelevance does
without it: it takes gradients for each text.
"""

from __future__ import annotations

from ppstyleclip.methods.global_directions.choose import SOURCES, choose_matcher
from ppstyleclip.methods.global_directions.direction import (
    UNITS,
    StyleDirection,
    largest_beta,
    style_direction,
)
from ppstyleclip.methods.global_directions.instant import (
    InstantConfig,
    InstantRelevance,
    default_instant_config,
)
from ppstyleclip.methods.global_directions.reach import Population, Spread
from ppstyleclip.methods.global_directions.refined import RefinedRelevance
from ppstyleclip.methods.global_directions.relevance import (
    RelevanceConfig,
    RelevanceRecord,
    collect_relevance,
    compute_relevance,
)
from ppstyleclip.methods.global_directions.statistics import (
    StatisticsConfig,
    StatisticsRecord,
    StatisticsState,
    collect_statistics,
)
from ppstyleclip.methods.global_directions.strength import (
    AUTO,
    Budget,
    Solution,
    StrengthRecord,
    Trial,
)
from ppstyleclip.stylespace import Relevance

__all__ = [
    "AUTO",
    "SOURCES",
    "UNITS",
    "Budget",
    "InstantConfig",
    "InstantRelevance",
    "Population",
    "RefinedRelevance",
    "Relevance",
    "RelevanceConfig",
    "RelevanceRecord",
    "Solution",
    "Spread",
    "StatisticsConfig",
    "StatisticsRecord",
    "StatisticsState",
    "StrengthRecord",
    "StyleDirection",
    "Trial",
    "choose_matcher",
    "collect_relevance",
    "collect_statistics",
    "compute_relevance",
    "default_instant_config",
    "largest_beta",
    "style_direction",
]
