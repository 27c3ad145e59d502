# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What our own networks hold: `{key: ParameterSpec}`, asked of the networks themselves.

Paddle is imported by the first question, not with this module: a command reads its arguments before that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ppstyleclip.errors import UserError

if TYPE_CHECKING:
    from ppstyleclip.models.parameters import ParameterSpec


def generator_parameters(config: dict) -> dict[str, ParameterSpec]:
    """A StyleGAN2 generator; config has size, style_dim, n_mlp and channels, as infer_generator_config's."""
    channels = tuple(sorted(config["channels"].items()))
    return _generator_parameters(config["size"], config["style_dim"], config["n_mlp"], channels)


@lru_cache(maxsize=8)  # a 1024 px generator takes a fifth of a second, and is asked about twice for a file
def _generator_parameters(size, style_dim, n_mlp, channels) -> dict[str, ParameterSpec]:
    from ppstyleclip.models.stylegan2 import StyleGANv2Generator

    return _describe(lambda: StyleGANv2Generator(size, style_dim, n_mlp, channels=dict(channels)))


def stylegan3_parameters(config: dict) -> dict[str, ParameterSpec]:
    """A StyleGAN3 generator; config as its build_generator takes it."""
    from ppstyleclip.models.stylegan3 import build_generator

    return _describe(lambda: build_generator(config))


def count_latents(config: dict) -> int:
    """L, the layers of w_plus, of a generator of either published family; config as its build_generator's."""
    from ppstyleclip.models.families import STYLEGAN3
    from ppstyleclip.models.stylegan3.geometry import LAYERS

    if config.get("family") == STYLEGAN3:
        return LAYERS + 1
    return 2 * (config["size"].bit_length() - 1) - 2


def encoder_parameters(config: dict) -> dict[str, ParameterSpec]:
    """An encoder; config as build_encoder takes it."""
    from ppstyleclip.models.encoders import build_encoder

    return _describe(lambda: build_encoder(config))


def published_encoders() -> dict:
    """What the published encoders' names mean, `{encoder_type: PublishedKind}`."""
    from ppstyleclip.models.encoders import PUBLISHED

    return PUBLISHED


def mapper_parameters(config: dict) -> dict[str, ParameterSpec]:
    """A latent mapper; config as build_mapper takes it."""
    from ppstyleclip.models.mappers import build_mapper

    return _describe(lambda: build_mapper(config))


def mapper_widths(mode: str, width: int) -> list[int]:
    """Widths of the layers of a mapper of one of models.mappers.MAPPER_MODES, latents and texts alike."""
    from ppstyleclip.models.mappers import mode_widths

    return mode_widths(mode, width, width)


def clip_parameters(config: dict) -> dict[str, ParameterSpec]:
    """paddleclip's network; config as build_clip takes it."""
    from ppstyleclip.models.clip_parameters import clip_parameters

    return clip_parameters(config)


@lru_cache(maxsize=1)
def irse50_parameters() -> dict[str, ParameterSpec]:
    """ArcFace's IR-SE50."""
    from ppstyleclip.models.arcface import IRSE50

    return _describe(IRSE50)


@lru_cache(maxsize=1)
def arcface_parameters() -> dict[str, ParameterSpec]:
    """ArcFace's grey ResNet-18."""
    from ppstyleclip.models.arcface import ResNetFace18

    return _describe(ResNetFace18)


@lru_cache(maxsize=1)
def vgg16_parameters() -> dict[str, ParameterSpec]:
    """VGG-16 without its classifier."""
    from ppstyleclip.models.lpips import VGG16

    return _describe(VGG16)


@lru_cache(maxsize=1)
def lpips_head_parameters() -> dict[str, ParameterSpec]:
    """The heads of LPIPS."""
    from ppstyleclip.models.lpips import LPIPS

    return _describe(lambda: LPIPS().lins)


def _describe(build) -> dict[str, ParameterSpec]:
    from ppstyleclip.models.parameters import describe_network

    try:
        return describe_network(build)
    except (TypeError, ValueError) as error:
        raise UserError(f"no network can be built of these weights: {error}") from None
