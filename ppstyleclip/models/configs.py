# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the configs of our networks may hold, as files state them; each builder checks its own.

Bounds are far above anything that was published: they end what could never be meant. Whether a config fits
the weights beside it is compared by shapes, before the network is built (models/state.py).
"""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Optional, Union

from ppstyleclip.schema import Between, Line, OneOf, Open, Size, from_value

Width = Annotated[int, Between(1, 2**16)]  # channels, features
Depth = Annotated[int, Between(1, 1000)]  # layers, blocks
Side = Annotated[int, Between(1, 2**14)]  # pixels


@dataclass(frozen=True)
class LayoutConfig:
    """StyleLayout.to_config."""

    names: Annotated[tuple[Annotated[str, Size(1, 200)], ...], Size(1, 1000)]
    channels: Annotated[tuple[Width, ...], Size(1, 1000)]
    editable: Annotated[tuple[bool, ...], Size(1, 1000)]

    def __post_init__(self):
        if not len(self.names) == len(self.channels) == len(self.editable):
            raise ValueError(
                f"a layout needs one width and one flag per name, got {len(self.names)} names, "
                f"{len(self.channels)} widths, {len(self.editable)} flags"
            )


@dataclass(frozen=True)
class StyleGAN2Config:
    """StyleGANv2Generator.config; earlier versions name no family."""

    size: Side
    style_dim: Width
    n_mlp: Annotated[int, Between(0, 1000)]
    family: Line = "stylegan2"
    channel_multiplier: Annotated[float, Between(1e-3, 1000)] = 2
    blur_kernel: Annotated[tuple[Annotated[float, Between(-1e6, 1e6)], ...], Size(1, 32)] = (1, 3, 3, 1)
    lr_mlp: Annotated[float, Between(1e-9, 1e3)] = 0.01
    is_concat: bool = False
    channels: Optional[Annotated[dict[str, Width], Size(1, 16)]] = None


def check_stylegan2(config, where) -> None:
    """Refuse a StyleGAN2's config that is none; `channels` read off weights have numbers for names.

    Raises:
        UserError: names `where`, the field, what was got and what is allowed.
    """
    channels = config.get("channels")
    if isinstance(channels, Mapping):
        config = {**config, "channels": {str(side): width for side, width in channels.items()}}
    from_value(StyleGAN2Config, config, where, field="config")


@dataclass(frozen=True)
class StyleGAN3Config:
    """StyleGAN3Generator.config."""

    size: Annotated[int, Between(16, 1024)]
    style_dim: Width
    configuration: Annotated[str, OneOf(("T", "R"))]
    family: Line = "stylegan3"
    n_mlp: Annotated[int, Between(0, 1000)] = 2
    lr_mlp: Annotated[float, Between(1e-9, 1e3)] = 0.01
    channels: Optional[Annotated[tuple[Width, ...], Size(15, 15)]] = None


def check_stylegan3(config, where) -> None:
    """Refuse a StyleGAN3's config that is none; errors as check_stylegan2."""
    from_value(StyleGAN3Config, config, where, field="config")


@dataclass(frozen=True)
class FamilyConfig(Open):
    """What every generator's config has; the rest is its family's.

    Sides and widths are bounded here, because a family may fill buffers of their size where it is described.
    """

    family: Line = "stylegan2"
    size: Annotated[int, Between(1, 4096)] = 64
    style_dim: Width = 512


@dataclass(frozen=True)
class MapperNetworkConfig:
    """What build_mapper takes; which of it, the type says."""

    mapper_type: Line
    mode: Line = "Mapper"
    style_dim: Width = 512
    text_dim: Width = 512
    levels: Optional[Annotated[tuple[Depth, ...], Size(3, 3)]] = None
    coarse: bool = True
    medium: bool = True
    fine: bool = True
    layers: Depth = 18
    width: Width = 256
    depth: Depth = 4
    style_dims: Optional[Annotated[tuple[Width, ...], Size(1, 1000)]] = None
    idle: Optional[Annotated[tuple[Annotated[int, Between(0, 999)], ...], Size(0, 1000)]] = None


@dataclass(frozen=True)
class EncoderConfig:
    """What a published kind of encoder takes (encoders/published.py)."""

    encoder_type: Line
    output_size: Optional[Side] = None
    num_styles: Optional[Depth] = None
    input_channels: Annotated[int, Between(1, 1000)] = 3
    input_size: Side = 256
    style_dim: Width = 512
    widths: Optional[Annotated[tuple[Width, ...], Size(4, 4)]] = None
    depths: Optional[Annotated[tuple[Depth, ...], Size(4, 4)]] = None
    head_widths: Optional[Annotated[tuple[Width, ...], Size(2, 2)]] = None


@dataclass(frozen=True)
class IdentityConfig:
    """IRSE50.config."""

    widths: Annotated[tuple[Width, ...], Size(4, 4)]
    depths: Annotated[tuple[Depth, ...], Size(4, 4)]
    face_size: Side = 112
    dim: Width = 512


BERT = "bert"  # the text side of a Chinese-CLIP


@dataclass(frozen=True)
class ClipConfig:
    """ClipModel.config; published CLIPs have 77 tokens, 49408 words, and 48 layers at most.

    A Chinese-CLIP's text is "bert": `pieces` are its words, `positions` the places of its tokens, `hidden`
    the width of the inner layers.
    """

    embed_dim: Width
    image_size: Side
    vision_layers: Union[Annotated[int, Between(1, 256)], Annotated[tuple[Depth, ...], Size(4, 4)]]
    vision_width: Width
    vision_patch_size: Optional[Side]
    context_length: Annotated[int, Between(1, 1024)]
    vocab_size: Annotated[int, Between(1, 49408)]
    transformer_width: Width
    transformer_heads: Width
    transformer_layers: Annotated[int, Between(1, 256)]
    name: Line = "custom"
    vocabulary: Optional[Annotated[tuple[Line, ...], Size(0, 50_000)]] = None
    text: Annotated[str, OneOf(("byte pairs", BERT))] = "byte pairs"
    pieces: Optional[Annotated[tuple[Annotated[str, Size(0, 200)], ...], Size(4, 50_000)]] = None
    positions: Optional[Annotated[int, Between(3, 1024)]] = None
    hidden: Optional[Width] = None

    def __post_init__(self):
        if self.text != BERT:
            return
        if self.pieces is None or self.positions is None or self.hidden is None:
            raise ValueError("a CLIP with BERT needs pieces, positions and hidden")
        if len(self.pieces) != self.vocab_size or self.context_length > self.positions:
            raise ValueError(
                f"a CLIP with BERT has {self.vocab_size} pieces and {self.positions} positions, got "
                f"{len(self.pieces)} pieces and a context of {self.context_length}"
            )
