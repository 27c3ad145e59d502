# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Layout against the known numbers of FFHQ's generator; statistics against NumPy."""

import json

import numpy as np
import paddle
import pytest

from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.stylespace import (
    StatsAccumulator,
    StyleLayout,
    build_layout,
    collect_stats,
    layout_from_channels,
)

CHANNELS = {4: 6, 8: 5, 16: 4, 32: 3}
FFHQ = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}


@pytest.fixture(scope="module")
def generator():
    paddle.seed(0)
    return StyleGANv2Generator(32, 12, 2, lr_mlp=1.0, channels=CHANNELS)


@pytest.mark.parametrize(
    "size, halve, tensors, total, editable",
    [(1024, 1, 26, 9088, 6048), (512, 1, 23, None, 5952), (256, 1, 20, None, 5760), (256, 2, 20, None, 4928)],
)
def test_layout_has_the_published_numbers(size, halve, tensors, total, editable):
    # Numbers of StyleCLIP's and PaddleGAN's files; `halve` is channel_multiplier 1.
    channels = {side: width // halve if side >= 64 else width for side, width in FFHQ.items()}
    layout = layout_from_channels(size, channels)
    assert (len(layout.names), layout.num_editable) == (tensors, editable)
    assert total is None or layout.size == total
    assert [k for k, flag in enumerate(layout.editable) if not flag] == list(range(1, tensors, 3))


def test_layout_of_ffhq_in_order():
    layout = layout_from_channels(1024, FFHQ)
    assert layout.names[:5] == ("conv1", "to_rgb1", "convs.0", "convs.1", "to_rgbs.0")
    # Lengths of the 26 arrays in PaddleGAN's published statistics.
    assert layout.channels == (512,) * 15 + (256,) * 3 + (128,) * 3 + (64,) * 3 + (32,) * 2
    assert layout.describe(512 + 17) == "convs.0 channel 17"
    assert layout.describe(6047) == "convs.15 channel 31"


def test_built_layout_equals_the_computed_one_and_the_styles(generator):
    layout = build_layout(generator)
    assert layout == layout_from_channels(32, CHANNELS)
    styles = generator.style_affine(paddle.randn([2, 12]))
    assert tuple(style.shape[1] for style in styles) == layout.channels


def test_layout_survives_json(generator):
    layout = build_layout(generator)
    assert StyleLayout.from_config(json.loads(json.dumps(layout.to_config()))) == layout


@pytest.mark.parametrize("as_tensor", [False, True])
def test_flatten_and_unflatten_are_inverse(generator, as_tensor):
    layout = build_layout(generator)
    s = np.random.RandomState(0).randn(3, layout.size).astype(np.float32)
    given = paddle.to_tensor(s) if as_tensor else s
    styles = layout.unflatten(given)
    assert [list(style.shape) for style in styles] == [[3, width] for width in layout.channels]
    assert np.array_equal(np.asarray(layout.flatten(styles)), s)


def test_editable_index_leaves_out_only_rgb(generator):
    layout = build_layout(generator)
    layers = {np.searchsorted(layout.offsets, i, side="right") - 1 for i in layout.editable_index}
    assert not any(layout.names[k].startswith("to_rgb") for k in layers)
    assert layout.num_editable == sum(w for n, w in zip(layout.names, layout.channels) if "rgb" not in n)


def test_wrong_shapes_are_refused(generator):
    layout = build_layout(generator)
    with pytest.raises(ValueError, match="another generator"):
        layout.unflatten(np.zeros((1, layout.size + 1)))
    with pytest.raises(ValueError, match="widths"):
        layout.flatten([np.zeros((1, 3))])
    with pytest.raises(ValueError, match="no width for resolution 64"):
        layout_from_channels(64, CHANNELS)
    with pytest.raises(ValueError, match="power of two"):
        layout_from_channels(48, CHANNELS)
    with pytest.raises(ValueError, match="does not exist"):
        layout.describe(layout.num_editable)


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
    records = list(collect_stats(generator, build_layout(generator), **options))
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
    layout, psi, cutoff = build_layout(generator), 0.4, 3
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
def test_statistics_refuse_bad_options(generator, options):
    with pytest.raises(ValueError, match="unknown truncation mode|need num_samples"):
        next(collect_stats(generator, build_layout(generator), **options))
