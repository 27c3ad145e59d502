# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Paddle's own weight files (`.pdparams`, `.pd`), as paddle.save writes them, read without running anything.

A `.pdparams` is a pickle of protocol 2 to 4. What paddle.save puts in it beside plain data:

    a state dict               a dict of arrays, and a table of parameter names under NAME_TABLE
    a tensor anywhere else     tuple((name, array)), called through builtins.tuple
    a static-graph tensor      eval('data', {'data': array}); taken apart here, never evaluated
    a parameter over 4 GB      (protocols 2, 3) slices `key@@.0`, `key@@.1`, ... and a table under SLICE_TABLE

bfloat16 tensors are stored as uint16 without a mark, and come back as uint16.
"""
from __future__ import annotations

import math
import mmap

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file
from ppstyleclip.formats.pickled_arrays import numpy_names
from ppstyleclip.formats.pickles import Global, RefusedPickle, read_pickle
from ppstyleclip.formats.sniff import SAYS, sniff

NAME_TABLE = "StructuredToParameterName@@"
SLICE_TABLE = "UnpackBigParamInfor@@"


def load_pdparams(path):
    """Read what paddle.save wrote, tensors as arrays.

    Args:
        path: the file; told by its content, whatever its name.
    Returns:
        the saved object: a dict, list, ... of arrays (read-only, typed as they were saved), or one array.
    Raises:
        MissingFile: there is no such file.
        UserError: it is of another kind, cut off or damaged, or asks for code (names what it asks for).
    """
    kind = sniff(path)
    if kind != "pickle":
        raise UserError(f"{path} is {SAYS[kind]}, not a Paddle weight file (.pdparams)")
    try:
        with open(check_file(path), "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                value = read_pickle(data, _names(len(data)), convert_tuple=_unwrap_tensor)
        return _without_tables(value) if isinstance(value, dict) else value
    except RefusedPickle as error:
        raise UserError(f"{path} is refused: {error}") from None
    except ValueError as error:
        raise UserError(f"{path} is not a whole Paddle weight file: {error}; fetch it again") from None


def _names(size: int) -> dict:
    names = numpy_names(size)
    for builtins in ("builtins", "__builtin__"):  # Python 3, and what protocol 2 calls it
        names[builtins, "tuple"] = Global("builtins.tuple", _same_tuple)
        names[builtins, "eval"] = Global("builtins.eval", _static_tensor)
    names["collections", "OrderedDict"] = Global("collections.OrderedDict", lambda: {})
    return names


def _same_tuple(items):
    if type(items) is not tuple:
        raise RefusedPickle("it calls builtins.tuple otherwise than paddle.save does")
    return items


def _static_tensor(expression, scope):
    if expression != "data" or type(scope) is not dict or list(scope) != ["data"]:
        raise RefusedPickle("it calls builtins.eval otherwise than paddle.save does; nothing was run")
    return scope["data"]


def _unwrap_tensor(items):
    is_tensor = len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], np.ndarray)
    return items[1] if is_tensor else items


def _without_tables(value: dict) -> dict:
    value = {key: item for key, item in value.items() if key != NAME_TABLE}
    try:
        for key, info in value.pop(SLICE_TABLE, {}).items():
            value[key] = _join([value.pop(name) for name in info["slices"]], info["OriginShape"])
    except (KeyError, TypeError, AttributeError, IndexError):
        raise ValueError("its table of slices is damaged") from None
    return value


def _join(pieces, shape) -> np.ndarray:
    if len(shape) > 32 or any(type(side) is not int or not 0 <= side < 2 ** 63 for side in shape):
        raise ValueError("a sliced parameter has an impossible shape")
    if sum(piece.size for piece in pieces) != math.prod(shape):
        raise ValueError("the slices of a parameter do not make up its shape")
    return np.concatenate([piece.reshape(-1) for piece in pieces]).reshape(shape)
