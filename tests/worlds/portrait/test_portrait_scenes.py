# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Scenes of the portrait world: the same for a seed, and their faces lie where they say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.render import render
from ppstyleclip.worlds.portrait.scenes import draw_scene


@pytest.fixture(scope="module")
def scene():
    return draw_scene(21, faces=2, width=480, height=300, sides=(100, 140))


def test_scenes_are_the_same_for_a_seed_and_hold_what_they_say(scene):
    again = draw_scene(21, faces=2, width=480, height=300, sides=(100, 140))
    np.testing.assert_array_equal(scene.pixels, again.pixels)
    assert scene.pixels.shape == (300, 480, 3) and scene.pixels.dtype == np.uint8 and len(scene.faces) == 2
    assert [f.centre[0] for f in scene.faces] == sorted(f.centre[0] for f in scene.faces)
    for one in scene.faces:
        edge = one.frame[3] - one.frame[0]
        np.testing.assert_allclose(one.frame.mean(0), one.centre, atol=1e-9)
        assert np.hypot(*edge) == pytest.approx(one.side)
        assert np.degrees(np.arctan2(edge[1], edge[0])) == pytest.approx(one.angle)
        assert one.frame.min() > 0 and (one.frame.max(0) < [480, 300]).all()
        assert (one.landmarks > one.frame.min(0)).all() and (one.landmarks < one.frame.max(0)).all()
        left, top, right, bottom = one.box
        inside = (one.landmarks > [left, top]) & (one.landmarks < [right, bottom])
        assert inside[17:].all()  # all but the jaw, which may be wider than the box


def test_the_frame_cut_out_is_the_portrait(scene):
    for one in scene.faces:
        corners = np.float32([[-0.5, -0.5], [-0.5, one.side - 0.5], [one.side - 0.5, one.side - 0.5]])
        forth = cv2.getAffineTransform(np.float32(one.frame[:3]), corners)
        cut = cv2.warpAffine(scene.pixels, forth, (one.side, one.side), flags=cv2.INTER_CUBIC)
        true = render(one.factors, one.side)
        assert np.abs(cut.astype(float) - true)[4:-4, 4:-4].mean() < 4
        points = one.landmarks @ forth[:, :2].T + forth[:, 2]
        np.testing.assert_allclose(points, landmarks(one.factors, one.side), atol=0.01)


def test_people_can_be_named():
    factors = np.zeros((1, 31))
    one = draw_scene(3, faces=1, width=260, height=240, sides=(90, 90), factors=factors).faces[0]
    np.testing.assert_array_equal(one.factors, factors[0])


def test_faces_that_do_not_fit_get_one_line():
    with pytest.raises(UserError, match="4 faces of 300 pixels and more do not fit in 640x480"):
        draw_scene(0, faces=4, sides=(300, 400))


@pytest.mark.slow
def test_large_scenes_have_small_and_large_faces():
    scene = draw_scene(5, faces=9, width=2000, height=1500, sides=(78, 900))
    sides = [face.side for face in scene.faces]
    assert scene.pixels.shape == (1500, 2000, 3) and min(sides) < 120 and max(sides) > 300
