# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from pictures to w_plus: pSp's, e4e's and ReStyle's, in one class.

They differ in three things only: the trunk (IR-SE 50 or ResNet-34), where the heads look (a feature pyramid
as in pSp and e4e, or the last map as in ReStyle), and whether a head gives a latent or a difference to the
first one (e4e). Keys of the state dict are PaddleGAN's, where it has the class, else the torch keys with
Paddle's names for batch norm and PReLU; weights of linear layers are `[in, out]`.
"""

from __future__ import annotations

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ..stylegan2.layers import EqualLinear
from .published import PUBLISHED, build_trunk, check_images, complete_config
from .registry import register_encoder

COARSE, MEDIUM = 3, 7  # with a pyramid: heads from here on look at the map of twice, four times the size


class StyleHead(nn.Layer):
    """Halves `[N, I, size, size]`, `width` channels, until one pixel is left; a linear layer: `[N, out]`."""

    def __init__(self, in_channels, width, out_dim, size):
        super().__init__()
        layers = []
        for _ in range(size.bit_length() - 1):
            layers += [nn.Conv2D(in_channels, width, 3, 2, 1), nn.LeakyReLU(0.01)]
            in_channels = width
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(width, out_dim)

    def forward(self, x):
        """Return one style `[N, out_dim]` of features `[N, C, size, size]`."""
        return self.linear(self.convs(x).squeeze([2, 3]))


class StyleEncoder(nn.Layer):
    """Turns pictures into L latents of D numbers each; made by build_encoder.

    What it gives is relative to the generator's mean latent: see `methods.invert`.

    Args:
        stem: `{name: layer}`, applied in this order; the names become keys of the state dict.
        blocks: the residual blocks behind it.
        taps: index of the blocks whose outputs are maps of 1/4, 1/8 and 1/16 of the input's size.
        config: complete config, see published.complete_config.
    """

    def __init__(self, stem, blocks, taps, config):
        super().__init__()
        self._config, self._taps, self._stem = dict(config), tuple(taps), tuple(stem)
        kind, widths = PUBLISHED[config["encoder_type"]], config["widths"]
        self.pyramid, self.is_relative = kind.heads == "gradual", kind.is_relative
        self.input_size, self.input_channels = config["input_size"], config["input_channels"]
        self.num_styles, self.style_dim = config["num_styles"], config["style_dim"]
        for name, layer in stem.items():
            self.add_sublayer(name, layer)
        self.body = nn.Sequential(*blocks)
        first, other = config.get("head_widths") or (self.style_dim, self.style_dim)
        sizes = [self.input_size // 16 * 2 ** self._level(index) for index in range(self.num_styles)]
        self.styles = nn.LayerList(
            [
                StyleHead(widths[-1], other if index else first, self.style_dim, size)
                for index, size in enumerate(sizes)
            ]
        )
        if self.pyramid:
            self.latlayer1 = nn.Conv2D(widths[2], widths[3], 1)
            self.latlayer2 = nn.Conv2D(widths[1], widths[3], 1)

    def config(self):
        """The dict from which build_encoder makes the same network; values that JSON can hold."""
        return dict(self._config)

    def _level(self, index):
        """Which map head `index` looks at: 0 for the last one, 1 and 2 for the larger ones."""
        return (index >= COARSE) + (index >= MEDIUM) if self.pyramid else 0

    def forward(self, images):
        """Encode pictures.

        Args:
            images: `[N, input_channels, H, W]` in [-1, 1]; H and W are input_size, or between half of it
                and it in multiples of 16 (ReStyle's cars are 192 x 256).
        Returns:
            `[N, num_styles, style_dim]`, to be added to the generator's mean latent.
        Raises:
            ValueError: other shapes.
        """
        check_images(images, self.input_channels, self.input_size)
        maps = self._maps(images)
        codes = [head(maps[self._level(index)]) for index, head in enumerate(self.styles)]
        codes = paddle.stack(codes, axis=1)  # [N, L, D]
        if not self.is_relative:
            return codes
        first = codes[:, :1]
        return paddle.concat([first, first + codes[:, 1:]], axis=1)

    def _maps(self, images):
        """Return the maps that heads look at, from the last one on; one map without a pyramid."""
        x, tapped = images, []
        for name in self._stem:
            x = getattr(self, name)(x)
        for index, block in enumerate(self.body):
            x = block(x)
            if index in self._taps:
                tapped.append(x)
        fine, medium, last = tapped
        if not self.pyramid:
            return [last]
        medium = _enlarge_add(last, self.latlayer1(medium))
        return [last, medium, _enlarge_add(medium, self.latlayer2(fine))]


def _enlarge_add(small, large):
    # Parity: align_corners, because the published encoders were trained with it.
    return F.interpolate(small, size=large.shape[2:], mode="bilinear", align_corners=True) + large


def _build(config) -> StyleEncoder:
    config = complete_config(config)
    stem, blocks = build_trunk(config)
    taps = [sum(config["depths"][:stage]) - 1 for stage in (2, 3, 4)]
    return StyleEncoder(stem, blocks, taps, config)


for _name, _kind in PUBLISHED.items():
    if _kind.heads in ("gradual", "flat"):
        register_encoder(_name)(_build)
