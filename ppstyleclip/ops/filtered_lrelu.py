# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The leaky ReLU of StyleGAN3, with little aliasing: enlarge, activate, low-pass filter, shrink."""

from __future__ import annotations

import paddle

from .bias_act import bias_act
from .lrelu_phases import apply_phases, insert_zeros, lrelu_phases
from .upfirdn2d import upfirdn2d, upfirdn2d_reference


def filtered_lrelu(
    x, bias, up_filter, down_filter, *, up=1, down=1, pad=(0, 0), slope=0.2, gain=2**0.5, clamp=None
):
    """Bias, upsampling, leaky ReLU, clamp and downsampling (section 3.2 of the StyleGAN3 paper).

    Args:
        x: `[N, C, H, W]` Tensor.
        bias: `[C]`, or None.
        up_filter, down_filter: taps `[n]` for both axes, or a kernel `[n, n]`, that sum to 1; None for none.
        up, down: whole factors.
        pad: `(p0, p1)` of both axes, in upsampled pixels; negative pads crop.
        slope, gain: of the leaky ReLU.
        clamp: bound of its absolute values, or None.
    Returns:
        `[N, C, H', W']`, W' = (W * up + p0 + p1 - taps of both filters + 2 - 1) // down + 1.
    Raises:
        ValueError: an argument does not fit.
    """
    if paddle.in_dynamic_mode() or up_filter is None or down_filter is None or up % down:
        return _steps(upfirdn2d, x, bias, up_filter, down_filter, up, down, pad, slope, gain, clamp)
    phases = lrelu_phases(x.shape[3], up_filter, down_filter, up=up, down=down, pad=pad, gain=gain)
    x = x if bias is None else x + bias.reshape([-1, 1, 1])
    x = insert_zeros(x, up // down, _constant)
    return apply_phases(x, phases, _constant, slope=slope, clamp=clamp)


def filtered_lrelu_reference(
    x, bias, up_filter, down_filter, *, up=1, down=1, pad=(0, 0), slope=0.2, gain=2**0.5, clamp=None
):
    """Do what `filtered_lrelu` does with every zero inserted: the definition that it is held to."""
    return _steps(upfirdn2d_reference, x, bias, up_filter, down_filter, up, down, pad, slope, gain, clamp)


def _steps(resample, x, bias, up_filter, down_filter, up, down, pad, slope, gain, clamp):
    x = x if bias is None else x + bias.reshape([-1, 1, 1])
    if up_filter is not None or up > 1 or tuple(pad) != (0, 0):
        x = resample(x, _taps(up_filter), up=up, pad=pad, gain=float(up) ** 2)
    x = bias_act(x, slope=slope, gain=gain)
    x = x if clamp is None else paddle.clip(x, -clamp, clamp)
    if down_filter is not None or down > 1:
        x = resample(x, _taps(down_filter), down=down)
    return x


def _constant(name, array):
    """A kernel as a Tensor of a program; written there once, for all channels have the same one."""
    if name == "identity":
        return paddle.to_tensor(array)
    return paddle.to_tensor(array[:1]).expand(array.shape)


def _taps(taps):
    return [1.0] if taps is None else taps
