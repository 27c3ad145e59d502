# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The PyTorch twin of StyleGAN3Generator, configuration T: the same parameters, the same pictures.

Sizes and filters are the Paddle class's own (`models/stylegan3/geometry.py`). Values are not bounded, which
Paddle's class does at 256: no layer comes near it here.
"""

from __future__ import annotations

import math

from ppstyleclip.models.stylegan3.geometry import TO_RGB, geometry
from ppstyleclip.worlds.portrait.training.filtered import FilteredLReLU, modulate
from ppstyleclip.worlds.portrait.training.network import (
    LAYERS,
    STYLE_DIM,
    EqualLinear,
    F,
    MappingLayer,
    PixelNorm,
    nn,
    torch,
)

SIZE = 64
CHANNELS = (*[64] * 8, *[32] * 6, 3)  # of L0 to L14
KEEP = 0.99  # of a layer's measured magnitude, a step
OUTPUT_SCALE = 0.25
MARGIN = 10  # pixels of every canvas around the picture
_TINY = 1e-30


class FourierInput(nn.Module):
    """Waves of fixed frequencies and phases that stay where they are, mixed by a learned matrix."""

    def __init__(self, shape, style_dim):
        super().__init__()
        self.shape, count = shape, shape.channels
        self.weight = nn.Parameter(torch.randn(count, count))
        self.affine = EqualLinear(style_dim, 4)
        self.affine.weight.data.zero_()
        self.affine.bias.data.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.affine.requires_grad_(False)
        self.register_buffer("freqs", evenly_on_disc(count) * shape.bandwidth)
        self.register_buffer("phases", torch.rand(count) - 0.5)
        axis = (torch.arange(shape.size) + 0.5 - shape.size / 2) / shape.rate
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        self.register_buffer("grid", torch.stack([x, y]), persistent=False)  # [2, H, W]

    def forward(self, style):
        """Features `[1, C, H, W]`, the same for every face while the affine layer stays as it starts.

        The style is not looked at: no w moves or turns this world's portraits.
        """
        waves = torch.einsum("ck,khw->chw", self.freqs, self.grid) + self.phases[:, None, None]
        waves = torch.sin(2 * math.pi * waves)
        weight = self.weight / math.sqrt(self.shape.channels)
        return torch.einsum("oc,chw->ohw", weight, waves)[None]


def evenly_on_disc(count):
    """`[count, 2]` places drawn evenly from the disc of radius 1."""
    radius, angle = torch.rand(count).sqrt(), 2 * math.pi * torch.rand(count)
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 1)


class FilteredConv(nn.Module):
    """Modulated convolution and filtered leaky ReLU; of the ToRGB layer the convolution only."""

    def __init__(self, shape, style_dim, is_to_rgb):
        super().__init__()
        self.shape, self.is_to_rgb = shape, is_to_rgb
        kernel = (shape.out_channels, shape.in_channels, shape.kernel, shape.kernel)
        self.weight = nn.Parameter(torch.randn(kernel))
        self.bias = nn.Parameter(torch.zeros(shape.out_channels))
        self.affine = EqualLinear(style_dim, shape.in_channels, bias=1.0)
        self.register_buffer("magnitude_ema", torch.ones(1))
        if not is_to_rgb:
            filters = {"up_filter": shape.up_filter, "down_filter": shape.down_filter}
            factors = {"up": shape.up, "down": shape.down, "pad": shape.padding}
            self.activate = FilteredLReLU(shape.in_size + shape.kernel - 1, **filters, **factors)

    def style(self, w):
        style = self.affine(w)
        return style / math.sqrt(self.shape.in_channels) if self.is_to_rgb else style

    def forward(self, x, style):
        # The padding is twice the usual; oneDNN has a fast gradient of the kernel for the usual one only.
        half = self.shape.kernel // 2
        x, square = modulate(x, style, half)
        if self.training:
            self.magnitude_ema.lerp_(square.reshape(1), 1 - KEEP)
        kernel = self.weight.to(x.dtype).contiguous(memory_format=torch.channels_last)
        x, gain = F.conv2d(x, kernel, padding=half), torch.rsqrt(self.magnitude_ema)
        if self.is_to_rgb:
            return x.float() * gain + self.bias[:, None, None]
        return self.activate(x, self.demodulation(style) * gain, self.bias)

    def demodulation(self, style):
        """`[N, O]` in single precision, as StyleGAN3Generator computes it."""
        energy = self.weight.square().sum((2, 3))  # [O, I]
        squares = style.float().square()
        small = energy.mean(1) / self.shape.kernel**2 * squares.mean(1, keepdim=True)
        return torch.rsqrt(squares @ energy.t() + 1e-8 * small + _TINY)


class EarlyPicture(nn.Module):
    """A picture of half the side out of the last layer that works at its resolution, for the fit alone.

    Half of the layers learn where everything lies before the others join; they are half of the work, too.
    """

    def __init__(self, side, shapes):
        super().__init__()
        canvas = 2 * MARGIN + side
        self.side, self.after = side, max(k for k, shape in enumerate(shapes) if shape.out_size == canvas) + 1
        self.weight = nn.Parameter(0.1 * torch.randn(3, shapes[self.after - 1].out_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        middle = x[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN].float()
        return F.conv2d(middle, self.weight, self.bias)


class StyleGAN3(nn.Module):
    """z `[N, D]` to pictures.

    Args:
        size: side of the picture.
        style_dim, layers: length of z and w, layers of the mapping network.
        channels: widths of L0 to L14.
    """

    def __init__(self, size=SIZE, style_dim=STYLE_DIM, layers=LAYERS, channels=CHANNELS):
        super().__init__()
        self.size, self.style_dim, self.n_mlp, self.channels = size, style_dim, layers, tuple(channels)
        self.mapping = nn.Sequential(
            PixelNorm(), *(MappingLayer(style_dim, style_dim) for _ in range(layers))
        )
        first, shapes = geometry(size, "T", self.channels)
        self.input = FourierInput(first, style_dim)
        convs = (FilteredConv(shape, style_dim, k == TO_RGB) for k, shape in enumerate(shapes))
        self.layers = nn.ModuleList(convs)
        self.early = EarlyPicture(size // 2, shapes)

    def config(self):
        """What Paddle's `build_generator` takes to build the twin."""
        fixed = {"family": "stylegan3", "configuration": "T", "lr_mlp": 1.0}
        shape = {"size": self.size, "style_dim": self.style_dim, "channels": list(self.channels)}
        return {**fixed, **shape, "n_mlp": self.n_mlp}

    def style(self, z):
        """w `[N, D]` of z `[N, D]`."""
        return self.mapping(z)

    def style_layers(self):
        """(place of the latent, function of it to the style) of each style, in the order of drawing."""
        return list(enumerate([self.input.affine, *(layer.style for layer in self.layers)]))

    def styles(self, z):
        """List of the 16 styles of z `[N, D]`: the input's `[N, 4]`, then `[N, C_k]`."""
        w = self.mapping(z)
        return [to_style(w) for _, to_style in self.style_layers()]

    def pictures(self, styles, size=None):
        """`{side: picture [N, 3, side, side]}`; there is one, of the generator's size or of half of it.

        The half is the early picture, which the fit begins with and an exported generator has not.
        """
        stop = None if size in (None, self.size) else self.early.after
        x = self.input(styles[0]).expand(len(styles[0]), -1, -1, -1)
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))
        x = x.contiguous(memory_format=torch.channels_last)
        for layer, style in zip(self.layers[:stop], styles[1:]):
            x = layer(x, style)
        return {self.size: x * OUTPUT_SCALE} if stop is None else {self.early.side: self.early(x)}

    def forward(self, z):
        """Picture `[N, 3, size, size]` of z `[N, D]`, about [-1, 1]."""
        return self.pictures(self.styles(z))[self.size]

    @torch.no_grad()
    def measure(self, z):
        """Set each layer's magnitude to what it is given for z, so that no signal fades or grows."""
        was_training = self.training
        self.eval()
        x = self.input(None).expand(len(z), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        for layer, style in zip(self.layers, self.styles(z)[1:]):
            layer.magnitude_ema.copy_(x.square().mean().reshape(1))
            x = layer(x, style)
        self.train(was_training)


def affine_weights(generator, size=None):
    """The weights of the layers that turn w into the styles of pictures of `size`."""
    stop = None if size in (None, generator.size) else generator.early.after
    return [layer.affine.weight for layer in generator.layers[:stop]]
