# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pillow's antialiased resizes and centre crop as two matrix products, differentiable and in batch."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import paddle

_A = -0.5  # Pillow's bicubic parameter (Keys, 1981); OpenCV and Paddle's interpolate use -0.75


def bicubic_kernel(x):
    """Keys' cubic convolution kernel with a = -0.5.

    Args:
        x: array of distances in pixels, any shape.
    Returns:
        Array of weights of the same shape; zero where `|x| >= 2`."""
    x = np.abs(np.asarray(x, np.float64))
    near = ((_A + 2.0) * x - (_A + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * _A
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def triangle_kernel(x):
    """Linear interpolation's kernel; zero where `|x| >= 1`."""
    return np.maximum(1.0 - np.abs(np.asarray(x, np.float64)), 0.0)


_KERNELS = {"bicubic": (bicubic_kernel, 2.0), "bilinear": (triangle_kernel, 1.0)}  # and their reach in pixels


@lru_cache(maxsize=64)
def resize_matrix(size_in, size_out, filter="bicubic"):
    """The linear map of a one-dimensional resize as Pillow does it.

    Output pixel i looks at c = (i + 0.5) * size_in / size_out; when shrinking, the kernel is stretched by
    that ratio (antialiasing). Weights are cut at the borders and normalised to sum 1.

    Args:
        size_in, size_out: lengths in pixels, at least 1.
        filter: "bicubic" or "bilinear", Pillow's names.
    Returns:
        `[size_out, size_in]` float32, rows of sum 1; read-only, because it is cached."""
    kernel, support = _KERNELS[filter]
    ratio = size_in / size_out
    stretch = max(ratio, 1.0)
    centre = (np.arange(size_out) + 0.5)[:, None] * ratio  # [out, 1]
    position = np.arange(size_in)[None, :] + 0.5  # [1, in]
    reach = support * stretch
    first = np.maximum(np.floor(centre - reach + 0.5), 0.0)
    end = np.minimum(np.floor(centre + reach + 0.5), size_in)
    weights = kernel((position - centre) / stretch)
    weights = weights * ((position > first) & (position < end))
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    weights.setflags(write=False)
    return weights


def shorter_side_to(height, width, size):
    """Height and width once the shorter side is `size`; the longer is rounded down, as in CLIP."""
    if width <= height:
        return int(size * height / width), size
    return size, int(size * width / height)


def _axis_matrix(size_in, size_resized, size_crop):
    start = int(round((size_resized - size_crop) / 2.0))
    return resize_matrix(size_in, size_resized)[start : start + size_crop]


def resize_centre_crop(images, size, *, clamp=True):
    """Resize the shorter side to `size` and cut the central square, as Pillow would on 8-bit pictures.

    Like Pillow's, the horizontal pass comes first and each pass is clamped to the range of the pixels; unlike
    it, nothing is rounded to integers, so the result is differentiable.

    Args:
        images: Tensor `[N, C, H, W]` in [0, 1].
        size: side of the square in pixels.
        clamp: as Pillow; False leaves what rings beyond [0, 1], as torchvision does on tensors.
    Returns:
        Tensor `[N, C, size, size]`; the argument itself when it already has that size."""
    height, width = images.shape[2], images.shape[3]
    if height == size and width == size:
        return images
    new_height, new_width = shorter_side_to(height, width, size)
    if width != size:
        across = paddle.to_tensor(_axis_matrix(width, new_width, size).T)  # [W, size]
        images = _clamped(paddle.matmul(images, across), clamp)  # [N, C, H, size]
    if height != size:
        down = paddle.to_tensor(_axis_matrix(height, new_height, size))  # [size, H]
        images = _clamped(paddle.matmul(down, images), clamp)  # [N, C, size, size]
    return images


def _clamped(images, clamp):
    return paddle.clip(images, 0.0, 1.0) if clamp else images
