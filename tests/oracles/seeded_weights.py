# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Weights and latents that anyone can draw again: the oracles store results, not weights."""

import numpy as np


def seeded_state(shapes, seed=0):
    """Return `{key: float32 array}` for `{key: shape}`, drawn in the order of the keys.

    Every parameter matters: strengths of noise and biases, which start as zeros, are drawn too. `kernel`
    buffers are constants: the [1, 3, 3, 1] filter with a gain of 4.
    """
    rng = np.random.RandomState(seed)
    taps = np.array([1.0, 3.0, 3.0, 1.0]) / 8
    state = {}
    for key, shape in shapes.items():
        if key.endswith(".kernel"):
            state[key] = (4 * np.outer(taps, taps)).astype("float32")
            continue
        value = rng.standard_normal(tuple(shape))
        if key.startswith("style.") and key.endswith(".weight"):
            value = value / 0.01
        elif key.endswith("modulation.bias"):
            value = 1.0 + 0.1 * value
        elif key.endswith((".bias", "noise.weight")):
            value = 0.2 * value
        state[key] = value.astype("float32")
    return state


def seeded_z(count, dim, seed=1):
    """Return `[count, dim]` float32 standard normal numbers."""
    return np.random.RandomState(seed).standard_normal((count, dim)).astype("float32")


def sample(images, side=16):
    """Return mean, root mean square and one pixel of each of `side` x `side` blocks of `[N, 3, H, W]`."""
    n, c, h, w = images.shape
    blocks = images.astype("float64").reshape(n, c, side, h // side, side, w // side)
    means = blocks.mean(axis=(3, 5))
    squares = np.sqrt((blocks**2).mean(axis=(3, 5)))
    step = h // side
    return means, squares, images[:, :, step // 3 :: step, step // 2 :: step]
