# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Directions in CLIP's space that pictures show in place of words.

With f a picture's unit CLIP feature: dt = unit(mean f(after) - mean f(before)). Who is in the pictures, and
what is behind them, should be alike on both sides; what differs is what the edit takes over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Union

import numpy as np
import paddle

from ppstyleclip.align import take_photo
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint
from ppstyleclip.pictures import to_images
from ppstyleclip.worker import on_worker

MOST = 64  # pictures on one side; pipelines.recipe_files bounds its lists alike
SMALLEST_DIFFERENCE = 1e-4  # of the mean features; below it both sides show the same


@dataclass(frozen=True, eq=False)
class PictureReference:
    """Pictures before and after, each `[H, W, 3]` uint8 of any size; one or more on each side."""

    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...]

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of all pixels."""
        sides = {"before": self.before, "after": self.after}
        return fingerprint({f"{side}{n}": one for side, many in sides.items() for n, one in enumerate(many)})

    def direction(self, clip: Any) -> np.ndarray:
        """dt `[D]`, a unit vector.

        Raises:
            UserError: both sides show the same to CLIP.
        """
        difference = _mean_feature(clip, self.after) - _mean_feature(clip, self.before)
        length = float(np.linalg.norm(difference))
        if length < SMALLEST_DIFFERENCE:
            raise UserError(
                "the reference's pictures show the same to CLIP before and after; give two that differ"
            )
        return (difference / length).astype(np.float32)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PictureReference) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


@dataclass(frozen=True, eq=False)
class KnownReference:
    """What a reference came to, as a card keeps it: dt `[D]`."""

    dt: np.ndarray

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits."""
        return fingerprint({"dt": self.dt})

    def direction(self, clip: Any) -> np.ndarray:
        """dt `[D]`.

        Raises:
            UserError: it is of another CLIP.
        """
        if self.dt.shape != (clip.dim,):
            raise UserError(
                f"the reference has {self.dt.size} features, CLIP '{clip.name}' has {clip.dim}; make it anew"
            )
        return self.dt

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KnownReference) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


Reference = Union[PictureReference, KnownReference]  # what an Edit keeps


def check_reference(reference: Any) -> Reference | None:
    """Take what a user gives as a reference: a pair (before, after), each a picture or several.

    A picture is whatever align.take_photo takes: a path, an array `[H, W, 3]` uint8, a PIL image.

    Raises:
        UserError: it is none of these.
        MissingFile: there is no such picture.
    """
    if reference is None or isinstance(reference, (PictureReference, KnownReference)):
        return reference
    if not isinstance(reference, (list, tuple)) or len(reference) != 2:
        raise UserError("a reference is a pair: pictures before, and pictures after")
    before, after = (_pictures(side) for side in reference)
    return PictureReference(before, after)


def name_of_side(side: Any, usual: str) -> str:
    """What messages call one side of a reference: the first file's name."""
    many = _several(side)
    first = many[0] if many else None
    return Path(first).name if isinstance(first, (str, os.PathLike)) else usual


def _pictures(side: Any) -> tuple[np.ndarray, ...]:
    many = _several(side)
    if not 1 <= len(many) <= MOST:
        raise UserError(f"a side of a reference has 1 to {MOST} pictures, got {len(many)}")
    return tuple(take_photo(one, "a picture of a reference") for one in many)


def _several(side: Any) -> list[Any]:
    """The pictures of a side; an array `[N, H, W, 3]` has N of them."""
    is_several = isinstance(side, (list, tuple)) or len(getattr(side, "shape", ())) == 4
    return list(side) if is_several else [side]


@on_worker
@paddle.no_grad()
def _mean_feature(clip: Any, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of unit features, `[D]`."""
    each = [clip.encode_image(paddle.to_tensor(to_images(one[None]))).numpy()[0] for one in pictures]
    features = np.asarray(each, np.float64)
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).mean(axis=0)
