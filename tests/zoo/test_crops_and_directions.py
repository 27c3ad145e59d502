# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bundle's own crop and its named directions, to and from files."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.align import CropWeights, align_face, frame_of_landmarks
from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.zoo import choose_direction, load_bundle, load_crop, load_pack, open_directions, save_crop
from ppstyleclip.zoo.save import save_bundle
from ppstyleclip.zoo.stored_directions import load_own_directions, save_directions


def weights():
    """A square around points 0 and 1, four times as wide as they are apart."""
    half = np.zeros(68, complex)
    half[:2] = -2, 2
    return CropWeights(np.zeros(68, complex), half)


def points(turn=1 + 0j, shift=0j):
    """68 points on a circle, of which 0 and 1 lie apart along the x axis."""
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    whole = 3 * np.exp(1j * angle)
    whole[:2] = -5 + 1j, 5 + 1j
    whole = whole * turn + shift
    return np.stack([whole.real, whole.imag], 1)


def test_a_crop_of_ones_own_moves_with_the_face():
    plain = frame_of_landmarks(points(), weights())
    assert np.hypot(*(plain[3] - plain[0])) == pytest.approx(40)
    turned = frame_of_landmarks(points(2j, 7 - 3j), weights())
    whole = (plain[:, 0] + 1j * plain[:, 1]) * 2j + 7 - 3j
    np.testing.assert_allclose(turned, np.stack([whole.real, whole.imag], 1), atol=1e-9)
    photo = np.full((300, 300, 3), 99, np.uint8)
    _, alignment = align_face(photo, points(2, 150 + 150j), 32, weights())
    np.testing.assert_allclose(alignment.quad, frame_of_landmarks(points(2, 150 + 150j), weights()))


def test_landmarks_in_one_place_get_one_line():
    with pytest.raises(UserError, match="lie in one place"):
        frame_of_landmarks(np.zeros((68, 2)), weights())


def test_a_crop_comes_back_from_its_file(tmp_path):
    save_crop(tmp_path / "crop.safetensors", weights())
    again = load_crop(tmp_path / "crop.safetensors")
    np.testing.assert_array_equal(again.half, weights().half)
    np.testing.assert_array_equal(again.middle, weights().middle)


@pytest.mark.parametrize("arrays, words", [
    ({"middle": np.zeros((68, 2), np.float32)}, "needs 'half'"),
    ({"middle": np.zeros((67, 2), np.float32), "half": np.zeros((68, 2), np.float32)}, "needs 'middle'"),
    ({"middle": np.zeros((68, 2), np.int32), "half": np.zeros((68, 2), np.float32)}, "needs 'middle'"),
    ({"middle": np.full((68, 2), np.nan, np.float32), "half": np.zeros((68, 2), np.float32)}, "NaN"),
])  # fmt: skip
def test_a_wrong_crop_gets_one_line(tmp_path, arrays, words):
    write_safetensors(tmp_path / "crop.safetensors", arrays, {"kind": "ppstyleclip crop"})
    with pytest.raises(UserError, match=words):
        load_crop(tmp_path / "crop.safetensors")


def test_a_bundle_keeps_its_crop_and_its_directions(tmp_path):
    bundle = load_bundle()
    named = {"up": np.ones((1, bundle.generator.style_dim), np.float32)}
    marks = save_bundle(tmp_path / "own", bundle.with_parts(crop=weights(), directions=named))
    again = load_pack(tmp_path / "own")
    np.testing.assert_array_equal(again.crop.half, weights().half)
    np.testing.assert_array_equal(again.directions["up"], named["up"])
    found = open_directions(bundle=tmp_path / "own")
    np.testing.assert_array_equal(choose_direction(found, "up"), named["up"])
    own = tmp_path / "own" / "directions.safetensors"
    save_directions(own, named, generator="0" * 16)
    with pytest.raises(UserError, match=f"was made for generator {'0' * 16}"):
        load_own_directions(own, name="own", generator=marks["generator"])


def test_a_bundle_without_directions_says_so(tmp_path):
    with pytest.raises(UserError, match="no stored directions"):
        open_directions(bundle=tmp_path)
