# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipe of what finds faces: it goes on, its files are small, its crop is where the frame is."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.align import frame_of_landmarks
from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.scenes import CORNERS
from ppstyleclip.worlds.portrait.training.faces.compact import compact, shortened, stored
from tests import dlib_bytes

ZERO = dlib_bytes.number(0.0)


def test_a_shortened_number_is_about_the_same():
    for value in (1.0, -1.0, 0.3, 3e-5, -12345.678):
        mantissa, exponent = np.frexp(value)
        short, power = shortened(int(mantissa * 2**24), int(exponent) - 24, 8)
        assert abs(short) < 256
        assert short * 2.0**power == pytest.approx(value, rel=1 / 256)
    assert shortened(0, 5, 8) == (0, 5) and stored(-300) == dlib_bytes.integer(-300)


def test_a_compact_predictor_says_the_same_in_fewer_bytes():
    whole = dlib_bytes.predictor(leaf_value=0.0123456)
    small = compact(whole)
    assert len(small) < len(whole)
    assert compact(small) == small  # nothing is left to shorten
    with pytest.raises(ValueError, match="no shape predictor"):
        compact(dlib_bytes.detector())


def test_dlib_reads_a_compact_predictor(tmp_path):
    dlib = pytest.importorskip("dlib")
    from ppstyleclip.align.dlib_models import load_predictor

    picture, box, found = np.zeros((64, 64, 3), np.uint8), dlib.rectangle(8, 8, 55, 55), []
    for name, data in (("a", dlib_bytes.predictor()), ("b", compact(dlib_bytes.predictor()))):
        (tmp_path / name).write_bytes(data)
        parts = load_predictor(tmp_path / name)(picture, box).parts()
        found.append(np.array([[part.x, part.y] for part in parts]))
    assert np.abs(found[0] - found[1]).max() <= 1


def test_the_crop_of_true_landmarks_is_the_frame_wherever_the_face_lies():
    pytest.importorskip("dlib")
    from ppstyleclip.worlds.portrait.training.faces.fit import crop_weights

    factors = factors_from_z(sample_z(3, 260))
    points = np.stack([(landmarks(row, 256) + 0.5) / 256 for row in factors]).astype(np.float64)
    square = np.array(CORNERS, np.float64)
    weights = crop_weights(points[:200], np.broadcast_to(square, (200, 4, 2)), 1e-9)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    for one in points[200:]:
        there = one @ turn.T * 130 + [40, 70]
        found = frame_of_landmarks(there, weights)
        assert np.abs(found - (square @ turn.T * 130 + [40, 70])).max() < 0.02 * 130


@pytest.mark.slow
def test_the_recipe_runs_and_goes_on(tmp_path, capsys):
    pytest.importorskip("dlib")
    from ppstyleclip.worlds.portrait.training.faces.__main__ import main

    tiny = ["detector_scenes=3", "landmark_scenes=3", "cascades=2", "trees=4", "views=3"]
    tiny += ["crop_scenes=2", "measured_scenes=2"]
    main(["--folder", str(tmp_path), "--set", *tiny])
    first = capsys.readouterr().out
    assert "recall" in first and "is there" not in first
    (tmp_path / "faces" / "crop.safetensors").unlink()
    main(["--folder", str(tmp_path), "--set", *tiny])
    second = capsys.readouterr().out
    assert "face_detector.svm is there" in second and "landmarks.dat is there" in second
    assert first.splitlines()[-1] == second.splitlines()[-1]
