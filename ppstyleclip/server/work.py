# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A job's work: a request and a photo in, a record for each step, pictures and a card out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, Callable

import numpy as np

from ppstyleclip import __version__
from ppstyleclip.align import Face
from ppstyleclip.card import Source, card_values
from ppstyleclip.card.describe import face_source
from ppstyleclip.card.measure import measure_edits
from ppstyleclip.card.verdict import judge
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.methods.optimization import OptimizationConfig
from ppstyleclip.pictures import grid
from ppstyleclip.pipelines.cards import card_of_face, cards_of_photo
from ppstyleclip.pipelines.faces import AlignedFace
from ppstyleclip.pipelines.inversion import invert_faces
from ppstyleclip.pipelines.likeness import (
    ChangedLikeness,
    LikenessEdit,
    SeenFaces,
    change_likeness,
    edit_likeness,
    see_faces,
)
from ppstyleclip.pipelines.mapper_edit import MapperLink, apply_chain, mapper_text_line
from ppstyleclip.pipelines.optimization import (
    OptimizationHistory,
    default_preset,
    optimize_faces,
    sample_start,
    to_space,
)
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.photo_steps import change_photo
from ppstyleclip.pipelines.presets import read_optimization_preset
from ppstyleclip.pipelines.recipes import Recipe, edit_by_recipe, edit_values, recipe_of
from ppstyleclip.pipelines.records import Record
from ppstyleclip.pipelines.regions import draw_in_masks, find_masks
from ppstyleclip.regions import AUTO
from ppstyleclip.server.model import Model
from ppstyleclip.server.problems import finding_people
from ppstyleclip.server.schemas import JobRequest
from ppstyleclip.text import check_texts, text_direction, text_warnings
from ppstyleclip.worlds.likenesses import likeness_world

MOST_CARDS = 8  # measured faces of one photo


@dataclass(frozen=True, eq=False)
class Made:
    """What a job made.

    Attributes:
        pictures: `{role: [H, W, 3]}` uint8: "edited", the photo, the face, or portraits of its people;
            "before", the face as the generator draws it; of a photo also "after", the drawn face with the
            edit.
        card: plain values that say what was done.
    """

    pictures: dict[str, np.ndarray]
    card: dict[str, Any]


def check_request(model: Model, request: JobRequest, *, has_photo: bool, max_steps: int) -> None:
    """Refuse at once what can be known before the work.

    Raises:
        UserError: neither photo nor seed, or both; an unknown mapper or region; words that the model cannot
            take; a budget that it cannot measure; too many steps.
    """
    if has_photo == (request.seed is not None):
        raise UserError("one face is edited: send a photo, or name a seed" + " and no photo" * has_photo)
    if has_photo and not model.takes_photos:
        raise UserError(model.no_photos)
    if has_photo and model.align == "none" and request.face != "best":
        raise UserError("this server aligns no faces and edits the middle of a photo; leave 'face' out")
    for name in ("steps", "fitting"):
        if (getattr(request, name) or 0) > max_steps:
            raise UserError(f"{name} may be {max_steps} at most, got {getattr(request, name)}")
    chain = []
    if request.method == "mapper":
        chain = model.chain(request.mapper or "", request.target, request.strength)
        if request.target is not None and chain and not chain[0].mapper.takes_text:
            raise UserError(f"the mapper {request.mapper} takes no text; leave 'target' out")
    known = model.regions()
    for edit in request.edits:
        unknown = [name for name in (edit.region or "").split("+") if name and name not in known]
        if unknown:
            raise UserError(f"this model has no region '{unknown[0]}'; it has: {', '.join(known)}")
        if has_photo and model.align == "none" and edit.region not in (None, AUTO):
            raise UserError(
                f"the region '{edit.region}' is looked up in a face's landmarks, and this server aligns no "
                f"faces; of photos it takes {AUTO}"
            )
    if request.budget["identity"] and not model.has_identity:
        raise UserError("this model has no identity network, so identity has no budget; leave 'identity' out")
    for neutral, target in _directed_texts(model, request, chain, is_sampled=not has_photo):
        check_texts(model.editor.bundle.clip, neutral, target)


def _directed_texts(
    model: Model, request: JobRequest, chain: Sequence[MapperLink], *, is_sampled: bool
) -> list[tuple[str, str]]:
    """(neutral, target) of each direction that a job takes between texts."""
    if request.method == "direction":
        return [(edit.neutral, edit.target) for edit in request.recipe_words().edits]
    if request.method == "mapper":
        text = _card_text(request, chain)
        return [] if text is None else [(request.neutral, text)]
    config, _ = _optimization(model.editor, request.steps, is_sampled=is_sampled)
    if not request.card and config.objective.directional_strength == 0:
        return []
    return [(request.neutral, request.target or "")]


def _card_text(request: JobRequest, chain: Sequence[MapperLink]) -> str | None:
    """What a mapper's card is measured by: its text, or that of its training; None without a card."""
    trained = (text for link in chain[:1] for text in link.mapper.texts)
    text = (request.target or next(trained, None)) if request.card else None
    return None if text is None else str(text).replace("+", " ")


def request_warnings(model: Model, request: JobRequest) -> list[str]:
    """What the model's CLIP cannot make of a job's texts, a line for each fault."""
    editor = model.editor
    if request.method == "mapper":
        mapper = model.mappers[request.mapper or ""]
        line = mapper_text_line(editor, mapper, request.target) if request.target else None
        return [] if line is None else [line]
    pairs = [(edit.neutral, edit.target) for edit in request.recipe_words().edits]
    lines = [line for pair in pairs for line in text_warnings(editor.bundle.clip, *pair)]
    return list(dict.fromkeys(lines))


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
    yield from _direction(model, JobRequest(**words, alpha="auto", region="auto", card=True), None)  # type: ignore[arg-type]
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
        "warnings": request_warnings(model, request),
    }
    work = _BY_METHOD[request.method]
    for record in work(model, request, photo):
        made = None
        if record.result is not None:
            more = {**card, **record.result.card, "seconds": round(time.time() - begin, 3)}
            made = replace(record.result, card=more)
        yield Record(record.done, record.total, record.stage, made)


def _direction(model: Model, request: JobRequest, photo: np.ndarray | None) -> Iterator[Record[Made]]:
    editor, recipe, begin = model.editor, recipe_of(request.recipe_words()), time.monotonic()
    if photo is not None:
        yield from _directed_photo(model, request, recipe, photo)
        return
    face = editor.sample(request.seed or 0)
    for step in edit_by_recipe(editor, face, recipe):
        made = None
        if step.result is not None:
            found, spent = step.result, time.monotonic() - begin
            card: dict[str, Any] = {"edits": edit_values(editor, found.applied)}
            card["conflicts"] = [vars(conflict) for conflict in found.conflicts]
            if request.card:
                source, is_orthogonal = face_source(editor, face), recipe.orthogonal
                one = card_of_face(editor, found, source, spent, orthogonal=is_orthogonal)
                card["cards"] = [card_values(one)]
            made = Made({"edited": found.after, "before": found.before}, card)
        yield Record(step.done, step.total, step.stage, made)


def _directed_photo(
    model: Model, request: JobRequest, recipe: Recipe, photo: np.ndarray
) -> Iterator[Record[Made]]:
    """Edit the faces of a photo by words; where cards are wished for, each is a record more."""
    editor, begin, seen = model.editor, time.monotonic(), _see(model, request, photo)
    if seen is not None and seen.are_people:
        yield from _directed_people(model, request, recipe, photo, seen.found.chosen)
        return
    config, faces = _photo_config(model, request, seen), None if seen is None else seen.found.chosen
    for step in edit_photo(
        editor, photo, recipe, config, faces=faces, finder=model.finder, measures=model.measures
    ):
        if step.result is None:
            yield Record(step.done, step.total, step.stage)
            continue
        one, cards = step.result, []
        if request.card:
            spent = time.monotonic() - begin
            noted = cards_of_photo(one, config, Source("photo"), spent, orthogonal=recipe.orthogonal)
            for measured in islice(noted, MOST_CARDS):
                cards.append(card_values(measured))
                yield Record(step.done, step.total + 1, "card")
        each = [edit_values(own, applied) for own, applied in zip(one.inversion.editors, one.applied)]
        card = {"edits": each[0]} | _faces_card(one.faces, one.inversion, one.quality_after)
        card |= {"cards": cards} if cards else {}
        for face_card, edits in zip(card["faces"], each):
            face_card["edits"] = edits
        yield Record(step.total + 1, step.total + 1, step.stage, Made(_pictures(one), card))


def _directed_people(
    model: Model, request: JobRequest, recipe: Recipe, photo: np.ndarray, people: Sequence[Face]
) -> Iterator[Record[Made]]:
    """Draw the people of a photo as portraits, and edit those by words."""
    if request.card:
        raise UserError("no card is made of portraits in a photo's likeness; leave out 'card'")
    for step in edit_likeness(model.editor, photo, recipe, people):
        made = None
        if step.result is not None:
            one = step.result
            each = [edit_values(model.editor, applied) for applied in one.applied]
            card = {"edits": each[0], **_portraits_card(one)}
            for face_card, edits in zip(card["faces"], each):
                face_card["edits"] = edits
            made = Made(_portraits(one), card)
        yield Record(step.done, step.total, step.stage, made)


def _optimise(model: Model, request: JobRequest, photo: np.ndarray | None) -> Iterator[Record[Made]]:
    editor, target = model.editor, request.target or ""
    config, identity = _optimization(editor, request.steps, is_sampled=photo is None)
    card: dict[str, Any] = {"steps": config.steps, "space": config.space}
    along = _along(editor, request.neutral, target) if request.card else None

    def moved(start: np.ndarray, history: Any = None, **where: Any) -> Iterator[Record[Any]]:
        records = optimize_faces(
            editor,
            start,
            [target],
            config,
            neutral=request.neutral,
            identity=identity,
            history=history,
            **where,
        )
        for step in records:
            if step.result is not None:
                losses = step.result.losses["clip"].mean(axis=1)
                card["clip_loss"] = [round(float(losses[0]), 4), round(float(losses[-1]), 4)]
            yield Record(step.done, step.total, "optimising", step.result)

    if photo is None:
        start = sample_start(editor, [request.seed or 0], config.space)
        history = OptimizationHistory(editor, start, config)
        for record in moved(start, history, region=request.region):
            made = None
            if record.result is not None:
                before, after = record.result.before[0], record.result.after[0]
                mask = None if history.masks is None else history.masks[0]
                more = _measured(editor, along, [before], [after], [mask])
                made = Made({"edited": after, "before": before}, card | more)
            yield Record(record.done, record.total, record.stage, made)
        return

    def change(one: Editor, w_plus: np.ndarray, masks: np.ndarray | None) -> Iterator[Record[np.ndarray]]:
        for record in moved(to_space(one, w_plus, config.space), masks=masks):
            reached = None if record.result is None else record.result.saveable
            yield Record(record.done, record.total, record.stage, reached)

    yield from _changed_photo(model, request, photo, change, config.steps, card, along)


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
    card: dict[str, Any] = {"mapper": request.mapper, "strength": request.strength}
    text = _card_text(request, chain)
    along = None if text is None else _along(editor, request.neutral, text)
    if photo is None:
        face = editor.sample(request.seed or 0).numpy()
        *_, mapped = apply_chain(editor, chain, face)
        masks = find_masks(editor, face, request.region)
        before, after = editor.render(face)[0], draw_in_masks(editor, face, mapped, masks)[0]
        card |= _measured(editor, along, [before], [after], [None if masks is None else masks[0]])
        yield Record(1, 1, "pictures", Made({"edited": after, "before": before}, card))
        return

    def change(one: Editor, w_plus: np.ndarray, masks: np.ndarray | None) -> Iterator[Record[np.ndarray]]:
        *_, mapped = apply_chain(one, chain, w_plus)
        yield Record(1, 1, "mapping", mapped)

    yield from _changed_photo(model, request, photo, change, 1, card, along)


_BY_METHOD: dict[str, Callable[..., Iterator[Record[Made]]]] = {
    "direction": _direction,
    "optimise": _optimise,
    "mapper": _mapper,
}


def _changed_photo(
    model: Model,
    request: JobRequest,
    photo: np.ndarray,
    change: Any,
    steps: int,
    card: dict[str, Any],
    along: np.ndarray | None,
) -> Iterator[Record[Made]]:
    editor, seen = model.editor, _see(model, request, photo)
    options: dict[str, Any] = {"region": request.region, "neutral": request.neutral}
    options |= {"text": request.target or "", "change_steps": steps}
    records: Iterator[Record[Any]]
    if seen is not None and seen.are_people:
        records = change_likeness(editor, photo, change, seen.found.chosen, **options)
    else:
        options |= {"finder": model.finder, "faces": None if seen is None else seen.found.chosen}
        config = _photo_config(model, request, seen)
        records = change_photo(editor, photo, change, config, measures=model.measures, **options)
    for record in records:
        made = None
        if (one := record.result) is not None:
            if isinstance(one, ChangedLikeness):
                pictures, more = _portraits(one), card | _portraits_card(one)
            else:
                pictures = _pictures(one)
                more = card | _faces_card(one.faces, one.inversion, one.quality_after)
            made = Made(pictures, more | _measured(editor, along, one.before, one.after, one.masks))
        yield Record(record.done, record.total, record.stage, made)


def _see(model: Model, request: JobRequest, photo: np.ndarray) -> SeenFaces | None:
    """The faces of a photo, and whether they are people; None where the model has no likeness of those.

    Raises:
        UserError: as see_faces; a field of faces that go back into their photo, and they are people.
    """
    bundle = model.editor.bundle
    if model.align == "none" or likeness_world(bundle) is None:
        return None
    with finding_people():
        seen = see_faces(model.editor, photo, request.face, finder=model.finder)
    if seen.are_people and (idle := request.said("fitting", "paste")):
        raise UserError(
            f"'{idle[0]}' does nothing with people, of whom '{bundle.name}' draws portraits; leave it out"
        )
    return seen


def _pictures(made: Any) -> dict[str, np.ndarray]:
    """The pictures of a photo's edited faces."""
    return {"edited": made.pixels, "before": _row(made.before), "after": _row(made.after)}


def _along(editor: Editor, neutral: str, target: str) -> np.ndarray:
    """The way `[D]` along which a card measures."""
    return text_direction(
        editor.bundle.clip, neutral, target, templates=editor.bundle.defaults.templates or "paddlegan"
    )


def _measured(
    editor: Editor, along: np.ndarray | None, before: Any, after: Any, masks: Sequence[np.ndarray | None]
) -> dict[str, Any]:
    """Numbers and verdict of the first faces that a method without a style direction changed."""
    if along is None:
        return {}
    cards = []
    for old, new, mask in list(zip(before, after, masks))[:MOST_CARDS]:
        where = None if mask is None else mask[None]
        (numbers,) = measure_edits(editor.bundle, along[None], old[None], new[None], where)
        verdict, reason = judge(numbers)
        cards.append({"numbers": asdict(numbers), "verdict": verdict, "reason": reason})
    return {"cards": cards}


def _photo_config(model: Model, request: JobRequest, seen: SeenFaces | None) -> PhotoConfig:
    """How a photo is edited; of faces that were seen those that are meant are chosen already."""
    which, fitting = request.face if seen is None else "all", FittingConfig(steps=request.fitting)
    return PhotoConfig(which, fitting, paste=request.paste, align=model.align)


def _faces_card(faces: Any, inversion: Any, quality: Any) -> dict[str, Any]:
    """Where each face is, how near the generator came to it, and how much of the person the edit kept."""
    stage, found = inversion.stages[-1], []
    for number, face in enumerate(faces):
        one = _place(face)
        one["inversion_psnr"] = round(float(stage.psnr[number]), 2)
        one["poor"] = bool(stage.poor[number])
        for name, values in (("inversion_identity", stage.identity), ("identity", quality.identity)):
            if values is not None:
                one[name] = round(float(values[number]), 4)
        found.append(one)
    return {"faces": found}


def _portraits(made: LikenessEdit | ChangedLikeness) -> dict[str, np.ndarray]:
    """The portraits of a photo's people side by side, before and after."""
    return {"edited": made.pixels, "before": np.concatenate(list(made.before), axis=1), "after": made.pixels}


def _portraits_card(made: LikenessEdit | ChangedLikeness) -> dict[str, Any]:
    """Where each face is of which a portrait was drawn, and what was read off it, as sure as it is."""
    each = zip(made.faces, made.read)
    return {
        "faces": [
            {**_place(face), "read": {name: round(sure, 2) for name, sure in one.read.items()}}
            for face, one in each
        ]
    }


def _place(face: AlignedFace) -> dict[str, Any]:
    return {} if face.face is None else {"box": [round(float(side)) for side in face.face.box]}


def _row(pictures: np.ndarray) -> np.ndarray:
    return pictures[0] if len(pictures) == 1 else grid(pictures, len(pictures))
