# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The way back through StyleGAN2's synthesis: from the gradient in the image to that in the styles.

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

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ..ops import winograd_conv2d, winograd_input_filter, winograd_output_matrix, winograd_weight
from .stylegan2_fixed import SLOPE, keep, plain_order


def prepare_pullback(synthesis, *, winograd) -> None:
    """Have a FixedSynthesis, when it is traced, leave in `cuts` what the way back begins with.

    Args:
        synthesis: FixedSynthesis from tensor 0 on, not in Winograd's form yet.
        winograd: use that form both ways, where it is faster.
    """
    synthesis.pullback = Pullback(synthesis, winograd=winograd)
    if winograd:
        synthesis.use_winograd()


class Pullback(nn.Layer):
    """Gradients of a loss in the styles of a FixedSynthesis; args as for prepare_pullback."""

    def __init__(self, synthesis, *, winograd):
        super().__init__()
        self.layers, plain = nn.LayerList(), False  # plain: what enters the layer was made in Winograd's form
        for layer, after in zip(synthesis.layers, [*synthesis.layers[1:], None]):
            if layer.to_rgb:
                self.layers.append(_BackRGB(layer, plain))
                continue
            layer.leads = winograd and after is not None and not after.to_rgb and after.gains
            self.layers.append(_BackConv(layer, winograd and layer.gains, plain))
            plain = self.layers[-1].winograd

    def forward(self, styles, kept, gradient):
        """Go back.

        Args:
            styles: list of K `[N, C_k]`.
            kept: what FixedSynthesis.record kept of them.
            gradient: `[N, 3, S, S]` of the loss, in the images.
        Returns:
            list of K `[N, C_k]`, of the loss, in the styles.
        """
        found, inner = [None] * len(styles), None  # inner: the gradient in the activations, scaled
        factors = self._factors(styles, kept)
        for k in reversed(range(len(styles))):
            layer = self.layers[k]
            if layer.to_rgb:
                found[k], part, gradient = layer(factors[k], kept[k], gradient, is_first=k == 1)
                inner = part if inner is None else inner + part
            else:
                found[k], inner = layer(styles[k], factors[k], kept[k], inner, is_first=k == 0)
        return found

    def _factors(self, styles, kept):
        """Each style times the demodulation of the convolution whose result it scales."""
        factors, demodulation = [], None
        for layer, style, left in zip(self.layers, styles, kept):
            factors.append(style if demodulation is None else style * demodulation)
            if not layer.to_rgb:
                demodulation = paddle.pow(left[1], -0.5)
        return factors


class _BackConv(nn.Layer):
    to_rgb = False

    def __init__(self, layer, winograd, from_winograd):
        super().__init__()
        self.winograd, self.from_winograd = winograd, from_winograd
        self.upsample = layer.upsample
        self.width, self.groups = layer.width, layer.groups
        keep(self, "energy", layer.energy.numpy().T)
        if self.upsample:  # its transposed convolution has its weights as [I, O, 3, 3]
            keep(self, "weight", layer.weight.numpy())
            keep(self, "blur", layer.blur.numpy()[:, :, ::-1, ::-1])
            first, last = (layer.blur.shape[2] - 1 - pad for pad in layer.pads[:2])
            self.pads = [first, last - layer.spare] * 2
            return
        turned = layer.weight.numpy().transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        keep(self, "weight", winograd_weight(turned) if winograd else turned)
        if winograd:
            keep(self, "input_filter", winograd_input_filter())
            keep(self, "output_matrix", winograd_output_matrix())

    def forward(self, style, factor, kept, gradient, is_first):
        x, energy, y, result = kept
        gradient = _before_activation(gradient, result)
        demodulation = -0.5 * _over_pixels(gradient * y) / energy
        inner = self._transposed(gradient)
        inner = plain_order(inner) if self.from_winograd else inner
        of_style = _over_pixels(inner * x) + 2.0 * style * F.linear(demodulation, self.energy)
        return of_style, None if is_first else inner * factor.reshape([-1, self.width, 1, 1])

    def _transposed(self, gradient):
        if self.upsample:
            gradient = F.conv2d(gradient, self.blur, padding=self.pads, groups=self.groups)
            return F.conv2d(gradient, self.weight, stride=2)
        if self.winograd:
            return winograd_conv2d(gradient, self.weight, self.input_filter, self.output_matrix)
        return F.conv2d(gradient, self.weight, padding=1)


class _BackRGB(nn.Layer):
    to_rgb = True

    def __init__(self, layer, from_winograd):
        super().__init__()
        self.width, self.from_winograd = layer.width, from_winograd
        weight = layer.weight.numpy()  # [3, C, 1, 1]
        keep(self, "weight", weight[:, :, 0, 0] if from_winograd else weight.transpose(1, 0, 2, 3))
        self.filter = layer.filter

    def forward(self, factor, kept, gradient, is_first):
        x = kept[0]
        before = None if is_first else F.conv2d(gradient, self.filter, stride=2, padding=1, groups=3)
        if self.from_winograd:  # plain order, in which products of matrices need the fewest passes
            height, width = x.shape[2:]
            flat = gradient.reshape([-1, 3, height * width])
            each = paddle.matmul(flat, x.reshape([-1, self.width, height * width]), transpose_y=True)
            of_style = (each * self.weight).sum(1)
            weight = (self.weight * factor.reshape([-1, 1, self.width])).transpose([0, 2, 1])  # [N, C, 3]
            inner = paddle.matmul(weight, flat).reshape([-1, self.width, height, width])
            return of_style, inner, before
        inner = F.conv2d(gradient, self.weight)
        return _over_pixels(inner * x), inner * factor.reshape([-1, self.width, 1, 1]), before


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
