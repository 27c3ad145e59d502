# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents (w_plus) from files: one face, or one out of a bank of many."""
from __future__ import annotations

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.formats.load import load_arrays

LATENT_NAMES = ("w_plus", "latent", "latents")


def load_latent(path, *, index: int = 0) -> np.ndarray:
    """Read one latent, w_plus.

    Args:
        path: a `.npy` file, a safetensors file with an array `w_plus` (or a single one), or what torch.save
            or paddle.save wrote: a tensor, or a list of them; shape `[L, D]` or `[N, L, D]`, floats.
        index: which of the N, from 0.
    Returns:
        w_plus `[1, L, D]` float32.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no such array, no latent of that index, or values that are not finite.
    """
    array = _open_array(path)
    if array.ndim not in (2, 3) or array.dtype.kind != "f" or 0 in array.shape:
        raise UserError(f"{path} holds {array.dtype} of shape {list(array.shape)}; "
                        "a latent is floats of shape [layers, width] or [number, layers, width]")
    bank = array if array.ndim == 3 else array[None]
    if not 0 <= index < len(bank):
        raise UserError(f"{path} has no latent {index}: it holds {len(bank)}, counted from 0")
    w_plus = np.array(bank[index:index + 1], dtype=np.float32)
    if not np.isfinite(w_plus).all():
        raise UserError(f"{path} holds values that are not finite (NaN or infinity); make it again")
    return w_plus


def _open_array(path) -> np.ndarray:
    value, _ = load_arrays(path)
    if isinstance(value, (list, tuple)):
        return _stacked(path, value)
    return _only_array(path, value if isinstance(value, dict) else {"w_plus": value})


def _stacked(path, latents) -> np.ndarray:
    """A list of latents `[L, D]` or `[1, L, D]`, as a bank."""
    banks = [item[None] if np.ndim(item) == 2 else item for item in latents if isinstance(item, np.ndarray)]
    alike = {(bank.dtype, *bank.shape) for bank in banks}
    if len(banks) != len(latents) or len(alike) != 1 or banks[0].ndim != 3 or banks[0].shape[1] == 1:
        raise UserError(f"{path} holds a list of {len(latents)} (styles, as .editing.pd files do), "
                        "not a latent; give the .npy that the face came from")
    return np.concatenate(banks)


def _only_array(path, arrays: dict) -> np.ndarray:
    named = [arrays[name] for name in LATENT_NAMES if name in arrays] or list(arrays.values())
    if len(named) != 1 or not isinstance(named[0], np.ndarray):
        raise UserError(f"{path} holds no array 'w_plus'; give a file with one latent, or a bank of them")
    return named[0]
