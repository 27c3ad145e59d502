# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Curves of a run as tables and pictures, and on the boards of VisualDL and TensorBoard."""

import csv
import sys

import numpy as np
import pytest

from ppstyleclip.cli.curve_files import curve_lines, curve_rows, loss_rows, save_curves, write_csv
from ppstyleclip.cli.mappers.board import Board
from ppstyleclip.errors import CannotWrite, MissingExtra
from ppstyleclip.files import load_pixels

CURVES = {
    "train": {"step": [0, 1, 2], "clip": [3.0, 2.0, 1.0], "loss": [3.5, 2.5, 1.5]},
    "held_out": {"step": [2], "clip": [1.25], "loss": [1.75]},
}


def test_cells_with_commas_and_quotes_come_back(tmp_path):
    rows = [["number", "text"], ["0", 'a "long", thin face'], ["1", "two\nlines"]]
    write_csv(tmp_path / "table.csv", rows)
    with open(tmp_path / "table.csv", newline="") as file:
        assert list(csv.reader(file)) == rows
    assert b"\r" not in (tmp_path / "table.csv").read_bytes()


def test_losses_have_a_line_for_each_step_and_a_column_for_each_face():
    rows = loss_rows({"clip": np.float32([[1, 2], [3, 4]]), "l2": np.float32([[0, 0], [0.5, 1e-7]])})
    assert rows == [
        ["step", "clip_0", "clip_1", "l2_0", "l2_1"],
        ["1", "1", "2", "0", "0"],
        ["2", "3", "4", "0.5", "1e-07"],
    ]


def test_curves_have_a_line_for_each_step_of_each():
    rows = curve_rows(CURVES)
    assert rows[0] == ["curve", "step", "clip", "loss"]
    assert rows[1] == ["train", "0", "3", "3.5"] and rows[-1] == ["held_out", "2", "1.25", "1.75"]


def test_curves_are_drawn_with_a_panel_for_each_value(tmp_path):
    assert list(curve_lines(CURVES)) == ["loss/train", "loss/held_out", "clip/train", "clip/held_out"]
    save_curves(tmp_path / "losses.png", curve_lines(CURVES), smooth=True)
    save_curves(tmp_path / "one.png", {"loss": [1.0, 0.5]})
    both, one = load_pixels(tmp_path / "losses.png"), load_pixels(tmp_path / "one.png")
    assert both.shape[0] == 2 * one.shape[0] and both.shape[1] == one.shape[1]
    assert len(np.unique(both.reshape(-1, 3), axis=0)) > 4


def test_an_unwritable_place_is_said(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(CannotWrite):
        save_curves(tmp_path / "taken" / "losses.png", {"clip": [1.0, 0.5]})


def test_a_board_that_is_missing_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "visualdl", None)
    with pytest.raises(MissingExtra, match="pip install visualdl, or leave out --board"):
        Board("visualdl", "logs")
