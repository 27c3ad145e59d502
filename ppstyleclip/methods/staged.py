# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Synthesis in parts, so that pictures that differ from some layer on share what lies before it.

The generator uses one style tensor after the other (conv1, to_rgb1, convs.0, convs.1, to_rgbs.0, ...). A
Stage holds what has been drawn before tensor k; `advance` draws layer k, `finish` the rest, with constant
noise: from first_stage on, `finish` gives what the generator's own synthesis_from_styles gives.
"""
from __future__ import annotations

from dataclasses import dataclass

import paddle


@dataclass(frozen=True, eq=False)
class Stage:
    """A batch half drawn: what style tensor k starts from.

    Attributes:
        k: the style tensor that comes next, 0 to K.
        x: `[N, C, H, W]` activations.
        image: `[N, 3, h, w]` the sum of the ToRGB layers so far; None before the first.
    """

    k: int
    x: paddle.Tensor
    image: paddle.Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Memory of its tensors."""
        return sum(4 * part.size for part in (self.x, self.image) if part is not None)


def first_stage(generator, count: int) -> Stage:
    """`count` pictures of which nothing is drawn yet: the constant input."""
    return Stage(0, generator.input.input.expand([count, *generator.input.input.shape[1:]]))


def advance(generator, stage: Stage, style) -> Stage:
    """Draw one layer, with its style `[N, C_k]` and the generator's constant noise."""
    layer, noise = _layer(generator, stage.k)
    if noise is None:
        return Stage(stage.k + 1, stage.x, layer(stage.x, style, stage.image))
    return Stage(stage.k + 1, layer(stage.x, style, noise), stage.image)


def _layer(generator, k: int):
    """The layer that style tensor k scales, and its noise picture; None for a ToRGB layer."""
    if k == 0:
        return generator.conv1, generator.noises.noise_0
    if k == 1:
        return generator.to_rgb1, None
    block, place = divmod(k - 2, 3)
    if place == 2:
        return generator.to_rgbs[block], None
    index = 2 * block + place
    return generator.convs[index], getattr(generator.noises, f"noise_{index + 1}")


def finish(generator, stage: Stage, styles):
    """Draw the layers from stage.k on, one style each, and return images `[N, 3, size, size]`."""
    for style in styles:
        stage = advance(generator, stage, style)
    return stage.image


def work_from(generator, k: int) -> float:
    """Multiplications that `finish` needs for one picture from tensor k on; good for a progress bar."""
    total, count = 0, 2 + 3 * len(generator.to_rgbs)
    for j in range(k, count):
        weight = _layer(generator, j)[0].conv.weight  # [1, O, I, k, k]
        is_enlarging = j >= 2 and (j - 2) % 3 == 0
        side = 4 * 2 ** ((j + 1) // 3)  # of what it convolves, or gives where the two differ
        total += weight.size * (side // 2 if is_enlarging else side) ** 2
    return float(total)


def take(stage: Stage, index) -> Stage:
    """The pictures `index` (int64 tensor, repeats allowed) of a stage, as a new batch."""
    image = None if stage.image is None else paddle.index_select(stage.image, index)
    return Stage(stage.k, paddle.index_select(stage.x, index), image)


def join(stages) -> Stage:
    """Batches at the same stage as one."""
    image = None if stages[0].image is None else paddle.concat([stage.image for stage in stages])
    return Stage(stages[0].k, paddle.concat([stage.x for stage in stages]), image)
