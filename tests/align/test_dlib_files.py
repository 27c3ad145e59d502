# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""dlib's files: whole ones are loaded from anywhere, and no damaged or crafted one ends the process."""

import os
import subprocess
import sys
import types
from pathlib import Path

import dlib_bytes
import numpy as np
import pytest

from ppstyleclip import environment
from ppstyleclip.align import MissingDlib, dlib_files, load_face_finder
from ppstyleclip.align.dlib_models import load_detector, load_predictor
from ppstyleclip.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "ppstyleclip" / "worlds" / "portrait" / "pack"
PICTURE = np.random.RandomState(0).randint(0, 255, (90, 120, 3), np.uint8)


@pytest.fixture
def dlib():
    return pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def written(folder, name, data):
    (folder / name).write_bytes(data)
    return folder / name


# ---- whole files


def test_whole_files_are_loaded_and_used(dlib, tmp_path):
    predictor = load_predictor(written(tmp_path, "a.dat", dlib_bytes.predictor()))
    assert predictor(PICTURE, dlib.rectangle(10, 10, 70, 70)).num_parts == 68
    detector = load_detector(written(tmp_path, "a.svm", dlib_bytes.detector()))
    assert detector.detection_window_height == dlib_bytes.WINDOW
    assert len(detector.run(PICTURE, 0, -99)[0])


def test_what_dlib_itself_stores_is_whole(dlib, tmp_path):
    """Its own detector of five windows, and both models of the embedded world."""
    dlib.get_frontal_face_detector().save(str(tmp_path / "frontal.svm"))
    assert load_detector(tmp_path / "frontal.svm").num_detectors == 5
    finder = load_face_finder(PACK / "landmarks.dat", PACK / "face_detector.svm")
    assert finder.detector.num_detectors == 1


LOADS = """
import sys
from ppstyleclip.align import load_face_finder
load_face_finder(*sys.argv[1:])
print("loaded")
"""


@pytest.mark.parametrize("settings", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {}])
def test_paths_may_have_any_letters_in_any_locale(dlib, tmp_path, settings):
    folder = tmp_path / "用户 Jürgen"
    folder.mkdir()
    paths = [
        written(folder, name, (PACK / name).read_bytes()) for name in ("landmarks.dat", "face_detector.svm")
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOADS, *map(os.fsencode, paths)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        timeout=120,
    )
    assert done.stdout.strip() == b"loaded", done.stderr


# ---- damaged and crafted files

PREDICTORS = {
    "a tree compares pixel 5 of 5": {"split": (5, 0)},
    "the index of a pixel is 40000": {"split": (0, 40_000)},
    "the index of a pixel is -1": {"split": (-1, 0)},
    "an anchor is 68, 0 to 67 can be": {"anchor": 68},
    "an anchor is -3": {"anchor": -3},
    "a number of leaves is 3, 4 to 4 can be": {"leaves": 3},
    "a leaf has another shape": {"leaf": 12},
    "a number of pixels is 4, 5 to 5 can be": {"pixels_of": 4},
    "a number of pixels is 5, 3 to 3 can be": {"anchors": 3},
    "its number of lists of anchors is 1": {"lists": 1},
    "its mean shape is 135x1": {"shapes": 135},
    "its version is 7": {"version": 7},
    "an impossible number": {"leaf_value": float("nan")},
}


@pytest.mark.parametrize("words, wrong", PREDICTORS.items(), ids=list(PREDICTORS))
def test_a_crafted_predictor_is_one_line(dlib, tmp_path, words, wrong):
    path = written(tmp_path, "a.dat", dlib_bytes.predictor(**wrong))
    with pytest.raises(UserError) as caught:
        load_predictor(path)
    assert f"{path} is not a landmark model of dlib, or is damaged (" in str(caught.value)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_predictor_of_other_landmarks_is_named(dlib, tmp_path):
    with pytest.raises(UserError, match="finds 5 landmarks, 68 are needed"):
        load_predictor(written(tmp_path, "a.dat", dlib_bytes.predictor(parts=5)))


DETECTORS = {
    "a window has other than 124 weights": {"weights": 123},
    "its number of weights is 400000": {"dimensions": 400_000},
    "the side of its cells is 0": {"cell": 0},
    "a side of its window is 100000": {"width": 100_000},
    "its number of sizes is 0": {"levels": 0},
    "a side of its smallest picture is 0": {"least_width": 0},
    "its number of windows is 100": {"windows": 100},
    "its number of stored features is 9": {"stored": 9},
    "the exponent of its weights is 32002": {"weight": float("nan")},
    "its version is 3": {"version": 3},
    "it is cut off": {"windows": 2},
}


@pytest.mark.parametrize("words, wrong", DETECTORS.items(), ids=list(DETECTORS))
def test_a_crafted_detector_is_one_line(dlib, tmp_path, words, wrong):
    path = written(tmp_path, "a.svm", dlib_bytes.detector(**wrong))
    with pytest.raises(UserError) as caught:
        load_detector(path)
    assert f"{path} is not a detector of dlib, or is damaged (" in str(caught.value)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_do_not_fit_the_window_are_dlibs_own_line(dlib, tmp_path):
    path = written(tmp_path, "a.svm", dlib_bytes.detector(width=24, height=24))
    with pytest.raises(UserError, match="dlib cannot read .*a.svm"):
        load_detector(path)


@pytest.mark.parametrize("data, words", [
    (b"", "it is cut off"), (b"landmarks", "use a whole copy"), (b"BZh91AY&SY", "unpack the .bz2"),
    (b"<html>", "use a whole copy"), (dlib_bytes.predictor()[:5000], "use a whole copy")])  # fmt: skip
def test_other_files_are_one_line(dlib, tmp_path, data, words):
    path = written(tmp_path, "a.dat", data)
    for load in (load_predictor, load_detector):
        with pytest.raises(UserError, match=" is not a .* of dlib, or is damaged") as caught:
            load(path)
        assert load is load_detector or words in str(caught.value)


MUTATIONS = """
import random, sys
import dlib, numpy as np
import dlib_bytes
from ppstyleclip.align.dlib_models import load_detector, load_predictor
from ppstyleclip.errors import UserError

draw, path, used, refused = random.Random(1), sys.argv[1], 0, 0
picture = np.random.RandomState(0).randint(0, 255, (90, 120, 3), np.uint8)
whole = dlib_bytes.predictor(cascades=1, trees=2, depth=1, pixels=4), dlib_bytes.detector()
for number in range(int(sys.argv[2])):
    data = bytearray(whole[number % 2])
    for _ in range(draw.choice((1, 1, 2))):
        place = draw.randrange(draw.choice((40, len(data))))
        way = draw.randrange(4)
        if way < 2:
            data[place % len(data)] = draw.choice((0, 1, 8, 127, 129, 136, 255, draw.randrange(256)))
        elif way == 2:
            del data[place : place + draw.choice((1, 2, 8))]
        else:
            data[place:place] = bytes(draw.randrange(256) for _ in range(draw.choice((1, 2, 8))))
    open(path, "wb").write(data)
    try:
        if number % 2:
            load_detector(path).run(picture, 0, -5)
        else:
            predictor = load_predictor(path)
            for box in ((10, 10, 70, 70), (-40, -40, 20, 20)):
                predictor(picture, dlib.rectangle(*box))
        used += 1
    except UserError:
        refused += 1
print(used, refused)
"""


@pytest.mark.slow
def test_mutated_files_are_refused_or_harmless(dlib, tmp_path):
    """In a process of their own: what dlib believes of such files ends it, where nobody looks before."""
    done = subprocess.run(
        [sys.executable, "-c", MUTATIONS, str(tmp_path / "a.dat"), "3000"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    used, refused = map(int, done.stdout.split())
    assert used > 300 and refused > 1000


# ---- the verdict on large files is kept


def test_a_large_file_is_checked_once(dlib, monkeypatch, tmp_path, home):
    monkeypatch.setattr(dlib_files, "QUICK", 1000)
    path, read = written(tmp_path, "a.dat", dlib_bytes.predictor()), []
    plain = dlib_files._Reader.floats
    monkeypatch.setattr(dlib_files._Reader, "floats", lambda *args: read.append(1) or plain(*args))
    load_predictor(path)
    assert read
    del read[:]
    load_predictor(path)
    assert not read and len(list((home / "dlib").iterdir())) == 1
    (mark,) = (home / "dlib").iterdir()
    if os.name == "posix":
        mark.chmod(0o666)  # anyone may have written it
        load_predictor(path)
        assert read
    path.write_bytes(dlib_bytes.predictor(split=(5, 0)))
    with pytest.raises(UserError, match="compares pixel 5 of 5"):
        load_predictor(path)


def test_a_home_that_cannot_be_written_does_not_matter(dlib, monkeypatch, tmp_path, home):
    monkeypatch.setattr(dlib_files, "QUICK", 1000)
    home.write_text("a file")
    load_predictor(written(tmp_path, "a.dat", dlib_bytes.predictor()))


# ---- dlib itself


def test_a_dlib_that_was_built_for_another_numpy_is_one_line(monkeypatch, tmp_path):
    def refuse(picture, boxes):
        raise RuntimeError("Unsupported image type, must be 8bit gray or RGB image.")

    old = types.ModuleType("dlib")
    old.__version__, old.shape_predictor, old.find_candidate_object_locations = "19.24.2", object, refuse
    monkeypatch.setitem(sys.modules, "dlib", old)
    with pytest.raises(
        MissingDlib, match="dlib 19.24.2 was built for an older NumPy than .*--upgrade dlib-bin"
    ):
        load_face_finder(tmp_path / "a.dat")
    check = environment._look("dlib", environment._dlib)
    assert (check.state, check.fix) == ("missing", "pip install --upgrade dlib-bin")
