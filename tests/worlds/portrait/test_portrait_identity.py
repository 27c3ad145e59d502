# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Who somebody is: people keep their factors of identity in any dress, and their places say who is alike."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.factors import CORRELATIONS, FACTORS, INDEX, factors_from_z
from ppstyleclip.worlds.portrait.identity import IDENTITY, REACH, dressed, identity_of, places


def people(count, seed=0):
    return np.random.RandomState(seed).randn(count, len(IDENTITY))


def test_the_dressed_keep_who_they_are_and_change_all_else():
    rng, shapes = np.random.RandomState(1), people(50)
    first, second = (factors_from_z(dressed(shapes, rng)) for _ in range(2))
    for one in (first, second):
        np.testing.assert_allclose(identity_of(one), shapes, atol=1e-3)
    others = [INDEX[name] for name in FACTORS if name not in IDENTITY]
    assert np.abs(first - second)[:, others].mean() > 0.8


def test_dress_goes_with_the_people_as_in_the_population():
    shapes = np.zeros((4000, len(IDENTITY)))
    shapes[:, IDENTITY.index("feminine")] = np.random.RandomState(2).randn(4000)
    factors = factors_from_z(dressed(shapes, np.random.RandomState(3)))
    for (a, b), wanted in CORRELATIONS.items():
        if {a, b} in ({"beard", "feminine"}, {"lipstick", "feminine"}, {"hair_grey", "age"}):
            found = np.corrcoef(factors[:, INDEX[a]], factors[:, INDEX[b]])[0, 1]
            assert abs(found - wanted) < 0.06


def test_places_are_near_for_people_who_are_alike():
    shapes = people(400)
    unit = places(shapes)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-5)
    distance = np.sqrt(((shapes[:, None] - shapes[None]) ** 2).sum(-1))
    wanted = np.exp(-(distance**2) / (2 * REACH**2))
    assert np.abs(unit @ unit.T - wanted).mean() < 0.12
    near = shapes + 0.1 * people(400, 1)
    assert ((unit * places(near)).sum(1) > 0.9).all()
