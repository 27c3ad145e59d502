# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Checks of configuration values; each raises a UserError that names the field and what it takes."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection
from typing import Any

from ppstyleclip.errors import UserError
from ppstyleclip.finite import LARGEST, is_number

MOST_SEED = 2**32 - 1  # that NumPy takes


def check_choice(name: str, value: Any, known: Collection[str]) -> None:
    """Refuse a word that is not among those that are known."""
    if value not in known:
        raise UserError(f"unknown {name} '{value}', known: {', '.join(known)}")


def check_number(
    name: str, value: Any, *, least: float = 0.0, most: float = math.inf, below: float = math.inf
) -> None:
    """Refuse what is not a finite number of `least` to `most`, or below `below`."""
    if not is_number(value) or not least <= value <= most or value >= below:
        end = f"to below {below:g}" if below < math.inf else f"to {most:g}" if most < math.inf else "on"
        raise UserError(f"{name} must be a number from {least:g} {end}{_limit(value)}, got {value}")


def check_signed(name: str, *values: Any) -> None:
    """Refuse what is not a finite number, positive or negative, that float32 can compute with."""
    for value in values:
        if not is_number(value):
            raise UserError(f"{name} must be a finite number{_limit(value)}, got {value}")


def _limit(value: Any) -> str:
    is_too_large = is_number(value, math.inf) and not is_number(value)
    return f" and at most {LARGEST:,.0f}" if is_too_large else ""


def check_count(name: str, value: Any, *, least: int = 0, most: int | None = None) -> None:
    """Refuse what is not a whole number of at least `least`, and of at most `most`."""
    is_count = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_count or value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"{least} to {most}"
        raise UserError(f"{name} must be {bounds}, got {value}")


def check_seeds(name: str, seeds: Collection[int]) -> None:
    """Refuse a seed that NumPy does not take."""
    for seed in seeds:
        check_count(name, seed, most=MOST_SEED)
