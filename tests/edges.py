# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Grids of parameters of which a few are tested quickly, and all of them by the slow tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

PARAM = type(pytest.param())


def edges(values: Iterable[Any], quick: int = 3) -> list[Any]:
    """Values for parametrize: the first, the last and some between are quick, the others slow.

    Args:
        values: one value a test, tuples for tests of several arguments, or what pytest.param made.
        quick: how many are always run, 2 or more.
    """
    found = list(values)
    kept = {round(k * (len(found) - 1) / (quick - 1)) for k in range(quick)}
    return [value if k in kept else slow(value) for k, value in enumerate(found)]


def slow(value: Any) -> Any:
    """One value for parametrize, or a tuple of several, that is tested by the slow tests only."""
    if isinstance(value, PARAM):
        return value._replace(marks=(*value.marks, pytest.mark.slow))
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
