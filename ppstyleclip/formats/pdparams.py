# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What paddle.save puts into its pickles (`.pdparams`, `.pd`; protocol 2 to 4) beside plain data.

    a state dict               a dict of arrays, and a table of parameter names under NAME_TABLE
    a tensor anywhere else     tuple((name, array)), called through builtins.tuple
    a static-graph tensor      eval('data', {'data': array}); taken apart here, never evaluated
    a parameter over 4 GB      (protocols 2, 3) slices `key@@.0`, `key@@.1`, ... and a table under SLICE_TABLE

bfloat16 tensors are stored as uint16 without a mark, and come back as uint16.
"""

from __future__ import annotations

import math

import numpy as np

from ppstyleclip.formats.pickle_values import Budget, Global, RefusedPickle

NAME_TABLE = "StructuredToParameterName@@"
SLICE_TABLE = "UnpackBigParamInfor@@"


def paddle_names() -> dict:
    """The names that paddle.save mentions, each with a builder."""
    names = {}
    for builtins in ("builtins", "__builtin__"):  # Python 3, and what protocol 2 calls it
        names[builtins, "tuple"] = Global("builtins.tuple", _tensor)
        names[builtins, "eval"] = Global("builtins.eval", _static_tensor)
    return names


def _tensor(items):
    if type(items) is not tuple:
        raise RefusedPickle("it calls builtins.tuple otherwise than paddle.save does")
    is_tensor = len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], np.ndarray)
    return items[1] if is_tensor else items


def _static_tensor(expression, scope):
    if expression != "data" or type(scope) is not dict or list(scope) != ["data"]:
        raise RefusedPickle("it calls builtins.eval otherwise than paddle.save does; nothing was run")
    return scope["data"]


def without_tables(value, budget: Budget):
    """Drop the tables that paddle.save adds to a state dict, and join sliced parameters.

    Raises:
        ValueError: a table does not fit the arrays.
    """
    if not isinstance(value, dict):
        return value
    value = {key: item for key, item in value.items() if key != NAME_TABLE}
    try:
        for key, info in value.pop(SLICE_TABLE, {}).items():
            value[key] = _join([value.pop(name) for name in info["slices"]], info["OriginShape"], budget)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise ValueError("its table of slices is damaged") from None
    return value


def _join(pieces, shape, budget) -> np.ndarray:
    if len(shape) > 32 or any(type(side) is not int or not 0 <= side < 2**63 for side in shape):
        raise ValueError("a sliced parameter has an impossible shape")
    if sum(piece.size for piece in pieces) != math.prod(shape):
        raise ValueError("the slices of a parameter do not make up its shape")
    budget.spend(sum(piece.nbytes for piece in pieces))
    return np.concatenate([piece.reshape(-1) for piece in pieces]).reshape(shape)
