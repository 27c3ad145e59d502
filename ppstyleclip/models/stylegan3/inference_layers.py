# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3's layers with frozen weights, arranged for an exported program.

The filtered leaky ReLU goes phase by phase (`ops/lrelu_phases.py`) and a few channels at a time, so that the
enlarged picture is never there as a whole: at 1044 px and 192 channels it would take 3.4 GB. Scales that do
not depend on the style are in the weights. What the next layer would crop is not drawn: under oneDNN a crop
takes the picture into another layout, and its copies, one for each convolution that reads it, are kept until
the program goes. A picture that is drawn alone has its style and its demodulation
in the weights too, where those are fewer than the pixels.
"""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ...ops.lrelu_phases import apply_phases, identity, insert_zeros, lrelu_phases, phase_kernels
from ..stylegan2.inference_layers import register_constant
from .layers import CLAMP, OUTPUT_SCALE, FilteredConv, per_channel

SLOPE, GAIN = 0.2, 2**0.5
PART_BYTES = 32 * 2**20  # of the channels of a layer that are activated at a time
_BLOCK = 32  # channels that are worth a convolution of their own: twice those that oneDNN keeps together


class InferenceConv(nn.Layer):
    """A FilteredConv with activation.

    Args:
        layer: its weights are copied.
        batch_one: whether pictures are drawn one by one.
        crop: pixels at each edge of its result that are left out, for the next layer does not read them.

    Attributes: `margin`, pixels at each edge of its own input that it does not read, and does not take.
    """

    def __init__(self, layer: FilteredConv, batch_one: bool, crop: int = 0):
        super().__init__()
        shape = self.shape = layer.shape
        padding = [pad - crop * shape.down for pad in shape.padding]
        unread = unread_pixels(padding, shape.up)  # of what the convolution gives
        self.margin = max(unread - (shape.kernel - 1), 0)
        self.edge = max(shape.kernel - 1 - unread, 0)
        weight = layer.weight.numpy()
        self.scales_weight = batch_one and weight[0].size < shape.in_size**2
        self.bounds = channel_parts(shape.out_channels, shape.out_size)
        energy = np.square(weight, dtype=np.float64).sum((2, 3))  # [O, I]
        self.gain = float(1 / np.sqrt(layer.magnitude_ema.numpy().item()))
        self.phases = lrelu_phases(
            shape.in_size + shape.kernel - 1 - 2 * unread,
            shape.up_filter,
            shape.down_filter,
            up=shape.up,
            down=shape.down,
            pad=[pad + unread * shape.up for pad in padding],
            gain=GAIN,
        )
        for part, (start, end) in enumerate(self.bounds):
            register_constant(self, f"weight_{part}", weight[start:end])
            register_constant(self, f"bias_{part}", layer.bias.numpy()[start:end].reshape([-1, 1, 1]))
            register_constant(self, f"energy_{part}", energy[start:end].T)
            small = 1e-8 * energy[start:end].mean(1) / shape.kernel**2
            register_constant(self, f"small_{part}", small[None])
        for count in {end - start for start, end in self.bounds}:
            kernels = {
                key: kernel for one in phase_kernels(self.phases, count) for key, kernel in one.items()
            }
            if shape.up > shape.down:
                kernels["identity"] = identity(count)
            for key, kernel in kernels.items():
                register_constant(self, f"{key}_{count}", kernel)

    def forward(self, x, style):
        """Return `[N, O, H', W']` of `[N, I, H, W]`, without its margin, under the style `[N, I]`."""
        parts = [self._part(k, end - start, x, style) for k, (start, end) in enumerate(self.bounds)]
        return parts[0] if len(parts) == 1 else paddle.concat(parts, axis=1)

    def _part(self, part, count, x, style):
        """The channels of one part."""
        y = self._convolve(part, x, style) + getattr(self, f"bias_{part}")

        def constant(key, _):
            return getattr(self, f"{key}_{count}")

        y = insert_zeros(y, self.shape.up // self.shape.down, constant)
        return apply_phases(y, self.phases, constant, slope=SLOPE, clamp=CLAMP)

    def _convolve(self, part, x, style):
        weight = getattr(self, f"weight_{part}")
        squares = style * style
        norm = F.linear(squares, getattr(self, f"energy_{part}"))
        small = paddle.mean(squares, axis=1, keepdim=True) * getattr(self, f"small_{part}")
        scale = paddle.rsqrt(norm + small + 1e-30) * self.gain
        if self.scales_weight:
            weight = weight * style.reshape([1, self.shape.in_channels, 1, 1])
            return F.conv2d(x, weight * scale.reshape([weight.shape[0], 1, 1, 1]), padding=self.edge)
        return F.conv2d(x * per_channel(style), weight, padding=self.edge) * per_channel(scale)


class InferenceToRGB(nn.Layer):
    """A FilteredConv of the ToRGB layer, whose result is the picture; its weights are copied."""

    margin = 0

    def __init__(self, layer: FilteredConv):
        super().__init__()
        gain = OUTPUT_SCALE / np.sqrt(layer.magnitude_ema.numpy().item())
        register_constant(self, "weight", layer.weight.numpy() * gain)
        register_constant(self, "bias", layer.bias.numpy().reshape([-1, 1, 1]) * OUTPUT_SCALE)

    def forward(self, x, style):
        """Return `[N, 3, H, W]`."""
        x = F.conv2d(x * per_channel(style), self.weight) + self.bias
        return paddle.clip(x, -CLAMP * OUTPUT_SCALE, CLAMP * OUTPUT_SCALE)


def unread_pixels(padding, up: int) -> int:
    """Pixels at each edge that the filtered leaky ReLU does not read, for it crops what it has enlarged."""
    before, after = padding
    return max(0, min(-(before // up), -((after + up - 1) // up)))


def channel_parts(channels: int, side: int) -> list[tuple[int, int]]:
    """(start, end) of the channels that are activated at a time."""
    at_once = max(1, PART_BYTES // (4 * side**2 * _BLOCK)) * _BLOCK
    return [(start, min(start + at_once, channels)) for start in range(0, channels, at_once)]
