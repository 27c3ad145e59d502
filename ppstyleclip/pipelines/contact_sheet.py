# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One edit at several strengths and thresholds: a labelled picture with the chosen cell framed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppstyleclip.editor import AnyEdit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.labels import can_write, draw_label, label_width
from ppstyleclip.methods.checks import check_numbers
from ppstyleclip.methods.global_directions.strength import LADDER
from ppstyleclip.pictures import enlarged, to_pixels
from ppstyleclip.pipelines.records import Record
from ppstyleclip.pipelines.rendering import check_one_face, render_faces
from ppstyleclip.regions import RegionEdit

SHARES = (0.4, 0.7, 1.0, 1.4, 2.0)  # of the chosen strength, which are shown
SAME = 0.05  # values that differ by less, as a share of the larger, are shown once
MOST_CELLS = 100
FRAME = (214, 84, 20)  # RGB around the chosen cell


@dataclass(frozen=True, eq=False)
class ContactSheet:
    """A face at B thresholds, from top to bottom, and A strengths, from left to right.

    Attributes:
        pixels: `[H, W, 3]` uint8, the sheet.
        cells: `[B, A, h, w, 3]` uint8, its pictures.
        alphas, betas: of the columns and rows.
        chosen: (row, column) of the framed cell.
        legend: lines that belong to the sheet and that no font of this machine can write; numbers stand in
            their place.
    """

    pixels: np.ndarray
    cells: np.ndarray
    alphas: list[float]
    betas: list[float]
    chosen: tuple[int, int]
    legend: list[str]


def draw_contact_sheet(
    editor: Editor,
    face: Any,
    edit: AnyEdit,
    alphas: Sequence[float] | None = None,
    betas: Sequence[float] | None = None,
    *,
    others: Sequence[RegionEdit] = (),
    masks: np.ndarray | None = None,
) -> Iterator[Record[ContactSheet]]:
    """Draw one face at several strengths and thresholds; what the edit itself says is framed.

    Args:
        editor: Editor.
        face: w_plus `[1, L, D]` or s `[1, S]`, a tensor or an array, before all edits.
        edit: Edit; "auto" is solved first.
        alphas, betas: those beside the edit's own; None: SHARES of its strength, and thresholds from weak to
            strict for these texts.
        others: edits that are there already, as Editor.region_edit gives them; each keeps to its region.
        masks: of Editor.region_masks; None looks for them.
    Yields:
        Record; the result is a ContactSheet.
    Raises:
        UserError: as Editor.direction and Editor.solve; more than MOST_CELLS pictures.
    """
    check_one_face(editor, face)
    masks = editor.region_masks(face, edit) if masks is None else masks
    own = editor.fixed(face, edit, others=others, masks=masks)
    direction = editor.direction(own)
    if alphas is None:
        middle = own.alpha or editor.bundle.defaults.alpha  # 0: the face shows already what the text says
        alphas = [_short(share * middle) for share in SHARES]
    if betas is None:
        betas = [_short(share * direction.max_relevance) for share in LADDER]
    alphas, betas = check_numbers("alpha", alphas, least=0), check_numbers("beta", betas, least=0)
    columns = _with_own(alphas, own.alpha)
    rows = _with_own([beta for beta in betas if beta <= direction.max_relevance], own.beta)
    if len(rows) * len(columns) > MOST_CELLS:
        raise UserError(
            f"a contact sheet has at most {MOST_CELLS} pictures, got {len(rows)} thresholds x {len(columns)} "
            "strengths; give fewer"
        )
    known = [editor.direction(replace(own, beta=beta)) for beta in rows]
    steps = np.stack([np.float32(alpha) * one.ds for one in known for alpha in columns])
    for record in _drawn(editor, face, [*others, RegionEdit(steps, masks)]):
        made = None
        if record.result is not None:
            cells = record.result.reshape([len(rows), len(columns), *record.result.shape[1:]])
            chosen = rows.index(own.beta), columns.index(own.alpha)
            channels = [one.num_channels for one in known]
            pixels, legend = _lay_out(cells, str(own), columns, rows, channels, chosen)
            made = ContactSheet(pixels, cells, columns, rows, chosen, legend)
        yield Record(record.done, record.total, record.stage, made)


def _drawn(editor: Editor, face: Any, edits: Sequence[RegionEdit]) -> Iterator[Record[np.ndarray]]:
    """Draw a face with edits, of which the last has a step `[K, S]` for each of K pictures."""
    *others, own = edits
    if all(edit.masks is None for edit in edits):
        step = sum((edit.step for edit in others), np.float32(0)) + own.step
        yield from render_faces(editor, editor.added(editor.styles(face).numpy(), step))
        return
    before, pictures = editor.synthesize(face), []
    for done, step in enumerate(own.step, 1):
        image = editor.synthesize_edits(face, [*others, replace(own, step=step)], before=before)
        pictures.append(to_pixels(image))
        yield Record(
            done, len(own.step), "pictures", np.concatenate(pictures) if done == len(own.step) else None
        )


def _with_own(values: Sequence[float], own: float) -> list[float]:
    """The values in order, and the chosen one in the place of those that are nearly the same."""
    others = {value for value in values if abs(value - own) > SAME * max(abs(value), abs(own))}
    return sorted({*others, own})


def _short(value: float) -> float:
    return float(f"{value:.2g}")


def _lay_out(
    cells: np.ndarray,
    title: str,
    alphas: Sequence[float],
    betas: Sequence[float],
    channels: Sequence[int],
    chosen: tuple[int, int],
) -> tuple[np.ndarray, list[str]]:
    """The sheet, and the legend of what cannot be written."""
    rows, columns = cells.shape[:2]
    pictures = enlarged(cells.reshape([-1, *cells.shape[2:]]))
    height, width = pictures.shape[1:3]
    letters, gap = max(12, width // 11), max(4, width // 24)
    legend = []
    if not can_write(title):
        legend, title = [f"[1] {title}"], "[1]"
    names = [f"beta {beta:.3g}" for beta in betas]
    counts = [f"{count} channels" for count in channels]
    left = max(label_width(text, letters) for text in (*names, *counts)) + 2 * letters
    top = int(3.6 * letters)
    sheet = np.full(
        [top + rows * (height + gap) + gap, left + columns * (width + gap) + gap, 3], 255, np.uint8
    )
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        y, x = top + row * (height + gap), left + column * (width + gap)
        if (row, column) == chosen:
            sheet[y - gap : y + height + gap, x - gap : x + width + gap] = FRAME
        sheet[y : y + height, x : x + width] = picture
    middle = sheet.shape[1] / 2
    sheet = draw_label(sheet, title, (middle, 0.9 * letters), _fitting(title, sheet.shape[1], letters))
    for column, alpha in enumerate(alphas):
        centre = left + column * (width + gap) + width / 2
        colour = FRAME if column == chosen[1] else None
        sheet = _label(sheet, f"alpha {alpha:.3g}", (centre, top - 0.9 * letters), letters, colour)
    for row in range(rows):
        middle = top + row * (height + gap) + height / 2
        colour = FRAME if row == chosen[0] else None
        sheet = _label(sheet, names[row], (left / 2, middle - 0.7 * letters), letters, colour)
        sheet = _label(sheet, counts[row], (left / 2, middle + 0.7 * letters), letters, colour)
    return sheet, legend


def _label(
    sheet: np.ndarray,
    text: str,
    centre: tuple[float, float],
    letters: int,
    colour: tuple[int, int, int] | None,
) -> np.ndarray:
    return draw_label(sheet, text, centre, letters, **({} if colour is None else {"colour": colour}))


def _fitting(text: str, width: int, letters: int) -> int:
    """A size of letters with which a line is not wider than the sheet."""
    wide = label_width(text, letters)
    return letters if wide <= 0.95 * width else max(8, int(letters * 0.95 * width / wide))
