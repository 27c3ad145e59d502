# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The attribute regressor: reads the renderer's factors back from a picture.

It learns from rendered pictures and their true factors only, never from CLIP or a generator, so
that it can judge both. One more of the same kind, from another seed, is the generator's second loss.
"""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from ppstyleclip.toonface.renderer import NUM_FACTORS

JUDGE_SIZE = 64


class AttributeNet(nn.Layer):
    """Picture `[N, 3, 64, 64]` in [-1, 1] to factors `[N, NUM_FACTORS]`, in the renderer's deviations."""

    def __init__(self, width=32):
        super().__init__()
        plan = [
            (3, width, 4, 2),
            (width, 2 * width, 3, 2),
            (2 * width, 2 * width, 3, 1),
            (2 * width, 4 * width, 3, 2),
            (4 * width, 4 * width, 3, 1),
            (4 * width, 4 * width, 3, 2),
        ]
        self.blocks = nn.LayerList(
            [
                nn.Sequential(
                    nn.Conv2D(i, o, k, stride=s, padding=1, bias_attr=False), nn.BatchNorm2D(o), nn.ReLU()
                )
                for i, o, k, s in plan
            ]
        )
        self.hidden = nn.Linear(4 * width * 16, 256)
        self.out = nn.Linear(256, NUM_FACTORS)

    def features(self, images):
        """List of the blocks' outputs, coarse last."""
        outputs = []
        for block in self.blocks:
            images = block(images)
            outputs.append(images)
        return outputs

    def read(self, features):
        """Factors from the last block's output."""
        return self.out(F.relu(self.hidden(features.flatten(1))))

    def forward(self, images):
        return self.read(self.features(to_judge_size(images))[-1])


def to_judge_size(images):
    """Average-pool pictures of a multiple of 64 px to 64 px."""
    factor = images.shape[-1] // JUDGE_SIZE
    return F.avg_pool2d(images, factor) if factor > 1 else images


def augment(images, rng):
    """Blur and noise of the kind that a generator's pictures differ by; the factors stay as they are."""
    kind = rng.randint(4)
    if kind == 1:
        images = F.avg_pool2d(F.pad(images, [1, 1, 1, 1], mode="replicate"), 3, 1)
    elif kind == 2:
        blurred = F.avg_pool2d(F.pad(images, [1, 1, 1, 1], mode="replicate"), 3, 1)
        images = images + (blurred - images) * float(rng.rand())
    noise = rng.rand() * 0.06 * rng.standard_normal(images.shape)
    return images + paddle.to_tensor(noise.astype(np.float32))


def read_factors(judge, images, batch_size=128):
    """Factors `[N, NUM_FACTORS]` that `judge` reads from images `[N, 3, H, W]` (Tensor or ndarray)."""
    judge.eval()
    with paddle.no_grad():
        parts = [
            judge(paddle.to_tensor(images[i : i + batch_size])) for i in range(0, len(images), batch_size)
        ]
    return paddle.concat(parts).numpy()
