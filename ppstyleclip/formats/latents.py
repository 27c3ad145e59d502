# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents (w_plus) from files: one face, or one out of a bank of many; and directions between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.errors import UserError, plain
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
    bank = _open_bank(path)
    if not 0 <= index < len(bank):
        raise UserError(f"{path} has no latent {index}: it holds {len(bank)}, counted from 0")
    w_plus = np.array(bank[index], dtype=np.float32)[None]
    if not np.isfinite(w_plus).all():
        raise UserError(f"{path} holds values that are not finite (NaN or infinity); make it again")
    return w_plus


def load_bank(path) -> np.ndarray:
    """Read all latents of a file.

    Args:
        path: as for load_latent; or styles as StyleCLIP keeps them, a list of K arrays `[N, 1, C, 1, 1]`.
    Returns:
        w_plus `[N, L, D]`, or flat styles `[N, S]`; float32.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no latents, or values that are not finite.
    """
    value, _ = load_arrays(path)
    styles = isinstance(value, (list, tuple)) and value and all(_is_style(part, value[0]) for part in value)
    bank = [part.reshape(len(part), -1) for part in value] if styles else _open_bank(path)
    latents = np.concatenate(bank, axis=1) if styles else np.stack(bank)
    latents = np.array(latents, np.float32)
    if not np.isfinite(latents).all():
        raise UserError(f"{path} holds values that are not finite (NaN or infinity); make it again")
    return latents


def _is_style(part, first) -> bool:
    """Whether an array is `[N, 1, C, 1, 1]` with the N of the first."""
    return (
        isinstance(part, np.ndarray)
        and part.dtype.kind == "f"
        and part.ndim == 5
        and part.size > 0
        and part.shape == (len(first), 1, part.shape[2], 1, 1)
    )


def load_directions(path) -> dict:
    """Read directions in w_plus, such as PaddleGAN's `stylegan2-ffhq-config-f-directions.pdparams`.

    Args:
        path: named arrays (`.pdparams`, `.pt`, safetensors), each `[L, D]`, `[1, D]` or `[D]`, or with a 1
            before that; or a single one (`.npy`), which is called as the file is.
    Returns:
        `{name: [L, D] or [1, D]}`, float32 or float64 as they are stored.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no directions.
    """
    value, _ = load_arrays(path)
    named = value if isinstance(value, dict) else {Path(path).stem: value}
    if not named:
        raise UserError(f"{path} holds no directions; it needs arrays of floats, [layers, width], by name")
    return {str(name): _checked_direction(path, name, value) for name, value in named.items()}


def _checked_direction(path, name, value) -> np.ndarray:
    is_array = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 0
    if not is_array or not (value.ndim in (1, 2) or value.ndim == 3 and len(value) == 1):
        what = f"{value.dtype} of shape {list(value.shape)}" if isinstance(value, np.ndarray) else "no array"
        raise UserError(
            f"{path}: '{plain(name)}' is {what}; a direction is floats of shape [layers, width], or "
            "[width] for all layers alike"
        )
    return value.reshape(-1, value.shape[-1])


def _open_bank(path):
    """N latents: an array `[N, L, D]`, or a list of arrays `[L, D]`."""
    value, _ = load_arrays(path)
    if isinstance(value, (list, tuple)):
        return _checked_list(path, value)
    array = _only_array(path, value if isinstance(value, dict) else {"w_plus": value})
    if array.ndim not in (2, 3) or array.dtype.kind != "f" or 0 in array.shape:
        raise UserError(
            f"{path} holds {array.dtype} of shape {list(array.shape)}; "
            "a latent is floats of shape [layers, width] or [number, layers, width]"
        )
    return array if array.ndim == 3 else array[None]


def _checked_list(path, latents) -> list:
    """A list of latents `[L, D]` or `[1, L, D]`; one of styles `[N, C]` per layer is refused."""
    arrays = [item for item in latents if isinstance(item, np.ndarray) and item.dtype.kind == "f"]
    bank = [item[0] if item.ndim == 3 and len(item) == 1 else item for item in arrays]
    shapes = {item.shape for item in bank}
    is_bank = len(bank) == len(latents) and len(shapes) == 1 and bank[0].ndim == 2 and len(bank[0]) > 1
    if not is_bank or not bank[0].size:
        raise UserError(
            f"{path} holds a list of {len(latents)} (styles, as .editing.pd files do), "
            "not a latent; give the .npy that the face came from"
        )
    return bank


def _only_array(path, arrays: dict) -> np.ndarray:
    named = [arrays[name] for name in LATENT_NAMES if name in arrays] or list(arrays.values())
    if len(named) != 1 or not isinstance(named[0], np.ndarray):
        raise UserError(f"{path} holds no array 'w_plus'; give a file with one latent, or a bank of them")
    return named[0]
