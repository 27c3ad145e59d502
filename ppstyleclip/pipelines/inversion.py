# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From crops of faces to latents: an encoder, fitting behind it, and a generator tuned to each face."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.inputs import as_picture, as_pictures
from ppstyleclip.methods.inversion import (
    Distance,
    FittingConfig,
    TuningConfig,
    latent_fitter,
    tune_generator,
)
from ppstyleclip.methods.inversion.fitting import check_pictures
from ppstyleclip.models.canvas import turns_canvas
from ppstyleclip.pictures import to_images
from ppstyleclip.pipelines.faces import AlignedFace, unaligned_face
from ppstyleclip.pipelines.quality import Measures, Quality, measure
from ppstyleclip.pipelines.records import Record

CROPS = "crops of faces are [N, S, S, 3] uint8"


@dataclass(frozen=True, eq=False)
class LatentRecord:
    """Latents of some crops after `done` of `total` steps; the encoder's answer counts as the first.

    Attributes:
        w_plus: `[N, L, D]`.
    """

    done: int
    total: int
    w_plus: np.ndarray


class LatentFinder(Protocol):
    """A function of latent_finder."""

    def __call__(self, crops: np.ndarray, *, start: np.ndarray | None = None) -> Iterator[LatentRecord]:
        """Find latents of crops `[N, S, S, 3]` uint8, as find_latents does."""


@dataclass(frozen=True, eq=False)
class InversionResult:
    """Latents of N faces and what draws them.

    Attributes:
        w_plus: `[N, L, D]`.
        editors: N Editors; one and the same where no generator was tuned.
        stages: Quality of the encoder's latents, behind fitting, behind tuning.
        seconds: that finding them took.
    """

    w_plus: np.ndarray
    editors: list[Editor]
    stages: list[Quality]
    seconds: float


@dataclass(frozen=True, eq=False)
class FaceInversion:
    """One face, its latent, and how near it comes.

    Attributes:
        crop: `[S, S, 3]` uint8.
        drawn: `[S, S, 3]` uint8, what the generator makes of the latent.
        w_plus: `[L, D]`.
        stages: Quality of the start, where there was one, and of the end.
        seconds: that finding it took.
    """

    crop: np.ndarray
    drawn: np.ndarray
    w_plus: np.ndarray
    stages: list[Quality]
    seconds: float


@dataclass(frozen=True, eq=False)
class UnalignedFace:
    """One face as it stands in its photo, beside its latent drawn so.

    Attributes:
        crop: `[S, S, 3]` uint8, upright.
        drawn: `[S, S, 3]` uint8.
        transform: `[3, 3]` float32, through which the aligned face is drawn.
    """

    crop: np.ndarray
    drawn: np.ndarray
    transform: np.ndarray


def draw_unaligned(
    editor: Editor, photo: np.ndarray, face: AlignedFace, w_plus: np.ndarray
) -> UnalignedFace | None:
    """Draw a face in the pose that it has in its photo.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        face: cut out of it.
        w_plus: `[L, D]` its latent.
    Returns:
        UnalignedFace; None where the generator draws aligned faces only, or the crop was not aligned.
    """
    if face.face is None or not turns_canvas(editor.bundle.generator):
        return None
    upright = unaligned_face(photo, face)
    assert upright.canvas is not None
    drawn = editor.on_canvas(upright.canvas).render(w_plus[None])[0]
    return UnalignedFace(upright.crop, drawn, upright.canvas.matrix())


def find_latents(
    editor: Editor,
    crops: np.ndarray,
    config: FittingConfig = FittingConfig(),  # noqa: B008  frozen
    *,
    start: np.ndarray | None = None,
    distance: Distance | None = None,
) -> Iterator[LatentRecord]:
    """Find latents that draw some crops better and better: the encoder's, then those of each fitting step.

    Args:
        editor: Editor.
        crops: `[N, S, S, 3]` uint8, of the generator's size.
        config: of fitting; 0 steps stay with the encoder.
        start: w_plus `[N, L, D]` to begin with; None asks the encoder, or takes the mean latent without one.
        distance: as in fit_latents.
    Yields:
        LatentRecord.
    """
    return latent_finder(editor, config, distance=distance)(crops, start=start)


def latent_finder(
    editor: Editor,
    config: FittingConfig = FittingConfig(),  # noqa: B008  frozen
    *,
    distance: Distance | None = None,
) -> LatentFinder:
    """Make find_latents a function of crops, for one group of them after another.

    What fits them is loaded for the first ones, and freed when nothing refers to the function any more.

    Args:
        editor, config, distance: as for find_latents.
    Returns:
        function of `crops`, and of `start` by its name; gives what find_latents gives.
    """
    fit = latent_fitter(editor.bundle.generator, config, distance=distance) if config.steps else None

    def find(crops: np.ndarray, *, start: np.ndarray | None = None) -> Iterator[LatentRecord]:
        crops = as_pictures(crops, CROPS)
        w_plus = editor.invert(crops) if start is None else np.asarray(start, np.float32)
        yield LatentRecord(1, config.steps + 1, w_plus)
        for done, step in enumerate(fit(to_images(crops), w_plus) if fit else (), 2):
            yield LatentRecord(done, config.steps + 1, step.value)

    return find


def tune_editor(
    editor: Editor,
    crop: np.ndarray,
    w_plus: np.ndarray,
    config: TuningConfig,
    *,
    distance: Distance | None = None,
) -> Iterator[Record[Editor]]:
    """Change a copy of an editor's generator around one latent until it draws one face, as PTI does.

    Args:
        editor: Editor; it is left as it is.
        crop: `[S, S, 3]` uint8.
        w_plus: `[L, D]` the face's latent.
        config: TuningConfig, of at least 1 step.
        distance: as in tune_generator.
    Yields:
        Record; the result is an Editor whose generator is the tuned one, with everything else the same.
    """
    image, generator = to_images(as_picture(crop)[None]), editor.bundle.generator
    for step in tune_generator(generator, image, w_plus[None], config, distance=distance):
        is_last = step.done == step.total
        tuned = (
            Editor(editor.bundle.with_parts(generator=step.generator), relevance=editor.relevance)
            if is_last
            else None
        )
        yield Record(step.done, step.total, "tuning", tuned)


def invert_faces(
    editor: Editor,
    crops: np.ndarray,
    measures: Measures,
    fitting: FittingConfig = FittingConfig(),  # noqa: B008  frozen
    tuning: TuningConfig | None = None,
) -> Iterator[Record[InversionResult]]:
    """Invert faces: the encoder, fitting, and if wanted a generator tuned to each.

    Args:
        editor: Editor.
        crops: `[N, S, S, 3]` uint8, of the generator's size.
        measures: what says how near each stage comes.
        fitting: FittingConfig.
        tuning: TuningConfig; None tunes nothing.
    Yields:
        Record; the result is an InversionResult.
    """
    crops, begin = as_pictures(crops, CROPS), time.time()
    check_pictures(editor.bundle.generator, to_images(crops[:1]))
    total = fitting.steps + 1 + (tuning.steps * len(crops) if tuning else 0)
    ends: list[np.ndarray] = []
    for record in find_latents(editor, crops, fitting):
        ends = [*ends[:1], record.w_plus]
        if record.done < total:
            yield Record(record.done, total, "latents")
    w_plus, editors, done = ends[-1], [editor] * len(crops), fitting.steps + 1
    for k in range(len(crops) if tuning else 0):
        for step in tune_editor(editor, crops[k], w_plus[k], tuning):  # type: ignore[arg-type]
            done += 1
            editors[k] = step.result or editor
            if done < total:
                yield Record(done, total, step.stage)
    seconds = time.time() - begin
    stages = [measure(measures, crops, editor.render(latents)) for latents in ends]
    if tuning:
        drawn = [one.render(latent[None])[0] for one, latent in zip(editors, w_plus)]
        stages.append(measure(measures, crops, np.stack(drawn)))
    yield Record(total, total, "latents", InversionResult(w_plus, editors, stages, seconds))


def encode_face(editor: Editor, crop: np.ndarray, measures: Measures) -> FaceInversion:
    """Invert one face by the encoder alone, as pSp does.

    Args:
        editor: Editor of a model with an encoder.
        crop: `[S, S, 3]` uint8, of the generator's size.
        measures: what says how near it comes.
    Raises:
        UserError: the model has no encoder.
    """
    if editor.bundle.encoder is None:
        raise UserError(
            f"'{editor.bundle.name}' has no encoder; use --model_type ffhq-inversion or "
            "portrait, or fit the latent: `ppstyleclip fit`"
        )
    begin = time.time()
    w_plus = editor.invert(crop[None])
    seconds = time.time() - begin
    drawn = editor.render(w_plus)
    return FaceInversion(crop, drawn[0], w_plus[0], [measure(measures, crop[None], drawn)], seconds)
