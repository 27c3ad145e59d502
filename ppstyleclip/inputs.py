# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a caller gives, taken as what it is meant for: arrays, pictures, lists, paths.

What can mean one thing only is taken: a tensor or a list of lists for an array, one thing for a list of one.
Everything else is refused in one line, before anything is computed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError, shown


def to_array(value: Any, what: str) -> np.ndarray:
    """Take an array, a tensor of Paddle or PyTorch wherever it lies, a PIL image, or lists of numbers.

    Args:
        value: what was given; an array is not copied.
        what: begins the line of the error, such as "faces are arrays".
    Raises:
        UserError: it is none of these, such as the name of a file, one number, or lists of uneven lengths.
    """
    for move in ("detach", "cpu"):  # of tensors that know a gradient, or lie on an accelerator
        value = getattr(value, move)() if hasattr(value, move) else value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"{what}, got {shown(value)}") from None
    if array.dtype.kind not in "biufc" or (array.ndim == 0 and not hasattr(value, "shape")):
        hint = "; read the file first" if isinstance(value, (str, os.PathLike)) else ""
        raise UserError(f"{what}, got {shown(value)}{hint}")
    return array


def as_picture(value: Any, what: str = "a picture is [H, W, 3] uint8") -> np.ndarray:
    """Take one picture: an array, a tensor, a PIL image in RGB, or lists of whole numbers of 0 to 255.

    Args:
        value: what was given.
        what: begins the line of the error.
    Returns:
        `[H, W, 3]` uint8, RGB.
    Raises:
        UserError: it is none of these; the line says how to make it one.
    """
    array = to_array(value, what)
    if array.ndim == 4 and array.shape[-1] == 3:
        raise UserError(f"{what}, got {_told(array)}; give one of them, such as pictures[0]")
    return _checked(array, 3, what)


def as_pictures(
    value: Any, what: str = "an array of pictures is [N, H, W, 3] uint8", *, or_one: bool = False
) -> np.ndarray:
    """Take pictures of one size, as as_picture does.

    Args:
        value: what was given.
        what: begins the line of the error.
        or_one: take one picture `[H, W, 3]` for a list of one.
    Returns:
        `[N, H, W, 3]` uint8, RGB.
    Raises:
        UserError: as as_picture.
    """
    if isinstance(value, (list, tuple)) and value and hasattr(value[0], "getbands"):  # PIL images
        value = [as_picture(one, what) for one in value]
    array = to_array(value, what)
    return _checked(array[None] if or_one and array.ndim == 3 else array, 4, what)


def _checked(array: np.ndarray, ndim: int, what: str) -> np.ndarray:
    is_shaped = array.ndim == ndim and array.shape[-1] == 3 and array.size > 0
    if is_shaped and array.dtype == np.uint8:
        return array
    if is_shaped and array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 255:
        return array.astype(np.uint8)
    raise UserError(f"{what}, got {_told(array)}{_cure(array, ndim, is_shaped)}")


def _told(array: np.ndarray) -> str:
    return f"{list(array.shape)} {array.dtype}"


def _cure(array: np.ndarray, ndim: int, is_shaped: bool) -> str:
    """What makes a picture of an array that nearly is one."""
    if is_shaped:
        way = "pictures of 0 to 1 are made so by (255 * x).round().astype('uint8')"
        return f"; {way}" if array.dtype.kind == "f" else "; bring its numbers to 0 to 255"
    if array.ndim == ndim and array.shape[-1] == 4:
        return "; leave out the transparency, x[..., :3]"
    if array.ndim == ndim and array.shape[-3] == 3:
        return f"; put the colours last, x.transpose({'1, 2, 0' if ndim == 3 else '0, 2, 3, 1'})"
    if ndim == 4 and array.ndim == 3 and array.shape[-1] == 3:
        return "; give several, such as picture[None]"
    if array.ndim in (ndim, ndim - 1) and array.size:
        return "; make a grey picture one of three colours, PIL's image.convert('RGB')"
    return ""


def as_list(value: Any, what: str, *, least: int = 1) -> list:
    """Take several things; one alone, such as a text, a number, a path or an edit, counts as a list of one.

    Args:
        value: what was given; arrays and tensors of numbers become numbers.
        what: one of them, for the message.
        least: how many there have to be.
    Raises:
        UserError: there are too few, or None.
    """
    if value is None:
        raise UserError(f"no {what} was given; give one or several")
    if isinstance(value, (str, bytes, os.PathLike)):
        return [value]
    if hasattr(value, "tolist"):
        value = value.tolist()
    found = list(value) if isinstance(value, Iterable) else [value]
    if len(found) < least:
        raise UserError(f"no {what} was given; give one or several")
    return found


def is_folder(name: Any) -> bool:
    """Whether something is the path of a folder that is there; False of what is no path at all."""
    return isinstance(name, (str, os.PathLike)) and os.path.isdir(name)


def as_path(path: Any) -> Path:
    """Take a path, a text or a Path.

    Raises:
        UserError: it is something else, such as an array or None.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise UserError(f"the path of a file or folder is needed, got {shown(path)}")
    return Path(path)
