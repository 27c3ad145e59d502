# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An encoder small enough for tests, of the tiny world's generator; random but fixed."""

from __future__ import annotations

import numpy as np
import paddle
from tiny_world import STYLE_DIM, save_tiny_pack, tiny_generator

from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.zoo import Encoder, generator_fingerprint, save_encoder
from ppstyleclip.zoo.pack import ENCODER

LEVELS = 6


def tiny_encoder(*, input_channels=3, seed=5, **more):
    paddle.seed(seed)
    network = build_encoder(
        {
            "encoder_type": "GradualStyleEncoder",
            "num_styles": LEVELS,
            "style_dim": STYLE_DIM,
            "input_size": 32,
            "input_channels": input_channels,
            "widths": (4, 6, 8, 10),
            "depths": (1, 1, 1, 1),
            **more,
        }
    )
    network.eval()
    mean = np.random.RandomState(seed).randn(1, STYLE_DIM).astype(np.float32)
    return Encoder(network, mean)


def narrow_e4e(seed=9):
    """One of e4e's kind with narrow heads, as the embedded model has it."""
    return tiny_encoder(seed=seed, encoder_type="Encoder4Editing", head_widths=(7, 2))


def save_with_encoder(folder, **options):
    """The tiny world's pack with an encoder; returns the encoder."""
    save_tiny_pack(folder)
    encoder = tiny_encoder(**options)
    save_encoder(folder / ENCODER, encoder, generator=generator_fingerprint(tiny_generator()))
    return encoder
