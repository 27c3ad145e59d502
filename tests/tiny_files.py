# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Model files small enough for tests: a generator as PaddleGAN saves it, and a pack; random but fixed."""

from __future__ import annotations

import numpy as np
import paddle
from tiny_world import tiny_parts

from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.zoo import EditDefaults, save_pack

CHANNELS = {4: 6, 8: 6, 16: 5, 32: 4, 64: 4}  # a 64 px generator with PaddleGAN's keys and few channels


def write_weights(path, seed=3) -> None:
    """Save a 64 px generator as PaddleGAN's old files have it: protocol 2, blur buffers included."""
    paddle.seed(seed)
    state = dict(StyleGANv2Generator(64, 12, 8, channels=CHANNELS).state_dict())
    for k in range(0, 8, 2):
        taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 16
        state[f"convs.{k}.conv.blur.kernel"] = paddle.to_tensor(taps)
    paddle.save(state, str(path), protocol=2)


def pack_parts() -> dict:
    """What save_pack takes."""
    generator, layout, stats, relevance, clip = tiny_parts()
    rng = np.random.RandomState(5)
    return {
        "generator": generator,
        "clip": clip,
        "stats": stats,
        "relevance": relevance,
        "strength": rng.rand(len(relevance)),
        "latents": rng.randn(3, generator.n_latent, 12),
        "s_base": rng.randn(4, layout.size),
        "defaults": EditDefaults(alpha=7.0, beta=0.2, unit="sigma", templates="plain"),
    }


def write_pack(folder, **parts) -> dict:
    """Save pack_parts, some of them replaced, under the name "tiny"; returns the fingerprints."""
    return save_pack(folder, **{"name": "tiny", **pack_parts(), **parts})
