# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What may be given as a region: a name, "auto", the path of a picture, or an array."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Union

import numpy as np

from ppstyleclip.align import read_photo
from ppstyleclip.errors import UserError, shown
from ppstyleclip.files import fingerprint, import_cv2
from ppstyleclip.inputs import to_array
from ppstyleclip.models.canvas import Canvas

AUTO = "auto"
NAMES = ("mouth", "eyes", "hair", "skin", "background", "nose", "brows", "beard", "glasses", "clothes")
FEATHER = 0.012  # of the picture's side: the blur that softens the edge of a hard mask inwards
_SHAPE = "[H, W] numbers"
LEAST = 0.02  # a mask that nowhere reaches this is empty


@dataclass(frozen=True, eq=False)
class RegionMask:
    """A region as it was painted, for pictures of one size.

    Attributes:
        values: `[H, W]` float32, 0 to 1; 0 where the picture stays as it is.
        name: what to call it in messages and on cards, such as the file's name.
    """

    values: np.ndarray
    name: str = "mask"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _checked(self.values, self.name))

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of its values."""
        return fingerprint({"mask": self.values})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegionMask) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __str__(self) -> str:
        return self.name


Region = Union[str, RegionMask]  # what an Edit keeps


def check_region(region: Any) -> Region | None:
    """Take what a user gives as a region: a name, several joined by "+", "auto", a path, an array.

    Args:
        region: one of NAMES, such names joined by "+" or in a list, AUTO, the path of a picture (bright is
            inside), an array `[H, W]` (numbers of 0 to 1, or 8 bits, or bool), a RegionMask, or None.
    Returns:
        the name, a RegionMask, or None.
    Raises:
        UserError: it is none of these, or the mask is empty.
        MissingFile: there is no such picture.
    """
    if region is None or isinstance(region, RegionMask):
        return region
    if isinstance(region, (str, os.PathLike)):
        text = os.fspath(region)
        if isinstance(region, str) and (text == AUTO or all(part in NAMES for part in text.split("+"))):
            return text
        if isinstance(region, os.PathLike) or "." in text or "/" in text or os.sep in text:
            return load_mask(text)
        raise UserError(
            f"unknown region {shown(text)}; known: {', '.join(NAMES)}, several joined by +, {AUTO}, or the "
            "file of a mask"
        )
    if isinstance(region, (list, tuple)) and all(isinstance(name, str) for name in region):
        return check_region("+".join(region))
    return RegionMask(to_array(region, f"a region is a name, the file of a mask, or {_SHAPE}"))


def load_mask(path: str | Path) -> RegionMask:
    """Read a mask from a picture: bright is inside, black is outside.

    Raises:
        MissingFile: there is no such file.
        UserError: it is no picture, or is black all over.
    """
    return RegionMask(read_photo(path).max(axis=2), Path(path).name)


def _checked(values: Any, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim == 3 and values.shape[2] in (1, 3, 4):
        values = values[:, :, :3].max(axis=2)
    if values.ndim != 2 or not values.size or values.dtype.kind not in "fiub":
        raise UserError(f"a region's mask is {_SHAPE}, got {list(values.shape)} {values.dtype}")
    scale = 255.0 if values.dtype == np.uint8 else 1.0
    mask = np.asarray(values, np.float32) / np.float32(scale)
    if not np.isfinite(mask).all() or mask.min() < 0 or mask.max() > 1:
        raise UserError(f"the mask {shown(name)} holds numbers outside 0..1; 0 is outside, 1 is inside")
    if mask.max() < LEAST:
        raise UserError(f"the mask {shown(name)} is empty; paint the region bright on black")
    mask = np.rint(mask * 255) / np.float32(255)  # as a picture holds it
    mask = np.ascontiguousarray(mask, np.float32)
    mask.flags.writeable = False
    return mask


def check_mask_size(mask: RegionMask, width: int, height: int, what: str) -> None:
    """Refuse a mask of another size than the picture, `what`."""
    if mask.values.shape != (height, width):
        got = f"{mask.values.shape[1]}x{mask.values.shape[0]}"
        raise UserError(
            f"the mask {shown(mask.name)} is {got}, but {what} is {width}x{height}; paint it on that picture"
        )


def feathered(values: np.ndarray) -> np.ndarray:
    """Soften the edge of a mask `[H, W]` inwards; where it is 0 it stays 0."""
    cv2 = import_cv2()
    sigma = max(0.6, FEATHER * max(values.shape))
    blurred = cv2.GaussianBlur(values, (0, 0), sigma)
    soft = values * np.clip(2 * blurred - 0.5, 0, 1)
    return soft if soft.max() >= LEAST else values


def grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """Enlarge a mask `[H, W]` float32 by some pixels, with a soft edge about as wide."""
    cv2 = import_cv2()
    reach = max(1, round(radius))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    soft = cv2.GaussianBlur(cv2.dilate(mask, disc), (0, 0), max(0.5, reach / 3))
    return np.clip((soft - 0.02) / 0.96, 0, 1).astype(np.float32)  # a Gaussian's tail ends


def moved_masks(masks: np.ndarray, canvas: Canvas) -> np.ndarray:
    """Masks `[N, S, S]` of faces on a moved canvas; what comes in from beyond the edge is like the edge."""
    cv2, size = import_cv2(), masks.shape[-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix, edge = canvas.of_pixels(size), cv2.BORDER_REPLICATE
    moved = [cv2.warpAffine(mask, matrix, (size, size), flags=flags, borderMode=edge) for mask in masks]
    return np.stack(moved).astype(np.float32)
