# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The upper blocks on windows of the picture.

Up to 64 px a generator decides what is where; above, it draws what lies near. So the blocks of 128 and
256 px learn from a window of the features each, of some faces only, which costs a sixth of whole pictures.
Windows lie where the face's parts weigh most, now and then anywhere. The block of 128 px can be
drawn whole, too, for a regressor that looks at it.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.training.network import torch

TRUNK = 64  # side of what is drawn whole
WINDOW, MARGIN = 36, 3  # side of a window in pixels of the trunk, and what its edges spoil
ANYWHERE = 0.25  # share of windows that are placed evenly


def place_windows(weights, rng):
    """`[N, 2]` whole numbers (top, left) for weights `[N, 1, 64, 64]`."""
    weights = weights.numpy()[:, 0]
    count, side = weights.shape[:2]
    share = weights.reshape(count, -1)
    share = (1 - ANYWHERE) * share / share.sum(1, keepdims=True) + ANYWHERE / side**2
    middles = [rng.choice(side * side, p=row / row.sum()) for row in share.astype(np.float64)]
    corners = np.stack(np.divmod(middles, side), 1) - rng.randint(0, WINDOW, (count, 2))
    return np.clip(corners, 0, side - WINDOW)


def cut(batch, corners, scale=1):
    """The windows of `[N or 1, C, S, S]`, S being scale * 64: `[N, C, scale * WINDOW, scale * WINDOW]`."""
    rows = [
        batch[n % len(batch), :, top : top + scale * WINDOW, left : left + scale * WINDOW]
        for n, (top, left) in enumerate(corners * scale)
    ]
    return torch.stack(rows).contiguous(memory_format=torch.channels_last)


def valid(corners):
    """`[N, 1, WINDOW, WINDOW]`: 0 on the margins, which know nothing of what lies outside, else 1."""
    mask = np.ones((len(corners), 1, WINDOW, WINDOW), np.float32)
    for n, (top, left) in enumerate(corners):
        mask[n, :, : MARGIN if top else 0] = 0
        mask[n, :, WINDOW - (MARGIN if top < TRUNK - WINDOW else 0) :] = 0
        mask[n, :, :, : MARGIN if left else 0] = 0
        mask[n, :, :, WINDOW - (MARGIN if left < TRUNK - WINDOW else 0) :] = 0
    return torch.from_numpy(mask)


def draw(generator, styles, corners, size, whole=TRUNK):
    """`{side: picture}`: whole up to `whole` px, the windows' parts of the larger ones up to `size`.

    Where there are fewer windows than faces, the last faces are not drawn above TRUNK.
    """
    x, image = generator.first(styles)
    found = {}
    for k in range(size.bit_length() - 3):
        side = 8 * 2**k
        if side == 2 * TRUNK:
            x, image = x[: len(corners)], image[: len(corners)]
            styles = [style[: len(corners)] for style in styles]
        if side == 2 * whole:
            scale = whole // TRUNK
            x, image = cut(x, corners, scale), cut(image, corners, scale)
        noises = None
        if side > whole:
            both = (generator.noise(2 * k + 1), generator.noise(2 * k + 2))
            noises = [cut(noise, corners, side // TRUNK) for noise in both]
        x, image = generator.block(k, x, image, styles, noises)
        found[side] = image
    return found
