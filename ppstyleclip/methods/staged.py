# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Synthesis in parts, so that pictures that differ from some layer on share what lies before it.

The generator uses one style tensor after the other (conv1, to_rgb1, convs.0, convs.1, to_rgbs.0, ...). A
Stage holds what has been drawn before tensor k; `advance` draws layer k, `finish` the rest, with constant
noise: from first_stage on, `finish` gives what the generator's own synthesis_from_styles gives.

Of pictures that differ in one channel of style tensor k, layer k's convolution is shared too: an Opened holds
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.models.stylegan2_layers import output_side


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
    is_opened = False

    def begin(self, images, style, columns):
        """`{name: array}` of what pictures that go on from `images` `[P]` start with."""
        given = {"x": self.x, "image": self.image}
        rows = paddle.to_tensor(images)
        return {
            name: paddle.index_select(tensor, rows).numpy()
            for name, tensor in given.items()
            if tensor is not None
        }


@dataclass(frozen=True, eq=False)
class Opened:
    """A batch of which layer k is drawn up to its demodulation, to have single channels of style k changed.

    With s' differing from the style s in channel c alone, the convolution is linear in what c brings:

        conv(x * s') = conv(x * s) + (s'_c - s_c) * (x_c convolved with c's kernels)

    Attributes, of arrays:
        k: the style tensor, a convolution's.
        x: `[N, I, h, w]` what the convolution is of.
        style: `[N, I]` under which it was done.
        y: `[N, O, H, W]` its result, scale and gain included.
        kernels: `[I, O, 9]` as in StyledConv.channel_kernels.
        image: as in Stage.
    """

    k: int
    x: np.ndarray
    style: np.ndarray
    y: np.ndarray
    kernels: np.ndarray
    image: np.ndarray | None = None
    is_opened = True

    def begin(self, images, style, columns):
        """`{name: array}` of what pictures start with that go on from `images` `[P]` with `style` `[P, I]`.

        Styles differ from this one's in the channels `columns` `[P]` alone. The names are x, the convolution
        so far; plane `[P, 1, h, w]`, the channel; kernel `[P, O, 9]`, what is to be added of it; and image.
        """
        pairs = np.arange(len(images))
        change = style[pairs, columns] - self.style[images, columns]
        given = {
            "x": _rows(self.y, images),
            "plane": self.x[images, columns][:, None],
            "kernel": self.kernels[columns] * change[:, None, None],
        }
        return given if self.image is None else {**given, "image": _rows(self.image, images)}


def _rows(array, rows):
    """`array[rows]`, of a single row without a copy."""
    return array[rows] if len(rows) > 1 else array[rows[0] : rows[0] + 1]


def first_stage(generator, count: int) -> Stage:
    """`count` pictures of which nothing is drawn yet: the constant input."""
    return Stage(0, generator.input.input.expand([count, *generator.input.input.shape[1:]]))


def advance(generator, stage: Stage, style) -> Stage:
    """Draw one layer, with its style `[N, C_k]` and the generator's constant noise."""
    layer, noise = _layer(generator, stage.k)
    if noise is None:
        return Stage(stage.k + 1, stage.x, layer(stage.x, style, stage.image))
    return Stage(stage.k + 1, layer(stage.x, style, noise), stage.image)


def open_layer(generator, stage: Stage, style) -> Opened:
    """Convolve a stage before a convolution under its style `[N, C_k]`."""
    layer, _ = _layer(generator, stage.k)
    image = None if stage.image is None else stage.image.numpy()
    return Opened(
        stage.k,
        stage.x.numpy(),
        style.numpy(),
        layer.convolve(stage.x, style).numpy(),
        layer.channel_kernels(),
        image,
    )


def _layer(generator, k: int):
    """The layer that style tensor k scales, and its noise picture; None for a ToRGB layer."""
    return generator.drawing_layers()[k]


def finish(generator, stage: Stage, styles):
    """Draw the layers from stage.k on, one style each, and return the picture that they make.

    With styles for all of them that is images `[N, 3, size, size]`; with styles up to tensor
    count_tensors(generator, side) it is the smaller picture that the generator enlarges from there on.
    """
    for style in styles:
        stage = advance(generator, stage, style)
    return stage.image


def count_tensors(generator, side: int | None = None) -> int:
    """How many style tensors draw the picture of `side` pixels; None for the whole picture.

    Raises:
        UserError: the generator draws no picture of that side.
    """
    sides = [4 * 2**power for power in range(len(generator.to_rgbs) + 1)]
    if side is None:
        side = sides[-1]
    if side not in sides:
        raise UserError(
            f"this generator draws pictures of {', '.join(map(str, sides))} px on its way; "
            f"it cannot stop at {side}"
        )
    return 2 + 3 * sides.index(side)


def work_from(generator, k: int, end: int | None = None) -> float:
    """Multiplications that `finish` needs for one picture from tensor k up to `end`; for a progress bar."""
    total = 0
    for j in range(k, count_tensors(generator) if end is None else end):
        weight = _layer(generator, j)[0].conv.weight  # [1, O, I, k, k]
        is_enlarging = j >= 2 and (j - 2) % 3 == 0
        side = output_side(j)  # of what it convolves, or gives where the two differ
        total += weight.size * (side // 2 if is_enlarging else side) ** 2
    return float(total)


def stage_bytes(generator, k: int) -> int:
    """Memory of one picture's Stage before tensor k."""
    convs = [j for j in range(k) if _layer(generator, j)[1] is not None]
    width, side = generator.input.input.shape[1], 4
    if convs:
        width, side = _layer(generator, convs[-1])[0].conv.weight.shape[1], output_side(convs[-1])
    rgb = [3 * output_side(j) ** 2 for j in range(k) if _layer(generator, j)[1] is None]
    return 4 * (width * side**2 + (rgb[-1] if rgb else 0))


def opened_bytes(generator, k: int) -> int:
    """Memory of one picture's Opened before tensor k, beside the kernels; k is a convolution's."""
    made = _layer(generator, k)[0].conv.weight.shape[1] * output_side(k) ** 2
    return stage_bytes(generator, k) + 4 * made


def take(stage: Stage, index) -> Stage:
    """The pictures `index` (int64 tensor, repeats allowed) of a stage, as a new batch."""
    image = None if stage.image is None else paddle.index_select(stage.image, index)
    return Stage(stage.k, paddle.index_select(stage.x, index), image)


def join(stages) -> Stage:
    """Batches at the same stage as one."""
    image = None if stages[0].image is None else paddle.concat([stage.image for stage in stages])
    return Stage(stages[0].k, paddle.concat([stage.x for stage in stages]), image)


def join_opened(parts) -> Opened:
    """Batches opened at the same layer as one."""
    first = parts[0]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("x", "style", "y", "image")
        if getattr(first, name) is not None
    }
    return Opened(k=first.k, kernels=first.kernels, **arrays)
