# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Numbers that can be computed with: neither NaN nor infinite, nor so large that float32 loses them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError

LARGEST = 1e6  # of a strength, a weight, a rate; a product of several of them still fits into float32


def is_finite(array: Any) -> bool:
    """Whether all numbers of an array stay finite in float32.

    A product with itself tells it at the speed of memory; only where that overflows each number is looked at.

    Args:
        array: any shape; what holds no floats is finite.
    """
    with np.errstate(all="ignore"):
        return _is_finite(np.asarray(array))


def _is_finite(array: np.ndarray) -> bool:
    if array.dtype.kind != "f":
        return True
    if 0 in array.strides:  # one number, seen many times
        array = array[tuple(slice(1) if step == 0 else slice(None) for step in array.strides)]
    flat = np.asarray(array, np.float32).ravel(order="K")
    return bool(np.isfinite(np.dot(flat, flat)) or np.isfinite(flat).all())


def check_finite(arrays: Mapping[str, Any], where: Any = "") -> None:
    """Refuse arrays that hold NaN or infinity.

    Args:
        arrays: `{name: array}`.
        where: the file that they are from, for the message; "" where the caller names it.
    Raises:
        UserError: names the first of them, and says how many there are.
    """
    with np.errstate(all="ignore"):
        lost = [name for name, array in arrays.items() if not _is_finite(np.asarray(array))]
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise UserError(
            f"{where}{': ' if where else ''}{lost[0]}{more} holds NaN or infinity, so that nothing can be "
            "computed with it; fetch or make the file again"
        )


def is_number(value: Any, most: float | None = None) -> bool:
    """Whether a value is a number (no bool, no text) of at most `most` (LARGEST), up or down, and not NaN."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_real and math.isfinite(value) and abs(value) <= (LARGEST if most is None else most)


def finite_number(text: str) -> float:
    """Read an option of a command that is a number, neither NaN nor infinite nor beyond LARGEST."""
    value = float(text)
    if not is_number(value):
        import argparse  # only where there is a command line

        raise argparse.ArgumentTypeError(f"a finite number up to {LARGEST:,.0f} is needed, got {text}")
    return value
