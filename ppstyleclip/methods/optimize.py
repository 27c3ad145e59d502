# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Older names of methods.optimization."""

from __future__ import annotations

from ppstyleclip.methods.optimization import OptimizationConfig as Settings  # noqa: F401
from ppstyleclip.methods.optimization import optimize


def optimise(generator, layout, clip, start, texts, config, **options):  # alias until the sweep
    """See methods.optimization.optimize."""
    return optimize(generator, clip, start, texts, config, **options)
