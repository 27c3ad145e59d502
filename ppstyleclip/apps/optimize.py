# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Older names of pipelines.optimization."""

from ppstyleclip.pipelines.optimization import mean_start  # noqa: F401  # alias until the sweep
