# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: methods/global_directions/direction.py."""

from ppstyleclip.methods.global_directions.direction import (
    UNITS,
    StyleDirection,
    largest_beta,
    style_direction,
)

__all__ = ["UNITS", "StyleDirection", "largest_beta", "style_direction"]
