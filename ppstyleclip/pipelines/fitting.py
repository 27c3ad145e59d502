# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The latent of one face by optimisation, by PaddleGAN's recipe or Image2StyleGAN's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import Distance, FittingConfig, FittingLoss, LpipsDistance, VggDistance
from ppstyleclip.pipelines.inversion import FaceInversion, find_latents
from ppstyleclip.pipelines.quality import LARGE, Measures, measure
from ppstyleclip.pipelines.records import Record
from ppstyleclip.zoo import load_lpips, load_vgg


@dataclass(frozen=True)
class FaceFitConfig:
    """How the latent of a face is fitted.

    Attributes:
        fitting: FittingConfig; where it names no levels, `first_levels` says which move.
        first_levels: so many layers of w_plus move, the first ones; None for all.
        distance: "lpips" or "vgg", by which pictures from quality.LARGE pixels on are compared.
        from_mean: begin with the mean latent even where there is an encoder.
    """

    fitting: FittingConfig = FittingConfig(steps=100)
    first_levels: int | None = 12
    distance: str = "lpips"
    from_mean: bool = False


RECIPES = {
    "paddlegan": FaceFitConfig(),
    # As seed 001 has it, which takes pictures in [0, 1], where squared differences are a quarter.
    "image2stylegan": FaceFitConfig(
        FittingConfig(steps=1500, start_rate=0.02, last_rate=0.02, loss=FittingLoss(mse_weight=0.25)),
        first_levels=None,
        distance="vgg",
        from_mean=True,
    ),
}


def fit_config(
    recipe: str, *, mse_weight: float | None = None, levels: Sequence[int] | None = None, **changes: Any
) -> FaceFitConfig:
    """Return a recipe of RECIPES with parts of its FittingConfig replaced; None leaves a part as it is.

    Args:
        recipe: the name.
        mse_weight: of its FittingLoss.
        levels: as in FittingConfig.
        changes: other fields of FittingConfig.
    Raises:
        UserError: an unknown name; lists the known.
    """
    if recipe not in RECIPES:
        raise UserError(f"unknown recipe '{recipe}', known: {', '.join(RECIPES)}")
    config = RECIPES[recipe]
    changes = {name: value for name, value in changes.items() if value is not None}
    if mse_weight is not None:
        changes["loss"] = FittingLoss(mse_weight)
    if levels is not None:
        changes["levels"] = tuple(levels)
    return replace(config, fitting=replace(config.fitting, **changes))


def load_distance(config: FaceFitConfig, size: int) -> Distance | None:
    """Load what pictures of `size` pixels are compared by; None, the plain distance, for small ones.

    Raises:
        MissingFile: the network's weights are not to be had; None serves in their place.
    """
    if size < LARGE:
        return None
    return LpipsDistance(load_lpips()) if config.distance == "lpips" else VggDistance(load_vgg())


def fit_face(
    editor: Editor,
    crop: np.ndarray,
    config: FaceFitConfig,
    measures: Measures,
    *,
    start: np.ndarray | None = None,
    distance: Distance | None = None,
) -> Iterator[Record[FaceInversion]]:
    """Fit the latent of one face.

    Args:
        editor: Editor.
        crop: `[S, S, 3]` uint8, of the generator's size.
        config: FaceFitConfig, such as RECIPES has.
        measures: what says how near it comes.
        start: w_plus `[1, L, D]` to begin with; None asks the encoder, or takes the mean latent.
        distance: of load_distance; None is PlainDistance.
    Yields:
        Record; the result is a FaceInversion, its two stages those of the start and of the end.
    Raises:
        UserError: no step, a rate that is not above 0, or a level that is not there.
    """
    fitting = _with_levels(config, editor.bundle.generator.n_latent)
    if fitting.steps < 1 or not (fitting.start_rate > 0 and fitting.last_rate > 0):
        raise UserError(
            f"fitting needs at least one step and learning rates above 0, got {fitting.steps} steps, "
            f"{fitting.start_rate:g} and {fitting.last_rate:g}"
        )
    if start is None:
        start = editor.mean_w_plus() if config.from_mean else editor.invert(crop[None])
    begin, w_plus = time.time(), start
    for record in find_latents(editor, crop[None], fitting, start=start, distance=distance):
        w_plus = record.w_plus
        if record.done < record.total:
            yield Record(record.done, record.total, "fitting")
    seconds = time.time() - begin
    drawn = editor.render(np.concatenate([start, w_plus]))
    stages = [measure(measures, crop[None], part[None]) for part in drawn]
    yield Record(
        fitting.steps + 1,
        fitting.steps + 1,
        "fitting",
        FaceInversion(crop, drawn[1], w_plus[0], stages, seconds),
    )


def _with_levels(config: FaceFitConfig, num_layers: int) -> FittingConfig:
    if config.fitting.levels is not None:
        return config.fitting
    first = num_layers if config.first_levels is None else min(config.first_levels, num_layers)
    return replace(config.fitting, levels=tuple(range(first)))
