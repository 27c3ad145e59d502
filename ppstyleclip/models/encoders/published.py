# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The published encoders of pSp, e4e and ReStyle: what their names mean, and what their configs hold."""

from __future__ import annotations

from typing import Any, NamedTuple

import paddle.nn as nn

from ppstyleclip.errors import UserError
from ppstyleclip.schema import from_value

from ..configs import EncoderConfig
from ..irse import DEPTHS, WIDTHS, irse_blocks, irse_input_layer
from .resnet34 import RESNET34_DEPTHS, resnet_blocks, resnet_stem


class PublishedKind(NamedTuple):
    """What an encoder_type means."""

    trunk: str  # "irse50" or "resnet34"
    heads: str  # "gradual": of maps of 16, 32 and 64 px; "flat": of 16 px; "w", "w_plus": one linear layer
    is_relative: bool = False  # heads behind the first give differences to it


# encoder_type as the options inside published checkpoints name it.
PUBLISHED = {
    "GradualStyleEncoder": PublishedKind("irse50", "gradual"),
    "Encoder4Editing": PublishedKind("irse50", "gradual", is_relative=True),
    "BackboneEncoderUsingLastLayerIntoW": PublishedKind("irse50", "w"),
    "BackboneEncoderUsingLastLayerIntoWPlus": PublishedKind("irse50", "w_plus"),
    "BackboneEncoder": PublishedKind("irse50", "flat"),
    "ProgressiveBackboneEncoder": PublishedKind("irse50", "flat", is_relative=True),
    "ResNetGradualStyleEncoder": PublishedKind("resnet34", "gradual"),
    "ResNetBackboneEncoder": PublishedKind("resnet34", "flat"),
    "ResNetProgressiveBackboneEncoder": PublishedKind("resnet34", "flat", is_relative=True),
}
_DEFAULTS = {"input_channels": 3, "input_size": 256, "style_dim": 512, "widths": WIDTHS, "depths": None}


def complete_config(config: dict[str, Any]) -> dict[str, Any]:
    """Fill in what a published kind's config leaves out, and refuse what cannot be built.

    Args:
        config: dict of
            encoder_type: a name in PUBLISHED.
            output_size: side of the generator's picture, for num_styles = 2 log2(output_size) - 2; or
            num_styles: the generator's number of latents.
            input_channels: 3; 6 for ReStyle, which sees its last result beside the picture.
            input_size: side of the picture it sees, a power of two from 32 on; 256.
            style_dim: 512. widths: channels of the four stages, (64, 128, 256, 512). depths: their blocks,
            (3, 4, 14, 3) for the IR-SE trunk and (3, 4, 6, 3) for ResNet-34; None for these.
            head_widths: channels inside the first head and inside the others; None is style_dim for both.
    Raises:
        UserError: an unknown key, a missing one, or a number that cannot be built.
    """
    from_value(EncoderConfig, config, "this encoder", field="config")
    config = {**_DEFAULTS, **{name: value for name, value in config.items() if value is not None}}
    size = config.pop("output_size", None)
    if (size is None) == (config.get("num_styles") is None):
        raise UserError("an encoder's config has output_size or num_styles, and not both")
    if size is not None:
        if size < 8 or size & (size - 1):
            raise UserError(f"output_size must be a power of two from 8 on; got {size}")
        config["num_styles"] = 2 * (int(size).bit_length() - 1) - 2
    if config["depths"] is None:
        is_irse = PUBLISHED[config["encoder_type"]].trunk == "irse50"
        config["depths"] = DEPTHS if is_irse else RESNET34_DEPTHS
    config["widths"], config["depths"] = list(config["widths"]), list(config["depths"])
    if config.get("head_widths") is not None:
        if PUBLISHED[config["encoder_type"]].heads not in ("gradual", "flat"):
            raise UserError(f"{config['encoder_type']} has no heads; leave head_widths out of its config")
        config["head_widths"] = list(config["head_widths"])
    if config["input_size"] < 32 or config["input_size"] & (config["input_size"] - 1):
        raise UserError(f"input_size must be a power of two from 32 on; got {config['input_size']}")
    return config


def build_trunk(config: dict[str, Any]) -> tuple[dict[str, nn.Layer], list[nn.Layer]]:
    """Make the layers of a published kind in front of its heads, of a complete config.

    Returns:
        (`{name: layer}` the first layers, in this order; the residual blocks behind them).
    """
    channels, widths, depths = config["input_channels"], config["widths"], config["depths"]
    if PUBLISHED[config["encoder_type"]].trunk == "irse50":
        return {"input_layer": irse_input_layer(channels, widths[0])}, irse_blocks(widths, depths)
    return resnet_stem(channels, widths[0]), resnet_blocks(widths, depths)


def check_images(images, channels: int, size: int) -> None:
    """Refuse pictures of another shape than an encoder sees: a side of `size`, or more than half of it.

    Raises:
        UserError: names both shapes.
    """
    sides_fit = all(size // 2 < side <= size and side % 16 == 0 for side in images.shape[2:])
    if images.ndim != 4 or images.shape[1] != channels or not sides_fit:
        expected = f"[N, {channels}, {size}, {size}]"
        raise UserError(f"images have shape {list(images.shape)}, expected {expected}")
