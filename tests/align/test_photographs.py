# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces of real photographs, which lie outside the repository (../shared/data/photos, or PPSTYLECLIP_PHOTOS).

benchmarks/find_faces.py prints the whole table.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = Path(os.environ.get("PPSTYLECLIP_PHOTOS") or ROOT.parent / "shared" / "data" / "photos")
sys.path.insert(0, str(ROOT / "benchmarks"))

from find_faces import CHANGES, Count, count_faces, find, read_scenes  # noqa: E402

from ppstyleclip.align import FaceFinder, choose_faces  # noqa: E402

needs_photos = pytest.mark.skipif(
    not (PHOTOS / "faces.json").is_file(), reason=f"the photographs, of {PHOTOS}, are not here"
)


@pytest.fixture(scope="module")
def finder():
    dlib = pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    return FaceFinder(dlib.get_frontal_face_detector(), None)


def counted(finder, change, scenes):
    total = Count(0, 0, 0, 0, 0, 0, 0, 0.0)
    for _, scene in scenes:
        picture, true = CHANGES[change](scene)
        total += count_faces(true, *find(finder, picture))
    return total


@needs_photos
def test_the_badge_on_the_sleeve_is_not_the_face(finder):
    (scene,) = [scene for name, scene in read_scenes(PHOTOS) if name == "photo08.jpg"]
    found, _ = find(finder, scene[0])
    (chosen,) = choose_faces(found)
    assert len(found) == 1 and chosen.confidence > 1
    assert np.abs(np.array(chosen.box) - scene[1][0]).max() < 20


@needs_photos
def test_all_six_of_a_small_group_are_found(finder):
    total = counted(finder, "as it is", [one for one in read_scenes(PHOTOS) if one[0] == "photo05.jpg"])
    assert (total.faces, total.found, total.false, total.misled) == (6, 6, 0, 0)


@needs_photos
@pytest.mark.slow
@pytest.mark.parametrize("change, missed, false", [
    ("as it is", 2, 1), ("double size", 2, 1), ("turned by 20 degrees", 3, 1),
    ("turned by -20 degrees", 3, 1), ("in 6000 x 1200", 2, 1), ("half size", 27, 1)])  # fmt: skip
def test_faces_of_photographs_however_they_are_changed(finder, change, missed, false):
    total = counted(finder, change, read_scenes(PHOTOS))
    assert (total.photos, total.faces) == (13, 42)
    assert total.found >= 42 - missed and total.false <= false and total.misled == 0
    assert total.large_found >= total.large - 3


def test_counting_matches_each_face_once():
    from ppstyleclip.align import Face

    def box(left, confidence=1.0, side=50.0):
        return Face((left, 0.0, left + side, side), np.zeros((68, 2)), confidence)

    true = np.array([[0, 0, 50, 50], [100, 0, 150, 50], [200, 0, 230, 30]], np.float64)
    counts = count_faces(true, [box(2), box(5, 2.0), box(400, 0.7, 90)], 0.5)
    assert (counts.faces, counts.found, counts.large, counts.large_found) == (3, 1, 2, 1)
    assert (counts.false, counts.misled, counts.seconds) == (2, 1, 0.5)
    assert count_faces(true, [], 0.1).misled == 0
