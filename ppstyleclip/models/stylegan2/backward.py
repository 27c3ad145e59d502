# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The backward of StyleGAN2's synthesis: from the gradient in the images to those in the styles.

Reverse mode by hand, with forward operators only. Paddle's gradient operators run at full speed under oneDNN
only for convolutions; what is written here runs like the synthesis itself, Winograd's form included: at
256 px a step with CLIP takes 1.1 s where the same with Paddle's gradients takes 1.7.

A modulated convolution is, with * for the convolution and . for a product of each channel with a number,

    y = w * (s . x),  e = E (s s) + 1e-8,  a = leaky_relu(e^-1/2 . y + noise + bias)

and with da the gradient in a, m the slope at a, and w~ the turned, transposed weight:

    dz = m da,  du = w~ * (e^-1/2 . dz),  dx = s . du
    ds = <du, x> - 1/2 E' (<dz, y> e^-3/2) 2 s       <.,.> summed over the pixels of a channel

What is handed from layer to layer is e^-1/2 . da, e being that of the layer that gets it: the factor goes
into s . du, so that it costs no pass over the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ...ops import winograd_conv2d, winograd_input_filter, winograd_output_matrix, winograd_weight
from .inference_layers import SLOPE, InferenceConv, InferenceToRGB, register_constant, to_nchw


class SynthesisBackward(nn.Layer):
    """Gradients in the styles of an InferenceSynthesis that draws from style tensor 0 on.

    Args:
        layers: those of the synthesis, not in Winograd's form yet; they are changed where that form is used.
        winograd: use Winograd's form forward and backward, where it is faster.
    """

    def __init__(self, layers: Sequence[Any], *, winograd: bool):
        super().__init__()
        self.layers, after_winograd = nn.LayerList(), False  # whether what enters a layer is left in NCHW
        for layer, following in zip(layers, [*layers[1:], None]):
            if layer.is_to_rgb:
                self.layers.append(_ToRGBBackward(layer, after_winograd))
                continue
            use = winograd and layer.gains_by_winograd
            is_followed = following is not None and not following.is_to_rgb and following.gains_by_winograd
            layer.restore_layout = winograd and is_followed
            self.layers.append(_ConvBackward(layer, use, after_winograd))
            after_winograd = use
        for layer in layers if winograd else ():
            if not layer.is_to_rgb:
                layer.use_winograd()

    def forward(self, styles, recorded, gradient):
        """Turn the gradient in the images into those in the styles.

        Args:
            styles: list of K `[N, C_k]`.
            recorded: what InferenceSynthesis.record recorded of them.
            gradient: `[N, 3, S, S]` of the loss, in the images.
        Returns:
            list of K `[N, C_k]`, of the loss, in the styles.
        """
        found, inner = [None] * len(styles), None  # inner: the gradient in the activations, scaled
        factors = self._factors(styles, recorded)
        for k in reversed(range(len(styles))):
            layer = self.layers[k]
            if layer.is_to_rgb:
                found[k], part, gradient = layer(factors[k], recorded[k], gradient, is_first=k == 1)
                inner = part if inner is None else inner + part
            else:
                found[k], inner = layer(styles[k], factors[k], recorded[k], inner, is_first=k == 0)
        return found

    def _factors(self, styles, recorded):
        """Each style times the demodulation of the convolution whose result it scales."""
        factors, demodulation = [], None
        for layer, style, left in zip(self.layers, styles, recorded):
            factors.append(style if demodulation is None else style * demodulation)
            if not layer.is_to_rgb:
                demodulation = paddle.pow(left[1], -0.5)
        return factors


class _ConvBackward(nn.Layer):
    is_to_rgb = False

    def __init__(self, layer: InferenceConv, winograd: bool, after_winograd: bool):
        super().__init__()
        self.winograd, self.after_winograd = winograd, after_winograd
        self.upsample = layer.upsample
        self.in_channels, self.out_channels = layer.in_channels, layer.out_channels
        register_constant(self, "energy", layer.energy.numpy().T)
        if self.upsample:  # its transposed convolution has its weights as [I, O, 3, 3]
            register_constant(self, "weight", layer.weight.numpy())
            register_constant(self, "blur", layer.blur.numpy()[:, :, ::-1, ::-1])
            first, last = (layer.blur.shape[2] - 1 - pad for pad in layer.pads[:2])
            self.pads = [first, last - layer.zero_rows] * 2
            return
        turned = layer.weight.numpy().transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        register_constant(self, "weight", winograd_weight(turned) if winograd else turned)
        if winograd:
            register_constant(self, "input_filter", winograd_input_filter())
            register_constant(self, "output_matrix", winograd_output_matrix())

    def forward(self, style, factor, recorded, gradient, is_first):
        """Gradients in the style and, unless it is the first layer, in what the layer convolved."""
        x, energy, y, result = recorded
        gradient = _before_activation(gradient, result)
        demodulation = -0.5 * _over_pixels(gradient * y) / energy
        inner = self._transposed(gradient)
        inner = to_nchw(inner) if self.after_winograd else inner
        of_style = _over_pixels(inner * x) + 2.0 * style * F.linear(demodulation, self.energy)
        return of_style, None if is_first else inner * factor.reshape([-1, self.in_channels, 1, 1])

    def _transposed(self, gradient):
        if self.upsample:
            gradient = F.conv2d(gradient, self.blur, padding=self.pads, groups=self.out_channels)
            return F.conv2d(gradient, self.weight, stride=2)
        if self.winograd:
            return winograd_conv2d(gradient, self.weight, self.input_filter, self.output_matrix)
        return F.conv2d(gradient, self.weight, padding=1)


class _ToRGBBackward(nn.Layer):
    is_to_rgb = True

    def __init__(self, layer: InferenceToRGB, after_winograd: bool):
        super().__init__()
        self.in_channels, self.after_winograd = layer.in_channels, after_winograd
        weight = layer.weight.numpy()  # [3, C, 1, 1]
        weight = weight[:, :, 0, 0] if after_winograd else weight.transpose(1, 0, 2, 3)
        register_constant(self, "weight", weight)
        self.filter = layer.filter

    def forward(self, factor, recorded, gradient, is_first):
        """Gradients in the style, in the activations and, but for the first layer, the picture so far."""
        x = recorded[0]
        before = None if is_first else F.conv2d(gradient, self.filter, stride=2, padding=1, groups=3)
        if self.after_winograd:  # NCHW, in which products of matrices need the fewest passes
            height, width = x.shape[2:]
            flat = gradient.reshape([-1, 3, height * width])
            each = paddle.matmul(flat, x.reshape([-1, self.in_channels, height * width]), transpose_y=True)
            of_style = (each * self.weight).sum(1)
            weight = (self.weight * factor.reshape([-1, 1, self.in_channels])).transpose(
                [0, 2, 1]
            )  # [N, C, 3]
            inner = paddle.matmul(weight, flat).reshape([-1, self.in_channels, height, width])
            return of_style, inner, before
        inner = F.conv2d(gradient, self.weight)
        return _over_pixels(inner * x), inner * factor.reshape([-1, self.in_channels, 1, 1]), before


def _before_activation(gradient, result):
    """The gradient in what a leaky ReLU was given, which has the sign of its result."""
    if paddle.in_dynamic_mode():
        return paddle.where(result > 0, gradient, SLOPE * gradient)
    [found] = paddle.static.gradients([F.leaky_relu(result, SLOPE)], [result], [gradient])
    return found


def _over_pixels(x):
    """Sum over the pixels of each channel, `[N, C]`; as a pooling, for reduce_sum takes 20 times as long."""
    height, width = x.shape[2:]
    return F.avg_pool2d(x, [height, width]).reshape([-1, x.shape[1]]) * float(height * width)
