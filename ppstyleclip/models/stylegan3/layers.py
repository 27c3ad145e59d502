# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The layers of StyleGAN3's synthesis (Karras et al., 2021): Fourier features and filtered convolutions.

As in StyleGAN2's layers the weights stay constant: the style scales the input of a convolution, and
demodulation, together with the magnitude of the input that training measured, scales its output.
"""

from __future__ import annotations

import math

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ...ops import filtered_lrelu
from ..stylegan2.layers import EqualLinear
from .geometry import InputGeometry, LayerGeometry

CLAMP = 256.0  # of activations
OUTPUT_SCALE = 0.25  # of the ToRGB layer's result
INPUT_STYLES = 4  # cosine and sine of a rotation, translation in x and y
_TINY = 1e-30  # keeps a style of zeros from becoming NaN
_normal, _constant = nn.initializer.Normal, nn.initializer.Constant


class FourierInput(nn.Layer):
    """Waves of fixed frequencies and phases, moved and turned as w says, and mixed by a learned matrix.

    Args:
        shape: side, channels, rate and bandwidth.
        style_dim: length of w.
    """

    def __init__(self, shape: InputGeometry, style_dim: int):
        super().__init__()
        self.shape = shape
        count = shape.channels
        self.weight = self.create_parameter([count, count], default_initializer=_normal())
        self.affine = EqualLinear(style_dim, INPUT_STYLES)
        self.affine.weight.set_value(paddle.zeros([style_dim, INPUT_STYLES]))
        self.affine.bias.set_value(paddle.to_tensor([1.0, 0.0, 0.0, 0.0]))
        self.register_buffer("freqs", _draw_frequencies(count, shape.bandwidth))
        self.register_buffer("phases", paddle.rand([count]) - 0.5)
        self.register_buffer("_grid", paddle.to_tensor(_pixel_positions(shape)), persistable=False)

    def forward(self, style, transform=None):
        """Return features `[N, C, H, W]`.

        Args:
            style: `[N, 4]` (r_c, r_s, t_x, t_y) of any length; its first two are scaled to length 1.
            transform: `[3, 3]` or `[N, 3, 3]`, from places of the picture to places of the features, on top
                of what w does; None changes nothing.
        """
        count, side = self.shape.channels, self.shape.size
        linear, offset = _canvas_map(style)  # [N, 2, 2], [N, 2]
        if transform is not None:
            user = transform.unsqueeze(0) if transform.ndim == 2 else transform  # [1 or N, 3, 3]
            offset = offset + _columns(linear, user[:, :2, 2])
            linear = paddle.matmul(linear, user[:, :2, :2])
        phases = self.phases + F.linear(offset, self.freqs.transpose([1, 0]))  # [N, C]
        x, y = self.freqs[:, 0:1], self.freqs[:, 1:2]  # [C, 1]
        freqs = x * linear[:, 0:1] + y * linear[:, 1:2]  # [N, C, 2]
        waves = paddle.matmul(freqs, self._grid) + phases.reshape([-1, count, 1])  # [N, C, H W]
        waves = paddle.sin(waves * (2 * math.pi)) * self._amplitudes(freqs).reshape([-1, count, 1])
        weight = self.weight.unsqueeze([2, 3]) / math.sqrt(count)
        return F.conv2d(waves.reshape([-1, count, side, side]), weight)

    def _amplitudes(self, freqs):
        """`[N, C]`: waves fade where a transform that shrinks takes them towards half the sampling rate."""
        band, limit = self.shape.bandwidth, self.shape.rate / 2
        length = paddle.sqrt(paddle.sum(freqs * freqs, axis=2) + _TINY)
        return paddle.clip(1 - (length - band) / (limit - band), 0, 1)


def _canvas_map(style):
    """The affine map that a style of the input means, `[N, 2, 2]` and `[N, 2]`: moved first, then turned."""
    length = paddle.sqrt(paddle.sum(style[:, :2] * style[:, :2], axis=1, keepdim=True) + _TINY)
    style = style / length
    cosine, sine = style[:, 0:1], style[:, 1:2]
    turn = paddle.concat([cosine, -sine, sine, cosine], axis=1).reshape([-1, 2, 2])
    return turn, -_columns(turn, style[:, 2:])


def _columns(matrix, vector):
    """`[N, 2]`: matrices `[N, 2, 2]` times vectors `[N or 1, 2]`."""
    return matrix[:, :, 0] * vector[:, 0:1] + matrix[:, :, 1] * vector[:, 1:2]


def _draw_frequencies(count, bandwidth):
    """`[C, 2]` evenly over the disc of radius `bandwidth`: 1 - exp(-r^2 / 2) of a normal pair is uniform."""
    pairs = paddle.randn([count, 2])
    squared = paddle.sum(pairs * pairs, axis=1, keepdim=True)
    radius = paddle.sqrt(1 - paddle.exp(-squared / 2))
    return pairs / paddle.sqrt(squared + _TINY) * radius * bandwidth


def _pixel_positions(shape) -> np.ndarray:
    """`[2, H W]` float32: x and y of the pixels' middles; a picture's side is 1, its middle 0."""
    axis = (np.arange(shape.size) + 0.5 - shape.size / 2) / shape.rate
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([x.ravel(), y.ravel()]).astype("float32")


class FilteredConv(nn.Layer):
    """Modulated convolution, bias and filtered leaky ReLU; of the ToRGB layer only the first two.

    Args:
        shape: widths, sides, filters.
        style_dim: length of w.
        is_to_rgb: no demodulation and no activation; its style contains 1 / sqrt(channels).
    """

    def __init__(self, shape: LayerGeometry, style_dim: int, is_to_rgb: bool = False):
        super().__init__()
        self.shape, self.is_to_rgb = shape, is_to_rgb
        kernel = [shape.out_channels, shape.in_channels, shape.kernel, shape.kernel]
        self.weight = self.create_parameter(kernel, default_initializer=_normal())
        self.bias = self.create_parameter([shape.out_channels], default_initializer=_constant(0.0))
        self.affine = EqualLinear(style_dim, shape.in_channels, bias_init=1.0)
        self.register_buffer("magnitude_ema", paddle.ones([1]))

    def style(self, w):
        """Return the style `[N, I]` of w `[N, D]`."""
        style = self.affine(w)
        return style / math.sqrt(self.shape.in_channels) if self.is_to_rgb else style

    def forward(self, x, style):
        """Return `[N, O, H', W']` of `[N, I, H, W]` under the style `[N, I]`."""
        x = F.conv2d(x * per_channel(style), self.weight, padding=self.shape.kernel - 1)
        x = x * per_channel(self._output_scale(style))
        if self.is_to_rgb:
            return paddle.clip(x + self.bias.reshape([-1, 1, 1]), -CLAMP, CLAMP)
        shape = self.shape
        return filtered_lrelu(
            x,
            self.bias,
            shape.up_filter,
            shape.down_filter,
            up=shape.up,
            down=shape.down,
            pad=shape.padding,
            clamp=CLAMP,
        )

    def _output_scale(self, style):
        """`[N, O]`, or `[1, 1]`: demodulation, and the inverse of the input's magnitude in training.

        Parity: published networks first normalise weights and styles to a mean square of 1, which is left of
        it here: the size of the small number in the norm. They take the style's over the batch, this takes
        it over the picture, so that no picture depends on its neighbours; the difference is below float32.
        """
        gain = paddle.rsqrt(self.magnitude_ema)
        if self.is_to_rgb:
            return gain.reshape([1, 1])
        energy = paddle.sum(self.weight * self.weight, axis=[2, 3])  # [O, I]
        squares = style * style
        norm = F.linear(squares, energy.transpose([1, 0]))
        small = (
            paddle.mean(energy, axis=1) / self.shape.kernel**2 * paddle.mean(squares, axis=1, keepdim=True)
        )
        return paddle.rsqrt(norm + 1e-8 * small + _TINY) * gain


def per_channel(values):
    """`[N, C]` as `[N, C, 1, 1]`; the gradient of unsqueeze would find no shape in a compiled program."""
    return values.reshape([-1, values.shape[1], 1, 1])
