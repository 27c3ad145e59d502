# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces and landmarks: choosing, landmarks from JSON, and dlib with the face world's own models."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from ppstyleclip.align import (
    Face,
    choose_faces,
    find_faces,
    frame_of_landmarks,
    load_face_finder,
    read_landmarks,
)
from ppstyleclip.errors import MissingExtra, MissingFile, UserError
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.zoo.crops import load_crop

PACK = Path(__file__).parents[2] / "ppstyleclip" / "worlds" / "portrait" / "pack"
DETECTOR, LANDMARKS = PACK / "face_detector.svm", PACK / "landmarks.dat"
CROP = PACK / "crop.safetensors"


def face(left, side):
    return Face((left, 10, left + side, 10 + side), np.zeros((68, 2)))


# ---- which face ----


@pytest.mark.parametrize("which, lefts", [
    ("all", [0, 50, 120]), ("largest", [50]), (1, [0]), ("3", [120])])  # fmt: skip
def test_faces_are_numbered_from_the_left(which, lefts):
    faces = [face(0, 30), face(50, 60), face(120, 40)]
    assert [f.box[0] for f in choose_faces(faces, which)] == lefts


@pytest.mark.parametrize("count, which, words", [
    (0, "largest", "no face was found"),
    (0, 1, "no face was found"),
    (1, 2, "no face 2: only one face was found"),
    (3, "0", "no face 0: 3 faces were found, numbered from 1 at the left"),
    (3, "left", "a number, 'best', 'largest' or 'all', got 'left'"),
    (3, None, "got 'None'"),
])  # fmt: skip
def test_a_face_that_is_not_there_gets_one_line(count, which, words):
    with pytest.raises(UserError, match=words):
        choose_faces([face(50 * k, 30) for k in range(count)], which)


# ---- landmarks from a file ----


def test_landmarks_of_one_face_or_several_are_read(tmp_path):
    path, points = tmp_path / "a.json", np.random.RandomState(0).uniform(0, 100, (68, 2))
    path.write_text(json.dumps(points.tolist()))
    (one,) = read_landmarks(path)
    np.testing.assert_allclose(one.landmarks, points)
    np.testing.assert_allclose(one.box, [*points.min(0), *points.max(0)])
    path.write_text(json.dumps([(points + [200, 0]).tolist(), points.tolist()]))
    assert [f.landmarks[0, 0] < 150 for f in read_landmarks(path)] == [True, False]


@pytest.mark.parametrize("text", ["", "{}", "[]", "[[1, 2]]", "[[1, 2], [3]]", '"face"', "[[[]]]", "\x00\xff",
                                  json.dumps([[float("nan"), 0]] * 68)])  # fmt: skip
def test_a_file_without_landmarks_gets_one_line(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="holds no landmarks; it should be JSON"):
        read_landmarks(path)


def test_no_landmark_file(tmp_path):
    with pytest.raises(MissingFile):
        read_landmarks(tmp_path / "no.json")


# ---- the drawn landmarks ----


def test_scenes_are_the_same_for_a_seed_and_hold_what_they_say():
    scene = draw_scene(21, faces=4)
    np.testing.assert_array_equal(scene.pixels, draw_scene(21, faces=4).pixels)
    assert scene.pixels.shape == (480, 640, 3) and len(scene.faces) == 4
    assert [f.centre[0] for f in scene.faces] == sorted(f.centre[0] for f in scene.faces)
    for one in scene.faces:
        quad = frame_of_landmarks(one.landmarks, load_crop(CROP))
        np.testing.assert_allclose(quad.mean(0), one.centre, atol=0.05 * one.side)
        edge = quad[3] - quad[0]
        assert np.hypot(*edge) == pytest.approx(one.side, rel=0.12)
        assert np.degrees(np.arctan2(edge[1], edge[0])) == pytest.approx(one.angle, abs=4)
        assert quad.min() > 0 and (quad.max(0) < [640, 480]).all()


def test_faces_that_do_not_fit_get_one_line():
    with pytest.raises(UserError, match="4 faces of 300 pixels and more do not fit in 640x480"):
        draw_scene(0, faces=4, sides=(300, 400))


# ---- dlib ----


def test_without_dlib_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MissingExtra, match="run: pip install dlib-bin"):
        load_face_finder("landmarks.dat")
    monkeypatch.setitem(sys.modules, "dlib", types.ModuleType("dlib"))
    with pytest.raises(MissingExtra, match="another package; run: pip install dlib-bin"):
        load_face_finder("landmarks.dat")


@pytest.fixture(scope="module")
def finder():
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    return load_face_finder(LANDMARKS, DETECTOR)


@pytest.mark.parametrize("name, data, words", [
    ("no.dat", None, "no file"), ("text.dat", b"landmarks", "is not a landmark model of dlib"),
    ("empty.dat", b"", "is not a landmark model of dlib")])  # fmt: skip
def test_a_wrong_model_gets_one_line(finder, tmp_path, name, data, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=words):
        load_face_finder(tmp_path / name, DETECTOR)
    with pytest.raises(UserError, match=words.replace("landmark model", "detector")):
        load_face_finder(LANDMARKS, tmp_path / name)


def test_all_faces_of_held_out_scenes_are_found(finder):
    """The whole measurement is the training command's; this is a part of it."""
    for seed in range(800_000, 800_008):
        scene = draw_scene(seed)
        found = find_faces(finder, scene.pixels)
        assert len(found) == len(scene.faces)
        for one, true in zip(found, scene.faces):
            assert np.abs(one.landmarks.mean(0) - true.landmarks.mean(0)).max() < 0.06 * true.side
            quads = [frame_of_landmarks(face.landmarks, load_crop(CROP)) for face in (one, true)]
            off = quads[0] - quads[1]
            assert np.hypot(*off.T).mean() < 0.08 * true.side


def test_the_photo_s_size_does_not_matter(finder):
    import cv2

    scene = draw_scene(800_001)
    frames = [frame_of_landmarks(f.landmarks) for f in find_faces(finder, scene.pixels)]
    large = cv2.resize(scene.pixels, (3200, 2400), interpolation=cv2.INTER_CUBIC)
    again = [frame_of_landmarks(f.landmarks) / 5 for f in find_faces(finder, large)]
    assert len(frames) == len(again)
    for one, other in zip(frames, again):
        assert np.abs(one - other).max() < 0.06 * np.hypot(*(one[3] - one[0]))


@pytest.mark.parametrize("photo", [
    np.full((480, 640, 3), 128, np.uint8), np.zeros((16, 2000, 3), np.uint8),
    np.random.RandomState(0).randint(0, 255, (300, 400, 3), np.uint8), draw_scene(3, faces=0).pixels],
    ids=["grey", "strip", "noise", "ground"])  # fmt: skip
def test_no_face_is_no_face(finder, photo):
    assert find_faces(finder, photo) == []


def test_dlib_s_own_detector_finds_a_real_face(finder):
    data = pytest.importorskip("skimage.data", reason="scikit-image, with its photograph, is not installed")
    (one,) = find_faces(load_face_finder(LANDMARKS), data.astronaut())
    middle = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
    np.testing.assert_allclose(middle, [223, 122], atol=20)
    assert 70 < one.box[2] - one.box[0] < 150
