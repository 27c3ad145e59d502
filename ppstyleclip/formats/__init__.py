# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Readers of weight and latent files; told by content, never by name, and nothing in a file is ever run."""
from __future__ import annotations

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors
from ppstyleclip.formats.latents import load_latent, open_npy
from ppstyleclip.formats.pdparams import load_pdparams
from ppstyleclip.formats.sniff import SAYS, sniff

__all__ = ["load_arrays", "load_latent", "load_pdparams", "load_weights", "open_npy", "sniff"]


def load_arrays(path) -> tuple:
    """Read whatever a file holds, and its metadata.

    Args:
        path: `.pdparams`, safetensors or `.npy`.
    Returns:
        (a dict, list or array, as the file has it; `{name: text}`, empty but for safetensors).
    Raises:
        MissingFile: there is no such file.
        UserError: it is of another kind, damaged, or asks for code.
    """
    kind = sniff(path)
    if kind == "safetensors":
        return read_safetensors(path)
    if kind == "npy":
        return open_npy(path), {}
    if kind == "pickle":
        return load_pdparams(path), {}
    raise UserError(f"{path} is {SAYS[kind]}; .pdparams, safetensors and .npy files can be read")


def load_weights(path) -> tuple:
    """Read a network's weights: `.pdparams` or safetensors.

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
        raise UserError(f"{path}: '{odd[0]}' is {type(weights[odd[0]]).__name__}, not an array; "
                        "a network is a dict of arrays")
    return weights, metadata
