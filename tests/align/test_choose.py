# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which face is meant, and what is said of a photo's faces."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppstyleclip.align import (
    Face,
    NoFace,
    PhotoFaces,
    choose_faces,
    find_photo_faces,
    load_face_finder,
)
from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.scenes import draw_scene

PACK = Path(__file__).parents[2] / "ppstyleclip" / "worlds" / "portrait" / "pack"


def face(left, side, confidence=None):
    return Face((left, 10, left + side, 10 + side), np.zeros((68, 2)), confidence)


def test_the_best_face_is_sure_and_large_not_only_large():
    """A sleeve's badge may be larger than the face above it."""
    badge, one, child = face(0, 60, 0.52), face(100, 50, 1.6), face(200, 20, 2.5)
    assert choose_faces([badge, one, child]) == [one]
    assert choose_faces([badge, one, child], "largest") == [badge]
    given = [face(0, 60), face(100, 50)]  # landmarks without a detector
    assert choose_faces(given, "best") == choose_faces(given, "largest") == given[:1]


@pytest.mark.parametrize("which", ["left", None, "²", "", 1.5j, [1]])
def test_what_names_no_face_is_one_line(which):
    with pytest.raises(UserError, match="face is a number, 'best', 'largest' or 'all', got"):
        choose_faces([face(0, 60)], which)


def test_no_face_is_an_error_of_its_own():
    with pytest.raises(NoFace, match="at least 40 pixels wide$"):
        choose_faces([], "best")


# ---- one line on what was found


def test_the_line_names_each_face_and_the_chosen_one():
    faces = [face(0, 60, 0.52), face(100, 50, 1.64)]
    assert PhotoFaces(faces, faces[1:]).line("a.jpg") == (
        "found 2 faces in a.jpg: 1 at 30,40 (60 pixels, confidence 0.5), "
        "2 at 125,35 (50 pixels, confidence 1.6); chosen: face 2"
    )
    assert PhotoFaces(faces, faces).line("a.jpg").endswith("; chosen: all")
    assert PhotoFaces(faces[:1], faces[:1], 1).line("a.jpg") == (
        "found 1 face in a.jpg: 1 at 30,40 (60 pixels, confidence 0.5); chosen: face 1; "
        "one more is too small to be edited"
    )
    assert PhotoFaces(faces[:1], faces[:1], 5).line("a.jpg").endswith("; 5 more are too small to be edited")


def test_a_crowd_stays_one_line():
    crowd = [face(50 * k, 40, 1.0) for k in range(60)]
    line = PhotoFaces(crowd, crowd[41:42]).line("a.jpg")
    assert "60 faces" in line and ", and 51 more; chosen: face 42" in line and len(line) < 500


# ---- what else is seen


@pytest.fixture(scope="module")
def finder():
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    return load_face_finder(PACK / "landmarks.dat", PACK / "face_detector.svm")


@pytest.fixture(scope="module")
def pixels():
    return draw_scene(6, faces=1, width=260, height=240, sides=(120, 130), angles=(-5, 5)).pixels


def test_all_faces_and_the_chosen_one_come_with_their_confidence(finder):
    scene = draw_scene(21, faces=3, width=640, height=360, sides=(140, 180))
    found = find_photo_faces(finder, scene.pixels, 2)
    assert len(found.faces) == 3 and found.chosen == found.faces[1:2] and found.smaller == 0
    assert all(0.5 < one.confidence < 4 for one in found.faces)


@pytest.mark.parametrize("quarters, words", [
    (1, "one that lies on its side; turn the photo to the right first"),
    (2, "one that is upside down; turn the photo by half a turn first"),
    (3, "one that lies on its side; turn the photo to the left first")])  # fmt: skip
def test_a_face_that_is_not_upright_is_named(finder, pixels, quarters, words):
    """numpy.rot90 turns to the left."""
    with pytest.raises(NoFace, match=f"no upright face was found in a.jpg, but {words}"):
        find_photo_faces(finder, np.rot90(pixels, quarters), name="a.jpg")


def test_a_face_that_is_too_small_is_named(finder, pixels):
    tiny = cv2.resize(pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    with pytest.raises(
        NoFace, match="no face of 40 pixels was found in a.jpg, but one that is smaller; use a larger"
    ):
        find_photo_faces(finder, tiny, name="a.jpg")
    both = np.zeros((240, 400, 3), np.uint8)
    both[:, :260] = pixels
    both[60 : 60 + tiny.shape[0], 290 : 290 + tiny.shape[1]] = tiny
    found = find_photo_faces(finder, both)
    assert len(found.faces) == 1 and found.smaller == 1


def test_a_photo_without_a_face_says_what_is_looked_for(finder):
    grey = np.full((120, 160, 3), 90, np.uint8)
    with pytest.raises(
        NoFace, match="no face was found in a.jpg; use a photo with a face seen from the front"
    ):
        find_photo_faces(finder, grey, name="a.jpg")
    drawn = dataclasses.replace(finder, kind="portrait")
    with pytest.raises(NoFace, match="no face of the kind that 'portrait' knows .* such as ffhq-config-f$"):
        find_photo_faces(drawn, grey, name="a.jpg")
