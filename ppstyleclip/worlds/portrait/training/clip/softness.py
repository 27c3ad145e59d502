# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the pictures of an edit differ by from rendered ones: softness, JPEG, place, a little colour."""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.ops.bicubic import resize_matrix
from ppstyleclip.worlds.portrait.training.network import torch


def roughen(pixels, rng):
    """One picture `[S, S, 3]` uint8 moved, softened and stored again, each by chance."""
    side = pixels.shape[0]
    if rng.rand() < 0.6:
        angle, scale = rng.uniform(-3, 3), rng.uniform(0.95, 1.05)
        matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, scale)
        matrix[:, 2] += rng.uniform(-0.03, 0.03, 2) * side
        pixels = cv2.warpAffine(
            pixels, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    if rng.rand() < 0.35:
        small = rng.randint(side // 2, side)
        pixels = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(
            pixels, (side, side), interpolation=cv2.INTER_LINEAR if rng.rand() < 0.5 else cv2.INTER_CUBIC
        )
    if rng.rand() < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.3))
    if rng.rand() < 0.25:
        data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.randint(35, 96))])[1]
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return pixels


def to_size(pixels, size):
    """`[N, S, S, 3]` uint8 to `[N, 3, size, size]` in [0, 1], resized as CLIP's pictures are."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255
    matrix = torch.from_numpy(resize_matrix(images.shape[-1], size).copy())  # [size, S]
    return (matrix @ (images @ matrix.t()).clamp(0, 1)).clamp(0, 1)


def tint(images, rng):
    """Light, colour and noise of pictures in [0, 1]."""
    count = len(images)

    def uniform(low, high, channels=1):
        return torch.from_numpy(rng.uniform(low, high, (count, channels, 1, 1)).astype(np.float32))

    images = images * uniform(0.95, 1.05) * uniform(0.98, 1.02, 3) + uniform(-0.03, 0.03)
    generator = torch.Generator().manual_seed(int(rng.randint(2**31)))
    noise = torch.randn(images.shape, generator=generator)
    return (images + noise * uniform(0, 0.02)).clamp(0, 1)


def augment(pixels, size, rng):
    """Pictures `[N, 3, size, size]` in [0, 1] for training, of `[N, S, S, 3]` uint8."""
    return tint(to_size(np.stack([roughen(one, rng) for one in pixels]), size), rng)
