# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2's synthesis with frozen weights, arranged for an exported program.

What does not depend on the styles is computed once: scales and gains are in the weights, kernel energies for
the demodulation, noise times its strength, filters as depthwise kernels. The mathematics is that of
`StyleGANv2Generator.synthesis_from_styles`, from any style tensor on (`staged.Stage`), and a test holds the
two equal.

Why these forms (milliseconds on two cores, oneDNN, batch 1). On AMD's Zen 4, enlarging by a transposed
convolution and one 4x4 depthwise filter took 53 for 512 to 256 channels at 128 px and 122 for 64 to 32 at
1024 px; with the filter in two passes 54 and 148; as four phases of one 3x3 convolution and a pixel shuffle
185 and 356, for it has four times the multiplications. A transposed convolution that leaves a row and a
column of zeros at the end, which the filter then need not add, is taken by a faster kernel: on Intel's
Sapphire Rapids 57 and 102 in place of 65 and 125 (256 to 128 channels at 256 px, 64 to 32 at 1024 px). A
convolution that keeps its size took 88 as it is and 36 in Winograd's form for 512 channels at 64 px, 93 and
49 for 256 at 128 px; narrower or smaller ones lose.

The style scales the input and not the weights, so that weights stay constant (their layout is then prepared
once) and any batch runs in one program. A picture that is large enough to fill a program is drawn alone
(`alone`), and then scalings go where they touch the fewest numbers: into the weights where those are fewer
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

from ..ops import (
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
from .stylegan2_layers import SKIP_KERNEL, output_side

_GAIN = math.sqrt(2.0)
SLOPE = 0.2  # of the leaky ReLU
_EPSILON = 1e-5  # Paddle's batch_norm wants one
_WINOGRAD_SIDE = 16  # from here on Winograd's form is the faster one


class FixedSynthesis(nn.Layer):
    """Styles to images from style tensor `start` on, with constant noise or none.

    Args:
        generator: StyleGANv2Generator; its weights are copied.
        start: the first style tensor that is used, 0 to K - 1; below it the caller has drawn.
        opened: that is a convolution's, which the caller has done; a channel is changed (staged.Opened).
        stop: the one before which to stop, 2 or more and no ToRGB layer's; None draws to the end.
        side: stop at the resolution of this many pixels; None is the generator's own.
        noise: "const" or "none".
        winograd: wide 3x3 convolutions in the form that is faster under oneDNN; not for bf16, which would
            blur it.
        alone: for a single picture, N being 1, drawn to the end.

    Attributes: `widths`, the C_k of the styles it takes; `begins`, `{name: shape}` of what it starts from,
    without the batch.
    """

    def __init__(
        self,
        generator,
        *,
        start=0,
        opened=False,
        stop=None,
        side=None,
        noise="const",
        winograd=False,
        alone=False,
    ):
        super().__init__()
        if noise not in ("const", "none"):
            raise ValueError(f"fixed synthesis has noise 'const' or 'none', got {noise!r}")
        layers = generator.drawing_layers()
        if side is not None:
            layers = [pair for k, pair in enumerate(layers) if output_side(k) <= side]
        if not 0 <= start < len(layers):
            raise ValueError(f"start must be 0 to {len(layers) - 1}, got {start}")
        self.start, self.stop = start, stop
        self.pullback, self.cuts = None, []  # of stylegan2_pullback
        self.layers = nn.LayerList()
        for k, (layer, picture) in enumerate(layers[start:stop], start):
            if picture is None:
                self.layers.append(_FixedRGB(layer, output_side(k), alone))
            else:
                noises = picture if noise == "const" else None
                kind = _OpenedConv if opened and k == start else _LoneConv if alone else _FixedConv
                self.layers.append(kind(layer, noises, output_side(k)))
        if winograd:
            self.use_winograd()
        self.widths = [layer.width for layer in self.layers]
        self.begins = self._begins(opened)
        if not self.begins:
            keep(self, "input", generator.input.input.numpy())

    def _begins(self, opened):
        first, side = self.layers[0], output_side(self.start - 1)
        last_rgb = (self.start - 2) // 3 * 3 + 1  # the last ToRGB layer before
        begins = {"image": [3, *[output_side(last_rgb)] * 2]} if self.start > 1 else {}
        if opened:
            return {
                **begins,
                "x": [first.groups, *[first.side] * 2],
                "plane": [1, side, side],
                "kernel": [first.groups, 9],
            }
        return {**begins, "x": [first.width, side, side]} if self.start else begins

    def forward(self, styles, x=None, image=None, **change):
        """Draw images.

        Args:
            styles: list of the styles `[N, C_k]` of tensors start, start + 1, ...
            x: `[N, C, H, W]` activations before tensor `start`, or its convolution; None with neither.
            image: `[N, 3, h, w]` sum of the ToRGB layers so far; None where there was none.
            change: plane and kernel as an opened layer takes them.
        Returns:
            images `[N, 3, side, side]`; with `stop` a list of what a synthesis from there goes on with, x and
            image.
        """
        if self.pullback is not None and not paddle.in_dynamic_mode():
            image, kept = self.record(styles)
            self.cuts.append((image, styles, kept))
            return image
        x = x if self.begins else self.input
        for layer, style in zip(self.layers, styles):
            if layer.to_rgb:
                image = layer(x, style, image)
            else:
                x, change = layer(x, style, **change), {}
        return image if self.stop is None else [x, image]

    def use_winograd(self):
        """Bring those convolutions into Winograd's form that are faster in it."""
        for layer in self.layers:
            if not layer.to_rgb and layer.gains:
                layer.use_winograd()

    def record(self, styles):
        """Draw images, with start 0, and keep what stylegan2_pullback needs to go back.

        Returns:
            (images, list of what each layer leaves: of a convolution its input, energy, result before
            demodulation and result; of ToRGB its input).
        """
        x, image, kept = self.input, None, []
        for layer, style in zip(self.layers, styles):
            if layer.to_rgb:
                kept.append((x,))
                image = layer(x, style, image)
            else:
                kept.append((x, *layer.stages(x, style)))
                x = kept[-1][-1]
        return image, kept


class _FixedConv(nn.Layer):
    """leaky_relu(d * conv(x * style) + noise + bias), d the demodulation; gains are in the weights.

    Attributes: `gains`, whether Winograd's form is the faster one, and `winograd`, whether it is used;
    `leads`: what the convolution gives is brought into plain order, for what comes next.
    """

    to_rgb = False
    least_winograd = 256  # channels, from which on Winograd's form is the faster one

    def __init__(self, layer, noise, side):
        super().__init__()
        conv = layer.conv
        weight = conv.weight.numpy()[0]  # [O, I, k, k]
        self.side, self.upsample = side, conv.upsample
        self.groups, self.width = weight.shape[:2]
        self.winograd = self.leads = self.gains = False
        keep(self, "energy", np.square(weight * conv.scale).sum((2, 3)).T)
        self._keep_convolution(conv, weight * np.float32(conv.scale * _GAIN))
        self.has_noise = noise is not None
        if self.has_noise:
            keep(self, "noise", noise.numpy()[0, 0] * layer.noise.weight.numpy() * _GAIN)
        keep(self, "bias", layer.activate.bias.numpy().reshape([-1, 1, 1]) * _GAIN)

    def _keep_convolution(self, conv, weight):
        keep(self, "weight", weight.transpose(1, 0, 2, 3) if conv.upsample else weight)
        if conv.upsample:
            taps = np.asarray(conv.blur * 4.0, np.float32)[::-1, ::-1]
            keep(self, "blur", np.broadcast_to(taps, (self.groups, 1, *taps.shape)))
            spare = len(taps) - 2 - (weight.shape[2] - 1)
            first, last = (spare + 1) // 2 + 1, spare // 2 + 1
            self.spare = int(last > 0)  # one row and column of zeros that the filter need not add
            self.pads = [first, last - self.spare] * 2
        else:
            self.gains = self.side >= _WINOGRAD_SIDE and min(weight.shape[:2]) >= self.least_winograd

    def use_winograd(self):
        self.winograd = True
        keep(self, "weight", winograd_weight(self.weight.numpy()))
        keep(self, "input_filter", winograd_input_filter())
        keep(self, "output_matrix", winograd_output_matrix())

    def forward(self, x, style):
        return self.stages(x, style)[-1]

    def stages(self, x, style):
        """Energy `[N, O]`, the convolution before demodulation and the result `[N, O, H, W]`."""
        energy = self._energy(style)
        x = self._convolve(x * style.reshape([-1, self.width, 1, 1]))
        x = plain_order(x) if self.leads else x
        return energy, x, self._end(x, energy)

    def _energy(self, style):
        return F.linear(style * style, self.energy) + 1e-8

    def _convolve(self, x):
        if self.upsample:
            x = F.conv2d_transpose(x, self.weight, stride=2, output_padding=self.spare)
            return F.conv2d(x, self.blur, padding=self.pads, groups=self.groups)
        if self.winograd:
            return winograd_conv2d(x, self.weight, self.input_filter, self.output_matrix)
        return F.conv2d(x, self.weight, padding=1)

    def _end(self, x, energy):
        """What follows the convolution."""
        x = x * paddle.pow(energy, -0.5).reshape([-1, self.groups, 1, 1])
        if self.has_noise:
            x = x + self.noise
        return F.leaky_relu(x + self.bias, SLOPE)


class _LoneConv(_FixedConv):
    """A _FixedConv of one picture; takes and leaves tiles, as of cut_tiles, where that saves a pass.

    Attributes: `in_weight`, whether the style scales the weights.
    """

    least_winograd = 128

    def __init__(self, layer, noise, side):
        super().__init__(layer, noise, side)
        self.in_weight = not self.upsample and self.weight.shape[2] ** 2 * self.groups < side**2
        bias = self.bias.numpy().reshape([-1])
        keep(self, "shift", bias)
        keep(self, "zeros", np.zeros_like(bias))
        keep(self, "ones", np.full_like(bias, 1.0 - _EPSILON))

    def use_winograd(self):
        super().use_winograd()
        self.in_weight = self.width * self.groups < 2 * self.side**2
        if self.in_weight:
            noise = self.noise.numpy() if self.has_noise else np.zeros([self.side] * 2)
            keep(self, "added", cut_tiles(self.bias.numpy() + noise))

    def forward(self, x, style):
        if x.ndim == 2:
            x = join_tiles(x, [self.width, self.side // 2, self.side // 2])
        energy = self._energy(style)
        if not self.in_weight:
            return self._end(self._convolve(x * style.reshape([1, self.width, 1, 1])), energy)
        if self.winograd:
            both = paddle.matmul(paddle.pow(energy, -0.5).reshape([self.groups, 1]), style)
            x = winograd_tiles(x, self.weight * both, self.input_filter, self.output_matrix)
            return F.leaky_relu(x + self.added, SLOPE)
        return self._end(F.conv2d(x, self.weight * style.reshape([1, self.width, 1, 1]), padding=1), energy)

    def _end(self, x, energy):
        """One pass scales by the demodulation and adds the bias."""
        scale = paddle.pow(energy, -0.5).reshape([self.groups])
        x = F.batch_norm(x, self.zeros, self.ones, scale, self.shift, epsilon=_EPSILON)
        return F.leaky_relu(x + self.noise if self.has_noise else x, SLOPE)


class _OpenedConv(_FixedConv):
    """A _FixedConv whose convolution is done, but for what one channel of each picture adds."""

    def _keep_convolution(self, conv, weight):
        pixels = np.eye(weight.shape[2] ** 2, dtype=np.float32).reshape([-1, 1, *weight.shape[2:]])
        keep(self, "pixels", pixels[::-1] if conv.upsample else pixels)  # the neighbours that taps multiply
        self.pad = 0 if conv.upsample else weight.shape[2] // 2
        if conv.upsample:
            keep(self, "blur", (conv.blur * 4.0).reshape([1, 1, *conv.blur.shape]))

    def forward(self, x, style, plane, kernel):
        """As _FixedConv, with x `[N, O, H, W]` the convolution so far, plane and kernel as in Opened."""
        if self.upsample:  # the blur comes first, while it is of one channel
            plane = F.conv2d_transpose(plane, self.blur, stride=2)
        taps = kernel.shape[2]
        near = F.conv2d(plane, self.pixels, padding=self.pad).reshape([-1, taps, self.side**2])
        added = paddle.matmul(kernel, near).reshape([-1, self.groups, self.side, self.side])
        return self._end(x + added, self._energy(style))


class _FixedRGB(nn.Layer):
    """conv(x * style) + bias + the picture so far, twice its size."""

    to_rgb = True

    def __init__(self, layer, side, alone):
        super().__init__()
        self.width, self.side, self.alone = layer.conv.weight.shape[2], side, alone
        keep(self, "weight", layer.conv.weight.numpy()[0] * np.float32(layer.conv.scale))
        keep(self, "bias", layer.bias.numpy()[0])
        taps = setup_filter(SKIP_KERNEL) * 4.0
        keep(self, "filter", np.broadcast_to(taps, (3, 1, *taps.shape)))

    def forward(self, x, style, image=None):
        style = style.reshape([-1, self.width, 1, 1])
        if x.ndim == 2:  # tiles
            weight = (self.weight * style).reshape([1, 3, self.width])
            out = paddle.matmul(weight, x.reshape([TILE**2, self.width, -1])).reshape([TILE**2, -1])
            out = join_tiles(out, [3, self.side, self.side]) + self.bias
        elif self.alone:
            out = F.conv2d(x, self.weight * style) + self.bias
        else:
            out = F.conv2d(x * style, self.weight) + self.bias
        if image is None:
            return out
        return out + F.conv2d_transpose(image, self.filter, stride=2, padding=1, groups=3)


def plain_order(x):
    """The same picture, for oneDNN in the order of its axes.

    Convolutions leave another order, Winograd's form this one; products of the two are slow.
    """
    return x.transpose([0, 1, 2, 3])


def keep(layer, name, array):
    """Hold a constant; a parameter, because exported programs take those as constants to be prepared."""
    array = np.ascontiguousarray(array, np.float32)
    value = layer.create_parameter(list(array.shape), default_initializer=nn.initializer.Constant(0.0))
    value.set_value(array)
    value.stop_gradient = True
    setattr(layer, name, value)
