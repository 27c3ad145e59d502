# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A face edited at several strengths: by a text, or along a stored direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppstyleclip.editor import Edit, Editor, ResolvedEdit
from ppstyleclip.methods.checks import check_numbers
from ppstyleclip.methods.global_directions import StyleDirection
from ppstyleclip.methods.latents import move
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.records import Record
from ppstyleclip.pipelines.rendering import check_one_face, render_faces
from ppstyleclip.regions import RegionEdit
from ppstyleclip.worker import on_worker


@dataclass(frozen=True, eq=False)
class TextEdit:
    """A face edited by text at A strengths.

    Attributes:
        before: `[H, W, 3]` uint8, the face as it is.
        pictures: `[A, H, W, 3]` uint8, one for each strength.
        styles: K style tensors `[1, C_k]` behind the last picture.
        alphas: the strengths.
        edit: the edit with every default filled in; its alpha is the last strength.
        direction: its style direction; `direction.num_channels` is how many channels moved.
        mask: `[H, W]` float32, where the picture may change; None: everywhere.
    """

    before: np.ndarray
    pictures: np.ndarray
    styles: list[Any]
    alphas: list[float]
    edit: ResolvedEdit
    direction: StyleDirection
    mask: np.ndarray | None = None

    @property
    def after(self) -> np.ndarray:
        """`[H, W, 3]` uint8, the picture of the last strength."""
        return self.pictures[-1]


@dataclass(frozen=True, eq=False)
class Move:
    """A face moved along a direction in w_plus, by A offsets.

    Attributes:
        before: `[H, W, 3]` uint8, the face as it is.
        pictures: `[A, H, W, 3]` uint8, one for each offset.
        w_plus: `[A, L, D]` behind the pictures.
        offsets: how far.
    """

    before: np.ndarray
    pictures: np.ndarray
    w_plus: np.ndarray
    offsets: list[float]

    @property
    def after(self) -> np.ndarray:
        """`[H, W, 3]` uint8, the picture of the last offset."""
        return self.pictures[-1]


@on_worker
def edit_face(
    editor: Editor, face: Any, edit: Edit | ResolvedEdit, alphas: Sequence[float] | None = None
) -> Iterator[Record[TextEdit]]:
    """Edit one face by text.

    Args:
        editor: Editor.
        face: w_plus `[1, L, D]` or s `[1, S]`, a tensor or an array.
        edit: Edit.
        alphas: strengths, at least one, in place of the edit's own.
    Yields:
        Record of pictures; the result is a TextEdit.
    Raises:
        UserError: see Editor.direction and Editor.styles.
    """
    resolved = editor.resolve(edit)
    strengths = check_numbers("alpha", resolved.alpha if alphas is None else alphas)
    check_one_face(editor, face)
    s = editor.apply(face, resolved, [0.0, *strengths])
    masks = editor.region_masks(face, resolved)
    records = (
        render_faces(editor, s) if masks is None else _in_region(editor, face, resolved, strengths, masks)
    )
    for record in records:
        made = None
        if record.result is not None:
            resolved = replace(resolved, alpha=strengths[-1])
            made = TextEdit(
                record.result[0],
                record.result[1:],
                editor.bundle.layout.unflatten(s[-1:]),
                strengths,
                resolved,
                editor.direction(resolved),
                None if masks is None else masks[0],
            )
        yield Record(record.done, record.total, record.stage, made)


def _in_region(
    editor: Editor, face: Any, edit: ResolvedEdit, strengths: list[float], masks: np.ndarray
) -> Iterator[Record[np.ndarray]]:
    """Draw a face, and with an edit in its region at each strength."""
    before, total = editor.synthesize(face), 1 + len(strengths)
    pictures = [to_pixels(before)]
    yield Record(1, total, "pictures")
    for done, alpha in enumerate(strengths, 2):
        part = RegionEdit(editor.step(replace(edit, alpha=alpha)), masks)
        pictures.append(to_pixels(editor.synthesize_edits(face, [part], before=before)))
        yield Record(done, total, "pictures", np.concatenate(pictures) if done == total else None)


def move_face(
    editor: Editor, face: np.ndarray, direction: np.ndarray, offsets: Sequence[float]
) -> Iterator[Record[Move]]:
    """Move one face along a stored direction, such as age or smile.

    Args:
        editor: Editor.
        face: w_plus `[1, L, D]`.
        direction: `[L, D]`, `[1, D]` or `[D]`.
        offsets: how far along it, at least one.
    Yields:
        Record of pictures; the result is a Move.
    Raises:
        UserError: as methods.latents.move.
    """
    offsets = check_numbers("offset", offsets)
    check_one_face(editor, face)
    w_plus = np.concatenate([move(face, direction, offset) for offset in (0, *offsets)])
    for record in render_faces(editor, w_plus):
        made = None
        if record.result is not None:
            made = Move(record.result[0], record.result[1:], w_plus[1:], offsets)
        yield Record(record.done, record.total, record.stage, made)
