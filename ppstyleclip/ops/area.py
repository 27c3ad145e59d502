# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Resizing by averages over areas, as two matrix products; differentiable, for any pair of sizes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import paddle


@lru_cache(maxsize=64)
def area_matrix(size_in, size_out):
    """The linear map that gives each output pixel the mean of the input over its part of the axis.

    Args:
        size_in, size_out: lengths in pixels, at least 1.
    Returns:
        `[size_out, size_in]` float32, rows of sum 1; read-only, because it is cached."""
    edges = np.arange(size_out + 1) * (size_in / size_out)
    low, high = edges[:-1, None], edges[1:, None]  # [out, 1]
    pixel = np.arange(size_in)[None, :]  # [1, in]
    overlap = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0.0, None)
    weights = (overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32)
    weights.setflags(write=False)
    return weights


def resize_area(images, size):
    """Resize `[N, C, H, W]` to `[N, C, size, size]`, each output pixel the mean of its part of the input."""
    across = paddle.to_tensor(area_matrix(images.shape[3], size).T)  # [W, size]
    down = paddle.to_tensor(area_matrix(images.shape[2], size))  # [size, H]
    return paddle.matmul(down, paddle.matmul(images, across))
