# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An edit that stays in its region: two chains through the layers, blended by a mask behind each rate.

The original chain is what is drawn without the edit; the edited one takes from it, sampling rate by sampling
rate, whatever lies outside the mask. At the last rate, the picture's, the edited chain goes on alone: what it
draws outside the mask is not kept anyway. A layer's margin beyond the picture follows the edge of the mask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import paddle.nn.functional as F
from paddle import Tensor

from .geometry import sampling_rates

if TYPE_CHECKING:
    from .generator import StyleGAN3Generator


def layer_sides(size: int) -> tuple[int, ...]:
    """Rates at which a generator of `size` pixels blends the chains, ascending; () up to 16 px."""
    return tuple(sorted({rate for rate in sampling_rates(size) if rate < size}))


def blended_tensors(size: int) -> int:
    """How many style tensors draw up to the last blend: those that the original chain needs."""
    return 1 + max((i for i, rate in enumerate(sampling_rates(size), 1) if rate < size), default=-1)


def draw_in_region(
    generator: StyleGAN3Generator,
    styles: Sequence[Tensor],
    edited: Sequence[Tensor],
    masks: Mapping[int, Tensor],
) -> Tensor:
    """Images `[N, 3, size, size]` of two chains, blended where a layer is the last of its rate.

    Args:
        generator: whose layers are used.
        styles: K style tensors before the edit, or the first blended_tensors of them.
        edited: K style tensors.
        masks: `{rate: [N or 1, 1, rate, rate]}` for each of layer_sides.
    """
    rates, blended = sampling_rates(generator.size), blended_tensors(generator.size)
    original = inside = None
    for k in range(blended):
        original = generator.draw_layer(k, original, styles[k])
        inside = generator.draw_layer(k, inside, edited[k])
        if k > 0 and rates[k] != rates[k - 1]:  # behind L(k - 1), the last of its rate
            mask = _with_margin(masks[rates[k - 1]], original.shape[-1])
            inside = original + mask * (inside - original)
    return generator.draw_layers(inside, blended, edited[blended:])


def _with_margin(mask: Tensor, side: int) -> Tensor:
    """A mask of the picture for a layer that reaches beyond it on all sides."""
    margin = (side - mask.shape[-1]) // 2
    return F.pad(mask, [margin] * 4, mode="replicate") if margin > 0 else mask
