# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents (w_plus) from files: one face, or one out of a bank of many; and directions between them."""

from __future__ import annotations

import numbers
from pathlib import Path

import numpy as np

from ppstyleclip.errors import UserError, plain, shown
from ppstyleclip.finite import is_finite
from ppstyleclip.formats.load import load_arrays

LATENT_NAMES = ("w_plus", "latent", "latents", "w")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")  # a latent is called as its picture
_SHAPES = "a latent is floats of shape [layers, width] or [number, layers, width], or [width] for all layers"


def load_latent(path, *, index: int = 0) -> np.ndarray:
    """Read one latent, w_plus.

    Args:
        path: what inversion tools write. An array `[L, D]` or `[N, L, D]` (also `[N, 1, L, D]`; `[D]` and
            `[1, D]` are w, the same for all layers), alone (`.npy`, torch.save, paddle.save), in a list, or
            by name: `w_plus`, `latent`, `latents` or `w` (safetensors, `.npz`), such as the `projected_w.npz`
            of NVIDIA's projector. Or a dict by pictures: `latents.npy` of ReStyle and HyperStyle, where of
            several steps the last one counts, and the `.pt` of rosinality's projector.
        index: which of the N, from 0; of a dict by pictures, in the order of the file.
    Returns:
        w_plus `[1, L, D]` float32; w as `[1, 1, D]`.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no such array, no latent of that index, or values that are not finite.
    """
    bank = _latents_of(path, load_arrays(path)[0])
    if not isinstance(index, numbers.Integral) or not 0 <= index < len(bank):
        raise UserError(f"{path} has no latent {shown(index)}: it holds {len(bank)}, counted from 0")
    return _finite(path, bank[index])[None]


def load_bank(path) -> np.ndarray:
    """Read all latents of a file.

    Args:
        path: as for load_latent; or styles as StyleCLIP keeps them, a list of K arrays `[N, 1, C, 1, 1]`.
    Returns:
        w_plus `[N, L, D]` (w as `[N, 1, D]`), or flat styles `[N, S]`; float32.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no latents, latents of several shapes, or values that are not finite.
    """
    value, _ = load_arrays(path)
    if isinstance(value, (list, tuple)) and value and all(_is_style(part, value[0]) for part in value):
        return _finite(path, np.concatenate([part.reshape(len(part), -1) for part in value], axis=1))
    bank = _latents_of(path, value)
    shapes = sorted({latent.shape for latent in bank})
    if len(shapes) > 1:
        raise UserError(f"{path} holds latents of several shapes, {shapes[0]} and {shapes[1]}; split them")
    return _finite(path, bank if isinstance(bank, np.ndarray) else np.stack(bank))


def _finite(path, latents) -> np.ndarray:
    """A copy in float32."""
    with np.errstate(over="ignore"):
        latents = np.array(latents, np.float32)
    if not is_finite(latents):
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
            before that; or a single one (`.npy`), which is called as the file is, without the `_boundary`
            that InterFaceGAN's files end with (stylegan3-editing).
    Returns:
        `{name: [L, D] or [1, D]}`, float32 or float64 as they are stored.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no directions.
    """
    value, _ = load_arrays(path)
    named = value if isinstance(value, dict) else {Path(path).stem.removesuffix("_boundary"): value}
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
    if not is_finite(value):
        raise UserError(f"{path}: '{name}' holds values that are not finite (NaN or infinity); make it again")
    return value.reshape(-1, value.shape[-1])


def _latents_of(path, value):
    """What a file holds as N latents, each `[L, D]`, or w as `[1, D]`: `[N, L, D]`, or a list of arrays."""
    if isinstance(value, dict):
        return _of_dict(path, value)
    if isinstance(value, (list, tuple)):
        return _of_list(path, value)
    array = value
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or not array.size:
        held = f"{array.dtype} of shape {list(array.shape)}" if hasattr(array, "dtype") else "no array"
        raise UserError(f"{path} holds {held}; {_SHAPES}")
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2, 3):
        raise UserError(f"{path} holds {array.dtype} of shape {list(array.shape)}; {_SHAPES}")
    return array.reshape((1,) * (3 - array.ndim) + array.shape)


def _of_dict(path, value):
    named = [value[name] for name in LATENT_NAMES if name in value]
    if len(named) == 1 or not named and len(value) == 1:
        return _latents_of(path, (named or list(value.values()))[0])
    if not named and value and all(map(_is_by_picture, value, value.values())):
        return [latent for entry in value.values() for latent in _last_step(path, entry)]
    raise UserError(f"{path} holds no array 'w_plus'; give a file with one latent, or a bank of them")


def _is_by_picture(name, entry) -> bool:
    """Whether an entry of a dict says by its name, or by its own names, that it is one picture's latent."""
    if isinstance(entry, dict):
        return any(word in entry for word in LATENT_NAMES)
    return Path(str(name)).suffix.lower() in PICTURES and isinstance(entry, (list, np.ndarray))


def _last_step(path, entry):
    """The latent of one picture, in a list; where there are several they are the steps of its inversion."""
    return _latents_of(path, entry)[-1:]


def _of_list(path, latents) -> list:
    """A list of latents `[L, D]`, `[1, L, D]` or of w; one of styles `[N, C]` for each layer is refused."""
    arrays = [item for item in latents if isinstance(item, np.ndarray) and item.dtype.kind == "f"]
    bank = [item[0] if item.ndim == 3 and len(item) == 1 else item for item in arrays]
    shapes = {item.shape for item in bank}
    is_bank = len(bank) == len(latents) and len(shapes) == 1 and bank[0].ndim == 2 and len(bank[0]) > 1
    if not is_bank or not bank[0].size:
        raise UserError(
            f"{path} holds a list of {len(latents)} (styles, as .editing.pd files do), not a latent; "
            "give the .npy or the seed that the face came from, and all of its edits at once (--edit)"
        )
    return bank
