# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""collect_statistics against NumPy: seed, truncation, interruption."""

import numpy as np
import paddle
import pytest
from tiny_world import tiny_generator

from ppstyleclip.cli.preparing import statistics
from ppstyleclip.methods.global_directions import StatisticsConfig, collect_statistics
from ppstyleclip.methods.global_directions.statistics import StatsAccumulator
from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.progress import last
from ppstyleclip.stylespace import LEAST_SIDES, sides_of

CHANNELS = {4: 6, 8: 5, 16: 4, 32: 3}


@pytest.fixture(scope="module")
def generator():
    paddle.seed(0)
    return StyleGANv2Generator(32, 12, 2, lr_mlp=1.0, channels=CHANNELS)


@pytest.mark.parametrize("ddof", [0, 1])
def test_accumulator_equals_numpy_far_from_zero(ddof):
    # A mean a thousand deviations away: the naive sum of squares in float32 fails here.
    s = 1000 + np.random.RandomState(1).randn(1003, 7)
    accumulator = StatsAccumulator()
    for start in range(0, len(s), 97):
        accumulator.update(s[start : start + 97])
    accumulator.update(s[:0])
    stats = accumulator.result(ddof)
    assert stats.count == 1003
    np.testing.assert_allclose(stats.mean, s.mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(stats.std, s.std(axis=0, ddof=ddof), rtol=1e-6)


def test_accumulator_takes_a_hundred_thousand_samples():
    random, accumulator = np.random.RandomState(2), StatsAccumulator()
    for _ in range(100):
        accumulator.update(3 + 2 * random.randn(1000, 50))
    stats = accumulator.result()
    assert stats.count == 100_000
    np.testing.assert_allclose(stats.mean, 3, atol=0.03)
    np.testing.assert_allclose(stats.std, 2, atol=0.03)


def test_accumulator_refuses_nothing_and_other_widths():
    accumulator = StatsAccumulator()
    with pytest.raises(ValueError, match="more than 0"):
        accumulator.result()
    accumulator.update(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="batch must be"):
        accumulator.update(np.zeros((2, 4)))


def collect(generator, **options):
    records = list(collect_statistics(generator, StatisticsConfig(**options)))
    assert [record.stats is None for record in records] == [True] * (len(records) - 1) + [False]
    return records[-1]


def test_statistics_are_of_the_seed_not_of_the_batch(generator):
    one = collect(generator, num_samples=101, batch_size=101, keep=20)
    two = collect(generator, num_samples=101, batch_size=7, keep=20)
    np.testing.assert_allclose(one.s, two.s, atol=1e-5)
    np.testing.assert_allclose(one.stats.mean, two.stats.mean, atol=1e-5)
    np.testing.assert_allclose(one.stats.std, two.stats.std, atol=1e-5)
    other = collect(generator, num_samples=101, batch_size=101, keep=20, seed=5)
    assert np.abs(other.s - one.s).max() > 0.1


@pytest.mark.parametrize("mode", ["layers", "features", "all", "none"])
def test_truncation_modes_by_hand(generator, mode):
    layout, psi, cutoff = generator.layout, 0.4, 3
    record = collect(
        generator, num_samples=40, batch_size=16, keep=40, truncation=psi, truncation_mode=mode, cutoff=cutoff
    )
    z = np.random.RandomState(1234).randn(40, 12).astype(np.float32)
    w = generator.get_latent(paddle.to_tensor(z)).numpy()
    mean = generator.mean_latent().numpy()
    w_plus = np.repeat(w[:, None], generator.n_latent, axis=1)  # [N, L, D]
    near = mean + psi * (w_plus - mean)
    if mode == "layers":
        w_plus[:, :cutoff] = near[:, :cutoff]
    elif mode == "features":
        w_plus[:, :, :cutoff] = near[:, :, :cutoff]
    elif mode == "all":
        w_plus = near
    s = layout.flatten(generator.style_affine(paddle.to_tensor(w_plus))).numpy()
    np.testing.assert_allclose(record.s, s, atol=1e-5)
    np.testing.assert_allclose(record.stats.mean, s.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(record.stats.std, s.std(axis=0), atol=1e-5)


@pytest.mark.parametrize("options", [{"truncation_mode": "some"}, {"num_samples": 1}, {"truncation": 2.0}])
def test_statistics_refuse_bad_options(options):
    with pytest.raises(ValueError, match="unknown truncation mode|need num_samples"):
        StatisticsConfig(**options)


def test_statistics_of_a_state_are_those_of_the_whole():
    generator = tiny_generator()
    config = StatisticsConfig(num_samples=50, batch_size=7, keep=30)
    whole = last(collect_statistics(generator, config))
    for place in (1, 5):
        for number, record in enumerate(collect_statistics(generator, config), 1):
            if number == place:
                state = record.get_state()
                break
        records = list(collect_statistics(generator, config, start=state))
        assert len(records) == 8 - place
        assert np.array_equal(records[-1].s, whole.s)
        assert np.array_equal(records[-1].stats.mean, whole.stats.mean)
        assert np.array_equal(records[-1].stats.std, whole.stats.std)


def test_a_thousand_kept_styles_tell_the_deviations_of_either_side():
    generator = tiny_generator()
    few, many = (
        last(collect_statistics(generator, StatisticsConfig(num_samples=1100, batch_size=300, keep=keep)))
        for keep in (LEAST_SIDES - 1, LEAST_SIDES)
    )
    assert few.stats.below is None and few.stats.above is None
    below, above = sides_of(many.s, many.stats.mean)
    np.testing.assert_array_equal(many.stats.below, below)
    np.testing.assert_array_equal(many.stats.above, above)
    assert len(many.s) == LEAST_SIDES and 0.5 < np.median(below / many.stats.std) < 1.5


def test_the_commands_defaults_are_the_configs():
    args, config = statistics.parse_args([]), StatisticsConfig()
    assert statistics.BATCH == config.batch_size
    for word in ("seed", "num_samples", "truncation_mode"):
        assert getattr(args, word) == getattr(config, word)
