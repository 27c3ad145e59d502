# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The contact sheet: its cells are what their labels say, the chosen one is framed, letters or a legend."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_world import SIZE

from ppstyleclip.editor import Edit
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import Budget
from ppstyleclip.pipelines import contact_sheet
from ppstyleclip.pipelines.contact_sheet import FRAME, draw_contact_sheet
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.regions import RegionEdit

HAPPY = Edit("face", "happy face", alpha=2.0, beta=0.1)


@pytest.fixture
def editor(tiny_editor):
    return tiny_editor


def framed(pixels):
    """(rows, columns) of the box of the frame's colour."""
    rows, columns = np.nonzero((pixels == FRAME).all(axis=2))
    inside = columns > 40  # labels of the chosen row and column have its colour too
    return rows[inside], columns[inside]


def test_cells_are_what_their_labels_say(editor):
    face = editor.sample(5)
    sheet = result_of(draw_contact_sheet(editor, face, HAPPY, [1, 2.0, 3], [0.1, 0.3]))
    assert sheet.alphas == [1, 2, 3] and sheet.betas == [0.1, 0.3] and sheet.chosen == (0, 1)
    assert sheet.cells.shape == (2, 3, SIZE, SIZE, 3) and sheet.legend == []
    for row, beta in enumerate(sheet.betas):
        for column, alpha in enumerate(sheet.alphas):
            expected = editor.edit(face, Edit("face", "happy face", alpha=alpha, beta=beta))[1]
            np.testing.assert_array_equal(sheet.cells[row, column], expected)


@pytest.mark.parametrize("region", [None, "mask"])
def test_edits_that_are_there_already_keep_to_their_regions(editor, region):
    face, left = editor.sample(5), np.zeros([SIZE, SIZE], np.float32)
    left[:, : SIZE // 2] = 1
    there = Edit("face", "sad face", alpha=3.0, beta=0.1, region=left)
    edit = Edit("face", "happy face", alpha=2.0, beta=0.1, region=None if region is None else left.T)
    others = [editor.region_edit(face, there)]
    sheet = result_of(draw_contact_sheet(editor, face, edit, [1, 2.0], [0.1], others=others))
    for column, alpha in enumerate(sheet.alphas):
        expected = editor.edit(face, there, replace(edit, alpha=alpha))[1]
        np.testing.assert_array_equal(sheet.cells[0, column], expected)
    everywhere = [RegionEdit(others[0].step)]
    spread = result_of(draw_contact_sheet(editor, face, edit, [1, 2.0], [0.1], others=everywhere))
    assert (spread.cells != sheet.cells)[:, :, :, SIZE // 2 :].any()


def test_the_chosen_cell_is_framed(editor):
    sheet = result_of(draw_contact_sheet(editor, editor.sample(5), HAPPY, [1, 3], [0.3, 0.5]))
    assert sheet.chosen == (0, 1)
    rows, columns = framed(sheet.pixels)
    height, width = sheet.pixels.shape[:2]
    assert len(rows) and rows.max() < 0.55 * height and columns.max() < 0.8 * width
    assert (sheet.pixels == 255).all(axis=2).any()


def test_without_values_they_lie_around_the_edits_own(editor):
    edit = Edit("face", "happy face", alpha="auto", beta="auto", budget=Budget(outside=1.0))
    sheet = result_of(draw_contact_sheet(editor, editor.sample(5), edit))
    row, column = sheet.chosen
    own = editor.fixed(editor.sample(5), edit)
    assert (sheet.alphas[column], sheet.betas[row]) == (own.alpha, own.beta)
    assert sheet.alphas == sorted(sheet.alphas) and sheet.betas == sorted(sheet.betas)
    assert len(sheet.alphas) >= 2 and len(sheet.betas) >= 3


def test_letters_that_no_font_has_become_a_number_and_a_legend(editor, monkeypatch):
    written = []
    monkeypatch.setattr(contact_sheet, "can_write", lambda text: text.isascii())
    draw = contact_sheet.draw_label
    monkeypatch.setattr(
        contact_sheet,
        "draw_label",
        lambda sheet, text, *rest, **more: written.append(text) or draw(sheet, text, *rest, **more),
    )
    pixels, legend = contact_sheet._lay_out(
        np.zeros([1, 1, SIZE, SIZE, 3], np.uint8), "脸 -> 笑脸", [1.0], [0.1], [7], (0, 0)
    )
    assert legend == ["[1] 脸 -> 笑脸"] and written[0] == "[1]" and all(text.isascii() for text in written)
    assert {"alpha 1", "beta 0.1", "7 channels"} <= set(written) and pixels.ndim == 3


def test_too_many_pictures(editor):
    with pytest.raises(UserError, match="at most 100 pictures, got 1 thresholds x 201"):
        result_of(draw_contact_sheet(editor, editor.sample(5), HAPPY, np.arange(200) + 0.5, []))
