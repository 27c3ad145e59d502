# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is read off pictures whose truth is known: rendered portraits, also dim, turned and larger."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from edges import slow

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.factors import (
    FACTORS,
    INDEX,
    NUM_FACTORS,
    factors_from_z,
    mixing,
    sample_z,
    z_from_factors,
)
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.likeness import likeness
from ppstyleclip.worlds.portrait.likeness.beard import beard_shares
from ppstyleclip.worlds.portrait.likeness.light import skin_samples, typical_skin, yellowness
from ppstyleclip.worlds.portrait.likeness.measurements import lengths
from ppstyleclip.worlds.portrait.likeness.patch import cut_patch, to_lab, to_linear
from ppstyleclip.worlds.portrait.likeness.read import FARTHEST, complete, within_population
from ppstyleclip.worlds.portrait.render import render

SIDE = 256


def person(**values):
    """(pixels, landmarks) of a portrait whose other factors are at their middles; no glasses, no beard."""
    return _person(tuple(sorted({"glasses": -1.0, "beard": -0.5, "background_tone": 1.0, **values}.items())))


@cache
def _person(items):
    factors = np.zeros(NUM_FACTORS)
    for name, value in items:
        factors[INDEX[name]] = value
    return render(factors, SIDE), np.float64(landmarks(factors, SIDE))


@cache
def drawn_norms():
    """Middle and deviation of the measurements of drawn faces, which have larger eyes and shorter chins."""
    blank = np.zeros((SIDE, SIDE, 3), np.uint8)
    rows = [
        lengths(cut_patch(blank, np.float64(landmarks(factors, SIDE))).points)
        for factors in factors_from_z(sample_z(5, 60))
    ]
    norms = {name: (np.median([r[name] for r in rows]), np.std([r[name] for r in rows])) for name in rows[0]}
    skin = typical_skin(skin_samples(cut_patch(*person())))
    return {**norms, "yellowness": (yellowness(skin), 0.2)}


def read(name, pixels, points):
    return float(likeness(pixels, points, drawn_norms()).factors[INDEX[name]])


@pytest.mark.parametrize(
    "name, low, high, least",
    [
        ("smile", -1.0, 1.5, 1.0),
        slow(("mouth_open", -0.5, 1.8, 0.7)),
        slow(("head_turn", -1.5, 1.5, 1.5)),
        slow(("face_width", -1.5, 1.5, 0.7)),
        ("eye_distance", -1.5, 1.5, 0.5),
        slow(("nose_size", -1.5, 1.5, 0.5)),
        slow(("hair_lightness", -1.8, 1.5, 1.5)),
        slow(("hair_grey", -0.3, 1.8, 0.7)),
        ("hair_length", -1.6, 1.6, 1.5),
        ("glasses", -1.0, 1.5, 1.0),
    ],
)
def test_what_a_portrait_has_more_of_is_read_as_more(name, low, high, least):
    less, more = (read(name, *person(**{name: value})) for value in (low, high))
    assert more - less > least


def test_a_beard_makes_chin_jaw_and_lip_as_dark_as_hair():
    bare, full = (
        np.array(beard_shares(*_in_lab(*person(beard=value, hair_lightness=-2.0)), np.float32([10, 0, 0])))
        for value in (-0.5, 2.0)
    )
    assert (full - bare > 0.4).all()


def _in_lab(pixels, points):
    """(patch, its Lab, Lab of its skin) as lit."""
    patch = cut_patch(pixels, points)
    return patch, to_lab(patch.linear), to_lab(typical_skin(skin_samples(patch)))


def test_a_dim_photo_does_not_make_skin_darker():
    """Four times less light is one deviation of tone for what sees brightness alone; here less than half."""
    pixels, points = person(skin_tone=-0.8)
    dim = np.uint8(np.rint(pixels * 0.25 ** (1 / 2.2)))
    bright, dark = read("skin_tone", pixels, points), read("skin_tone", dim, points)
    assert abs(dark - bright) < 0.7
    assert abs(read("hair_lightness", dim, points) - read("hair_lightness", pixels, points)) < 1.0


def test_a_photo_that_is_turned_and_larger_gives_the_same_likeness():
    pixels, points = person(smile=1.0, hair_length=1.2)
    turn = np.float64(cv2.getRotationMatrix2D((128, 128), 15, 1.5)) + [[0, 0, 130], [0, 0, 130]]
    moved = cv2.warpAffine(pixels, turn, (520, 520), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    there = points @ turn[:, :2].T + turn[:, 2]
    apart = np.abs(likeness(moved, there).factors - likeness(pixels, points).factors)
    assert np.median(apart) < 0.05
    assert apart[INDEX["smile"]] < 0.1


def test_a_patch_has_the_eyes_level_and_a_unit_apart():
    pixels, points = person()
    patch = cut_patch(pixels, points)
    left, right = patch.points[36:42].mean(0), patch.points[42:48].mean(0)
    np.testing.assert_allclose(left + right, 0, atol=1e-6)
    assert right[0] - left[0] == pytest.approx(1, abs=0.15)
    assert abs(right[1] - left[1]) < 0.02
    assert not patch.seen.all() and patch.seen.mean() > 0.4  # the picture ends near the head


def test_what_was_read_stays_and_the_rest_goes_with_it():
    values = {"hair_length": 1.2, "beard": -0.6}
    factors = complete(values, {"hair_length": 0.9, "beard": 0.9})
    for name, value in values.items():
        assert factors[INDEX[name]] == pytest.approx(value, abs=1e-5)
    assert factors[INDEX["feminine"]] > 0.4  # as of most people with long hair and no beard
    assert factors[INDEX["hair_dye"]] == 0
    unsure = complete(values, {"hair_length": 0.2, "beard": 0.2})
    assert unsure[INDEX["feminine"]] < factors[INDEX["feminine"]]


def test_no_factor_leaves_the_population():
    wild = within_population(np.full(NUM_FACTORS, 4.0))
    assert np.abs(np.linalg.solve(mixing(), wild)).max() <= FARTHEST + 1e-5
    mild = np.float32(np.linspace(-0.5, 0.5, NUM_FACTORS))
    np.testing.assert_allclose(within_population(mild), mild, atol=1e-5)


def test_the_latent_of_a_likeness_names_its_factors():
    found = likeness(*person(smile=1.5, glasses=1.5))
    np.testing.assert_allclose(
        factors_from_z(z_from_factors(found.factors[None]))[0], found.factors, atol=1e-4
    )
    assert set(found.read) | set(found.filled) == set(FACTORS) and not set(found.read) & set(found.filled)
    assert all(0 < sure <= 1 for sure in found.read.values())


@pytest.mark.parametrize(
    "points, words",
    [
        (np.zeros((5, 2)), "68 finite points"),
        (np.full((68, 2), np.nan), "68 finite points"),
        (np.ones((68, 2)), "within a few pixels"),
    ],
)
def test_landmarks_of_no_face_are_refused(points, words):
    with pytest.raises(UserError, match=words):
        likeness(person()[0], points)


def test_a_photo_of_one_colour_or_a_face_at_its_edge_is_read_without_an_error():
    pixels, points = person()
    for picture, there in ((np.zeros_like(pixels), points), (pixels + 255, points), (pixels, points + 120)):
        assert np.isfinite(likeness(picture, there).factors).all()


def test_lab_is_opencvs_of_srgb():
    pixels = np.uint8([[[200, 120, 40]], [[3, 3, 250]]])
    expected = cv2.cvtColor(np.float32(pixels) / 255, cv2.COLOR_RGB2LAB)
    np.testing.assert_allclose(to_lab(to_linear(pixels)), expected, atol=0.2)
