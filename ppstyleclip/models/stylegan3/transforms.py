# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A moved canvas as a style: StyleGAN3's input is moved and turned by its own four numbers already."""

from __future__ import annotations

import numpy as np

from ..canvas import canvas_transform

__all__ = ["canvas_transform", "moved_input"]


def moved_input(style: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """The style of the input that draws what `style` draws under a transform.

    A style (r, t), r scaled to length 1, takes a place x of the picture to R (x - t) of the features. With
    the transform x -> U x + d before it, that is R U (x - U'(t - d)): a rotation and a translation again.

    Args:
        style: `[N, 4]` (r_c, r_s, t_x, t_y).
        transform: `[3, 3]` or `[N, 3, 3]`, a rotation and a translation, as canvas_transform makes it.
    Returns:
        `[N, 4]` float32, its first two of length 1.
    Raises:
        ValueError: the transform does more than turn and move.
    """
    style, transform = np.asarray(style, np.float64), np.asarray(transform, np.float64)
    turn, shift = transform[..., :2, :2], transform[..., :2, 2]  # [2, 2] or [N, 2, 2], [2] or [N, 2]
    is_rotation = np.allclose(turn @ np.swapaxes(turn, -1, -2), np.eye(2), atol=1e-4)
    if not is_rotation or (np.linalg.det(turn) < 0).any():
        raise ValueError("the transform must be a rotation and a translation; no style scales or mirrors")
    style = style / np.maximum(np.linalg.norm(style[:, :2], axis=1, keepdims=True), 1e-15)
    cosine, sine = turn[..., 0, 0], turn[..., 1, 0]
    c, s = style[:, 0], style[:, 1]
    rest = style[:, 2:] - shift  # [N, 2]
    moved = [
        c * cosine - s * sine,
        s * cosine + c * sine,
        cosine * rest[:, 0] + sine * rest[:, 1],
        cosine * rest[:, 1] - sine * rest[:, 0],
    ]
    return np.stack(moved, axis=1).astype(np.float32)
