# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The search for faces: every size and shape of picture, each face once, and how sure it is."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ppstyleclip.align import FaceFinder, confident_places, detect, find_faces, load_face_finder
from ppstyleclip.worlds.portrait.scenes import draw_scene

PACK = Path(__file__).parents[2] / "ppstyleclip" / "worlds" / "portrait" / "pack"


@pytest.fixture(scope="module")
def finder():
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    return load_face_finder(PACK / "landmarks.dat", PACK / "face_detector.svm")


def middles(faces):
    return np.array([[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] for box in (face.box for face in faces)])


# ---- parts of a large picture


@pytest.mark.parametrize("scale", [2.0, 1.2, 0.4, 0.1])
@pytest.mark.parametrize("shape", [(300, 200), (1200, 6000), (8000, 10_000), (40, 60_000)])
def test_parts_are_bounded_and_every_face_lies_in_one(shape, scale):
    reach = 320
    parts = np.array(detect._parts(shape, scale, reach))
    assert ((parts[:, [1, 3]] - parts[:, [0, 2]]) * scale).max() <= detect.TILE + 2
    for first, last, side in ((0, 1, shape[0]), (2, 3, shape[1])):
        spans = np.unique(parts[:, [first, last]], axis=0)
        assert spans[0, 0] == 0 and spans[-1, 1] == side
        shared = spans[:-1, 1] - spans[1:, 0]
        assert (shared * scale >= reach - 2 * scale).all()
    most = [1 + side * scale / (detect.TILE - reach) for side in shape]
    assert len(parts) <= most[0] * most[1]


@pytest.mark.parametrize("tile", [300, 450])
def test_faces_are_found_once_whatever_the_parts(finder, monkeypatch, tile):
    scene = draw_scene(800_003, faces=4)
    monkeypatch.setattr(detect, "TILE", tile)
    found = middles(find_faces(finder, scene.pixels))
    true = middles(scene.faces)
    assert len(found) == 4 and np.abs(found - true).max() < 25


def test_small_faces_beside_a_large_one_in_a_wide_picture(finder):
    """The search does not follow the longer side: 44 pixels are enough in a picture of any width."""
    wide = draw_scene(5, faces=0, width=3000, height=400).pixels
    large = draw_scene(21, faces=1, width=320, height=300, sides=(220, 230))
    small = draw_scene(8, faces=2, width=200, height=100, sides=(66, 68), angles=(-10, 10))
    wide[50:350, 200:520] = large.pixels
    wide[150:250, 2500:2700] = small.pixels
    true = np.vstack([middles(large.faces) + [200, 50], middles(small.faces) + [2500, 150]])
    found = middles(find_faces(finder, wide))
    assert len(found) == 3 and np.abs(found - true).max() < 25


# ---- how sure a place is


class Scripted:
    """A detector whose every window scores as `score` says of the picture it is given."""

    detection_window_height = 80

    def __init__(self, score):
        self.score = score

    def run(self, picture, upsample, threshold):
        height, width = picture.shape[:2]
        side = 104 if (height, width) != (400, 600) else 80
        left, top = (width - side) // 2, (height - side) // 2
        box = SimpleNamespace(
            left=lambda: left,
            top=lambda: top,
            right=lambda: left + side - 1,
            bottom=lambda: top + side - 1,
        )
        value = self.score(picture)
        return ([box], [value], [0]) if value >= threshold else ([], [], [])


def is_whole(picture):
    return picture.shape[:2] == (400, 600)  # of 200x300, enlarged for the finest search


PICTURE = np.full((200, 300, 3), 128, np.uint8)


def test_what_only_the_search_sees_is_no_face():
    finder = FaceFinder(Scripted(lambda one: 0.9 if is_whole(one) else -0.4), None)
    (place,) = detect.detect_faces(finder.detector, PICTURE)
    assert (place.score, place.confidence) == pytest.approx((0.9, -0.4))
    assert confident_places(finder, PICTURE) == []
    trained = dataclasses.replace(finder, sure_score=0.0)  # on a world of its own, where it is right
    assert confident_places(trained, PICTURE) == [place]


def test_the_confidence_is_that_of_the_best_copies():
    values = iter([0.1, 0.7, 2.0, 0.3, *[0.2] * 5, 1.0, 3.0, 0.4])
    (one,) = detect.detect_faces(Scripted(lambda one: -0.3 if is_whole(one) else next(values)), PICTURE)
    assert one.confidence == pytest.approx((3.0 + 2.0 + 1.0) / 3)
    np.testing.assert_allclose(one.box, [130, 80, 170, 120])
    assert next(values, None) is None


def test_a_place_beyond_the_rim_is_left_out(monkeypatch):
    detector, seen = Scripted(lambda one: 1.0), []
    monkeypatch.setattr(detect, "_run", lambda *_: iter([(1.0, np.array([560.0, 10, 660, 110]))]))
    monkeypatch.setattr(detect, "_confidence", lambda detector, picture, box: seen.append(box) or 1.0)
    assert detect.detect_faces(detector, PICTURE) == [] and not seen
    monkeypatch.setattr(detect, "_run", lambda *_: iter([(1.0, np.array([-40.0, 10, 60, 110]))]))
    (one,) = detect.detect_faces(detector, PICTURE)
    np.testing.assert_allclose(one.box, [-20, 5, 30, 55])


@pytest.mark.parametrize("box, is_same", [
    ((0, 0, 100, 100), True), ((10, 10, 110, 110), True), ((30, 30, 60, 60), True),
    ((70, 0, 170, 100), False), ((90, 90, 120, 120), False), ((200, 0, 300, 100), False)])  # fmt: skip
def test_boxes_of_one_face_are_merged(box, is_same):
    pairs = [("better", (0, 0, 100, 100)), ("other", box)]
    kept = detect._once(pairs, same=detect.SAME, within=detect.WITHIN)
    assert [name for name, _ in kept] == ["better"] + ["other"] * (not is_same)


def test_faces_of_scenes_are_sure_and_grounds_are_not(finder):
    confident = [
        one.confidence for k in range(4) for one in find_faces(finder, draw_scene(800_020 + k).pixels)
    ]
    assert min(confident) > 0.5
    grounds = [draw_scene(800_030 + k, faces=0, width=320, height=240).pixels for k in range(3)]
    assert not any(confident_places(finder, ground) for ground in grounds)
