# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: methods/global_directions/memory.py."""

from ppstyleclip.methods.global_directions.memory import (
    clip_work,
    default_batch,
    plan_memory,
)

__all__ = ["clip_work", "default_batch", "plan_memory"]
