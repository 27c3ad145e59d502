# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The tiny world's CLIP with a StyleGAN3 in place of its generator: 16 px, 16 layers, random but fixed."""

from __future__ import annotations

import paddle
from tiny_world import tiny_clip, tiny_measurements

from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.zoo import EditDefaults, save_pack

STYLE_DIM, LAYERS = 12, 16
CHANNELS = [8] * 14 + [3]
CONTRAST = 16.0  # so that random weights draw more than grey


def tiny_stylegan3(configuration="R", size=16, style_dim=STYLE_DIM):
    paddle.seed(6)
    generator = StyleGAN3Generator(size, style_dim, configuration, channels=CHANNELS)
    to_rgb = generator.layers[-1].weight
    to_rgb.set_value(CONTRAST * to_rgb)
    generator.eval()
    return generator


def save_tiny_stylegan3(folder, configuration="R"):
    """Write the world as a pack; returns the folder."""
    generator = tiny_stylegan3(configuration)
    stats, relevance = tiny_measurements(generator.layout)
    save_pack(
        folder,
        generator=generator,
        clip=tiny_clip(),
        stats=stats,
        relevance=relevance,
        name="waves",
        defaults=EditDefaults(alpha=3.0, beta=0.1, unit="style", templates="plain"),
    )
    return folder
