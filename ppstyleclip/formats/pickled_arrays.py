# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NumPy arrays inside pickles: the names they mention (NumPy 1 and 2), each with a builder."""

from __future__ import annotations

import math
import re

import numpy as np

from ppstyleclip.formats.pickle_values import Budget, Global, RefusedPickle, Unbuilt, said

_DTYPE = re.compile(r"[<>|=]?(f2|f4|f8|i1|i2|i4|i8|u1|u2|u4|u8|b1)")
_OBJECT, _OBJECT_CODES = np.dtype(object), ("O8", "O4", "O")


def numpy_names(budget: Budget, *, objects: bool = False) -> dict:
    """The names that pickled NumPy arrays mention, each with a builder.

    With `objects` an array of Python objects is known too: it becomes its only object, or a list of them.

    Arrays are read-only views of the bytes in the pickle; `budget` pays for what has to be copied, so that
    one memoised text cannot be copied over and over.
    """

    def encode(text, codec):
        if codec != "latin1" or type(text) is not str:
            raise RefusedPickle(f"it encodes as {said(codec)}, only latin1 is known")
        budget.spend(len(text))
        return text.encode("latin1")

    def reconstruct(kind, shape, code):
        if kind is not array_type:
            raise RefusedPickle("it builds an array of a foreign class")
        return Unbuilt(from_state)

    def from_state(state):
        _, shape, dtype, by_columns, raw = state
        if type(raw) is str:  # written by Python 2
            raw = encode(raw, "latin1")
        if dtype == _OBJECT:
            return _object_list(raw, shape)
        return from_buffer(raw, dtype, shape, "F" if by_columns else "C")

    def from_buffer(raw, dtype, shape, order):
        array = _array(raw, dtype, shape, order)
        if array.dtype.byteorder == ">":
            budget.spend(array.nbytes)
            array = array.astype(array.dtype.newbyteorder("<"))
        return array

    def scalar(dtype, raw):
        return _array(encode(raw, "latin1") if type(raw) is str else raw, dtype, (), "C")[()]

    def dtype_of(code, align=False, copy=False):
        return Unbuilt(lambda state: _OBJECT) if objects and code in _OBJECT_CODES else _dtype(code)

    array_type = Global("numpy.ndarray")
    names = {
        ("numpy", "ndarray"): array_type,
        ("numpy", "dtype"): Global("numpy.dtype", dtype_of),
        ("_codecs", "encode"): Global("_codecs.encode", encode),
        ("__builtin__", "bytes"): Global("bytes", lambda: b""),
    }  # protocol 2's empty bytes
    for core in ("numpy.core", "numpy._core"):  # NumPy 1, NumPy 2
        names[f"{core}.multiarray", "_reconstruct"] = Global("_reconstruct", reconstruct)
        names[f"{core}.multiarray", "scalar"] = Global("scalar", scalar)
        names[f"{core}.numeric", "_frombuffer"] = Global("_frombuffer", from_buffer)  # protocol 5
    return names


def _object_list(items, shape):
    if type(items) is not list or shape not in ((), (len(items),)):
        raise RefusedPickle("it holds a table of objects; one object, or a row of them, can be read")
    if shape == () and len(items) != 1:
        raise ValueError("an array of one object has none, or several")
    return items if shape else items[0]


def _dtype(code):
    if type(code) is not str or not _DTYPE.fullmatch(code):
        raise RefusedPickle(f"it holds an array of type {said(code)}; only numbers are weights")
    dtype = np.dtype(code)
    return Unbuilt(lambda state: dtype.newbyteorder({"|": "="}.get(state[1], state[1])))


def _array(raw, dtype, shape, order):
    if isinstance(dtype, Unbuilt) or not isinstance(dtype, np.dtype):
        raise ValueError("an array has no type")
    if dtype.hasobject:
        raise RefusedPickle("it holds objects as numbers")
    if type(raw) not in (bytes, bytearray) or type(shape) is not tuple or order not in ("C", "F"):
        raise ValueError("an array's state is not one that NumPy writes")
    if len(shape) > 32 or any(type(side) is not int or not 0 <= side < 2**63 for side in shape):
        raise ValueError("an array has an impossible shape")
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise ValueError(f"an array of shape {list(shape)} has {len(raw)} bytes")
    if not raw:
        return np.zeros(shape, dtype)
    return np.frombuffer(raw, dtype).reshape(shape, order=order)
