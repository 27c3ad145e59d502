# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mixing, style mixing, interpolation and directions, against formulas in float64."""

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.latents import crossover, interpolate, mix, move

RANDOM = np.random.RandomState(0)
A, B, C = RANDOM.randn(3, 1, 6, 8).astype(np.float32)
WEIGHTS = [1, 0.9, 0.5, 0, -0.5, 1.5]


def test_mixing_is_paddlegans_formula_at_each_level():
    mixed = mix(A, B, WEIGHTS)
    assert mixed.shape == (1, 6, 8) and mixed.dtype == np.float32
    for level, share in enumerate(WEIGHTS):
        expected = share * A[:, level].astype(np.float64) + (1 - share) * B[:, level]
        np.testing.assert_allclose(mixed[:, level], expected, atol=1e-6)
    np.testing.assert_array_equal(mixed[:, 0], A[:, 0])
    np.testing.assert_array_equal(mixed[:, 3], B[:, 3])
    assert np.abs(mix(A, B, WEIGHTS) - mix(B, A, WEIGHTS)).max() > 0.1


def test_one_weight_is_for_all_levels_and_one_face_for_all_others():
    np.testing.assert_array_equal(mix(A, B, 0.3), mix(A, B, [0.3] * 6))
    both = mix(A, np.concatenate([B, C]), WEIGHTS)
    np.testing.assert_array_equal(both, np.concatenate([mix(A, B, WEIGHTS), mix(A, C, WEIGHTS)]))


@pytest.mark.parametrize(
    "words, first, second, weights",
    [
        ("3 weights were given for latents of 6 levels", A, B, [1, 1, 1]),
        ("finite", A, B, [np.nan] * 6),
        ("cannot be mixed", A, B[:, :4], 0.5),
        ("cannot be mixed", A, B[..., :4], 0.5),
        ("cannot be mixed", A[0], B[0], 0.5),
    ],
)
def test_what_cannot_be_mixed(words, first, second, weights):
    with pytest.raises(UserError, match=words):
        mix(first, second, weights)


@pytest.mark.parametrize("level", [0, 2, 6])
def test_style_mixing_takes_whole_levels_to_the_bit(level):
    expected = np.concatenate([A[:, :level], B[:, level:]], axis=1)
    np.testing.assert_array_equal(crossover(A, B, level), expected)


@pytest.mark.parametrize("level", [-1, 7])
def test_style_mixing_at_a_level_that_is_not_there(level):
    with pytest.raises(UserError, match=f"crossover {level} was given for latents of 6 levels"):
        crossover(A, B, level)


def test_interpolation_reaches_every_stop_to_the_bit_in_equal_steps():
    stops = np.concatenate([A, B, C])
    path = interpolate(stops, 7)
    assert path.shape == (15, 6, 8) and path.dtype == np.float32
    np.testing.assert_array_equal(path[::7], stops)
    steps = np.diff(path.astype(np.float64), axis=0)
    np.testing.assert_allclose(steps[:7], np.broadcast_to((B - A) / 7, (7, 6, 8)), atol=1e-6)
    np.testing.assert_allclose(steps[7:], np.broadcast_to((C - B) / 7, (7, 6, 8)), atol=1e-6)


def test_interpolation_in_one_step_is_the_stops():
    stops = np.concatenate([A, B])
    np.testing.assert_array_equal(interpolate(stops, 1), stops)


@pytest.mark.parametrize("stops, steps", [(A, 4), (np.concatenate([A, B]), 0)])
def test_interpolation_needs_two_latents_and_a_step(stops, steps):
    with pytest.raises(UserError, match="at least 2 latents and 1 step"):
        interpolate(stops, steps)


@pytest.mark.parametrize("shape", [(6, 8), (1, 8), (8,)])
def test_a_direction_is_for_each_level_or_for_all(shape):
    direction = np.random.RandomState(1).randn(*shape)  # float64, as files have it
    moved = move(np.concatenate([A, B]), direction, -2.5)
    assert moved.dtype == np.float32
    for k, face in enumerate((A, B)):
        for level in range(6):
            step = direction.reshape(-1, 8)[level if shape == (6, 8) else 0]
            np.testing.assert_allclose(moved[k, level], face[0, level] - 2.5 * step, atol=1e-6)
    np.testing.assert_array_equal(move(A, direction, 0), A)


@pytest.mark.parametrize(
    "words, direction",
    [
        (r"shape \[18, 8\] does not fit latents of 6 levels, 8 wide", np.ones([18, 8])),
        (r"shape \[6\]", np.ones(6)),
        (r"shape \[6, 1\]", np.ones([6, 1])),
        (r"shape \[\]", np.ones([])),
        ("not finite", np.full(8, np.inf)),
    ],
)
def test_a_direction_that_does_not_fit(words, direction):
    with pytest.raises(UserError, match=words):
        move(A, direction, 1)
