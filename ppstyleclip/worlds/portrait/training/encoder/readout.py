# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The encoder's last layers by least squares: the best w that is linear in what its trunk sees.

A few thousand pictures are enough, and it takes a minute, so a short fit of the trunk becomes a useful
encoder. All layers get the same w then, which is where the generator's own faces are.
"""

from __future__ import annotations

import copy
import math

import numpy as np

from ppstyleclip.worlds.portrait.training.irse import POOLED
from ppstyleclip.worlds.portrait.training.network import F, torch
from ppstyleclip.worlds.portrait.training.people import mixed
from ppstyleclip.worlds.portrait.training.pictures import to_images

SEED, BATCH = 31, 32
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)  # of the features' mean square, tried on the pictures held out
HELD = 0.1  # share of the pictures


def see(encoder, target, people, count, size):
    """(features `[N, C H W]` in front of the pooling, w `[N, D]` less the mean) of `count` pictures."""
    rng, features, wanted = np.random.RandomState(SEED), [], []
    with torch.no_grad():
        for _ in range(0, count, BATCH):
            seen, _, z = mixed(people, rng, BATCH)
            images = F.adaptive_avg_pool2d(to_images(seen), size).contiguous(
                memory_format=torch.channels_last
            )
            maps = encoder.output_layer_2[0](encoder.body(encoder.input_layer(images)))
            features.append(maps.flatten(1))
            wanted.append(target.generator.style(torch.from_numpy(z)) - target.mean)
    return torch.cat(features).double(), torch.cat(wanted).double()


def pooling(side):
    """`[POOLED^2, side^2]`: what the encoder's pooling does to a map, as a matrix."""
    one = torch.eye(side * side).view(side * side, 1, side, side)
    return F.adaptive_avg_pool2d(one, POOLED).flatten(1).t().double()


def refit(encoder, target, people, *, count, size):
    """A copy of an encoder with its linear layers solved.

    Args:
        encoder: the twin, in evaluation mode.
        target: Target.
        people: (rendered, drawn).
        count: of pictures; size: of the encoder's input.
    Returns:
        (encoder, mean squared error of w over the held-out pictures, as a share of its variance).
    """
    x, y = see(encoder, target, people, count, size)
    x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    held = max(1, int(HELD * len(x)))
    gram, cross = x[held:].t() @ x[held:], x[held:].t() @ y[held:]
    unit = gram.diagonal().mean() * torch.eye(len(gram), dtype=x.dtype)
    found = [torch.linalg.solve(gram + ridge * unit, cross) for ridge in RIDGES]
    errors = [float((x[:held] @ weights - y[:held]).square().mean()) for weights in found]
    weights = found[int(np.argmin(errors))]
    return with_weights(encoder, weights), min(errors) / float(y.var(0).mean())


def with_weights(encoder, weights):
    """The encoder whose w is `features @ weights[:-1] + weights[-1]`, in all layers alike."""
    changed = copy.deepcopy(encoder)
    linear, (layers, dim) = changed.output_layer_2[3], encoder.shape
    channels = linear.in_features // POOLED**2
    side = math.isqrt((len(weights) - 1) // channels)
    back = torch.linalg.pinv(pooling(side))  # [side^2, POOLED^2]
    maps = weights[:-1].t().reshape(dim * channels, side * side)
    with torch.no_grad():
        linear.weight.copy_((maps @ back).reshape(dim, -1))
        linear.bias.copy_(weights[-1])
        changed.linear.weight.copy_(torch.eye(dim).repeat(1, layers) * math.sqrt(dim))
        changed.linear.bias.zero_()
    return changed
