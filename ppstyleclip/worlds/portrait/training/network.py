# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The PyTorch twin of StyleGANv2Generator: the same parameters by name, shape and meaning, the same pictures.

It differs in what learns: the constant noise pictures are parameters here, and every resolution's picture can
be had on the way, because the sum of the ToRGB layers up to a resolution is a picture of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ppstyleclip.worlds.portrait.training.torch_extra import import_torch

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import nn
else:
    torch = import_torch()
    nn, F = torch.nn, torch.nn.functional

STYLE_DIM, LAYERS = 128, 3
CHANNELS = {4: 160, 8: 160, 16: 160, 32: 160, 64: 96, 128: 48, 256: 32}
TAPS = (1.0, 3.0, 3.0, 1.0)  # of the filter behind each enlarging convolution
_GAIN = math.sqrt(2.0)  # of every leaky ReLU


def half_precision():
    """Context in which layers compute in bfloat16, where this processor has instructions for it."""
    known = torch.cpu.get_capabilities()
    return torch.autocast("cpu", torch.bfloat16, enabled=bool(known["avx512_bf16"] or known["amx_bf16"]))


class EqualLinear(nn.Module):
    """`x @ W / sqrt(in) + b`; W is `[in, out]`, as Paddle keeps it."""

    def __init__(self, inputs, outputs, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.full((outputs,), float(bias)))

    def forward(self, x):
        return torch.addmm(self.bias, x, self.weight * (1 / math.sqrt(self.weight.shape[0])))


class PixelNorm(nn.Module):
    def forward(self, z):
        return z * torch.rsqrt((z * z).mean(1, keepdim=True) + 1e-8)


class MappingLayer(EqualLinear):
    def forward(self, x):
        return F.leaky_relu(super().forward(x), 0.2) * _GAIN


class ModulatedConv(nn.Module):
    """Convolution with weight `[1, O, I, k, k]` whose inputs are scaled by a style `[N, I]`."""

    def __init__(self, inputs, outputs, side, style_dim, demodulate=True, upsample=False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, side, side))
        self.modulation = EqualLinear(style_dim, inputs, bias=1.0)
        self.demodulate, self.upsample = demodulate, upsample
        self.scale = 1 / math.sqrt(inputs * side * side)

    def forward(self, x, style):
        """The convolution of `x` under a style, and the `[N, O]` that demodulates it, or None.

        The demodulation is computed in single precision; half would lose too much of the sum of squares.
        """
        weight = self.weight[0] * self.scale  # [O, I, k, k]
        kernel = weight.to(x.dtype).contiguous(memory_format=torch.channels_last)
        x = x * style.to(x.dtype)[:, :, None, None]
        if self.upsample:
            x = blur(F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2))
        else:
            x = F.conv2d(x, kernel, padding=kernel.shape[2] // 2)
        if not self.demodulate:
            return x, None
        energy = (weight * weight).sum((2, 3)).t()  # [I, O]
        return x, torch.rsqrt((style * style) @ energy + 1e-8)


def _filter(count, dtype):
    taps = torch.tensor(TAPS)
    return (torch.outer(taps, taps) * (4 / 64)).to(dtype).expand(count, 1, 4, 4)


def blur(x):
    """Filter `[N, C, H, W]` with the taps, 4 times as strong; the result is smaller by one."""
    return F.conv2d(x, _filter(x.shape[1], x.dtype), padding=1, groups=x.shape[1])


def enlarge(image):
    """Twice the size, filtered with the taps."""
    kernel = _filter(image.shape[1], image.dtype)
    return F.conv_transpose2d(image, kernel, stride=2, padding=1, groups=image.shape[1])


class NoiseStrength(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


class ChannelBias(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))


class ConstantInput(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))


class StyledConv(nn.Module):
    """Modulated convolution, constant noise, bias and leaky ReLU."""

    def __init__(self, inputs, outputs, style_dim, upsample=False):
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, style_dim, upsample=upsample)
        self.noise = NoiseStrength()
        self.activate = ChannelBias(outputs)

    def forward(self, x, style, noise):
        """Return `[N, O, H, W]`; `noise` is `[1 or N, 1, H, W]`."""
        x, norm = self.conv(x, style)
        # gain * lrelu(a) = lrelu(gain * a): the gain goes into small tensors instead of over the picture
        shift = (noise * self.noise.weight + self.activate.bias[:, None, None]) * _GAIN
        shift = shift.to(x.dtype).contiguous(memory_format=torch.channels_last)
        return F.leaky_relu(x * (norm * _GAIN).to(x.dtype)[:, :, None, None] + shift, 0.2)


class SkipUpsample(nn.Module):
    """Holds the skip's filter, which Paddle's state dict has too."""

    def __init__(self):
        super().__init__()
        self.register_buffer("kernel", _filter(1, torch.float32)[0, 0].clone())


class ToRGB(nn.Module):
    def __init__(self, inputs, style_dim, upsample=True):
        super().__init__()
        if upsample:
            self.upsample = SkipUpsample()
        self.conv = ModulatedConv(inputs, 3, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x, style, skip=None):
        out = self.conv(x, style)[0].float() + self.bias  # the sum of the layers is kept in single precision
        return out if skip is None else out + enlarge(skip)


class Generator(nn.Module):
    """z `[N, D]` to pictures; see the module's docstring.

    Args:
        size: side in pixels of the largest picture.
        style_dim, layers: length of z and w, layers of the mapping network.
        channels: `{resolution: channels}`.
    """

    def __init__(self, size=256, style_dim=STYLE_DIM, layers=LAYERS, channels=None):
        super().__init__()
        self.size, self.style_dim, self.layers = size, style_dim, layers
        self.channels = {int(side): count for side, count in (channels or CHANNELS).items()}
        width, powers = self.channels, range(3, size.bit_length())
        mapping = [MappingLayer(style_dim, style_dim) for _ in range(layers)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        self.input = ConstantInput(width[4])
        self.conv1 = StyledConv(width[4], width[4], style_dim)
        self.to_rgb1 = ToRGB(width[4], style_dim, upsample=False)
        self.convs, self.to_rgbs, self.noises = nn.ModuleList(), nn.ModuleList(), nn.Module()
        for before, here in ((width[2 ** (p - 1)], width[2**p]) for p in powers):
            self.convs.append(StyledConv(before, here, style_dim, upsample=True))
            self.convs.append(StyledConv(here, here, style_dim))
            self.to_rgbs.append(ToRGB(here, style_dim))
        for index in range(1 + 2 * len(powers)):
            side = 2 ** ((index + 5) // 2)
            self.noises.register_parameter(f"noise_{index}", nn.Parameter(torch.randn(1, 1, side, side)))

    def config(self):
        """What Paddle's `build_generator` takes to build the twin."""
        sides = {str(side): count for side, count in self.channels.items() if side <= self.size}
        blur_kernel = [float(tap) for tap in TAPS]
        fixed = {"channel_multiplier": 2, "blur_kernel": blur_kernel, "lr_mlp": 1.0, "channels": sides}
        return {"size": self.size, "style_dim": self.style_dim, "n_mlp": self.layers, **fixed}

    def noise(self, index):
        return getattr(self.noises, f"noise_{index}")

    def style_layers(self):
        """(place of the latent, function of it to the style) of each style, in the order of drawing."""
        layers = [(0, self.conv1), (1, self.to_rgb1)]
        for k, to_rgb in enumerate(self.to_rgbs):
            blocks = self.convs[2 * k], self.convs[2 * k + 1], to_rgb
            layers += [(2 * k + place, layer) for place, layer in enumerate(blocks, 1)]
        return [(place, layer.conv.modulation) for place, layer in layers]

    def styles(self, z):
        """List of the K styles `[N, C_k]` of z `[N, D]`, ToRGB's among them, in the order of drawing."""
        w = self.style(z)
        return [to_style(w) for _, to_style in self.style_layers()]

    def first(self, styles):
        """Features and picture of 4 px."""
        x = self.input.input.expand(len(styles[0]), -1, -1, -1)
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))
        x = self.conv1(x.contiguous(memory_format=torch.channels_last), styles[0], self.noise(0))
        return x, self.to_rgb1(x, styles[1])

    def block(self, k, x, image, styles, noises=None):
        """Features and picture of 8 * 2**k px from those of half the size; `noises` in place of its own."""
        first, second = noises or (self.noise(2 * k + 1), self.noise(2 * k + 2))
        x = self.convs[2 * k](x, styles[3 * k + 2], first)
        x = self.convs[2 * k + 1](x, styles[3 * k + 3], second)
        return x, self.to_rgbs[k](x, styles[3 * k + 4], image)

    def pictures(self, styles, size=None):
        """`{side: picture [N, 3, side, side]}` of every resolution up to `size`."""
        x, image = self.first(styles)
        found = {4: image}
        for k in range((size or self.size).bit_length() - 3):
            x, image = self.block(k, x, image, styles)
            found[8 * 2**k] = image
        return found

    def forward(self, z, size=None):
        """Picture `[N, 3, size, size]` of z `[N, D]`, about [-1, 1]."""
        return self.pictures(self.styles(z), size)[size or self.size]


def freeze(generator, side):
    """Only blocks above `side` learn; with 0 all do."""
    blocks = max(0, side.bit_length() - 3)
    parts = [*generator.convs[2 * blocks :], *generator.to_rgbs[blocks:]]
    noises = [generator.noise(index) for index in range(2 * blocks + 1, 1 + len(generator.convs))]
    generator.requires_grad_(side == 0)
    for parameter in (*(p for part in parts for p in part.parameters()), *noises):
        parameter.requires_grad_(True)


def affine_weights(generator, size=None):
    """The weights of the layers that turn w into the styles of pictures up to `size`."""
    blocks = (size or generator.size).bit_length() - 3
    layers = [generator.conv1, generator.to_rgb1]
    layers += [*generator.convs[: 2 * blocks], *generator.to_rgbs[:blocks]]
    return [layer.conv.modulation.weight for layer in layers]
