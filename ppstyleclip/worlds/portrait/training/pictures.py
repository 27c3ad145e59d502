# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Between pixels and tensors, and the averages of a picture that its smaller forms are."""

from __future__ import annotations

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.training.network import F, torch


def to_images(pixels):
    """`[N, H, W, 3]` uint8 to `[N, 3, H, W]` in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(images):
    """`[N, 3, H, W]` in [-1, 1] to `[N, H, W, 3]` uint8."""
    images = (images.float().clamp(-1, 1) + 1) * 127.5
    return images.permute(0, 2, 3, 1).round().to(torch.uint8).numpy()


def pyramid(images, sides):
    """`{side: images}` by averaging, for sides that are halves of the pictures' own, or halves of halves."""
    found = {}
    for side in sorted(sides, reverse=True):
        images = F.avg_pool2d(images, images.shape[-1] // side)
        found[side] = images
    return found


def made_smaller(images, side):
    """`[N, 3, S, S]` at `[N, 3, side, side]`, S being `side` or more."""
    if images.shape[-1] < side:
        raise UserError(f"pictures of {images.shape[-1]} px are drawn whole; at least {side} are looked at")
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
