# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""style_direction against StyleCLIP's formula worked by hand."""

import dataclasses

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import largest_beta, style_direction
from ppstyleclip.methods.global_directions.regression import fit_regression
from ppstyleclip.models.stylegan2 import layout_from_channels
from ppstyleclip.stylespace import (
    LEAST_EXPLAINED,
    RIDGE,
    Relevance,
    StyleLayout,
    StyleRegression,
    StyleStats,
    as_relevance,
)

LAYOUT = layout_from_channels(8, {4: 2, 8: 2})  # conv1 2, to_rgb1 2, convs.0 2, convs.1 2, to_rgbs.0 2
STATS = StyleStats(np.zeros(10, np.float32), np.arange(1, 11, dtype=np.float32), 100)
# |relevance @ dt| = 0.6, 0.8 (negative), 0.1, dead, 0.2, 0.3
RELEVANCE = np.array([[0.6, 0.8], [-0.8, 0.6], [0.1, 0.995], [0, 0], [0.2, 0.98], [0.3, -0.954]], np.float32)
DT = np.array([1, 0], np.float32)


def test_direction_by_hand():
    direction = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="style")
    #           conv1        rgb   convs.0  convs.1     rgb
    expected = [0.6, -0.8, 0, 0, 0, 0, 0, 0.3, 0, 0]
    np.testing.assert_allclose(direction.ds, np.array(expected) / 0.8, rtol=1e-6)
    assert direction.ds.dtype == np.float32
    assert direction.num_channels == 3
    assert direction.max_relevance == pytest.approx(0.8)


def test_sigma_scales_by_each_channels_deviation():
    raw = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="style")
    scaled = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="sigma")
    np.testing.assert_allclose(scaled.ds, raw.ds * STATS.std, rtol=1e-6)


def test_effect_is_sigma_scaled_to_a_predicted_move_in_clip():
    strength = np.array([0.5, 0.25, 1, 0, 1, 2], np.float32)
    sigma = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="sigma")
    relevance = as_relevance(RELEVANCE, strength)
    effect = style_direction(relevance, DT, LAYOUT, STATS, beta=0.25, unit="effect")
    # chosen r: 0.6, -0.8, 0.3; moved r / 0.8 deviations each; ten deviations move CLIP by strength * r
    predicted = (0.6 * 0.5 * 0.6 + 0.8 * 0.25 * 0.8 + 0.3 * 2 * 0.3) / 0.8 / 10
    np.testing.assert_allclose(effect.ds, sigma.ds * 0.1 / predicted, rtol=1e-5)
    with pytest.raises(UserError, match="strength"):
        style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="effect")


def test_effect_does_not_depend_on_the_alpha_of_the_measurement():
    strength, measured = np.array([0.5, 0.25, 1, 0, 1, 2], np.float32), np.ones(6, bool)
    wide = Relevance(RELEVANCE, strength, measured, made_with={"alpha": 5.0})
    narrow = Relevance(RELEVANCE, strength * np.float32(0.5), measured, made_with={"alpha": 2.5})
    one, other = (
        style_direction(relevance, DT, LAYOUT, STATS, beta=0.25, unit="effect")
        for relevance in (wide, narrow)
    )
    np.testing.assert_allclose(one.ds, other.ds, rtol=1e-6)


def test_soft_threshold_keeps_a_share_of_the_rest():
    hard = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="style")
    soft = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.25, unit="style", soft=0.5)
    whole = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.0, unit="style")
    below = (hard.ds == 0) & (whole.ds != 0)
    np.testing.assert_allclose(soft.ds, np.where(below, 0.5 * whole.ds, hard.ds), rtol=1e-6)
    assert soft.num_channels == hard.num_channels == 3


def test_dead_channels_are_not_counted():
    assert style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.0).num_channels == 5


def test_the_opposite_text_gives_the_opposite_direction():
    there = style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.15).ds
    back = style_direction(RELEVANCE, -DT, LAYOUT, STATS, beta=0.15).ds
    np.testing.assert_array_equal(there, -back)


def test_the_beta_that_the_message_names_is_usable():
    with pytest.raises(ValueError, match=r"largest usable beta is 0\.8") as caught:
        style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=0.9)
    beta = float(str(caught.value).split()[-1])
    assert style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=beta).num_channels == 1
    assert largest_beta(RELEVANCE, DT) == pytest.approx(0.8)
    assert style_direction(RELEVANCE, DT, LAYOUT, STATS, beta=largest_beta(RELEVANCE, DT)).num_channels == 1


def test_a_matrix_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no style channel moves"):
        style_direction(np.zeros((6, 2), np.float32), DT, LAYOUT, STATS, beta=0.0)


@pytest.mark.parametrize(
    "relevance, dt, options, message",
    [
        (RELEVANCE[:5], DT, {}, "5 rows, this generator has 6 editable channels"),
        (RELEVANCE, DT[:1], {}, "different CLIP models"),
        (RELEVANCE, DT, {"unit": "metre"}, "known: style, sigma"),
        (RELEVANCE, DT, {"beta": -0.1}, "0 or more"),
        (RELEVANCE, DT, {"soft": 1.5}, "soft and pull in 0..1"),
        (RELEVANCE * np.nan, DT, {}, "not finite"),
    ],
)
def test_bad_arguments_are_named(relevance, dt, options, message):
    with pytest.raises(ValueError, match=message):
        style_direction(relevance, dt, LAYOUT, STATS, **{"beta": 0.1, **options})


def test_statistics_of_another_generator_are_refused():
    stats = StyleStats(np.zeros(9, np.float32), np.ones(9, np.float32), 100)
    with pytest.raises(ValueError, match="statistics are of 9 style channels, this generator has 10"):
        style_direction(RELEVANCE, DT, LAYOUT, stats, beta=0.1)


def test_a_regression_is_the_solution_of_its_equation():
    rng = np.random.RandomState(0)
    s = rng.randn(400, 10)
    f = s @ rng.randn(10, 6) * [1, 1, 1, 1, 0.01, 0.01] + 0.1 * rng.randn(400, 6)
    dt = rng.randn(6)
    c, cross = np.cov(f.T, bias=True), np.cov(s.T, f.T, bias=True)[:10, 10:]
    answer = cross @ np.linalg.inv(c + RIDGE * np.trace(c) / 6 * np.eye(6)) @ dt
    expected_move = dt @ c @ np.linalg.inv(c + RIDGE * np.trace(c) / 6 * np.eye(6)) @ dt
    regression = fit_regression(s, f)
    np.testing.assert_allclose(regression.step(dt), answer * (f @ dt).std() / expected_move, rtol=1e-4)
    np.testing.assert_allclose(regression.spread(dt), (f @ dt).std(), rtol=1e-5)
    w = s @ rng.randn(10, 10)
    regression = fit_regression(s, f, w)
    ones = np.column_stack([w, np.ones(400)])
    fitted = ones @ np.linalg.lstsq(ones, f, rcond=None)[0]
    explained = np.cov(fitted.T, bias=True) - 10 / 390 * np.cov((f - fitted).T, bias=True)
    np.testing.assert_allclose(regression.explained, explained, rtol=1e-2, atol=1e-3 * explained.max())
    moved = dt @ explained @ np.linalg.inv(c + RIDGE * np.trace(c) / 6 * np.eye(6)) @ dt
    np.testing.assert_allclose(regression.step(dt), answer * (f @ dt).std() / moved, rtol=1e-3)
    assert fit_regression(s, f, rng.randn(400, 101)).explained is None  # too few faces to tell
    seen = c @ np.linalg.inv(c + RIDGE * np.trace(c) / 6 * np.eye(6)) @ dt
    np.testing.assert_allclose(regression.seen(dt), seen / np.linalg.norm(seen), rtol=1e-4, atol=1e-6)
    for ask in (regression.step, regression.seen):
        with pytest.raises(UserError, match="different CLIP models"):
            ask(np.ones(5))
    assert not StyleRegression(np.ones([10, 6]), np.zeros([6, 6])).step(dt).any()  # all faces look alike


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_a_step_moves_noisy_features_as_far_as_it_says(noise):
    """However little of the features is a matter of the styles."""
    rng = np.random.RandomState(3)
    w, answer, affine = rng.randn(4000, 5), rng.randn(5, 6), rng.randn(5, 10)
    f, dt = w @ answer + noise * rng.randn(4000, 6), rng.randn(6)
    regression = fit_regression(w @ affine, f, w)
    moved_w = np.linalg.lstsq(affine.T, regression.step(dt), rcond=None)[0]
    assert moved_w @ answer @ dt == pytest.approx((f @ dt).std(), rel=0.03)
    bare = dataclasses.replace(regression, explained=None).step(dt)
    assert (np.linalg.norm(bare) < 0.9 * np.linalg.norm(regression.step(dt))) == (noise == 1.0)
    nothing = dataclasses.replace(regression, explained=0 * regression.covariance).step(dt)
    np.testing.assert_allclose(nothing, bare / LEAST_EXPLAINED, rtol=1e-5)


@pytest.mark.parametrize("unit", ["effect", "sigma", "style"])
def test_pull_leans_towards_the_regression(unit):
    rng = np.random.RandomState(1)
    relevance = Relevance(RELEVANCE, np.full(len(RELEVANCE), 0.3, np.float32), np.ones(len(RELEVANCE), bool))
    f, s = rng.randn(50, DT.size), rng.randn(50, LAYOUT.size)
    s[:, np.setdiff1d(np.arange(LAYOUT.size), LAYOUT.editable_index)[0]] *= 30  # of a ToRGB layer, and meant
    regression = fit_regression(s, f)
    options = {"beta": 0.1, "unit": unit}
    plain = style_direction(relevance, DT, LAYOUT, STATS, **options)
    pulled = style_direction(relevance, DT, LAYOUT, STATS, pull=0.25, regression=regression, **options)
    own, move, index = regression.step(DT), (f @ DT).std(), LAYOUT.editable_index
    # of the relevance what the regression agrees with, as long as it would be alone
    agreeing = np.where(plain.ds * own > 0, plain.ds, 0) / plain.std
    assert 0 < np.count_nonzero(agreeing) < np.count_nonzero(plain.ds)
    if unit == "effect":
        norm = 0.3
        expected = (agreeing[index] * RELEVANCE[:, 0]).sum() * norm / 10
        q = agreeing * plain.std * (0.1 / expected)
        length = 0.9
    else:
        unit_of = plain.std if unit == "sigma" else np.ones(10)
        q = np.where(agreeing != 0, plain.ds, 0)
        q = q / np.abs(q / unit_of).max()
        length = np.linalg.norm(q / unit_of) / np.linalg.norm(own / unit_of)
    chosen = np.abs(RELEVANCE[:, 0]) >= 0.1
    deviations = np.abs(own / plain.std)
    kept = np.where(deviations >= 0.5 * deviations.max(), 1, 0.25)  # of ToRGB layers
    assert set(np.delete(kept, index)) == {1, 0.25}
    kept[index] = np.where(chosen, 1, 0.25)
    np.testing.assert_allclose(pulled.ds, 0.75 * q + 0.25 * length * kept * own, rtol=1e-4, atol=1e-6)
    own_move = (q / plain.std)[index] @ RELEVANCE[:, 0] * 0.3 / 10
    np.testing.assert_allclose(pulled.expected_move, 0.75 * own_move + 0.25 * length * move, rtol=1e-4)
    assert pulled.num_channels == plain.num_channels
    same = style_direction(relevance, DT, LAYOUT, STATS, pull=0.0, regression=regression, **options)
    np.testing.assert_array_equal(same.ds, plain.ds)
    for bad, words in ((1.5, "soft and pull in 0..1"), (0.5, "needs how styles go with")):
        with pytest.raises(UserError, match=words):
            style_direction(relevance, DT, LAYOUT, STATS, pull=bad, **options)


def test_pull_leaves_alone_where_a_canvas_lies():
    layout = StyleLayout(("input", "L0", "L1_rgb"), (4, 6, 2), (False, True, False))
    stats = StyleStats(np.zeros(12, np.float32), np.ones(12, np.float32), 100)
    rng = np.random.RandomState(2)
    regression = fit_regression(rng.randn(50, 12), rng.randn(50, DT.size))
    for unit in ("sigma", "style"):
        options = {"beta": 0.1, "unit": unit, "pull": 0.5, "regression": regression}
        ds = style_direction(RELEVANCE, DT, layout, stats, **options).ds
        assert not ds[:4].any() and ds[4:].all()
