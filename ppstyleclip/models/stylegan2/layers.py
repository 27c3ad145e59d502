# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The layers of StyleGAN2's generator (Karras et al. 2020), their parameters named as PaddleGAN names them.

Convolution weights stay constant: the style scales the input and the demodulation the output of a
convolution. That is the same mathematics as a kernel of its own for each sample, and a batch costs no more
than its pictures.
"""

from __future__ import annotations

import math

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ...ops import bias_act, setup_filter, upfirdn2d, upsample2d

SKIP_KERNEL = (1, 3, 3, 1)  # ToRGB enlarges with it whatever blur_kernel is; PaddleGAN's class does so too
_GAIN = math.sqrt(2.0)  # of every leaky ReLU
_normal = nn.initializer.Normal
_constant = nn.initializer.Constant


class PixelNorm(nn.Layer):
    """Scale each row of `[N, D]` to a mean square of 1."""

    def forward(self, z):
        """Return `[N, D]`."""
        return z * paddle.pow(paddle.mean(z * z, axis=1, keepdim=True) + 1e-8, -0.5)


class EqualLinear(nn.Layer):
    """Linear layer with an equalised learning rate: `x @ W * (lr_mul / sqrt(in)) + b * lr_mul`.

    W is `[in, out]`. With `activate`, a leaky ReLU of slope 0.2 and gain sqrt(2) follows.
    """

    def __init__(self, in_dim, out_dim, bias_init=0.0, lr_mul=1.0, activate=False):
        super().__init__()
        self.weight = self.create_parameter([in_dim, out_dim], default_initializer=_normal(std=1.0 / lr_mul))
        self.bias = self.create_parameter([out_dim], default_initializer=_constant(bias_init))
        self.scale = lr_mul / math.sqrt(in_dim)
        self.lr_mul = lr_mul
        self.activate = activate

    def forward(self, x):
        """Return `[N, out_dim]` of `[N, in_dim]`."""
        bias = self.bias if self.lr_mul == 1.0 else self.bias * self.lr_mul
        x = F.linear(x * self.scale, self.weight, bias)
        return bias_act(x) if self.activate else x


class ModulatedConv2D(nn.Layer):
    """Convolution whose input channels are scaled by a style (equations 1 and 3 of the StyleGAN2 paper).

    Args:
        in_channel, out_channel, kernel_size: I, O and k of the weight `[1, O, I, k, k]`.
        style_dim: length of the w that `modulation` turns into a style `[N, I]`.
        demodulate: divide each output channel by the norm of its modulated kernel.
        upsample: double height and width, then filter with the taps `blur`.
    """

    def __init__(
        self, in_channel, out_channel, kernel_size, style_dim, *, demodulate=True, upsample=False, blur=None
    ):
        super().__init__()
        shape = [1, out_channel, in_channel, kernel_size, kernel_size]
        self.weight = self.create_parameter(shape, default_initializer=_normal())
        self.modulation = EqualLinear(style_dim, in_channel, bias_init=1.0)
        self.scale = 1.0 / math.sqrt(in_channel * kernel_size**2)
        self.demodulate = demodulate
        self.upsample = upsample
        self.blur = setup_filter(blur) if upsample else None

    def forward(self, x, style, gain=1.0):
        """Convolve `x` `[N or 1, I, H, W]` under styles `[N, I]`; the result is multiplied by `gain`."""
        out = self.convolve(x, style)
        if not self.demodulate:
            return out * (self.scale * gain)
        return out * self._output_scale(style, gain).unsqueeze([2, 3])

    def convolve(self, x, style):
        """The convolution itself, without the scale of its result: linear in `x` and in the style."""
        weight = self.weight.squeeze(0)  # [O, I, k, k]
        x = x * style.unsqueeze([2, 3])
        if self.upsample:
            return self._enlarge(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[2] // 2)

    def _enlarge(self, x, weight):
        """Convolve at twice the size: a transposed convolution with stride 2, then the blur."""
        out = F.conv2d_transpose(x, weight.transpose([1, 0, 2, 3]), stride=2)  # [N, O, 2H+k-2, 2W+k-2]
        spare = len(self.blur) - 2 - (weight.shape[2] - 1)
        return upfirdn2d(out, self.blur, pad=((spare + 1) // 2 + 1, spare // 2 + 1), gain=4.0)

    def _output_scale(self, style, gain):
        """Return `[N, O]`: weight scale, demodulation (equation 3) and gain in one factor."""
        weight = self.weight.squeeze(0)
        area = weight.shape[2] * weight.shape[3]
        energy = paddle.mean(weight * weight, axis=[2, 3]) * (area * self.scale**2)  # [O, I]
        norm = F.linear(style * style, energy.transpose([1, 0])) + 1e-8
        return paddle.pow(norm, -0.5) * (self.scale * gain)


class NoiseInjection(nn.Layer):
    """Holds the strength of a layer's noise."""

    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([1], default_initializer=_constant(0.0))


class ChannelBias(nn.Layer):
    """Holds the bias of a layer's activation."""

    def __init__(self, channels):
        super().__init__()
        self.bias = self.create_parameter([channels], default_initializer=_constant(0.0))


class ConstantInput(nn.Layer):
    """Holds the learned `[1, C, 4, 4]` picture that synthesis starts from."""

    def __init__(self, channels):
        super().__init__()
        self.input = self.create_parameter([1, channels, 4, 4], default_initializer=_normal())


class StyledConv(nn.Layer):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU; twice the size with `upsample`."""

    def __init__(self, in_channel, out_channel, style_dim, upsample=False, blur=None):
        super().__init__()
        self.conv = ModulatedConv2D(in_channel, out_channel, 3, style_dim, upsample=upsample, blur=blur)
        self.noise = NoiseInjection()
        self.activate = ChannelBias(out_channel)

    def forward(self, x, style, noise=None):
        """Return `[N, O, H, W]`; `noise` is `[1 or N, 1, H, W]` or None for none."""
        # gain * lrelu(a) = lrelu(gain * a): the gain goes into small tensors instead of over the picture.
        out = self.conv(x, style, gain=_GAIN)
        if noise is not None:
            # One noise for the batch is added as [H, W]: leading ones are slow in Paddle's CPU kernels.
            noise = noise.squeeze([0, 1]) if noise.shape[0] == 1 else noise
            out = out + noise * (self.noise.weight * _GAIN)
        return bias_act(out, self.activate.bias * _GAIN, gain=1.0)

    def convolve(self, x, style):
        """What forward does before the demodulation, scale and gain included: `[N, O, H, W]`."""
        return self.conv.convolve(x, style) * (self.conv.scale * _GAIN)

    def channel_kernels(self):
        """`[I, O, k k]` array: what input channels bring to the result of convolve, tap by tap."""
        weight = self.conv.weight.numpy()[0] * np.float32(self.conv.scale * _GAIN)
        outputs, inputs = weight.shape[:2]
        return np.ascontiguousarray(weight.transpose(1, 0, 2, 3)).reshape([inputs, outputs, -1])


class SkipUpsample(nn.Layer):
    """Doubles the size of the RGB skip. The buffer is there for the state dict; its value is fixed."""

    def __init__(self):
        super().__init__()
        self.register_buffer("kernel", paddle.to_tensor(setup_filter(SKIP_KERNEL) * 4.0))

    def forward(self, skip):
        """Return `[N, 3, 2 H, 2 W]` of `[N, 3, H, W]`."""
        return upsample2d(skip, SKIP_KERNEL)


class ToRGB(nn.Layer):
    """Modulated 1x1 convolution to RGB without demodulation, added to the enlarged picture so far."""

    def __init__(self, in_channel, style_dim, upsample=True):
        super().__init__()
        if upsample:
            self.upsample = SkipUpsample()
        self.conv = ModulatedConv2D(in_channel, 3, 1, style_dim, demodulate=False)
        self.bias = self.create_parameter([1, 3, 1, 1], default_initializer=_constant(0.0))

    def forward(self, x, style, skip=None):
        """Return `[N, 3, H, W]` from features `[N, I, H, W]`, styles `[N, I]`, a picture of half the size."""
        out = self.conv(x, style) + self.bias.squeeze(0)
        return out if skip is None else out + self.enlarge(skip)

    def enlarge(self, skip):
        """Return `[N, 3, 2 H, 2 W]`, what forward adds of a picture `[N, 3, H, W]`."""
        return self.upsample(skip)
