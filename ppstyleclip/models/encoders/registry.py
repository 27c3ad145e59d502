# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders by the name of their kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import paddle.nn as nn

from ppstyleclip.errors import UserError, shown
from ppstyleclip.schema import Plain, from_value

Builder = Callable[[dict[str, Any]], nn.Layer]

ENCODERS: dict[str, Builder] = {}  # encoder_type -> what builds it; filled by register_encoder


def register_encoder(encoder_type: str) -> Callable[[Builder], Builder]:
    """Register the function below as the builder of a kind of encoder.

    The function takes a config, a dict with `encoder_type` and whatever else the kind needs (JSON holds it),
    and returns a Layer with random weights, or raises ValueError for a config that it cannot build. The Layer
    has:
        input_size, input_channels: side of the pictures that it sees; 3, or 6 where it sees its last result
            beside the picture, as ReStyle's do.
        num_styles, style_dim: L and D of its result.
        config(): the config that builds it again.
        forward(images): `[N, input_channels, input_size, input_size]` in [-1, 1] to `[N, L, D]`, which is
            added to the generator's mean latent.

    Raises:
        ValueError: the name is taken.
    """

    def register(build: Builder) -> Builder:
        if ENCODERS.get(encoder_type, build) is not build:
            raise ValueError(f"an encoder {encoder_type!r} is registered already")
        ENCODERS[encoder_type] = build
        return build

    return register


def build_encoder(config: dict[str, Any]) -> nn.Layer:
    """Make an encoder with random weights.

    Args:
        config: `encoder_type`, a name in ENCODERS, and what that kind needs; for the published kinds see
            published.complete_config.
    Returns:
        the encoder, in training mode.
    Raises:
        UserError: an unknown name.
        ValueError: as the kind's builder.
    """
    config = from_value(dict[str, Plain], config, "this encoder", field="config")
    name = config.get("encoder_type")
    if not isinstance(name, str) or name not in ENCODERS:
        raise UserError(f"unknown encoder_type {shown(name)}; known: {', '.join(ENCODERS)}")
    return ENCODERS[name](config)
