# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: methods/global_directions/relevance.py."""

from ppstyleclip.methods.global_directions.blocks import split_blocks
from ppstyleclip.methods.global_directions.relevance import (
    CACHE_BYTES,
    RelevanceConfig,
    collect_relevance,
    compute_relevance,
)

__all__ = ["CACHE_BYTES", "RelevanceConfig", "collect_relevance", "compute_relevance", "split_blocks"]
