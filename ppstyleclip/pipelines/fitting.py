# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The latent of one face by optimisation: PaddleGAN's recipe, Image2StyleGAN's, StyleGAN2's projection."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import (
    Distance,
    FittingConfig,
    FittingLoss,
    LpipsDistance,
    ProjectionConfig,
    VggDistance,
    project,
)
from ppstyleclip.pictures import to_images
from ppstyleclip.pipelines.inversion import FaceInversion, find_latents
from ppstyleclip.pipelines.quality import LARGE, Measures, measure
from ppstyleclip.pipelines.records import Record
from ppstyleclip.zoo import load_lpips, load_vgg


@dataclass(frozen=True)
class FaceFitConfig:
    """How the latent of a face is fitted.

    Attributes:
        fitting: FittingConfig, in w_plus; where it names no levels, `first_levels` says which move. Or a
            ProjectionConfig, for one w from the mean.
        first_levels: so many layers of w_plus move, the first ones; None for all.
        distance: "lpips" or "vgg", by which pictures from quality.LARGE pixels on are compared.
        from_mean: begin with the mean latent even where there is an encoder.
    """

    fitting: FittingConfig | ProjectionConfig = FittingConfig(steps=100)
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
    # StyleGAN2's projector, as seed 004's notebook has it; its VGG-16 file computes LPIPS.
    "projector": FaceFitConfig(ProjectionConfig(), first_levels=None, from_mean=True),
}
_OPTIONS = {
    "last_rate": "last rate (--final_lr)",
    "levels": "levels that move (--latent_level)",
    "loss": "squared differences (--mse_weight)",
    "noise_weight": "noise pictures (--noise_weight)",
}
_OF_PROJECTOR = {"start_rate": "learning_rate"}  # what it calls what others have


def fit_config(
    recipe: str, *, mse_weight: float | None = None, levels: Sequence[int] | None = None, **changes: Any
) -> FaceFitConfig:
    """Return a recipe of RECIPES with parts of its fitting replaced; None leaves a part as it is.

    Args:
        recipe: the name.
        mse_weight: of its FittingLoss.
        levels: as in FittingConfig.
        changes: other fields of FittingConfig or of ProjectionConfig; a `start_rate` is the projector's
            learning rate.
    Raises:
        UserError: an unknown name; lists the known. Or the recipe has no such part.
    """
    if recipe not in RECIPES:
        raise UserError(f"unknown recipe '{recipe}', known: {', '.join(RECIPES)}")
    config = RECIPES[recipe]
    if mse_weight is not None:
        changes["loss"] = FittingLoss(mse_weight)
    if levels is not None:
        changes["levels"] = tuple(levels)
    changes = {name: value for name, value in changes.items() if value is not None}
    if isinstance(config.fitting, ProjectionConfig):
        changes = {_OF_PROJECTOR.get(name, name): value for name, value in changes.items()}
    odd = sorted(set(changes) - {field.name for field in fields(config.fitting)})
    if odd:
        words = ", ".join(_OPTIONS.get(name, name) for name in odd)
        raise UserError(f"the recipe {recipe} has no {words}; leave that out, or take another recipe")
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
        start: w_plus `[1, L, D]` to begin with; None asks the encoder, or takes the mean latent. A projection
            always begins at the mean.
        distance: of load_distance; None is PlainDistance.
    Yields:
        Record; the result is a FaceInversion, its two stages those of the start and of the end.
    Raises:
        UserError: no step, a rate that is not above 0, a level that is not there, or a start of a projection.
    """
    if isinstance(config.fitting, ProjectionConfig):
        yield from _project_face(editor, crop, config.fitting, measures, start, distance)
        return
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
    made = _found(editor, crop, measures, start, w_plus, time.time() - begin)
    yield Record(fitting.steps + 1, fitting.steps + 1, "fitting", made)


def _project_face(
    editor: Editor,
    crop: np.ndarray,
    config: ProjectionConfig,
    measures: Measures,
    start: np.ndarray | None,
    distance: Distance | None,
) -> Iterator[Record[FaceInversion]]:
    if config.steps < 1 or not config.learning_rate > 0:
        raise UserError(
            "a projection needs at least one step and a learning rate above 0, got "
            f"{config.steps} and {config.learning_rate:g}"
        )
    if start is not None:
        raise UserError("a projection begins at the mean latent; leave out --pre_latent")
    begin, start = time.time(), editor.mean_w_plus()
    w_plus, total = start, config.steps + 1
    for step in project(editor.bundle.generator, to_images(crop[None]), config, distance=distance):
        w_plus = step.value
        yield Record(step.done, total, "fitting")
    yield Record(total, total, "fitting", _found(editor, crop, measures, start, w_plus, time.time() - begin))


def _found(
    editor: Editor,
    crop: np.ndarray,
    measures: Measures,
    start: np.ndarray,
    w_plus: np.ndarray,
    seconds: float,
) -> FaceInversion:
    """The face as it is drawn of `w_plus`, and how near start and end come."""
    drawn = editor.render(np.concatenate([start, w_plus]))
    stages = [measure(measures, crop[None], part[None]) for part in drawn]
    return FaceInversion(crop, drawn[1], w_plus[0], stages, seconds)


def _with_levels(config: FaceFitConfig, num_layers: int) -> FittingConfig:
    fitting = config.fitting
    assert isinstance(fitting, FittingConfig)
    if fitting.levels is not None:
        return fitting
    first = num_layers if config.first_levels is None else min(config.first_levels, num_layers)
    return replace(fitting, levels=tuple(range(first)))
