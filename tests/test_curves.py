# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses as a picture: where the lines are, what is left out, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.curves import ABOVE, BELOW, COLORS, HEIGHT, LEFT, WIDTH, draw_curves


def heights(picture, color):
    """In each column inside the first panel's frame, the row that comes nearest to a line's colour."""
    frame = picture[ABOVE + 2 : ABOVE + HEIGHT - 1, LEFT + 9 : LEFT + WIDTH - 8].astype(int)
    return np.abs(frame - color).sum(2).argmin(0)


def test_a_falling_loss_falls_in_the_picture():
    picture = draw_curves({"clip": np.linspace(1, 0, 100)})
    line = heights(picture, COLORS[0])
    assert line[-20:].mean() - line[:20].mean() > 0.8 * HEIGHT
    assert np.abs(line - np.linspace(0, HEIGHT, len(line))).max() < 6


def test_each_loss_has_a_panel_and_lines_of_one_kind_share_it():
    panel = ABOVE + HEIGHT + BELOW
    values = np.arange(5.0)
    assert draw_curves({"clip": values, "l2": values}).shape[0] == 2 * panel
    shared = draw_curves({"clip/train": values, "clip/held-out": values[::-1]})
    assert shared.shape[0] == panel
    both = [heights(shared, color) for color in COLORS[:2]]
    assert both[0][-1] < both[0][0] and both[1][-1] > both[1][0]  # one rises and one falls
    faces = draw_curves({"clip": np.stack([values, values[::-1]], 1)})
    assert np.abs(heights(faces, COLORS[1]) - both[1]).max() < 4


def test_what_is_not_finite_is_left_out():
    values = np.linspace(1, 0, 50)
    values[[10, 20]] = np.nan, np.inf
    line = heights(draw_curves({"clip": values}), COLORS[0])
    assert line[-20:].mean() - line[:20].mean() > 0.8 * HEIGHT
    for same in ([3.0, 3.0], [np.nan, np.nan], [0.0]):
        assert draw_curves({"clip": same}).shape[0] == ABOVE + HEIGHT + BELOW


def test_values_may_stand_some_steps_apart():
    dense = draw_curves({"a": np.arange(1, 101.0)})
    sparse = draw_curves({"a": np.arange(10, 101.0, 10)}, every=10)
    axis = slice(ABOVE + HEIGHT + 4, None)
    assert (dense[axis, LEFT + 20 :] == sparse[axis, LEFT + 20 :]).all()  # both end in "step 100"
    begin = slice(LEFT + 3, LEFT + 40)  # nothing is known before the tenth step
    assert (dense[: ABOVE + HEIGHT, begin] != sparse[: ABOVE + HEIGHT, begin]).any()


@pytest.mark.parametrize("nothing", [{}, {"clip": []}])
def test_nothing_to_draw_is_refused(nothing):
    with pytest.raises(ValueError, match="no values to draw"):
        draw_curves(nothing)


def test_steps_may_be_given_and_begin_at_zero():
    """As those of a training: each line over its own steps, of which the first is 0."""
    values, panel = np.linspace(1, 0, 101), slice(ABOVE, ABOVE + HEIGHT)
    dense = draw_curves({"loss/train": (range(101), values), "loss/val": ([50, 100], [0.5, 0.0])})
    alone = draw_curves({"loss/train": (range(101), values)})
    early, late = slice(LEFT, LEFT + WIDTH // 2 - 8), slice(LEFT + WIDTH // 2 + 8, LEFT + WIDTH)
    assert (dense[panel, early] == alone[panel, early]).all()  # nothing is validated before step 50
    assert (dense[panel, late] != alone[panel, late]).any()


def test_running_means_leave_few_points_as_they_are_and_calm_many():
    noisy = np.linspace(1, 0, 2000) + 0.4 * np.sin(np.arange(2000) * 2.0)
    few, many = {"loss": noisy[:300]}, {"loss": noisy}
    assert (draw_curves(few) == draw_curves(few, smooth=True)).all()
    lines = [heights(draw_curves(many, smooth=smooth), COLORS[0]) for smooth in (False, True)]
    off = [np.abs(line - np.linspace(0, HEIGHT, len(line))).mean() for line in lines]
    assert off[1] < 12 < 2 * 12 < off[0]
