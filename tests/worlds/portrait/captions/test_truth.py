# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is true of which face: ranges, degrees, comparatives, negations, and what hides an attribute."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES, INDEX
from ppstyleclip.worlds.portrait.captions.truth import (
    DEGREES,
    LESS,
    MORE,
    NOT,
    PLAIN,
    SLIGHTLY,
    VERY,
    judge,
    shares,
    state,
    truth_table,
)
from ppstyleclip.worlds.portrait.factors import FACTORS, NUM_FACTORS
from ppstyleclip.worlds.portrait.render import render_batch


def face(**factors):
    values = np.zeros((1, NUM_FACTORS))
    for name, value in factors.items():
        values[0, FACTORS.index(name)] = value
    return values


def said(name, degree=PLAIN, **factors):
    return int(state(ATTRIBUTES[INDEX[name]], face(**factors), degree)[0])


@pytest.mark.parametrize(
    "name, factors, want",
    [
        ("happy", {"smile": 1.0}, 1),
        ("happy", {"smile": -1.0}, -1),
        ("happy", {"smile": 0.2}, 0),
        ("sad", {"smile": -1.5}, 1),
        ("beard", {"beard": 1.5}, 1),
        ("clean-shaven", {"beard": 1.5}, -1),
        ("sunglasses", {"glasses": 1.0, "shades": 1.5}, 1),
        ("sunglasses", {"glasses": -0.5, "shades": 1.5}, -1),  # dark lenses show with glasses only
        ("clear glasses", {"glasses": 1.0, "shades": 1.5}, -1),
        ("purple hair", {"hair_dye": 1.8}, 1),
        ("dyed hair", {"hair_dye": -1.8}, 1),  # either way
        ("blond hair", {"hair_lightness": 1.5}, 1),
        ("blond hair", {"hair_lightness": 1.5, "hair_dye": 2.0}, -1),
        ("blond hair", {"hair_lightness": 1.5, "hair_grey": 1.5}, -1),
        ("boy", {"feminine": -1, "age": -1}, 1),
        ("boy", {"feminine": -1, "age": 1}, -1),
        ("blue eyes", {"eye_colour": 1.5}, 1),
        ("blue eyes", {"eye_colour": 1.5, "glasses": 1, "shades": 1}, 0),  # nobody sees them
        ("earrings", {"feminine": 1.5, "hair_length": 1.5}, 0),
        ("earrings", {"feminine": 1.5, "hair_length": -1.5}, 1),
    ],
)
def test_attributes_are_true_in_their_ranges(name, factors, want):
    assert said(name, **factors) == want


@pytest.mark.parametrize(
    "degree, true_at, false_at",
    [(SLIGHTLY, 0.7, 1.6), (VERY, 1.6, 0.7), (MORE, 0.4, -0.4), (LESS, -0.4, 0.4), (NOT, -0.4, 0.7)],
)
def test_degrees_and_comparatives_do_what_they_say(degree, true_at, false_at):
    assert said("long hair", degree, hair_length=true_at) == 1
    assert said("long hair", degree, hair_length=false_at) == -1
    # The other end of the factor has the same degrees, mirrored.
    assert said("short hair", degree, hair_length=-true_at - 0.1 * (degree < MORE)) == 1


def test_more_of_one_end_is_less_of_the_other():
    factors = np.random.RandomState(0).randn(200, NUM_FACTORS)
    table = truth_table(factors)
    for a, b in (
        ("long hair", "short hair"),
        ("angry", "gentle"),
        ("old", "young"),
        ("big nose", "small nose"),
    ):
        np.testing.assert_array_equal(table[:, INDEX[a], MORE], table[:, INDEX[b], LESS])


def test_not_is_the_opposite_of_plain_and_hidden_things_stay_undecided():
    table = truth_table(np.random.RandomState(1).randn(300, NUM_FACTORS))
    np.testing.assert_array_equal(table[:, :, NOT], -table[:, :, PLAIN])


def test_a_caption_is_true_where_all_its_statements_are():
    table = truth_table(
        np.concatenate([face(smile=1, beard=1.5), face(smile=1, beard=-1), face(smile=0.2, beard=1.5)])
    )
    both = [(INDEX["happy"], PLAIN), (INDEX["beard"], PLAIN)]
    assert judge(table, both).tolist() == [1, -1, 0]
    assert judge(table, []).tolist() == [1, 1, 1]


def test_every_attribute_shows_on_some_people_and_opposites_never_meet():
    plain = shares()[:, PLAIN]
    assert plain.min() > 0.004 and plain.max() < 0.8
    table = truth_table(np.random.RandomState(2).randn(500, NUM_FACTORS)) > 0
    for index, attribute in enumerate(ATTRIBUTES):
        if attribute.opposite:
            assert not (table[:, index, PLAIN] & table[:, INDEX[attribute.opposite], PLAIN]).any(), (
                attribute.name
            )


def test_factors_of_another_shape_are_named():
    assert DEGREES[NOT] == "not"
    with pytest.raises(UserError, match=r"\[N, 31\], got \[1, 3\]"):
        truth_table(np.zeros((1, 3)))


@pytest.mark.parametrize(
    "name, factor, against, least",
    [
        ("stubble", "beard", "clean-shaven", 10.0),
        ("wavy hair", "hair_curl", "straight hair", 45.0),
        ("adult", "age", "child", 22.0),
        ("lipstick", "lipstick", "pale lips", 8.0),
        ("facing the camera", "head_turn", "turned right", 65.0),
    ],
)
def test_a_range_begins_where_it_is_seen(name, factor, against, least):
    """At the nearest ends of two ranges, 300 of 128 x 128 pixels differ by some levels."""
    (_, low, high), (_, other_low, other_high) = (ATTRIBUTES[INDEX[n]].where[0] for n in (name, against))
    near = (low, other_high) if low > other_high else (high, other_low)
    faces = np.zeros((2, NUM_FACTORS))
    faces[:, FACTORS.index("hair_length")], faces[:, FACTORS.index(factor)] = 0.3, near
    one, two = render_batch(faces.astype(np.float32), 128).astype(np.float32)
    assert np.sort(np.abs(one - two).mean(-1).ravel())[-300:].mean() > least
