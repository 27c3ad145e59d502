# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What `ppstyleclip edit` does with each kind of face: edit it, write it, and say what was done."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import is_seed
from ppstyleclip.cli.edit_arguments import text_edit
from ppstyleclip.cli.saving import save_likeness, save_photo, save_text_edit
from ppstyleclip.editor import Editor, ResolvedEdit
from ppstyleclip.files import save_picture
from ppstyleclip.methods.global_directions import StyleDirection
from ppstyleclip.pictures import offset_labels, strip
from ppstyleclip.pipelines.editing import edit_face
from ppstyleclip.pipelines.latent_files import load_face
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
        face, source = load_face(editor, args.source, args.index), args.source
    made = result_of(edit_face(editor, face, text_edit(args), args.direction_offset))
    if picture_path is None:
        written = save_text_edit(args.output_path, made)
    else:
        is_row = len(made.alphas) > 1
        picture = strip(made.pictures, offset_labels(made.alphas)) if is_row else made.after
        save_picture(picture_path, picture)
        written = [picture_path]
    values = {"source": source, "alphas": made.alphas, **_values(editor, made.edit, made.direction)}
    return EditReport(edit_lines(editor, source, made.edit, made.direction), values, written)


def edit_source_photo(editor: Editor, args: Namespace, picture_path: Path | None) -> EditReport:
    """Edit the faces of a photo, and write the picture, or a folder without its path."""
    from ppstyleclip.cli.photos import edit_named_likeness, edit_named_photo, lines_of, warn_if_poor

    alpha = args.direction_offset[0] if args.direction_offset else None
    edit = editor.resolve(replace(text_edit(args), alpha=alpha))
    found: list[str] = []
    portraits = edit_named_likeness(editor, args.source, edit, args, found.append)
    if portraits is not None:
        return _likeness_report(editor, args, portraits, found, picture_path)
    made, measures = edit_named_photo(editor, args.source, edit, args, found.append)
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
    values = {"source": args.source, "alphas": [edit.alpha], **_values(editor, edit, editor.direction(edit))}
    return EditReport(
        [*found, photo_line(args.source, edit, len(made.faces)), *lines_of(made, measures)],
        {**values, "faces": faces},
        written,
    )


def _likeness_report(
    editor: Editor, args: Namespace, made: LikenessEdit, found: list[str], picture_path: Path | None
) -> EditReport:
    """Write portraits of a photo's people, and say what was read off them."""
    from ppstyleclip.cli.photos import likeness_lines

    if picture_path is None:
        written = save_likeness(args.output_path, made)
    else:
        save_picture(picture_path, made.pixels)
        written = [picture_path]
    edit = made.edit
    faces = [
        {"read": {name: round(sure, 2) for name, sure in one.read.items()}, **_place(face)}
        for one, face in zip(made.read, made.faces)
    ]
    values = {"source": args.source, "alphas": [edit.alpha], **_values(editor, edit, editor.direction(edit))}
    lines = [*found, photo_line(args.source, edit, len(made.faces)), *likeness_lines(made)]
    return EditReport(lines, {**values, "portraits": faces}, written)


def edit_lines(editor: Editor, source: str, edit: ResolvedEdit, direction: StyleDirection) -> list[str]:
    """Say what was edited, how strongly, and how many channels moved."""
    return [
        f"{edit}, on {source} of {editor.bundle.name}: strength {edit.alpha:g} ({edit.unit} units)",
        f"{direction.num_channels} of {editor.bundle.layout.num_editable} style channels moved at "
        f"threshold {edit.beta:g}; the strongest reaches {direction.max_relevance:.3g}",
    ]


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
