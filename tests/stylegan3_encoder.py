# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A ReStyle encoder for the tiny StyleGAN3 world, as narrow; random but fixed."""

from __future__ import annotations

import numpy as np
import paddle
from stylegan3_world import LAYERS, STYLE_DIM

from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.zoo import Encoder, generator_fingerprint, save_encoder
from ppstyleclip.zoo.pack import ENCODER

SMALL = 0.01  # so that what random weights find is drawn within black and white


def tiny_restyle(name="BackboneEncoder", seed=5):
    """6 channels in, 16 heads on the last map."""
    paddle.seed(seed)
    network = build_encoder(
        {
            "encoder_type": name,
            "num_styles": LAYERS,
            "style_dim": STYLE_DIM,
            "input_size": 32,
            "input_channels": 6,
            "widths": (4, 6, 8, 10),
            "depths": (1, 1, 1, 1),
        }
    )
    for head in network.styles:
        head.linear.weight.set_value(SMALL * head.linear.weight)
    network.eval()
    return Encoder(network, 0.3 * np.random.RandomState(seed).randn(1, STYLE_DIM).astype(np.float32))


def add_restyle(folder, generator):
    """Write the encoder into the bundle of a generator; returns it."""
    encoder = tiny_restyle()
    save_encoder(folder / ENCODER, encoder, generator=generator_fingerprint(generator))
    return encoder
