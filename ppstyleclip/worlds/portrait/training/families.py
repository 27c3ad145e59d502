# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The generator families that can be fitted to the renderer, and how their fits differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.factors import sample_z
from ppstyleclip.worlds.portrait.training import crops, network, start, stylegan3
from ppstyleclip.worlds.portrait.training.network import torch

PEOPLE_SEED, PEOPLE = 5, 96  # on whom magnitudes are measured


@dataclass(frozen=True)
class Family:
    """What a fit asks of a family.

    Attributes:
        size: side of the largest pictures.
        build: `(size, **parts)`; a generator as the fit starts with it.
        empty: `(size)`; one whose weights are to be loaded.
        draw: `(generator, styles, corners, side, whole)`; `{side: pictures}`, see `crops.draw`.
        affine_weights: `(generator, side)`; the weights that turn w into the styles of pictures up to `side`.
        freeze: `(generator, side)`; lets only blocks above `side` learn.
        settle: `(average)`; measures anew what the weights of a moving average cannot take from the network.
    """

    size: int
    build: Callable
    empty: Callable
    draw: Callable
    affine_weights: Callable
    freeze: Callable
    settle: Callable


def _nothing_to_freeze(generator, side):
    if side:
        raise UserError("a StyleGAN3 has no block of its own for each resolution; leave out frozen=")


def _measure_magnitudes(average):
    """The signals of averaged weights are not as strong as those of the network that learns."""
    average.measure(torch.from_numpy(sample_z(PEOPLE_SEED, PEOPLE)))


FAMILIES = {
    "stylegan2": Family(
        256,
        start.build,
        network.Generator,
        crops.draw,
        network.affine_weights,
        network.freeze,
        lambda average: None,
    ),
    "stylegan3": Family(
        stylegan3.SIZE,
        start.build_stylegan3,
        stylegan3.StyleGAN3,
        lambda generator, styles, corners, side, whole: generator.pictures(styles, side),
        stylegan3.affine_weights,
        _nothing_to_freeze,
        _measure_magnitudes,
    ),
}
