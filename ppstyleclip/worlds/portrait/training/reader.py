# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The attribute regressor: it reads the factors back from a picture, and its features make a second loss."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.factors import NUM_FACTORS
from ppstyleclip.worlds.portrait.training.network import F, nn, torch

SIDE = 64
JUDGE = {"width": 20, "side": 96}  # of the judges


class Reader(nn.Module):
    """Picture `[N, 3, side, side]` in [-1, 1] to factors `[N, NUM_FACTORS]`.

    Args:
        width: channels of the first block.
        side: of the pictures, a multiple of 16.
    """

    def __init__(self, width=24, side=SIDE):
        super().__init__()
        self.width, self.side = width, side
        plan = [(3, 1, 1), (1, 2, 2), (2, 2, 1), (2, 4, 2), (4, 4, 1), (4, 4, 2), (4, 4, 2)]
        self.blocks = nn.ModuleList()
        for before, after, stride in plan:
            inputs, outputs = (3 if before == 3 else before * width), after * width
            conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
            self.blocks.append(nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)))
        self.hidden = nn.Linear(4 * width * (side // 16) ** 2, 256)
        self.out = nn.Linear(256, NUM_FACTORS)

    def features(self, images):
        """List of the blocks' outputs, coarse last."""
        found, images = [], images.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            images = block(images)
            found.append(images)
        return found

    def read(self, features):
        """Factors from the last block's output."""
        return self.out(F.relu(self.hidden(features.float().flatten(1))))

    def forward(self, images):
        return self.read(self.features(images)[-1])


def shape_of(state):
    """The arguments of a Reader by what it has learnt."""
    width = len(state["blocks.0.0.weight"])
    cells = state["hidden.weight"].shape[1] // (4 * width)
    return {"width": width, "side": 16 * round(cells**0.5)}


def augment(images, rng):
    """Blur, noise, light and a pixel's move, which a generator's pictures may differ by."""
    count = len(images)
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    images = images + (soft - images) * _uniform(rng, count, 0, 1) * _chance(rng, count, 0.5)
    images = images * _uniform(rng, count, 0.92, 1.08) + _uniform(rng, count, -0.06, 0.06)
    left, top = rng.randint(-1, 2, 2)
    images = torch.roll(images, (int(top), int(left)), (2, 3))
    noise = torch.from_numpy(rng.standard_normal(tuple(images.shape)).astype(np.float32))
    return images + noise * _uniform(rng, count, 0, 0.06)


def _uniform(rng, count, low, high):
    return torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32))


def _chance(rng, count, share):
    return torch.from_numpy((rng.rand(count, 1, 1, 1) < share).astype(np.float32))
