# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What all lanes share: weights, latents and pictures that each draws alike; NumPy only."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

GRADIENT_SIDE = 256  # of the picture in the lanes that measure a gradient or the relevance


class Timed(NamedTuple):
    """What a step returns that takes its own time, because not all of it counts."""

    seconds: float
    result: object


def drawn(name, shape):
    """Standard normal float32 numbers that depend on the name and the shape alone."""
    return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(shape), dtype="float32")


def generator_state(shapes):
    """Weights of a StyleGANv2Generator from `{key: shape}`; the `kernel` buffers are left out."""
    state = {}
    for key, shape in shapes.items():
        if key.endswith(".kernel"):
            continue
        scale, shift = 1.0, 0.0
        if key.startswith("style.") and key.endswith(".weight"):
            scale = 100.0  # the mapping network's layers multiply by 0.01
        elif key.endswith("modulation.bias"):
            scale, shift = 0.1, 1.0
        elif key.startswith("to_rgb") and key.endswith("conv.weight"):
            scale = 0.1  # pictures are about [-1, 1]
        elif key.endswith((".bias", "noise.weight")):
            scale = 0.2
        state[key] = drawn(key, shape) * np.float32(scale) + np.float32(shift)
    return state


def stylegan3_weights(size, configuration):
    """The .npz in which NVIDIA's lane leaves a StyleGAN3's weights for ours; it may be missing."""
    return Path(os.environ["PPSTYLECLIP_HOME"]) / f"stylegan3-{configuration}-{size}.npz"


def pictures(count, side):
    """Pictures `[count, 3, side, side]` float32 in [-1, 1]."""
    return np.tanh(drawn("pictures", [count, 3, side, side]))
