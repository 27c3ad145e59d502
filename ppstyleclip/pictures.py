# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From network output to pictures, and pictures side by side.

`images` are NCHW float in [-1, 1], RGB; `pixels` are NHWC uint8, and one picture is HWC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2
from ppstyleclip.finite import is_finite

INK = (40, 40, 40)
STRIP_SIDE = 128  # pixels that a picture needs at least to be looked at

Pictures = Union[np.ndarray, Sequence[np.ndarray]]


def to_pixels(images: Any) -> np.ndarray:
    """Round images to 8 bits: `(x + 1) * 127.5`, to the nearest level, cut off at 0 and 255.

    Args:
        images: `[N, 3, H, W]` in [-1, 1], RGB; a Paddle tensor or an array.
    Returns:
        pixels `[N, H, W, 3]` uint8.
    Raises:
        UserError: a value is NaN or infinite, and would be black or any other level.
    """
    values = images.numpy() if hasattr(images, "numpy") else np.asarray(images)
    if not is_finite(values):
        raise UserError(
            "what was drawn holds NaN or infinity, no colours; use a smaller strength, or another latent"
        )
    levels = values.transpose(0, 2, 3, 1) * np.float32(127.5)  # one pass after another in one buffer
    levels += 128  # 127.5, and a half to be cut off by the cast
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8, order="C")


def to_images(pixels: np.ndarray) -> np.ndarray:
    """Turn pixels `[N, H, W, 3]` uint8 into images `[N, 3, H, W]` float32 in [-1, 1]."""
    return np.ascontiguousarray(np.asarray(pixels).transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1


def grid(pictures: Pictures, columns: int, *, gap: int = 2, background: int = 0) -> np.ndarray:
    """Lay pictures of one size out in rows of `columns`, read like text.

    Args:
        pictures: `[N, H, W, 3]` uint8, or a list of N such pictures.
        columns: pictures in a row; the last row may be shorter.
        gap: pixels between and around the pictures.
        background: grey level of the gaps.
    Returns:
        one picture `[rows * (H + gap) + gap, columns * (W + gap) + gap, 3]`.
    """
    pictures = np.asarray(pictures, dtype=np.uint8)
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), background, np.uint8)
    for k, picture in enumerate(pictures):
        top, left = gap + (k // columns) * (height + gap), gap + (k % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def strip(pictures: Pictures, labels: Iterable[str]) -> np.ndarray:
    """Put pictures in one row on white, each under its label; small ones are enlarged to be looked at.

    Args:
        pictures: `[N, H, W, 3]` uint8, or a list of N such pictures.
        labels: N short texts in ASCII, as `offset_labels` makes them.
    Returns:
        one picture `[H + a label's height, N * W and gaps, 3]` uint8; H, W at least STRIP_SIDE.
    Raises:
        ValueError: not as many labels as pictures.
    """
    pictures, labels = np.asarray(pictures, dtype=np.uint8), list(labels)
    if len(pictures) != len(labels):
        raise ValueError(f"strip got {len(pictures)} pictures and {len(labels)} labels; they must be as many")
    pictures = enlarged(pictures)
    height, width = pictures.shape[1:3]
    gap, band = max(2, width // 64), max(18, height // 8)
    row = grid(pictures, len(pictures), gap=gap, background=255)
    sheet = np.concatenate([np.full((band, row.shape[1], 3), 255, np.uint8), row])
    for k, label in enumerate(labels):
        _write_centred(sheet, label, gap + k * (width + gap) + width / 2, band)
    return sheet


def enlarged(pictures: np.ndarray) -> np.ndarray:
    """Enlarge pictures `[N, H, W, 3]` uint8 a whole number of times, until no side is under STRIP_SIDE."""
    factor = -(-STRIP_SIDE // min(pictures.shape[1:3]))
    if factor == 1:
        return pictures
    cv2, size = import_cv2(), (factor * pictures.shape[2], factor * pictures.shape[1])
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) for picture in pictures])


def reduced(pictures: np.ndarray, side: int) -> np.ndarray:
    """Reduce pictures `[N, H, W, 3]` uint8 by a whole factor, until no side is above `side` pixels."""
    factor = -(-max(pictures.shape[1:3]) // side)
    if factor == 1:
        return pictures
    cv2, size = import_cv2(), (pictures.shape[2] // factor, pictures.shape[1] // factor)
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])


def _write_centred(sheet: np.ndarray, label: str, centre: float, band: int) -> None:
    cv2, scale, thickness = import_cv2(), band / 40, max(1, band // 24)
    (text_width, text_height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    corner = (round(centre - text_width / 2), round((band + text_height) / 2) + 1)
    cv2.putText(sheet, label, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, thickness, cv2.LINE_AA)


def offset_labels(alphas: Iterable[float]) -> list[str]:
    """Write strengths as labels: -1, 0, +2.5."""
    return [f"{alpha:+g}" if alpha else "0" for alpha in alphas]
