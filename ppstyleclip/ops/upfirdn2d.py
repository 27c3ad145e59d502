# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Upsample, filter and downsample images in one step (the resampling of StyleGAN2).

For every channel: insert `up - 1` zeros after each pixel, pad (or crop, where a pad is negative), convolve
with a small FIR kernel, keep every `down`-th pixel. On one axis, with L pixels x, K taps k and pads p0, p1,

    out[i] = gain * sum_j x[j] * k[i * down + K - 1 - p0 - j * up],  0 <= i <= (L * up + p0 + p1 - K) // down

which is linear in x: a banded matrix. The fast form uses that and never builds the image with its zeros:

* a separable kernel on a small image is two matrix products, `A @ x @ B`, whose gradient is as cheap;
* everything else is one depthwise convolution, strided for `down`, transposed and strided for `up`; of a
  long separable kernel, two.

`upfirdn2d_reference` does the four steps as the first paragraph reads; a test holds the two equal.
"""

from __future__ import annotations

import functools

import numpy as np
import paddle
import paddle.nn.functional as F

# Longest side, before or after, for which two matrix products are preferred to a depthwise convolution.
# Two cores, milliseconds forward / with gradient, kernel [1, 3, 3, 1] (matrices; convolution):
# [16, 32, 65, 65] 3 / 7; 6 / 38.   [1, 64, 129, 129] 7 / 16; 5 / 26.   [1, 16, 257, 257] 12 / 24; 3 / 18.
_MATRIX_LIMIT = 160
_SEPARATE_FROM = 6  # taps from which a separable kernel is applied axis by axis; StyleGAN3's have 12 and 24


def setup_filter(kernel):
    """Return a FIR kernel as a `[kh, kw]` float32 array whose taps sum to 1.

    Args:
        kernel: 1-D taps (the outer product with themselves is taken) or a 2-D kernel; list, array or Tensor.
    Raises:
        ValueError: the kernel is empty, not 1-D or 2-D, or its taps sum to 0.
    """
    taps = _as_2d(kernel)
    total = float(taps.sum())
    if total == 0.0:
        raise ValueError("the kernel's taps sum to 0 and cannot be scaled to sum to 1; use upfirdn2d itself")
    return (taps / total).astype("float32")


def upfirdn2d(x, kernel, *, up=1, down=1, pad=(0, 0), gain=1.0, flip=False):
    """Upsample, pad, filter and downsample images; differentiable in `x`, the kernel is a constant.

    Args:
        x: `[N, C, H, W]` Tensor.
        kernel: 1-D taps (used on both axes) or `[kh, kw]`; list, array or Tensor. It is not normalised.
        up, down: whole factors, at least 1; one number, or `(x, y)`.
        pad: `(p0, p1)` for both axes or `(x0, x1, y0, y1)`, in upsampled pixels; negative pads crop.
        gain: the result is multiplied by it.
        flip: False convolves (as StyleGAN2 does), True correlates; the same for a symmetric kernel.
    Returns:
        `[N, C, (H * up + y0 + y1 - kh) // down + 1, (W * up + x0 + x1 - kw) // down + 1]`.
    Raises:
        ValueError: an argument is out of range, or nothing would be left of the image.
    """
    taps, up, down, pad, size = _check(x, kernel, up, down, pad, gain, flip)
    parts = _separate(taps.tobytes(), taps.shape)
    small = max(*x.shape[2:], *size) <= _MATRIX_LIMIT
    if small and parts is not None and paddle.in_dynamic_mode():  # exported programs have better convolutions
        return _by_matrices(x, parts, up, down, pad, size)
    if parts is not None and min(taps.shape) >= _SEPARATE_FROM:
        return _axis_by_axis(x, parts, up, down, pad)
    if up == (1, 1):
        return _by_convolution(x, taps, down, pad)
    return _by_transposed_convolution(x, taps, up, down, pad, size)


def upfirdn2d_reference(x, kernel, *, up=1, down=1, pad=(0, 0), gain=1.0, flip=False):
    """Do what `upfirdn2d` does, step by step and slowly: the definition that the fast form is held to."""
    taps, up, down, (x0, x1, y0, y1), _ = _check(x, kernel, up, down, pad, gain, flip)
    n, c, h, w = x.shape
    stuffed = paddle.zeros([n, c, h, up[1], w, up[0]], dtype=x.dtype)
    stuffed = paddle.concat([x.reshape([n, c, h, 1, w, 1]), stuffed[:, :, :, :1, :, 1:]], axis=5)
    stuffed = paddle.concat([stuffed, paddle.zeros([n, c, h, up[1] - 1, w, up[0]], dtype=x.dtype)], axis=3)
    stuffed = _fit(stuffed.reshape([n * c, 1, h * up[1], w * up[0]]), x0, x1, y0, y1)
    weight = paddle.to_tensor(np.ascontiguousarray(taps[None, None, ::-1, ::-1]), dtype=x.dtype)
    out = F.conv2d(stuffed, weight)[:, :, :: down[1], :: down[0]]
    return out.reshape([n, c, out.shape[2], out.shape[3]])


def upsample2d(x, kernel, factor=2, gain=1.0):
    """Enlarge images by a whole `factor` with StyleGAN2's alignment; the gain includes `factor ** 2`, so that
    brightness is kept.

    `x` is `[N, C, H, W]`, the kernel is scaled to sum to 1, the result is `[N, C, H * factor, W * factor]`.
    """
    taps = setup_filter(kernel)
    pads = [((k - factor + 1) // 2 + factor - 1, (k - factor) // 2) for k in (taps.shape[1], taps.shape[0])]
    return upfirdn2d(x, taps, up=factor, pad=pads[0] + pads[1], gain=gain * factor**2)


def downsample2d(x, kernel, factor=2, gain=1.0):
    """Shrink images by a whole `factor` with StyleGAN2's alignment; the kernel is scaled to sum to 1.

    `x` is `[N, C, H, W]`, the result is `[N, C, H // factor, W // factor]` where `factor` divides H and W.
    """
    taps = setup_filter(kernel)
    pads = [((k - factor + 1) // 2, (k - factor) // 2) for k in (taps.shape[1], taps.shape[0])]
    return upfirdn2d(x, taps, down=factor, pad=pads[0] + pads[1], gain=gain)


def _as_2d(kernel):
    """Return a kernel as a 2-D float64 array, or raise ValueError."""
    taps = np.asarray(kernel.numpy() if isinstance(kernel, paddle.Tensor) else kernel, dtype="float64")
    if taps.ndim not in (1, 2) or taps.size == 0:
        raise ValueError(f"a kernel has 1 or 2 dimensions and at least one tap, got shape {list(taps.shape)}")
    return np.outer(taps, taps) if taps.ndim == 1 else taps


def _pair(value, name):
    """Return a whole factor, or an (x, y) pair of them, as a pair."""
    pair = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(pair) != 2 or any(int(v) != v or v < 1 for v in pair):
        raise ValueError(f"{name} must be a whole number of at least 1, or two of them (x, y); got {value}")
    return int(pair[0]), int(pair[1])


def _check(x, kernel, up, down, pad, gain, flip):
    """Return (taps to convolve with, up (x, y), down (x, y), pad (x0, x1, y0, y1), output (h, w))."""
    if x.ndim != 4:
        raise ValueError(f"images must be [N, C, H, W], got shape {list(x.shape)}")
    taps = _as_2d(kernel) * float(gain)
    taps = taps[::-1, ::-1] if flip else taps
    up, down = _pair(up, "up"), _pair(down, "down")
    if np.ndim(pad) != 1 or len(pad) not in (2, 4) or any(int(p) != p for p in pad):
        raise ValueError(f"pad must be (p0, p1) or (x0, x1, y0, y1) in whole pixels, got {pad}")
    pad = tuple(int(p) for p in pad) * (4 // len(pad))
    stuffed = (x.shape[2] * up[1] + pad[2] + pad[3], x.shape[3] * up[0] + pad[0] + pad[1])
    size = ((stuffed[0] - taps.shape[0]) // down[1] + 1, (stuffed[1] - taps.shape[1]) // down[0] + 1)
    if min(size) < 1:
        raise ValueError(
            f"a {list(taps.shape)} kernel does not fit into a padded image of {list(stuffed)}; pad more"
        )
    return np.ascontiguousarray(taps), up, down, pad, size


@functools.lru_cache(maxsize=64)
def _separate(data, shape):
    """Return the (vertical taps, horizontal taps) whose outer product a kernel is; None if it is none."""
    taps = np.frombuffer(data).reshape(shape)
    row, column = np.unravel_index(np.argmax(np.abs(taps)), shape)
    if taps[row, column] == 0.0:
        return None
    vertical, horizontal = taps[:, column], taps[row] / taps[row, column]
    close = np.allclose(np.outer(vertical, horizontal), taps, rtol=0, atol=1e-7 * abs(taps[row, column]))
    return (tuple(vertical), tuple(horizontal)) if close else None


@functools.lru_cache(maxsize=256)
def _matrix(taps, length, out_length, up, down, pad0):
    """Return the `[out_length, length]` float32 matrix that up-samples, filters and down-samples one axis."""
    k = np.asarray(taps)
    tap = np.arange(out_length)[:, None] * down + len(k) - 1 - pad0 - np.arange(length)[None, :] * up
    inside = (tap >= 0) & (tap < len(k))
    return np.where(inside, k[np.clip(tap, 0, len(k) - 1)], 0.0).astype("float32")


def _by_matrices(x, parts, up, down, pad, size):
    """Filter rows and columns, each by one banded matrix."""
    down_axis = _matrix(parts[0], x.shape[2], size[0], up[1], down[1], pad[2])
    across = np.ascontiguousarray(_matrix(parts[1], x.shape[3], size[1], up[0], down[0], pad[0]).T)
    x = paddle.matmul(x, paddle.to_tensor(across, dtype=x.dtype))  # [N, C, H, W']
    return paddle.matmul(paddle.to_tensor(down_axis, dtype=x.dtype), x)  # [N, C, H', W']


def _axis_by_axis(x, parts, up, down, pad):
    """Filter rows, then columns."""
    across, downwards = np.asarray(parts[1])[None], np.asarray(parts[0])[:, None]
    x = upfirdn2d(x, across, up=(up[0], 1), down=(down[0], 1), pad=(*pad[:2], 0, 0))
    return upfirdn2d(x, downwards, up=(1, up[1]), down=(1, down[1]), pad=(0, 0, *pad[2:]))


def _depthwise(taps, channels, dtype):
    """Return the kernel repeated for each channel: `[C, 1, kh, kw]`."""
    weight = np.broadcast_to(taps[None, None], (channels, 1) + taps.shape)
    return paddle.to_tensor(np.ascontiguousarray(weight), dtype=dtype)


def _by_convolution(x, taps, down, pad):
    """Filter without upsampling: crop where a pad is negative, then one strided depthwise convolution."""
    x0, x1, y0, y1 = pad
    if min(pad) < 0:
        x = x[:, :, max(-y0, 0) : x.shape[2] - max(-y1, 0), max(-x0, 0) : x.shape[3] - max(-x1, 0)]
    edges = [max(y0, 0), max(y1, 0), max(x0, 0), max(x1, 0)]
    weight = _depthwise(taps[::-1, ::-1], x.shape[1], x.dtype)
    return F.conv2d(x, weight, stride=[down[1], down[0]], padding=edges, groups=x.shape[1])


def _by_transposed_convolution(x, taps, up, down, pad, size):
    """Add up each pixel's kernel in the enlarged image, cut out what is wanted, keep each `down`-th pixel."""
    kh, kw = taps.shape
    weight = _depthwise(taps, x.shape[1], x.dtype)
    top, left = kh - 1 - pad[2], kw - 1 - pad[0]
    height, width = (size[0] - 1) * down[1] + 1, (size[1] - 1) * down[0] + 1
    bottom = (x.shape[2] - 1) * up[1] + kh - top - height
    right = (x.shape[3] - 1) * up[0] + kw - left - width
    cut = [max(top, 0), max(bottom, 0), max(left, 0), max(right, 0)]  # never computed
    out = F.conv2d_transpose(x, weight, stride=[up[1], up[0]], padding=cut, groups=x.shape[1])
    out = _fit(out, *(max(-edge, 0) for edge in (left, right, top, bottom)))
    return out if down == (1, 1) else out[:, :, :: down[1], :: down[0]]


def _fit(x, x0, x1, y0, y1):
    """Pad images with zeros; negative pads crop."""
    if max(x0, x1, y0, y1) > 0:
        x = F.pad(x, [max(x0, 0), max(x1, 0), max(y0, 0), max(y1, 0)])
    if min(x0, x1, y0, y1) < 0:
        x = x[:, :, max(-y0, 0) : x.shape[2] - max(-y1, 0), max(-x0, 0) : x.shape[3] - max(-x1, 0)]
    return x
