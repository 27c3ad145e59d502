# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What surrounds a convolution of StyleGAN3 in a fit: the style before it, the filtered leaky ReLU behind it.

Along each axis, enlarging and shrinking are banded matrices, and the plain form of the filtered leaky ReLU is
their products. There is a compiled form of both (filtered_lrelu.cpp), with which a fit takes a fraction of
the time; the first use builds it, where there is a C++ compiler.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ppstyleclip.worlds.portrait.training.network import F, torch

SLOPE = 0.2
SOURCE = Path(__file__).with_name("filtered_lrelu.cpp")
_LANES = 16  # channels that the compiled form takes at once
_OPTIONS = ("-O3", "-march=native", "-funroll-loops", "-shared", "-fPIC", "-std=c++17")
_WIDE = "-mprefer-vector-width=512"  # which not every compiler knows


def modulate(x, style, margin):
    """(`x` `[N, C, S, S]` times a style `[N, C]`, with zeros around it; the mean square of x, a constant)."""
    return _Modulate.apply(x, style, margin) if _is_compiled(x) else plain_modulate(x, style, margin)


def plain_modulate(x, style, margin):
    """What `modulate` is defined as."""
    with torch.no_grad():
        square = x.float().square().mean()
    return F.pad(x * style.to(x.dtype)[:, :, None, None], (margin,) * 4), square


class FilteredLReLU:
    """Scale and bias, enlarge, leaky ReLU with a gain of sqrt(2), shrink; of pictures of one side.

    Args:
        side: of what is given, in pixels.
        up_filter, down_filter, up, down, pad: of a layer's geometry.
    """

    def __init__(self, side, *, up_filter, down_filter, up, down, pad):
        self.up, self.down, self.shift = up, down, len(up_filter) - 1 - pad[0]
        self.up_taps = np.ascontiguousarray(np.asarray(up_filter) * up, np.float32)
        # the gain is a factor of what follows the leaky ReLU, its root of that along each axis
        self.down_taps = np.ascontiguousarray(np.asarray(down_filter) * 2**0.25, np.float32)
        self.side, self.large = side, side * up + sum(pad) - len(up_filter) + 1
        self.result = (self.large - len(down_filter)) // down + 1

    def __call__(self, x, scale, bias):
        """`[N, C, result, result]` of `x` `[N, C, side, side]`, `scale` `[N, C]` and `bias` `[C]`."""
        if _is_compiled(x):
            return _Activate.apply(x, scale.float(), bias.float(), self)
        return self.plain(x, scale, bias)

    def plain(self, x, scale, bias):
        """The definition."""
        x = torch.addcmul(bias.to(x.dtype)[:, None, None], x, scale.to(x.dtype)[:, :, None, None])
        enlarge, shrink = (torch.tensor(m, dtype=x.dtype) for m in self.matrices())
        return shrink @ F.leaky_relu(enlarge @ x @ enlarge.t(), SLOPE) @ shrink.t()

    def matrices(self):
        """(enlarging `[large, side]`, shrinking `[result, large]`) along an axis."""
        enlarge = _banded(self.up_taps, self.large, self.side, self.up, self.shift)
        return enlarge, _banded(self.down_taps, self.large, self.result, self.down, 0).T

    def arguments(self, x):
        """What both compiled functions are told of sizes and filters."""
        sizes = (ctypes.c_int * 5)(*x.shape[:2], self.side, self.large, self.result)
        up = (_place(self.up_taps), len(self.up_taps), self.up, self.shift)
        return sizes, *up, _place(self.down_taps), len(self.down_taps), self.down


def _banded(taps, rows, columns, step, shift):
    """`[rows, columns]` with taps[row + shift - step * column]."""
    tap = np.arange(rows)[:, None] + shift - step * np.arange(columns)
    return np.where((tap >= 0) & (tap < len(taps)), taps[np.clip(tap, 0, len(taps) - 1)], 0.0)


class _Activate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, bias, plan):
        x, scale, bias = _last(x), scale.contiguous(), bias.contiguous()
        ctx.plan, out = plan, _empty(x, plan.result)
        ctx.save_for_backward(x, scale, bias)
        given = map(_place, (x, scale, bias, None, out, None, None))
        library().activate(_is_half(x), *given, *plan.arguments(x))
        return out

    @staticmethod
    def backward(ctx, grad):
        x, scale, bias = ctx.saved_tensors
        out, of_scale, of_bias = _empty(x, ctx.plan.side), torch.zeros_like(scale), torch.zeros_like(bias)
        given = (x, scale, bias, _last(grad), out, of_scale, of_bias)
        library().activate(_is_half(x), *map(_place, given), *ctx.plan.arguments(x))
        return out, of_scale, of_bias, None


class _Modulate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, style, margin):
        x, style = _last(x), style.float().contiguous()
        ctx.margin, out = margin, _empty(x, x.shape[2] + 2 * margin)
        ctx.save_for_backward(x, style)
        squares = torch.zeros(x.shape[1])
        library().modulate(_is_half(x), *map(_place, (x, style, out, squares)), *x.shape[:3], margin)
        mean = squares.sum() / x.numel()
        ctx.mark_non_differentiable(mean)
        return out, mean

    @staticmethod
    def backward(ctx, grad, _):
        x, style = ctx.saved_tensors
        out, of_style = _empty(x, x.shape[2]), torch.zeros_like(style)
        given = (x, style, _last(grad), out, of_style)
        library().modulate_back(_is_half(x), *map(_place, given), *x.shape[:3], ctx.margin)
        return out, of_style, None


def _is_compiled(x):
    known = x.dtype in (torch.bfloat16, torch.float32) and x.shape[1] % _LANES == 0
    return known and library() is not None


def _is_half(x):
    return int(x.dtype == torch.bfloat16)


def _last(x):
    return x.contiguous(memory_format=torch.channels_last)


def _empty(like, side):
    shape = (*like.shape[:2], side, side)
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)


def _place(values):
    if values is None:
        return None
    address = values.ctypes.data if isinstance(values, np.ndarray) else values.data_ptr()
    return ctypes.c_void_p(address)


@functools.lru_cache(maxsize=1)
def library():
    """The compiled form, built if need be; None where there is no compiler, or it fails."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="filtered_lrelu-"))
    try:
        target = folder / "library.so"
        for options in ((*_OPTIONS, _WIDE), _OPTIONS):
            command = [compiler, *options, str(SOURCE), "-o", str(target)]
            if subprocess.run(command, capture_output=True).returncode == 0:
                return ctypes.CDLL(str(target))
        return None
    finally:
        shutil.rmtree(folder)  # what is loaded stays
