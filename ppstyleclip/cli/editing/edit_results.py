# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What `ppstyleclip edit` does with each kind of face: edit it, write it, and say what was done."""

from __future__ import annotations

import dataclasses
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.card import Card, Source
from ppstyleclip.card.describe import face_source
from ppstyleclip.cli.argument_types import is_seed
from ppstyleclip.cli.card_files import card_lines, card_path, file_digest, save_card
from ppstyleclip.cli.edit_arguments import photo_config, text_edit
from ppstyleclip.cli.recipe_arguments import is_plain, recipe_of_arguments
from ppstyleclip.cli.saving import save_labelled, save_likeness, save_photo, save_text_edit
from ppstyleclip.editor import Editor, ResolvedEdit
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import StyleDirection
from ppstyleclip.pictures import offset_labels, strip
from ppstyleclip.pipelines.cards import card_of_face, cards_of_photo
from ppstyleclip.pipelines.contact_sheet import draw_contact_sheet
from ppstyleclip.pipelines.editing import TextEdit, edit_face
from ppstyleclip.pipelines.latent_files import load_face
from ppstyleclip.pipelines.recipes import (
    Applied,
    Recipe,
    RecipeEdit,
    check_recipe,
    edit_by_recipe,
    edit_values,
)
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.wording import counted

if TYPE_CHECKING:
    from ppstyleclip.pipelines.faces import AlignedFace
    from ppstyleclip.pipelines.likeness import LikenessEdit


@dataclass(frozen=True)
class EditReport:
    """What an edit made.

    Attributes:
        lines: words for people.
        values: for --json.
        written: the files.
    """

    lines: list[str]
    values: dict[str, Any]
    written: list[Path]


def edit_source_face(editor: Editor, args: Namespace, picture_path: Path | None) -> EditReport:
    """Edit a sampled face or one of a latent file, and write the picture, or a folder without its path."""
    if args.source is None or is_seed(args.source):
        seed = DEFAULT_SEED if args.source is None else int(args.source)
        face, source = editor.sample(seed).numpy(), f"sampled face {seed}"
    else:
        face, source = load_face(editor, args.source, args.index or 0), args.source
    begin = time.monotonic()
    report, made = edit_given_face(editor, face, source, args)
    card = None
    if args.card:
        origin, spent = _origin(editor, args, face), time.monotonic() - begin
        is_orthogonal = not is_plain(args) and recipe_of_arguments(args).orthogonal
        card = _noted(card_of_face(editor, made, origin, spent, orthogonal=is_orthogonal), args)
    if picture_path is None:
        written = save_text_edit(args.output_path, made, card, visible=args.visible_label)
    else:
        is_row = isinstance(made, TextEdit) and len(made.alphas) > 1
        picture = strip(made.pictures, offset_labels(made.alphas)) if is_row else made.after
        save_labelled(picture_path, picture, card=card, visible=args.visible_label)
        written = [picture_path]
    if card is not None:
        place = Path(args.output_path) / "dst.editing.png" if picture_path is None else picture_path
        written += save_card(card_path(place), card, made.before, made.after)
        lines = [*report.lines, *card_lines(card)]
        report = replace(report, lines=lines, values={**report.values, "card": dataclasses.asdict(card)})
    return replace(report, written=[*written, *report.written])


def _noted(card: Card, args: Namespace) -> Card:
    """A card with what the command did to the picture."""
    if not args.visible_label:
        return card
    return dataclasses.replace(card, options={**card.options, "visible_label": True})


def _origin(editor: Editor, args: Namespace, face: Any) -> Source:
    """The face that the arguments name, for its card."""
    known = face_source(editor, face)
    if known.kind == "seed":
        return known
    return dataclasses.replace(
        known,
        kind="latent",
        file=Path(args.source).name,
        index=args.index or 0,
        fingerprint=file_digest(args.source),
    )


def edit_given_face(
    editor: Editor, face: Any, source: str, args: Namespace
) -> tuple[EditReport, TextEdit | RecipeEdit]:
    """Edit a face by what the arguments say; nothing is written but the contact sheet.

    Returns:
        (what is to be told, and where the contact sheet is; the pictures).
    """
    made: TextEdit | RecipeEdit
    if is_plain(args):
        made = result_of(edit_face(editor, face, text_edit(args), args.direction_offset))
        lines = edit_lines(editor, source, made.edit, made.direction, made.alphas)
        values = {"source": source, "alphas": made.alphas, **_values(editor, made.edit, made.direction)}
        chosen = made.edit
    else:
        made = result_of(edit_by_recipe(editor, face, recipe_of_arguments(args)))
        applied, chosen = made.applied, made.applied.edits[0]
        lines = [
            line
            for edit in applied.edits
            for line in edit_lines(editor, source, edit, editor.direction(edit))
        ]
        lines += [*applied.lines, *(conflict.line for conflict in made.conflicts)]
        values = {"source": source, "alphas": made.alphas, **applied_values(editor, applied)}
        values["conflicts"] = [vars(conflict) for conflict in made.conflicts]
    if args.contact_sheet is None:
        return EditReport(lines, values, []), made
    others = made.alphas if isinstance(made, TextEdit) and len(made.alphas) > 1 else None
    sheet = result_of(draw_contact_sheet(editor, face, chosen, others))
    save_labelled(args.contact_sheet, sheet.pixels, visible=args.visible_label)
    return EditReport([*lines, *sheet.legend], values, [Path(args.contact_sheet)]), made


def applied_values(editor: Editor, applied: Applied) -> dict[str, Any]:
    """What was done to a face, for --json: of a single edit as always, of several in a list."""
    each = edit_values(editor, applied)
    return each[0] if len(each) == 1 else {"edits": each}


def edit_source_photo(editor: Editor, args: Namespace, picture_path: Path | None) -> EditReport:
    """Edit the faces of a photo, and write the picture, or a folder without its path."""
    from ppstyleclip.cli.photos import (
        edit_named_likeness,
        edit_named_photo,
        lines_of,
        read_named_photo,
        warn_if_poor,
    )

    recipe, found = recipe_of_arguments(args), []  # type: ignore[var-annotated]
    begin = time.monotonic()
    photo = read_named_photo(editor, args.source, args, found.append)
    if photo.are_people:
        if args.card:
            raise UserError("no card is made of portraits in a photo's likeness; leave out --card")
        portraits = edit_named_likeness(editor, photo, recipe)
        return _likeness_report(editor, args, recipe, portraits, found, photo.numbers, picture_path)
    made, measures = edit_named_photo(editor, photo, recipe, args)
    cards: list[Card] = []
    if args.card:
        origin = Source("photo", file=Path(args.source).name, fingerprint=file_digest(args.source))
        spent, is_orthogonal = time.monotonic() - begin, recipe.orthogonal
        made_cards = cards_of_photo(made, photo_config(args), origin, spent, orthogonal=is_orthogonal)
        cards = [_noted(one, args) for one in made_cards]
    card = cards[0] if len(cards) == 1 else None
    if picture_path is None:
        written = save_photo(
            args.output_path, made, editor.bundle, card, numbers=photo.numbers, visible=args.visible_label
        )
    else:
        save_labelled(picture_path, made.pixels, is_photo=True, card=card, visible=args.visible_label)
        written = [picture_path]
    place = Path(args.output_path) / "edited.png" if picture_path is None else picture_path
    for number, one in enumerate(cards, 1):
        path = card_path(place, None if card is not None else number)
        written += save_card(path, one, made.before[number - 1], made.after[number - 1])
    quality = made.inversion.stages[-1]
    warn_if_poor(editor.bundle.name, quality)
    faces = [
        {"psnr": round(float(value), 2), "poor": bool(is_poor), **_place(face)}
        for value, is_poor, face in zip(quality.psnr, quality.poor, made.faces)
    ]
    applied = made.applied[0]
    values = {"source": args.source, "alphas": [edit.alpha for edit in applied.edits]}
    values.update(applied_values(editor, applied))
    if cards:
        values["cards"] = [dataclasses.asdict(one) for one in cards]
    told = [line for one in cards for line in card_lines(one)]
    lines = recipe_lines(editor, args.source, recipe, made.applied)
    return EditReport(
        [*found, *lines, *lines_of(made, measures, photo.numbers), *told],
        {**values, "faces": faces},
        written,
    )


def _likeness_report(
    editor: Editor,
    args: Namespace,
    recipe: Recipe,
    made: LikenessEdit,
    found: list[str],
    numbers: Sequence[int],
    picture_path: Path | None,
) -> EditReport:
    """Write portraits of a photo's people, and say what was read off them."""
    from ppstyleclip.cli.photos import likeness_lines

    if picture_path is None:
        written = save_likeness(args.output_path, made, visible=args.visible_label)
    else:
        save_labelled(picture_path, made.pixels, visible=args.visible_label)
        written = [picture_path]
    applied = made.applied[0]
    faces = [
        {"read": {name: round(sure, 2) for name, sure in one.read.items()}, **_place(face)}
        for one, face in zip(made.read, made.faces)
    ]
    values = {"source": args.source, "alphas": [edit.alpha for edit in applied.edits]}
    values.update(applied_values(editor, applied))
    lines = [*found, *recipe_lines(editor, args.source, recipe, made.applied), *likeness_lines(made, numbers)]
    return EditReport(lines, {**values, "portraits": faces}, written)


def edit_lines(
    editor: Editor,
    source: str,
    edit: ResolvedEdit,
    direction: StyleDirection,
    alphas: Sequence[float] = (),
) -> list[str]:
    """Say what was edited, how strongly (by `alphas`, or the edit's own), and how many channels moved."""
    strength = ", ".join(f"{alpha:g}" for alpha in alphas or [edit.alpha])
    return [
        f"{edit}, on {source} of {editor.bundle.name}: strength {strength} ({edit.unit} units)",
        f"{direction.num_channels} of {editor.bundle.layout.num_editable} style channels moved at "
        f"threshold {edit.beta:g}; the strongest reaches {direction.max_relevance:.3g}",
    ]


def recipe_lines(editor: Editor, path: str, recipe: Recipe, applied: Sequence[Applied]) -> list[str]:
    """Say what was edited in a photo, what was solved for each face, and how edits conflict."""
    faces = counted(len(applied), "face")
    if len(recipe.edits) == 1 and applied[0].solutions[0] is None:
        return [photo_line(path, applied[0].edits[0], len(applied))]
    lines = [f"{recipe}, on {faces} of {path}"]
    for number, one in enumerate(applied, 1):
        which = f"face {number}: " if len(applied) > 1 else ""
        fixed = [
            f"{name}: strength {edit.alpha:g}"
            for name, edit, found in zip(one.names, one.edits, one.solutions)
            if found is None
        ]
        lines += [f"{which}{line}" for line in (*fixed, *one.lines)]
    return lines + [conflict.line for conflict in check_recipe(editor, applied[0].settled(recipe.orthogonal))]


def photo_line(path: str, edit: ResolvedEdit, count: int) -> str:
    """Say what was edited in a photo, and how strongly."""
    return f"{edit}, strength {edit.alpha:g}, on {counted(count, 'face')} of {path}"


def _place(aligned: AlignedFace) -> dict[str, Any]:
    """Where a face was found, for --json."""
    if aligned.face is None:
        return {}
    confidence = aligned.face.confidence
    return {
        "box": [round(float(value), 1) for value in aligned.face.box],
        "confidence": None if confidence is None else round(confidence, 2),
    }


def _values(editor: Editor, edit: ResolvedEdit, direction: StyleDirection) -> dict[str, Any]:
    return {
        "neutral": edit.neutral,
        "target": edit.target,
        "alpha": edit.alpha,
        "beta": edit.beta,
        "unit": edit.unit,
        "channels": direction.num_channels,
        "editable_channels": editor.bundle.layout.num_editable,
    }
