# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The population of the portrait world: latents, factors, and how the factors go together."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.factors import (
    CORRELATIONS,
    FACTORS,
    INDEX,
    NUM_FACTORS,
    Z_DIM,
    correlation_matrix,
    factors_from_z,
    sample_z,
    z_from_factors,
)


@pytest.fixture(scope="module")
def people():
    return factors_from_z(sample_z(3, 40000))


def test_there_are_31_factors_with_names_of_their_own():
    assert NUM_FACTORS == len(FACTORS) == len(set(FACTORS)) == 31
    assert Z_DIM == 128


def test_every_factor_has_mean_zero_and_unit_variance(people):
    assert np.abs(people.mean(0)).max() < 0.03
    assert np.abs(people.std(0) - 1).max() < 0.03


def test_samples_have_the_correlations_that_the_table_names(people):
    measured = np.corrcoef(people.T)
    for (a, b), value in CORRELATIONS.items():
        assert measured[INDEX[a], INDEX[b]] == pytest.approx(value, abs=0.03), (a, b)
    assert np.abs(measured - correlation_matrix()).max() < 0.03


def test_the_correlations_make_people(people):
    by_name = dict(zip(FACTORS, people.T))
    feminine = by_name["feminine"] > 1
    assert np.mean(by_name["beard"][feminine] > 0.55) < 0.02  # beyond stubble
    assert np.mean(by_name["beard"][by_name["feminine"] < -1] > 0.55) > 0.4
    assert by_name["lipstick"][feminine].mean() > 0.8
    assert by_name["hair_grey"][by_name["age"] > 1].mean() > 0.5


def test_factors_are_gaussian(people):
    share = np.mean(np.abs(people) < 1, axis=0)
    assert np.abs(share - 0.6827).max() < 0.015


def test_factors_come_back_from_their_latents(people):
    some = people[:200]
    again = factors_from_z(z_from_factors(some))
    np.testing.assert_allclose(again, some, atol=1e-5)


def test_latents_of_factors_have_the_length_of_latents(people):
    z = z_from_factors(people[:50])
    assert z.shape == (50, Z_DIM) and z.dtype == np.float32
    np.testing.assert_allclose(np.mean(z**2, 1), 1, atol=1e-5)


def test_factors_beyond_all_people_keep_their_direction():
    far = np.zeros((1, NUM_FACTORS), np.float32)
    far[0, INDEX["smile"]] = 40.0
    again = factors_from_z(z_from_factors(far))[0]
    assert 5 < again[INDEX["smile"]] < 40
    assert np.abs(np.delete(again, INDEX["smile"])).max() < 1e-4


def test_the_length_of_a_latent_does_not_count():
    z = sample_z(5, 4)
    np.testing.assert_allclose(factors_from_z(z * 7), factors_from_z(z), atol=1e-5)


def test_a_seed_names_the_same_latents_at_any_count():
    np.testing.assert_array_equal(sample_z(9, 7)[:3], sample_z(9, 3))
    assert np.abs(sample_z(9, 3) - sample_z(10, 3)).max() > 0.1


@pytest.mark.parametrize("shape", [(3, 64), (128,), (2, 3, 128)])
def test_latents_of_another_shape_are_refused(shape):
    with pytest.raises(UserError, match="128"):
        factors_from_z(np.zeros(shape))


def test_factors_of_another_shape_are_refused():
    with pytest.raises(UserError, match="31"):
        z_from_factors(np.zeros((2, 30)))
