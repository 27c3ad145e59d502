# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NumPy's own files: a header that is a Python dict as text, matched here, never evaluated; then numbers.

Python objects that NumPy has pickled there are read as all pickles are, and run nothing.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ppstyleclip.formats.pickle_values import Budget, RefusedPickle, said
from ppstyleclip.formats.pickled_arrays import numpy_names
from ppstyleclip.formats.pickles import Reader, read_pickle

# Without its spaces; L: written by Python 2.
_HEADER = re.compile(r"\{'descr':(.*?),'fortran_order':(True|False),'shape':\(([0-9L,]*)\),?\}")
_NUMBERS = re.compile(r"'([<>|=]?(?:f2|f4|f8|i1|i2|i4|i8|u1|u2|u4|u8|b1))'")
_OBJECTS = "'|O'"
_MAX_HEADER = 4096


def read_npy(data, names: dict, budget: Budget) -> Any:
    """Read a `.npy` file of numbers, or of plain Python objects, such as `np.save(path, {"name": array})`.

    Args:
        data: an mmap of the file; an array is a read-only view of it.
        names, budget: what pickled objects may mention and cost, as in run_pickle.
    Returns:
        the array; of objects the single one, or a list of them.
    Raises:
        RefusedPickle: it holds something else than numbers, or objects that weights have no need of.
        ValueError: it is cut off or damaged.
    """
    wide = data[6:7] in (b"\x02", b"\x03")  # versions 2 and 3 have a longer field for the header's length
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    if len(data) < start or length > _MAX_HEADER:
        raise ValueError("its header is cut off or too long")
    header = _HEADER.fullmatch("".join(data[start : start + length].decode("latin1").split()))
    if header is None:
        raise ValueError("its header is cut off or damaged")
    descr, by_columns, sides = header.groups()
    if descr == _OBJECTS:
        known = {**names, **numpy_names(budget, objects=True)}
        return read_pickle(Reader(data, start + length), known, budget)
    if not _NUMBERS.fullmatch(descr):
        raise RefusedPickle(f"it holds {said(descr)}, text or records, not numbers")
    shape = _shape(sides)
    return _map(data, start + length, np.dtype(descr[1:-1]), shape, "F" if by_columns == "True" else "C")


def _shape(text) -> tuple:
    sides = [side.rstrip("L") for side in text.split(",") if side]
    if len(sides) > 32 or any(not side.isdigit() or len(side) > 18 for side in sides):
        raise ValueError("it has an impossible shape")
    return tuple(map(int, sides))


def _map(data, start, dtype, shape, order) -> np.ndarray:
    count = math.prod(shape)
    if start + count * dtype.itemsize > len(data):
        raise ValueError(f"it is cut off: an array of shape {list(shape)} ends behind the file's end")
    if not count:
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype, count, start).reshape(shape, order=order)
