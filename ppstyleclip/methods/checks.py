# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Checks of configuration values; each raises a UserError that names the field and what it takes."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection
from typing import Any

from ppstyleclip.errors import UserError, shown
from ppstyleclip.finite import LARGEST, is_number
from ppstyleclip.inputs import as_list

MOST_SEED = 2**32 - 1  # that NumPy takes


def check_choice(name: str, value: Any, known: Collection[str]) -> None:
    """Refuse a word that is not among those that are known."""
    if not isinstance(value, str) or value not in known:
        raise UserError(f"unknown {name} '{value}', known: {', '.join(known)}")


def check_number(
    name: str, value: Any, *, least: float = 0.0, most: float = math.inf, below: float = math.inf
) -> None:
    """Refuse what is not a finite number of `least` to `most`, or below `below`."""
    if not is_number(value) or not least <= value <= most or value >= below:
        end = f"to below {below:g}" if below < math.inf else f"to {most:g}" if most < math.inf else "on"
        raise UserError(f"{name} must be a number from {least:g} {end}{_limit(value)}, got {_got(value)}")


def check_signed(name: str, *values: Any) -> None:
    """Refuse what is not a finite number, positive or negative, that float32 can compute with."""
    for value in values:
        if not is_number(value):
            raise UserError(f"{name} must be a finite number{_limit(value)}, got {_got(value)}")


def _limit(value: Any) -> str:
    is_too_large = is_number(value, math.inf) and not is_number(value)
    return f" and at most {LARGEST:,.0f}" if is_too_large else ""


def check_count(name: str, value: Any, *, least: int = 0, most: int | None = None) -> None:
    """Refuse what is not a whole number of at least `least`, and of at most `most`."""
    is_count = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_count or value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"{least} to {most}"
        kind = bounds if is_count else f"a whole number, {bounds}"
        raise UserError(f"{name} must be {kind}, got {_got(value)}")


def check_seeds(name: str, seeds: Any) -> list[int]:
    """Take one seed or several that NumPy takes, as a list; refuse others, texts and fractions among them."""
    found = as_list(seeds, name)
    for seed in found:
        check_count(name, seed, most=MOST_SEED)
    return found


def check_numbers(name: str, values: Any, *, least: int = 1) -> list[float]:
    """Take one number or several, at least `least`, as a list; refuse what check_signed refuses."""
    found = as_list(values, name, least=least)
    check_signed(name, *found)
    return [float(value) for value in found]


def check_kind(name: str, value: Any, kind: type, cure: str = "") -> None:
    """Refuse what is no instance of a class; `cure` ends the line."""
    if not isinstance(value, kind):
        raise UserError(f"{name} must be of the class {kind.__name__}, got {shown(value)}{cure}")


def _got(value: Any) -> str:
    """A value for a message; a text is seen to be one."""
    return str(value) if isinstance(value, numbers.Number) else shown(value)
