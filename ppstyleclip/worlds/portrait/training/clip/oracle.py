# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An encoder that is given a face's factors in place of its picture.

Which captions are true follows from the factors alone. So the words learn from faces that are only imagined,
thousands a second, beside this little network; and the pictures learn its features, each a target of its own,
rather than wait for captions that tell them apart. It is thrown away afterwards.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.factors import NUM_FACTORS, mixing
from ppstyleclip.worlds.portrait.training.network import F, nn
from ppstyleclip.worlds.portrait.training.shards import paired_factors


class Oracle(nn.Module):
    """Factors `[N, NUM_FACTORS]` to features `[N, D]`, not normalised."""

    def __init__(self, outputs, width=256):
        super().__init__()
        self.first = nn.Linear(NUM_FACTORS, width)
        self.second, self.out = nn.Linear(width, width), nn.Linear(width, outputs)

    def forward(self, factors):
        x = F.gelu(self.first(factors))
        return self.out(x + F.gelu(self.second(x)))


def imagine(people, pairs, rng):
    """(factors of people, factors of pairs side by side), nobody of whom is drawn."""
    crowd = rng.randn(people, NUM_FACTORS) @ mixing().T
    crowd[people // 2 :] *= 1.2
    return crowd.astype(np.float32), paired_factors(rng, 2 * pairs).astype(np.float32)


def match_loss(images, targets, pairs):
    """How far features of pictures point away from the oracle's, and those of changes from its changes.

    Args:
        images, targets: `[N, D]`; the last 2 * pairs rows are pairs, side by side.
    """
    images, targets = F.normalize(images), F.normalize(targets)
    loss = (1 - (images * targets).sum(1)).mean()
    if pairs:
        moves = [(x[-2 * pairs :: 2] - x[len(x) - 2 * pairs + 1 :: 2]) for x in (images, targets)]
        loss = loss + 0.5 * (1 - F.cosine_similarity(*moves, eps=1e-4)).mean()
    return loss
