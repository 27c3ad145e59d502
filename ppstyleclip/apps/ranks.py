# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: jobs/ranks.py."""

from ppstyleclip.jobs.ranks import PATIENCE, Ranks, launched_ranks

__all__ = ["PATIENCE", "Ranks", "launched_ranks"]
