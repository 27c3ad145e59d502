# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from pictures to w_plus: pSp's, e4e's and ReStyle's, in one class.

They differ in three things only: the trunk (IR-SE 50 or ResNet-34), where the heads look (a feature pyramid
as in pSp and e4e, or the last map as in ReStyle), and whether a head gives a latent or a difference to the
first one (e4e). Keys of the state dict are PaddleGAN's, where it has the class, else the torch keys with
Paddle's names for batch norm and PReLU; weights of linear layers are `[in, out]`.
"""

from __future__ import annotations

from typing import NamedTuple

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from .irse import DEPTHS, WIDTHS, irse_blocks, irse_input_layer
from .resnet34 import RESNET34_DEPTHS, resnet_blocks, resnet_stem
from .stylegan2_layers import EqualLinear

__all__ = ["ENCODERS", "StyleEncoder", "build_encoder"]

COARSE, MEDIUM = 3, 7  # with a pyramid: heads from here on look at the map of twice, four times the size


class Kind(NamedTuple):
    """What an encoder_type means."""

    trunk: str  # "irse" or "resnet"
    pyramid: bool  # heads look at three maps; otherwise all look at the last one
    relative: bool  # heads behind the first give differences to it


# encoder_type as the options inside published checkpoints name it.
ENCODERS = {
    "GradualStyleEncoder": Kind("irse", True, False),
    "Encoder4Editing": Kind("irse", True, True),
    "BackboneEncoder": Kind("irse", False, False),
    "ProgressiveBackboneEncoder": Kind("irse", False, True),
    "ResNetGradualStyleEncoder": Kind("resnet", True, False),
    "ResNetBackboneEncoder": Kind("resnet", False, False),
    "ResNetProgressiveBackboneEncoder": Kind("resnet", False, True),
}
_DEFAULTS = {"input_channels": 3, "input_size": 256, "style_dim": 512, "widths": WIDTHS, "depths": None}


class StyleHead(nn.Layer):
    """Halves `[N, I, size, size]` until one pixel is left, then a linear layer: `[N, out]`."""

    def __init__(self, in_channels, out_dim, size):
        super().__init__()
        layers = []
        for _ in range(size.bit_length() - 1):
            layers += [nn.Conv2D(in_channels, out_dim, 3, 2, 1), nn.LeakyReLU(0.01)]
            in_channels = out_dim
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(out_dim, out_dim)

    def forward(self, x):
        return self.linear(self.convs(x).squeeze([2, 3]))


class StyleEncoder(nn.Layer):
    """Turns pictures into L latents of D numbers each; made by build_encoder.

    What it gives is relative to the generator's mean latent: see `methods.invert`.

    Args:
        stem: `{name: layer}`, applied in this order; the names become keys of the state dict.
        blocks: the residual blocks behind it.
        taps: index of the blocks whose outputs are maps of 1/4, 1/8 and 1/16 of the input's size.
        config: complete config as `build_encoder` documents it.
    """

    def __init__(self, stem, blocks, taps, config):
        super().__init__()
        self._config, self._taps, self._stem = dict(config), tuple(taps), tuple(stem)
        kind, widths = ENCODERS[config["encoder_type"]], config["widths"]
        self.pyramid, self.relative = kind.pyramid, kind.relative
        self.input_size, self.input_channels = config["input_size"], config["input_channels"]
        self.num_styles, self.style_dim = config["num_styles"], config["style_dim"]
        for name, layer in stem.items():
            self.add_sublayer(name, layer)
        self.body = nn.Sequential(*blocks)
        self.styles = nn.LayerList(
            [
                StyleHead(widths[-1], self.style_dim, self.input_size // 16 * 2 ** self._level(index))
                for index in range(self.num_styles)
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
        self._check(images)
        maps = self._maps(images)
        codes = [head(maps[self._level(index)]) for index, head in enumerate(self.styles)]
        codes = paddle.stack(codes, axis=1)  # [N, L, D]
        if not self.relative:
            return codes
        first = codes[:, :1]
        return paddle.concat([first, first + codes[:, 1:]], axis=1)

    def _check(self, images):
        size, channels = self.input_size, self.input_channels
        sides_fit = all(size // 2 < side <= size and side % 16 == 0 for side in images.shape[2:])
        if images.ndim != 4 or images.shape[1] != channels or not sides_fit:
            expected = f"[N, {channels}, {size}, {size}]"
            raise ValueError(f"images have shape {list(images.shape)}, expected {expected}")

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


def build_encoder(config):
    """Make an encoder with random weights.

    Args:
        config: dict of
            encoder_type: a name in ENCODERS.
            output_size: side of the generator's picture, for num_styles = 2 log2(output_size) - 2; or
            num_styles: the generator's number of latents.
            input_channels: 3; 6 for ReStyle, which sees its last result beside the picture.
            input_size: side of the picture it sees, a power of two from 32 on; 256.
            style_dim: 512. widths: channels of the four stages, (64, 128, 256, 512). depths: their blocks,
            (3, 4, 14, 3) for the IR-SE trunk and (3, 4, 6, 3) for ResNet-34; None for these.
    Returns:
        StyleEncoder, in training mode.
    Raises:
        ValueError: an unknown key or name, a missing one, or a number that cannot be built.
    """
    config = _complete(config)
    trunk, widths, depths = ENCODERS[config["encoder_type"]].trunk, config["widths"], config["depths"]
    if trunk == "irse":
        stem = {"input_layer": irse_input_layer(config["input_channels"], widths[0])}
        blocks = irse_blocks(widths, depths)
    else:
        stem, blocks = resnet_stem(config["input_channels"], widths[0]), resnet_blocks(widths, depths)
    taps = [sum(depths[:stage]) - 1 for stage in (2, 3, 4)]
    return StyleEncoder(stem, blocks, taps, config)


def _complete(config):
    """Fill in what a config leaves out and refuse what cannot be built."""
    config = {**_DEFAULTS, **config}
    known = {*_DEFAULTS, "encoder_type", "output_size", "num_styles"}
    kind = ENCODERS.get(config.get("encoder_type"))
    if kind is None:
        raise ValueError(f"unknown encoder_type {config.get('encoder_type')!r}; known: {', '.join(ENCODERS)}")
    if set(config) - known:
        raise ValueError(f"unknown keys in the encoder's config: {sorted(set(config) - known)}")
    size = config.pop("output_size", None)
    if (size is None) == (config.get("num_styles") is None):
        raise ValueError("an encoder's config has output_size or num_styles, and not both")
    if size is not None:
        if size < 8 or size & (size - 1):
            raise ValueError(f"output_size must be a power of two from 8 on; got {size}")
        config["num_styles"] = 2 * (int(size).bit_length() - 1) - 2
    if config["depths"] is None:
        config["depths"] = DEPTHS if kind.trunk == "irse" else RESNET34_DEPTHS
    config["widths"], config["depths"] = list(config["widths"]), list(config["depths"])
    numbers = [config[key] for key in ("num_styles", "input_channels", "style_dim")]
    numbers += config["widths"] + config["depths"]
    if min(numbers) < 1 or len(config["widths"]) != 4 or len(config["depths"]) != 4:
        raise ValueError(f"an encoder has four widths and depths and counts from 1 on; got {config}")
    if config["input_size"] < 32 or config["input_size"] & (config["input_size"] - 1):
        raise ValueError(f"input_size must be a power of two from 32 on; got {config['input_size']}")
    return config
