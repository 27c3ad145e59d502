# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Older names of methods.optimization.adam and .schedules."""

from __future__ import annotations

from ppstyleclip.methods.optimization.adam import Adam  # noqa: F401  # alias until the sweep
from ppstyleclip.methods.optimization.adam import DescentRecord as Step  # noqa: F401  # alias until the sweep
from ppstyleclip.methods.optimization.adam import adam_steps as descend  # noqa: F401  # alias until the sweep
from ppstyleclip.methods.optimization.schedules import exponential as geometric  # noqa: F401
from ppstyleclip.methods.optimization.schedules import rampup_cosine, step_lr


def ramped(rate, count, *, up=0.05, down=0.25) -> list:  # alias until the sweep
    """See schedules.rampup_cosine."""
    return rampup_cosine(rate, count, rampup=up, rampdown=down)


def stepped(rate, count, *, every, factor) -> list:  # alias until the sweep
    """See schedules.step_lr."""
    return step_lr(rate, count, step_size=every, gamma=factor)
