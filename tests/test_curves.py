# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses as a picture: where the lines are, what is left out, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.curves import ABOVE, BELOW, COLORS, HEIGHT, LEFT, WIDTH, save_curves
from ppstyleclip.errors import CannotWrite
from ppstyleclip.files import load_pixels


def drawn(tmp_path, curves, **options):
    save_curves(tmp_path / "losses.png", curves, **options)
    return load_pixels(tmp_path / "losses.png")


def heights(picture, color):
    """In each column inside the first panel's frame, the row that comes nearest to a line's colour."""
    frame = picture[ABOVE + 2 : ABOVE + HEIGHT - 1, LEFT + 9 : LEFT + WIDTH - 8].astype(int)
    return np.abs(frame - color).sum(2).argmin(0)


def test_a_falling_loss_falls_in_the_picture(tmp_path):
    picture = drawn(tmp_path, {"clip": np.linspace(1, 0, 100)})
    line = heights(picture, COLORS[0])
    assert line[-20:].mean() - line[:20].mean() > 0.8 * HEIGHT
    assert np.abs(line - np.linspace(0, HEIGHT, len(line))).max() < 6


def test_each_loss_has_a_panel_and_lines_of_one_kind_share_it(tmp_path):
    panel = ABOVE + HEIGHT + BELOW
    values = np.arange(5.0)
    assert drawn(tmp_path, {"clip": values, "l2": values}).shape[0] == 2 * panel
    shared = drawn(tmp_path, {"clip/train": values, "clip/held-out": values[::-1]})
    assert shared.shape[0] == panel
    both = [heights(shared, color) for color in COLORS[:2]]
    assert both[0][-1] < both[0][0] and both[1][-1] > both[1][0]  # one rises and one falls
    faces = drawn(tmp_path, {"clip": np.stack([values, values[::-1]], 1)})
    assert np.abs(heights(faces, COLORS[1]) - both[1]).max() < 4


def test_what_is_not_finite_is_left_out(tmp_path):
    values = np.linspace(1, 0, 50)
    values[[10, 20]] = np.nan, np.inf
    line = heights(drawn(tmp_path, {"clip": values}), COLORS[0])
    assert line[-20:].mean() - line[:20].mean() > 0.8 * HEIGHT
    for same in ([3.0, 3.0], [np.nan, np.nan], [0.0]):
        assert drawn(tmp_path, {"clip": same}).shape[0] == ABOVE + HEIGHT + BELOW


def test_values_may_stand_some_steps_apart(tmp_path):
    dense = drawn(tmp_path, {"a": np.arange(1, 101.0)})
    sparse = drawn(tmp_path, {"a": np.arange(10, 101.0, 10)}, every=10)
    axis = slice(ABOVE + HEIGHT + 4, None)
    assert (dense[axis, LEFT + 20 :] == sparse[axis, LEFT + 20 :]).all()  # both end in "step 100"
    begin = slice(LEFT + 3, LEFT + 40)  # nothing is known before the tenth step
    assert (dense[: ABOVE + HEIGHT, begin] != sparse[: ABOVE + HEIGHT, begin]).any()


@pytest.mark.parametrize("nothing", [{}, {"clip": []}])
def test_nothing_to_draw_is_refused(tmp_path, nothing):
    with pytest.raises(ValueError, match="no values to draw"):
        save_curves(tmp_path / "losses.png", nothing)


def test_an_unwritable_place_is_said(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(CannotWrite):
        save_curves(tmp_path / "taken" / "losses.png", {"clip": [1.0, 0.5]})
