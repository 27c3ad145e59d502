# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A job's work: a request and a photo in, a record for each step, pictures and a card out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Callable

import numpy as np

from ppstyleclip import __version__
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.methods.optimization import OptimizationConfig
from ppstyleclip.pictures import grid
from ppstyleclip.pipelines.editing import edit_face
from ppstyleclip.pipelines.inversion import invert_faces
from ppstyleclip.pipelines.mapper_edit import apply_chain
from ppstyleclip.pipelines.optimization import default_preset, optimize_faces, sample_start, to_space
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.photo_steps import change_photo
from ppstyleclip.pipelines.presets import read_optimization_preset
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.model import Model
from ppstyleclip.server.schemas import JobRequest


@dataclass(frozen=True, eq=False)
class Made:
    """What a job made.

    Attributes:
        pictures: `{role: [H, W, 3]}` uint8: "edited", the photo or the face; "before", the face as the
            generator draws it; of a photo also "after", the drawn face with the edit.
        card: plain values that say what was done.
    """

    pictures: dict[str, np.ndarray]
    card: dict[str, Any]


def check_request(model: Model, request: JobRequest, *, has_photo: bool, max_steps: int) -> None:
    """Refuse at once what can be known before the work.

    Raises:
        UserError: neither photo nor seed, or both; an unknown mapper; words that the model cannot take; too
            many steps.
    """
    if has_photo == (request.seed is not None):
        raise UserError("one face is edited: send a photo, or name a seed" + " and no photo" * has_photo)
    if has_photo and model.finder is None:
        raise UserError(f"this server takes no photos: {model.no_photos}")
    for name in ("steps", "fitting"):
        if (getattr(request, name) or 0) > max_steps:
            raise UserError(f"{name} may be {max_steps} at most, got {getattr(request, name)}")
    if request.method == "mapper":
        model.chain(request.mapper or "", request.target, request.strength)


def warm_methods(model: Model, everything: bool) -> Iterator[Record[Any]]:
    """Run what jobs will run, a step of each, so that its programs are compiled.

    Args:
        model: Model.
        everything: optimisation and fitting too, not drawing alone.
    """
    editor, words = model.editor, {"seed": 0, "target": "happy face"}
    yield from _direction(model, JobRequest(**words), None)  # type: ignore[arg-type]
    if not everything:
        return
    yield from _optimise(model, JobRequest(**words, method="optimise", steps=1), None)  # type: ignore[arg-type]
    yield from invert_faces(editor, editor.render(editor.sample(0)), model.measures, FittingConfig(steps=1))
    config, identity = _optimization(editor, 1, is_sampled=False)  # of photos: another preset
    start = to_space(editor, editor.sample(0).numpy(), config.space)
    for step in optimize_faces(editor, start, ["happy face"], config, identity=identity):
        yield Record(step.done, step.total, "optimising")


def run_request(model: Model, request: JobRequest, photo: np.ndarray | None) -> Iterator[Record[Made]]:
    """Do a job.

    Args:
        model: Model.
        request: JobRequest, which check_request has passed.
        photo: `[H, W, 3]` uint8, or None with a seed.
    Yields:
        Record; the last one has Made.
    Raises:
        UserError: words, or a photo without a face.
    """
    begin = time.time()
    card: dict[str, Any] = {
        "ppstyleclip": __version__,
        "model": model.editor.bundle.name,
        "fingerprints": dict(model.editor.bundle.fingerprints),
        "method": request.method,
        "request": request.model_dump(exclude_none=True),
    }
    work = _BY_METHOD[request.method]
    for record in work(model, request, photo):
        made = None
        if record.result is not None:
            more = {**card, **record.result.card, "seconds": round(time.time() - begin, 3)}
            made = replace(record.result, card=more)
        yield Record(record.done, record.total, record.stage, made)


def _direction(model: Model, request: JobRequest, photo: np.ndarray | None) -> Iterator[Record[Made]]:
    editor, edit = model.editor, Edit(**request.edit_fields())
    if photo is None:
        face = editor.sample(request.seed or 0)
        for record in edit_face(editor, face, editor.fixed(face, edit)):
            made = None
            if record.result is not None:
                found = record.result
                card = _edit_card(editor, edit, found.edit) | {"channels": int(found.direction.num_channels)}
                made = Made({"edited": found.after, "before": found.before}, card)
            yield Record(record.done, record.total, record.stage, made)
        return
    config = _photo_config(request)
    for step in edit_photo(editor, photo, edit, config, finder=model.finder, measures=model.measures):
        made = None
        if step.result is not None:
            one = step.result
            card = _edit_card(editor, edit, one.edit) | _faces_card(
                one.faces, one.inversion, one.quality_after
            )
            made = Made({"edited": one.pixels, "before": _row(one.before), "after": _row(one.after)}, card)
        yield Record(step.done, step.total, step.stage, made)


def _optimise(model: Model, request: JobRequest, photo: np.ndarray | None) -> Iterator[Record[Made]]:
    editor, target = model.editor, request.target or ""
    config, identity = _optimization(editor, request.steps, is_sampled=photo is None)
    card: dict[str, Any] = {"steps": config.steps, "space": config.space}

    def moved(start: np.ndarray) -> Iterator[Record[Any]]:
        records = optimize_faces(editor, start, [target], config, neutral=request.neutral, identity=identity)
        for step in records:
            if step.result is not None:
                losses = step.result.losses["clip"].mean(axis=1)
                card["clip_loss"] = [round(float(losses[0]), 4), round(float(losses[-1]), 4)]
            yield Record(step.done, step.total, "optimising", step.result)

    if photo is None:
        for record in moved(sample_start(editor, [request.seed or 0], config.space)):
            made = None
            if record.result is not None:
                made = Made({"edited": record.result.after[0], "before": record.result.before[0]}, card)
            yield Record(record.done, record.total, record.stage, made)
        return

    def change(one: Editor, w_plus: np.ndarray) -> Iterator[Record[np.ndarray]]:
        for record in moved(to_space(one, w_plus, config.space)):
            reached = None if record.result is None else record.result.saveable
            yield Record(record.done, record.total, record.stage, reached)

    yield from _changed_photo(model, request, photo, change, config.steps, card)


def _optimization(editor: Editor, steps: int | None, *, is_sampled: bool) -> tuple[OptimizationConfig, Any]:
    """The preset of a model's faces, and the identity network if there is one."""
    preset, identity = default_preset(editor.bundle.name, is_sampled=is_sampled), editor.bundle.identity
    config = read_optimization_preset(preset, steps=steps)
    if "identity" in config.objective.parts and identity is None:
        config = read_optimization_preset(preset, steps=steps, identity=0.0)
    return config, identity


def _mapper(model: Model, request: JobRequest, photo: np.ndarray | None) -> Iterator[Record[Made]]:
    editor = model.editor
    chain = model.chain(request.mapper or "", request.target, request.strength)
    card = {"mapper": request.mapper, "strength": request.strength}
    if photo is None:
        face = editor.sample(request.seed or 0).numpy()
        *_, mapped = apply_chain(editor, chain, face)
        before, after = editor.render(face)[0], editor.render(mapped)[0]
        yield Record(1, 1, "pictures", Made({"edited": after, "before": before}, card))
        return

    def change(one: Editor, w_plus: np.ndarray) -> Iterator[Record[np.ndarray]]:
        *_, mapped = apply_chain(one, chain, w_plus)
        yield Record(1, 1, "mapping", mapped)

    yield from _changed_photo(model, request, photo, change, 1, card)


_BY_METHOD: dict[str, Callable[..., Iterator[Record[Made]]]] = {
    "direction": _direction,
    "optimise": _optimise,
    "mapper": _mapper,
}


def _changed_photo(
    model: Model, request: JobRequest, photo: np.ndarray, change: Any, steps: int, card: dict[str, Any]
) -> Iterator[Record[Made]]:
    records = change_photo(
        model.editor,
        photo,
        change,
        _photo_config(request),
        change_steps=steps,
        finder=model.finder,
        measures=model.measures,
    )
    for record in records:
        made = None
        if record.result is not None:
            one = record.result
            more = card | _faces_card(one.faces, one.inversion, one.quality_after)
            made = Made({"edited": one.pixels, "before": _row(one.before), "after": _row(one.after)}, more)
        yield Record(record.done, record.total, record.stage, made)


def _photo_config(request: JobRequest) -> PhotoConfig:
    return PhotoConfig(request.face, FittingConfig(steps=request.fitting), paste=request.paste)


def _edit_card(editor: Editor, wished: Edit, edit: Any) -> dict[str, Any]:
    names = ("alpha", "beta", "unit", "templates", "pull")
    card = {name: _plain(getattr(edit, name)) for name in names}
    unknown = editor.unknown_words(wished)
    return {"edit": card} | ({"unknown_words": list(unknown)} if unknown else {})


def _faces_card(faces: Any, inversion: Any, quality: Any) -> dict[str, Any]:
    """Where each face is, how near the generator came to it, and how much of the person the edit kept."""
    stage, found = inversion.stages[-1], []
    for number, face in enumerate(faces):
        one = {
            "box": [round(float(side)) for side in face.face.box],
            "inversion_psnr": round(float(stage.psnr[number]), 2),
            "poor": bool(stage.poor[number]),
        }
        for name, values in (("inversion_identity", stage.identity), ("identity", quality.identity)):
            if values is not None:
                one[name] = round(float(values[number]), 4)
        found.append(one)
    return {"faces": found}


def _row(pictures: np.ndarray) -> np.ndarray:
    return pictures[0] if len(pictures) == 1 else grid(pictures, len(pictures))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, (float, np.floating)) else value
