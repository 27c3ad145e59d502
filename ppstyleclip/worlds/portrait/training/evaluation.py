# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How well a generator draws faces that it has not learnt from."""

from __future__ import annotations

import math

import numpy as np

from ppstyleclip.worlds.portrait.canvas import REGIONS
from ppstyleclip.worlds.portrait.factors import FACTORS, factors_from_z
from ppstyleclip.worlds.portrait.training.losses import split_bands
from ppstyleclip.worlds.portrait.training.network import F, half_precision, torch
from ppstyleclip.worlds.portrait.training.pictures import made_smaller, pyramid, to_images, to_pixels
from ppstyleclip.worlds.portrait.training.regressor import correlations, read_all
from ppstyleclip.worlds.portrait.training.shards import HELD_OUT, Shard, shard_path

FACE = ("skin", "nose", "mouth", "eyes", "brows", "beard", "glasses")
BANDS = 4


class HeldOut:
    """Faces of a held-out shard as tensors."""

    def __init__(self, folder, count=120):
        shard = Shard(shard_path(folder, HELD_OUT))
        self.z = torch.from_numpy(shard.z[:count])
        self.pixels = np.stack([shard.pixels(row) for row in range(len(self.z))])
        self.images = to_images(self.pixels)
        self.maps = torch.from_numpy(shard.maps[: len(self.z)].astype(np.int64))[:, None]
        self.factors = factors_from_z(shard.z[: len(self.z)])


def draw(generator, z, size, batch=20):
    """`{side: pictures}` of 64 px and above, or of `size` alone; in half precision as while learning."""
    parts = []
    with torch.no_grad(), half_precision():
        for rows in z.split(batch):
            found = generator.pictures(generator.styles(rows), size)
            parts.append({side: image.float() for side, image in found.items() if side >= min(64, size)})
    return {side: torch.cat([part[side] for part in parts]) for side in parts[0]}


def psnr(error):
    return 10 * math.log10(4 / max(float(error), 1e-9))


def evaluate(generator, held, size, reader=None):
    """(dict of figures, pixels of the generator's faces at `size`)."""
    ours = draw(generator, held.z, size)
    theirs = pyramid(held.images, list(ours))
    figures = {f"psnr{side}": psnr(F.mse_loss(ours[side].clamp(-1, 1), theirs[side])) for side in ours}
    error = (ours[size].clamp(-1, 1) - theirs[size]).square().mean(1, keepdim=True)
    maps = F.interpolate(held.maps.float(), size=size, mode="nearest").long()
    inside = sum((maps == REGIONS.index(name)).float() for name in FACE)
    figures["face"] = psnr((error * inside).sum() / inside.sum())
    for index, name in enumerate(REGIONS):
        there = (maps == index).float()
        figures[name] = psnr((error * there).sum() / there.sum().clamp(min=1))
    for level, (a, b) in enumerate(zip(split_bands(ours[size], BANDS), split_bands(theirs[size], BANDS))):
        figures[f"band{size >> level}"] = float((a * b).sum() / (a.norm() * b.norm() + 1e-9))
    if reader is not None and size >= reader.side:
        side = min(side for side in ours if side >= reader.side)
        seen = (made_smaller(images[side], reader.side) for images in (ours, theirs))
        found, ideal = (correlations(read_all(reader, images), held.factors) for images in seen)
        figures["read"], figures["read_renderer"] = float(found.mean()), float(ideal.mean())
        worst = np.argsort(found - ideal)[:5]
        figures["worst"] = " ".join(f"{FACTORS[i]} {found[i]:.2f}/{ideal[i]:.2f}" for i in worst)
    return figures, to_pixels(ours[size])
