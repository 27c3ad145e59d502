# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What an encoder is shown: pictures, and for ReStyle (Alaluf et al. 2021) its last result beside each.

A fit's encoder learns from the results of its own moving average, which is what it becomes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ppstyleclip.worlds.portrait.training.network import F, torch


@dataclass(frozen=True)
class Shown:
    """M times that an encoder is asked.

    Attributes:
        rows: `[M]` which pictures of the batch.
        before: `[M, L, D]` w_plus so far.
        inputs: `[M, 3 or 6, S, S]`.
    """

    rows: torch.Tensor
    before: torch.Tensor
    inputs: torch.Tensor


def show(encoder, images, target, *, rounds, again):
    """What an encoder is shown of pictures in all of its rounds.

    Args:
        encoder: the twin, in evaluation mode, which the results of earlier rounds are of.
        images: `[N, 3, S, S]`.
        target: Target.
        rounds: 0 for pSp's, which are asked once and see no result of theirs; else how often ReStyle's is.
        again: how many of them come again in each round behind the first.
    """
    rows = torch.arange(len(images))
    mean = target.mean.expand(len(images), target.num_styles, -1)
    if not rounds:
        return Shown(rows, mean, images)
    drawn = resized(target.average_picture(), images.shape[-1])
    shown = [Shown(rows, mean, beside(images, drawn))]
    rows = rows[:: max(1, len(rows) // again)][:again]
    w_plus, inputs = mean[rows], shown[0].inputs[rows]
    with torch.no_grad():
        for _ in range(1, rounds):
            w_plus = w_plus + encoder(inputs)
            inputs = beside(images[rows], resized(target.draw(w_plus), images.shape[-1]))
            shown.append(Shown(rows, w_plus, inputs))
    return Shown(*(torch.cat([getattr(one, name) for one in shown]) for name in ("rows", "before", "inputs")))


def beside(images, drawn):
    """`[N, 6, S, S]`: pictures and what was drawn of each, or of the mean latent for all."""
    return torch.cat([images, drawn.expand_as(images)], 1)


def resized(images, side):
    return F.adaptive_avg_pool2d(images, side)
