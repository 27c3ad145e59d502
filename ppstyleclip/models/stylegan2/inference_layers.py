# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2's layers with frozen weights, arranged for an exported program.

What does not depend on the styles is computed once: scales and gains are in the weights, kernel energies for
the demodulation, noise times its strength, filters as depthwise kernels.

Why these forms (milliseconds on two cores, oneDNN, batch 1). On AMD's Zen 4, enlarging by a transposed
convolution and one 4x4 depthwise filter took 53 for 512 to 256 channels at 128 px and 122 for 64 to 32 at
1024 px; with the filter in two passes 54 and 148; as four phases of one 3x3 convolution and a pixel shuffle
185 and 356, for it has four times the multiplications. A transposed convolution that leaves a row and a
column of zeros at the end, which the filter then need not add, is taken by a faster kernel: on Intel's
Sapphire Rapids 57 and 102 in place of 65 and 125 (256 to 128 channels at 256 px, 64 to 32 at 1024 px). A
convolution that keeps its size took 88 as it is and 36 in Winograd's form for 512 channels at 64 px, 93 and
49 for 256 at 128 px; narrower or smaller ones lose.

The style scales the input and not the weights, so that weights stay constant (their layout is then prepared
once) and any batch runs in one program. A picture that is large enough to fill a program is drawn with a
batch of one, and then scalings go where they touch the fewest numbers: into the weights where those are fewer
than the pixels, and otherwise one pass of a batch normalisation does the demodulation and the bias. In
Winograd's form noise, bias and activation are then part of its last product, ToRGB takes the tiles as they
are, and 128 channels gain by it too (at 256 px 58 in place of 73 with all that follows). At 256 px that takes
252 in place of 316.
"""

from __future__ import annotations

import math

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle import Tensor

from ...ops import (
    TILE,
    cut_tiles,
    join_tiles,
    setup_filter,
    winograd_conv2d,
    winograd_input_filter,
    winograd_output_matrix,
    winograd_tiles,
    winograd_weight,
)
from .layers import SKIP_KERNEL, StyledConv, ToRGB

SLOPE = 0.2  # of the leaky ReLU
WINOGRAD_SIDE = 16  # pixels, from which on Winograd's form is the faster one
_GAIN = math.sqrt(2.0)
_EPSILON = 1e-5  # Paddle's batch_norm wants one


class InferenceConv(nn.Layer):
    """leaky_relu(d * conv(x * style) + noise + bias), d the demodulation; gains are in the weights.

    Args:
        layer: StyledConv; its weights are copied.
        noise: its noise picture `[1, 1, side, side]`, or None for none.
        side: of its result, in pixels.

    Attributes:
        in_channels, out_channels: I and O.
        gains_by_winograd: whether Winograd's form is the faster one.
        winograd: whether that form is used.
        restore_layout: whether what the convolution gives is brought to NCHW, for what comes next.
    """

    is_to_rgb = False
    winograd_channels = 256  # from which on Winograd's form is the faster one

    def __init__(self, layer: StyledConv, noise: Tensor | None, side: int):
        super().__init__()
        conv = layer.conv
        weight = conv.weight.numpy()[0]  # [O, I, k, k]
        self.side, self.upsample = side, conv.upsample
        self.out_channels, self.in_channels = weight.shape[:2]
        self.winograd = self.restore_layout = self.gains_by_winograd = False
        register_constant(self, "two", np.full([1], 2.0))
        register_constant(self, "energy", np.square(weight * conv.scale).sum((2, 3)).T)
        self._register_convolution(conv, weight * np.float32(conv.scale * _GAIN))
        self.has_noise = noise is not None
        if noise is not None:
            register_constant(self, "noise", noise.numpy()[0, 0] * layer.noise.weight.numpy() * _GAIN)
        register_constant(self, "bias", layer.activate.bias.numpy().reshape([-1, 1, 1]) * _GAIN)

    def _register_convolution(self, conv, weight):
        register_constant(self, "weight", weight.transpose(1, 0, 2, 3) if conv.upsample else weight)
        if conv.upsample:
            taps = np.asarray(conv.blur * 4.0, np.float32)[::-1, ::-1]
            register_constant(self, "blur", np.broadcast_to(taps, (self.out_channels, 1, *taps.shape)))
            spare = len(taps) - 2 - (weight.shape[2] - 1)
            first, last = (spare + 1) // 2 + 1, spare // 2 + 1
            self.zero_rows = int(last > 0)  # one row and column of zeros that the filter need not add
            self.pads = [first, last - self.zero_rows] * 2
        else:
            self.gains_by_winograd = (
                self.side >= WINOGRAD_SIDE and min(weight.shape[:2]) >= self.winograd_channels
            )

    def use_winograd(self) -> None:
        """Bring the weights into Winograd's form, if that is not done and the convolution gains by it."""
        if self.gains_by_winograd and not self.winograd:
            self._bring_to_winograd()

    def _bring_to_winograd(self):
        self.winograd = True
        register_constant(self, "weight", winograd_weight(self.weight.numpy()))
        register_constant(self, "input_filter", winograd_input_filter())
        register_constant(self, "output_matrix", winograd_output_matrix())

    def forward(self, x, style):
        """Return `[N, O, H, W]` of x `[N, I, h, w]` and style `[N, I]`."""
        return self.steps(x, style)[-1]

    def steps(self, x, style):
        """Energy `[N, O]`, the convolution before demodulation and the result, both `[N, O, H, W]`."""
        energy = self._energy(style)
        x = self._convolve(x * style.reshape([-1, self.in_channels, 1, 1]))
        x = to_nchw(x) if self.restore_layout else x
        return energy, x, self._activate(x, energy)

    def _energy(self, style):
        # Of operators that nothing else consists of: all of it can stay fp32. The exponent is a tensor, for
        # Paddle 3.3.1 has a square of one operand overwrite the style, which is read again (new IR).
        return F.linear(paddle.pow(style, self.two), self.energy) + 1e-8

    def _convolve(self, x):
        if self.upsample:
            x = F.conv2d_transpose(x, self.weight, stride=2, output_padding=self.zero_rows)
            return F.conv2d(x, self.blur, padding=self.pads, groups=self.out_channels)
        if self.winograd:
            return winograd_conv2d(x, self.weight, self.input_filter, self.output_matrix)
        return F.conv2d(x, self.weight, padding=1)

    def _activate(self, x, energy):
        """Demodulate the convolution, add noise and bias, and activate."""
        x = x * paddle.pow(energy, -0.5).reshape([-1, self.out_channels, 1, 1])
        if self.has_noise:
            x = x + self.noise
        return F.leaky_relu(x + self.bias, SLOPE)


class BatchOneConv(InferenceConv):
    """An InferenceConv for a batch of one; takes and leaves tiles, as of cut_tiles, where that saves a pass.

    Attributes: `scales_weight`, whether the style scales the weights in place of the input.
    """

    winograd_channels = 128

    def __init__(self, layer: StyledConv, noise: Tensor | None, side: int):
        super().__init__(layer, noise, side)
        self.scales_weight = not self.upsample and self.weight.shape[2] ** 2 * self.out_channels < side**2
        bias = self.bias.numpy().reshape([-1])
        register_constant(self, "shift", bias)
        register_constant(self, "zeros", np.zeros_like(bias))
        register_constant(self, "ones", np.full_like(bias, 1.0 - _EPSILON))

    def _bring_to_winograd(self):
        super()._bring_to_winograd()
        self.scales_weight = self.in_channels * self.out_channels < 2 * self.side**2
        if self.scales_weight:
            noise = self.noise.numpy() if self.has_noise else np.zeros([self.side] * 2)
            register_constant(self, "noise_and_bias", cut_tiles(self.bias.numpy() + noise))

    def forward(self, x, style):
        """Return `[1, O, H, W]`, or tiles of it, of x or its tiles."""
        if x.ndim == 2:
            x = join_tiles(x, [self.in_channels, self.side // 2, self.side // 2])
        energy, scale = self._energy(style), style.reshape([1, self.in_channels, 1, 1])
        if not self.scales_weight:
            return self._activate(self._convolve(x * scale), energy)
        if self.winograd:
            both = paddle.matmul(paddle.pow(energy, -0.5).reshape([self.out_channels, 1]), style)
            x = winograd_tiles(x, self.weight * both, self.input_filter, self.output_matrix)
            return F.leaky_relu(x + self.noise_and_bias, SLOPE)
        return self._activate(F.conv2d(x, self.weight * scale, padding=1), energy)

    def _activate(self, x, energy):
        """One pass scales by the demodulation and adds the bias."""
        scale = paddle.pow(energy, -0.5).reshape([self.out_channels])
        x = F.batch_norm(x, self.zeros, self.ones, scale, self.shift, epsilon=_EPSILON)
        return F.leaky_relu(x + self.noise if self.has_noise else x, SLOPE)


class CachedConv(InferenceConv):
    """An InferenceConv whose convolution is done, but for what one channel of each picture adds."""

    def _register_convolution(self, conv, weight):
        pixels = np.eye(weight.shape[2] ** 2, dtype=np.float32).reshape([-1, 1, *weight.shape[2:]])
        pixels = pixels[::-1] if conv.upsample else pixels
        register_constant(self, "pixels", pixels)  # the neighbours that taps multiply
        self.pad = 0 if conv.upsample else weight.shape[2] // 2
        if conv.upsample:
            register_constant(self, "blur", (conv.blur * 4.0).reshape([1, 1, *conv.blur.shape]))

    def forward(self, x, style, plane, kernel):
        """As InferenceConv, of x `[N, O, H, W]`, the convolution so far, and what CachedConvolution adds."""
        if self.upsample:  # the blur comes first, while it is of one channel
            plane = F.conv2d_transpose(plane, self.blur, stride=2)
        taps = kernel.shape[2]
        near = F.conv2d(plane, self.pixels, padding=self.pad).reshape([-1, taps, self.side**2])
        added = paddle.matmul(kernel, near).reshape([-1, self.out_channels, self.side, self.side])
        return self._activate(x + added, self._energy(style))


class InferenceToRGB(nn.Layer):
    """conv(x * style) + bias + the picture so far, twice its size.

    Args:
        layer: ToRGB; its weights are copied.
        side: of its result, in pixels.
        batch_one: whether it is for a batch of one.
    """

    is_to_rgb = True

    def __init__(self, layer: ToRGB, side: int, batch_one: bool):
        super().__init__()
        self.in_channels, self.side, self.batch_one = layer.conv.weight.shape[2], side, batch_one
        register_constant(self, "weight", layer.conv.weight.numpy()[0] * np.float32(layer.conv.scale))
        register_constant(self, "bias", layer.bias.numpy()[0])
        taps = setup_filter(SKIP_KERNEL) * 4.0
        register_constant(self, "filter", np.broadcast_to(taps, (3, 1, *taps.shape)))

    def forward(self, x, style, image=None):
        """Return `[N, 3, H, W]` of x `[N, I, H, W]`, or its tiles, and the picture of half the size."""
        style = style.reshape([-1, self.in_channels, 1, 1])
        if x.ndim == 2:  # tiles
            weight = (self.weight * style).reshape([1, 3, self.in_channels])
            out = paddle.matmul(weight, x.reshape([TILE**2, self.in_channels, -1])).reshape([TILE**2, -1])
            out = join_tiles(out, [3, self.side, self.side]) + self.bias
        elif self.batch_one:
            out = F.conv2d(x, self.weight * style) + self.bias
        else:
            out = F.conv2d(x * style, self.weight) + self.bias
        return out if image is None else out + self.enlarge(image)

    def enlarge(self, image):
        """Return `[N, 3, 2 H, 2 W]`, what forward adds of a picture `[N, 3, H, W]`."""
        return F.conv2d_transpose(image, self.filter, stride=2, padding=1, groups=3)


def to_nchw(x: Tensor) -> Tensor:
    """The same values, for oneDNN in the order of their axes.

    Convolutions leave another order in memory, Winograd's form leaves this one; products of the two are slow.
    """
    return x.transpose([0, 1, 2, 3])


def register_constant(layer: nn.Layer, name: str, array: np.ndarray) -> None:
    """Hold a constant; a parameter, because exported programs take those as constants to be prepared."""
    array = np.ascontiguousarray(array, np.float32)
    value = layer.create_parameter(list(array.shape), default_initializer=nn.initializer.Constant(0.0))
    value.set_value(array)
    value.stop_gradient = True
    setattr(layer, name, value)
