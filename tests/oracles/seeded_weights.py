# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Weights and latents that anyone can draw again: the oracles store results, not weights."""

import zlib

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
        state[key] = np.asarray(value, "float32")
    return state


def keyed_state(shapes, lr_mul=1.0):
    """Return `{key: float32 array}` for a torch network's `{key: shape}`, each drawn from its key alone.

    Scales keep signals near 1 through many layers: convolutions are divided by the root of half their fan-in,
    biases, batch norms and slopes stay small or near a half. Matrices and biases are divided by `lr_mul`,
    because an equalised layer multiplies by it.
    """
    state = {}
    for key, shape in shapes.items():
        if key.endswith("num_batches_tracked"):
            continue
        value = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(tuple(shape))
        if key.endswith("running_var"):
            value = np.exp(0.2 * value)
        elif key.endswith("running_mean"):
            value = 0.2 * value
        elif key.endswith("bias"):
            value = 0.1 * value / lr_mul
        elif len(shape) == 1:
            value = 0.5 + 0.1 * value
        elif len(shape) == 4:
            value = value * np.sqrt(2 / np.prod(shape[1:]))
        else:
            value = value / lr_mul
        state[key] = value.astype("float32")
    return state


def seeded_images(count, channels, height, width, seed=3):
    """Return `[count, channels, height, width]` float32 in [-1, 1]: coarse noise under fine noise."""
    random = np.random.RandomState(seed)
    coarse = random.uniform(-1, 1, (count, channels, height // 8, width // 8)).repeat(8, 2).repeat(8, 3)
    return (0.7 * coarse + 0.3 * random.uniform(-1, 1, (count, channels, height, width))).astype("float32")


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


def drawn_state(shapes, seed=0):
    """Return `{key: float32 array}` for `{key: shape}` of a network under any peer's keys.

    Drawn in alphabetical order of the keys, so that it does not matter in which order a peer lists them.
    Filters are constants; weights of the mapping network are large, because those networks scale them down.
    """
    rng = np.random.RandomState(seed)
    taps = np.array([1.0, 3.0, 3.0, 1.0]) / 8
    state = {}
    for key in sorted(shapes):
        value = rng.standard_normal(tuple(shapes[key]))
        if key.endswith("kernel"):
            value = 4 * np.outer(taps, taps)
        elif key.endswith("resample_filter"):
            value = np.outer(taps, taps)
        elif key.startswith(("style.", "mapping.fc")) and key.endswith(".weight"):
            value = value / 0.01
        elif key.endswith(("modulation.bias", "affine.bias")):
            value = 1.0 + 0.1 * value
        elif key.endswith((".bias", "noise.weight", "noise_strength", "w_avg")):
            value = 0.2 * value
        state[key] = np.asarray(value, "float32")
    return state


def drawn_clip_state(shapes, seed=0):
    """As drawn_state, for a CLIP: weights of the size that keeps its activations near 1."""
    rng = np.random.RandomState(seed)
    state = {}
    for key in sorted(shapes):
        shape = tuple(shapes[key])
        value = rng.standard_normal(shape) * (0.2 if len(shape) < 2 else shape[-1] ** -0.5)
        is_norm = len(shape) == 1 and key.endswith("weight")
        shift = 1.0 if is_norm else 0.0
        state[key] = np.asarray(value + shift, "float32")
    return state


def stylegan3_state(shapes, seed=0):
    """As drawn_state, for a StyleGAN3 under NVIDIA's keys, without its filters, which are computed."""
    state = drawn_state(shapes, seed)
    for key in list(state):
        if key.endswith("_filter"):
            del state[key]
        elif key.endswith("magnitude_ema"):
            state[key] = np.asarray(np.exp(0.3 * state[key]), "float32")
        elif key == "synthesis.input.affine.bias":
            state[key] = np.float32([1.0, 0.5, 0.1, -0.1])
        elif key == "synthesis.input.transform":
            state[key] = np.eye(3, dtype="float32")
        elif key.endswith("affine.weight"):
            state[key] = 0.5 * state[key]
    return state
