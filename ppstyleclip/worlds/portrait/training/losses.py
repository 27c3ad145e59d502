# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the fit minimises: differences band by band, each pixel weighted by the part that it shows."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.canvas import REGIONS
from ppstyleclip.worlds.portrait.training.network import F, torch
from ppstyleclip.worlds.portrait.training.pictures import made_smaller
from ppstyleclip.worlds.portrait.training.shards import MAP_SIDE

# Lips, eyes and brows are small in area; without weights they are learnt last.
WEIGHTS = {
    "background": 0.5,
    "hair": 2.0,
    "skin": 1.5,
    "nose": 3.0,
    "mouth": 9.0,
    "eyes": 6.0,
    "brows": 5.0,
    "beard": 4.0,
    "glasses": 4.0,
    "clothes": 0.7,
}
EDGE = 2.0  # more of it where two parts meet


def part_weights(maps):
    """`[N, 1, 64, 64]` weights, of mean 1 over the batch, of part maps `[N, 64, 64]`, REGIONS' indices."""
    table = torch.tensor([WEIGHTS[name] for name in REGIONS])
    maps = torch.from_numpy(np.ascontiguousarray(maps)).long()
    weights = table[maps][:, None]
    across = (maps[:, :, 1:] != maps[:, :, :-1]).float()
    down = (maps[:, 1:] != maps[:, :-1]).float()
    edge = F.pad(across, (0, 1)) + F.pad(down, (0, 0, 0, 1))
    weights = weights + EDGE * edge.clamp(max=1)[:, None]
    weights = F.avg_pool2d(F.pad(weights, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return weights / weights.mean()


def split_bands(image, count):
    """List of `count` Laplacian bands, fine first, and what is left, a picture."""
    bands = []
    for _ in range(count):
        small = F.avg_pool2d(image, 2)
        bands.append(image - F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False))
        image = small
    return bands + [image]


def band_loss(ours, theirs, weights, *, bands, rest, texture=0.0):
    """Mean over the bands of the weighted L1 in units of the band's own mean magnitude.

    Args:
        ours, theirs: `[N, 3, S, S]`.
        weights: `[N, 1, S, S]`.
        bands: how many Laplacian bands.
        rest: whether what is left below the bands counts as one more.
        texture: weight of a second term, which asks for as much contrast as theirs, wherever it lies; a
            blurred picture pays it, a picture whose strands are a little off does not.
    """
    ours, theirs = split_bands(ours, bands), split_bands(theirs, bands)
    loss = 0.0
    for level in range(bands + bool(rest)):
        a, b = ours[level], theirs[level]
        unit = (weights * b.abs()).mean() + 1e-3
        loss = loss + (weights * (a - b).abs()).mean() / unit
        if texture and level < min(2, bands):
            contrast = F.avg_pool2d(a.abs().mean(1, keepdim=True), 4)
            contrast = contrast - F.avg_pool2d(b.abs().mean(1, keepdim=True), 4)
            loss = loss + texture * (F.avg_pool2d(weights, 4) * contrast.abs()).mean() / unit
        weights = F.avg_pool2d(weights, 2)
    return loss / (bands + bool(rest))


def whole_loss(ours, theirs, maps, texture):
    """Of pictures drawn whole, `{side: [N, 3, side, side]}` from MAP_SIDE on: bands, and plain differences.

    Args:
        ours, theirs: pictures by side.
        maps: `[N, MAP_SIDE, MAP_SIDE]` of parts.
        texture: see band_loss.
    """
    weights, loss = part_weights(maps), 0.0
    for side, images in ours.items():
        each = F.interpolate(weights, scale_factor=side // MAP_SIDE)
        bands = {"bands": 4, "rest": True} if side == MAP_SIDE else {"bands": 2, "rest": False}
        loss = loss + band_loss(images, theirs[side], each, texture=texture, **bands)
        loss = loss + plain_loss(images, theirs[side], each)
    return loss


def plain_loss(ours, theirs, weights):
    return (weights * (ours - theirs).abs()).mean()


def feature_loss(reader, ours, theirs, reading=0.01):
    """Difference of a regressor's features, in units of their variance, and of what it reads.

    Pictures larger than the regressor's are made smaller, smaller ones are refused.

    Args:
        reader: regressor.
        ours, theirs: `[N, 3, S, S]`.
        reading: weight of the squared differences of what it reads, summed over the factors. A faint part,
            such as the shadow of a beard, is next to nothing in all else.
    """
    got = reader.features(made_smaller(ours, reader.side))
    with torch.no_grad():
        want = reader.features(made_smaller(theirs, reader.side))
        read = reader.read(want[-1])
    loss = sum(F.mse_loss(got[i], want[i]) / want[i].var() for i in (2, 4, 5))
    return loss / 3 + reading * (reader.read(got[-1]) - read).square().sum(1).mean()
