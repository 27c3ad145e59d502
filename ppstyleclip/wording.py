# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Words for people: one step, two steps."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Say how many of something there are: "1 step", "2 steps".

    Args:
        number: how many.
        noun: for one.
        plural: for another number; None is the noun and an s.
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number} {plural or noun + 's'}"
