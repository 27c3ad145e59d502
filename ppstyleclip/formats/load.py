# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a path to what the file holds, whatever its kind; the one place that knows all readers."""

from __future__ import annotations

import mmap

import numpy as np

from ppstyleclip.errors import UserError, plain
from ppstyleclip.files import check_file, read_safetensors
from ppstyleclip.formats.npy import read_npy
from ppstyleclip.formats.nvidia import nvidia_names
from ppstyleclip.formats.pdparams import paddle_names, without_tables
from ppstyleclip.formats.pickle_values import Budget, RefusedPickle
from ppstyleclip.formats.pickled_arrays import numpy_names
from ppstyleclip.formats.pickles import Reader, read_pickle
from ppstyleclip.formats.plain_objects import plain_names
from ppstyleclip.formats.sniff import SAYS, sniff
from ppstyleclip.formats.torch_legacy import nested_names, read_torch_legacy
from ppstyleclip.formats.torch_modules import module_names
from ppstyleclip.formats.torch_tensors import tensor_names
from ppstyleclip.formats.zips import read_zip


def load_arrays(path) -> tuple:
    """Read whatever a file holds, and its metadata.

    Args:
        path: `.pdparams`, `.pt` and `.pth` (old, new, TorchScript), `.pkl` of NVIDIA or of NumPy,
            safetensors, `.npy` or `.npz`; told by its content, whatever its name.
    Returns:
        (what the file has: dicts, lists, tuples, texts, numbers, arrays, and a SavedModule for each network
        that was pickled whole; `{name: text}`, empty but for safetensors). Arrays may be mapped, read-only:
        what is not touched is not read. bfloat16 comes as float32, but from Paddle, which does not mark it.
    Raises:
        MissingFile: there is no such file.
        UserError: it is of another kind, cut off or damaged, or asks for code (names what it asks for).
    """
    kind = sniff(path)
    if kind == "safetensors":
        return read_safetensors(path)
    if kind not in _READERS:
        raise UserError(
            f"{path} is {SAYS[kind]}; weight files of Paddle, PyTorch and NVIDIA can be read, "
            "safetensors and .npy"
        )
    with open(check_file(path), "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    budget = Budget(len(data))
    try:
        return _READERS[kind](data, known_names(budget), budget), {}
    except RefusedPickle as error:
        raise UserError(f"{path} is refused: {error}") from None
    except ValueError as error:
        raise UserError(f"{path} begins as {SAYS[kind]}, but is not whole: {error}; fetch it again") from None


def known_names(budget: Budget) -> dict:
    """All that a pickle may mention, `{(module, name): what answers it}`; what else it names is refused."""
    return {
        **numpy_names(budget),
        **plain_names(budget),
        **paddle_names(),
        **tensor_names(budget),
        **nested_names(budget),
        **module_names(budget),
        **nvidia_names(budget),
    }


def _read_pickle(data, names, budget):
    return without_tables(read_pickle(Reader(data), names, budget), budget)


_READERS = {
    "npy": read_npy,
    "pickle": _read_pickle,
    "torch-legacy": read_torch_legacy,
    "zip": read_zip,
}


def load_weights(path) -> tuple:
    """Read a network's weights, a dict of arrays.

    Args:
        path: any kind that load_arrays reads.
    Returns:
        (`{name: array}`, `{name: text}` of a safetensors file's metadata).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, or is not a dict of arrays.
    """
    weights, metadata = load_arrays(path)
    if not isinstance(weights, dict) or not weights:
        raise UserError(f"{path} holds no named weights; a network is a dict of arrays")
    odd = [name for name, value in weights.items() if not isinstance(value, np.ndarray)]
    if odd:
        raise UserError(
            f"{path}: '{plain(odd[0])}' is {type(weights[odd[0]]).__name__}, not an array; "
            "a network is a dict of arrays"
        )
    return weights, metadata
