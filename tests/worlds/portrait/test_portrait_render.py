# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The renderer of the portrait world: the same picture for the same factors, at any size, and no jumps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from edges import edges

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX, NUM_FACTORS, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.render import render, render_batch

FROZEN = Path(__file__).with_name("frozen_portraits.png")  # six portraits of 64 px, side by side


def face(**values):
    """Factors of the average face but for those given."""
    f = np.zeros(NUM_FACTORS)
    for name, value in values.items():
        f[INDEX[name]] = value
    return f


def test_the_same_factors_give_the_same_picture():
    f = factors_from_z(sample_z(1, 1))[0]
    np.testing.assert_array_equal(render(f, 96), render(f.astype(np.float64), 96))


def test_pictures_are_those_that_the_generator_was_fitted_to():
    """A level's difference is left to the rounding of other machines and of other versions of OpenCV."""
    stored = cv2.imread(str(FROZEN))[..., ::-1].astype(int)
    drawn = np.concatenate(list(render_batch(factors_from_z(sample_z(2026, 6)), 64)), 1).astype(int)
    assert np.abs(drawn - stored).max() <= 1


def test_a_batch_holds_the_single_pictures():
    f = factors_from_z(sample_z(4, 2))
    batch = render_batch(f, 64)
    assert batch.shape == (2, 64, 64, 3) and batch.dtype == np.uint8
    np.testing.assert_array_equal(batch[1], render(f[1], 64))
    assert render_batch(f[:0], 64).shape == (0, 64, 64, 3)


@pytest.mark.parametrize("size", [1, 17, 100, 300])
def test_any_size_shows_the_same_picture(size):
    f = face(smile=1.2, hair_curl=1.0, glasses=0.8)
    picture = render(f, size)
    assert picture.shape == (size, size, 3)
    common = min(size, 64)
    small, other = (
        cv2.resize(p, (common, common), interpolation=cv2.INTER_AREA) for p in (picture, render(f, 256))
    )
    difference = np.abs(small.astype(int) - other.astype(int))
    assert difference.mean() < 2  # the textures' noise belongs to a size, so sizes differ a little


def test_extreme_factors_are_drawn():
    rng = np.random.RandomState(0)
    with np.errstate(all="raise", under="ignore"):
        for _ in range(8):
            picture = render(rng.choice([-6.0, -2.0, 0.0, 2.0, 6.0], NUM_FACTORS), 64)
            assert picture.std() > 5


@pytest.mark.parametrize("name", edges(FACTORS, 8))
def test_a_small_step_makes_a_small_change(name):
    """Across 0, where opposites meet, or on the slope of those that begin later; a jump would be larger."""
    f = 0.7 * factors_from_z(sample_z(40 + INDEX[name], 1))[0].astype(np.float64)
    place = 1.2 if name in ("fringe", "hair_curl", "hair_dye", "beard", "glasses") else 0.0
    pair = []
    for at in (place - 0.002, place + 0.002):
        f[INDEX[name]] = at
        pair.append(render(f, 128).astype(int))
    change = np.abs(pair[1] - pair[0])
    assert change.max() <= 30
    assert change.mean() < 0.3


@pytest.mark.parametrize("name", edges(FACTORS, 7))
def test_every_factor_shows(name):
    base = {"glasses": 1.2} if name == "shades" else {}
    low, high = (render(face(**{**base, name: at}), 128).astype(int) for at in (-1.5, 1.5))
    most = np.sort(np.abs(high - low).max(-1).ravel())[-80:]  # half a percent of the picture
    assert most.mean() > 25


def test_a_turned_head_moves_its_outline():
    """The edge of the jaw moves with the turn, not only what is within it."""
    left, right = (render(face(head_turn=turn, hair_length=-2), 128).astype(int) for turn in (-2, 2))
    background = render(face(head_turn=0, hair_length=-2), 128)[97, 3].astype(int)

    def first(picture):
        return np.argmax(np.abs(picture[97] - background).sum(-1) > 60)

    assert 2 <= first(right) - first(left) <= 20


@pytest.mark.parametrize("wrong", [np.zeros(30), np.zeros((1, 31)), np.full(31, np.nan)])
def test_wrong_factors_are_refused(wrong):
    with pytest.raises(UserError, match="31 finite numbers"):
        render(wrong, 64)


@pytest.mark.parametrize("size", [0, -5, 12.5])
def test_a_wrong_size_is_refused(size):
    with pytest.raises(UserError, match="positive whole number"):
        render(face(), size)


def test_drawing_needs_no_paddle():
    code = "import sys, ppstyleclip.worlds.portrait.render; sys.exit('paddle' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
