# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What `ppstyleclip edit` does with each kind of face: edit it, write it, and say what was done."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import is_seed
from ppstyleclip.cli.edit_arguments import text_edit
from ppstyleclip.cli.recipe_arguments import is_plain, recipe_of_arguments
from ppstyleclip.cli.saving import save_photo, save_text_edit
from ppstyleclip.editor import Editor, ResolvedEdit
from ppstyleclip.files import save_picture
from ppstyleclip.methods.global_directions import StyleDirection
from ppstyleclip.pictures import offset_labels, strip
from ppstyleclip.pipelines.contact_sheet import draw_contact_sheet
from ppstyleclip.pipelines.editing import TextEdit, edit_face
from ppstyleclip.pipelines.latent_files import load_face
from ppstyleclip.pipelines.recipes import Applied, Recipe, RecipeEdit, check_recipe, edit_by_recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.wording import counted

if TYPE_CHECKING:
    from ppstyleclip.pipelines.faces import AlignedFace


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
        face, source = load_face(editor, args.source, args.index), args.source
    report, made = edit_given_face(editor, face, source, args)
    if picture_path is None:
        written = save_text_edit(args.output_path, made)
    else:
        is_row = isinstance(made, TextEdit) and len(made.alphas) > 1
        picture = strip(made.pictures, offset_labels(made.alphas)) if is_row else made.after
        save_picture(picture_path, picture)
        written = [picture_path]
    return replace(report, written=[*written, *report.written])


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
        lines = edit_lines(editor, source, made.edit, made.direction)
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
    save_picture(args.contact_sheet, sheet.pixels)
    return EditReport([*lines, *sheet.legend], values, [Path(args.contact_sheet)]), made


def applied_values(editor: Editor, applied: Applied) -> dict[str, Any]:
    """What was done to a face, for --json: of a single edit as always, of several in a list."""
    each = []
    for edit, name, found in zip(applied.edits, applied.names, applied.solutions):
        told = {"name": name, **_values(editor, edit, editor.direction(edit))}
        if found is not None:
            trial = found.trial
            told["auto"] = {
                "bound": found.bound,
                "reach": round(trial.reach, 4),
                "identity": None if trial.identity is None else round(trial.identity, 4),
                "outside": round(trial.outside, 5),
                "renders": found.renders,
            }
        each.append(told)
    return each[0] if len(each) == 1 else {"edits": each}


def edit_source_photo(editor: Editor, args: Namespace, picture_path: Path | None) -> EditReport:
    """Edit the faces of a photo, and write the picture, or a folder without its path."""
    from ppstyleclip.cli.photos import edit_named_photo, lines_of, warn_if_poor

    recipe, found = recipe_of_arguments(args), []  # type: ignore[var-annotated]
    made, measures = edit_named_photo(editor, args.source, recipe, args, found.append)
    if picture_path is None:
        written = save_photo(args.output_path, made, editor.bundle)
    else:
        save_picture(picture_path, made.pixels)
        written = [picture_path]
    quality = made.inversion.stages[-1]
    warn_if_poor(editor.bundle.name, quality)
    faces = [
        {"psnr": round(float(value), 2), "poor": bool(is_poor), **_place(face)}
        for value, is_poor, face in zip(quality.psnr, quality.poor, made.faces)
    ]
    applied = made.applied[0]
    values = {"source": args.source, "alphas": [edit.alpha for edit in applied.edits]}
    values.update(applied_values(editor, applied))
    return EditReport(
        [*found, *recipe_lines(editor, args.source, recipe, made.applied), *lines_of(made, measures)],
        {**values, "faces": faces},
        written,
    )


def edit_lines(editor: Editor, source: str, edit: ResolvedEdit, direction: StyleDirection) -> list[str]:
    """Say what was edited, how strongly, and how many channels moved."""
    return [
        f"{edit}, on {source} of {editor.bundle.name}: strength {edit.alpha:g} ({edit.unit} units)",
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
