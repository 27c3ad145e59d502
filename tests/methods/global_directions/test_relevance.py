# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""compute_relevance against the formula written as a plain loop, one picture at a time."""

import numpy as np
import paddle
import pytest

from ppstyleclip.engine import CompiledNetworks, networks
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_relevance,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.progress import last
from ppstyleclip.stylespace import StyleStats

ALPHA = 5.0


class TinyClip(paddle.nn.Layer):
    """What compute_relevance asks of a CLIP, in two layers."""

    dim = 10

    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 12, 4, stride=3)
        self.head = paddle.nn.Linear(12, self.dim)

    def encode_image(self, images):
        return self.head(paddle.tanh(self.conv(images)).mean(axis=[2, 3]))


class World:
    """A random generator of 16 px, a random CLIP and three faces."""

    def __init__(self):
        paddle.seed(3)
        self.generator = StyleGANv2Generator(16, 8, 2, lr_mlp=1.0, channels={4: 5, 8: 4, 16: 3})
        for name, parameter in self.generator.named_parameters():
            if name.endswith("noise.weight"):
                parameter.set_value(paddle.full([1], 0.3))
        self.clip = TinyClip()
        self.layout = self.generator.layout
        config = StatisticsConfig(num_samples=64, keep=3, truncation_mode="none")
        record = last(collect_statistics(self.generator, config))
        self.s = record.s
        std = record.stats.std.copy()
        std[self.layout.editable_index[DEAD_CHANNEL]] = 0  # a channel that does nothing
        self.stats = StyleStats(record.stats.mean, std, record.stats.count)

    def relevance(self, **options):
        return last(self.records(**options)).relevance

    def records(self, compiled=None, **options):
        config = RelevanceConfig(**{"alpha": ALPHA, "batch_size": 8, **options})
        return compute_relevance(
            self.generator, self.clip, self.stats, config, s_base=self.s, compiled=compiled
        )


DEAD_CHANNEL = 6


@pytest.fixture(scope="module")
def world():
    return World()


@paddle.no_grad()
def feature(world, s):
    styles = world.layout.unflatten(paddle.to_tensor(s[None]))
    picture = world.generator.synthesis_from_styles(styles, noise="const")
    f = world.clip.encode_image(picture).numpy()[0].astype(np.float64)
    return f / np.linalg.norm(f)


def plain_relevance(world, base="mean", compat=None):
    """The formula as it reads: for each channel, for each image, one pair of pictures."""
    rows, strength = [], []
    s_base = world.s.copy()
    for position in world.layout.editable_index:
        units, norms = [], []
        for i in range(len(s_base)):
            centre = world.stats.mean[position] if base == "mean" else s_base[i, position]
            up, down = s_base[i].copy(), s_base[i].copy()
            up[position] = centre + ALPHA * world.stats.std[position]
            down[position] = centre - ALPHA * world.stats.std[position]
            d = feature(world, up) - feature(world, down)
            norms.append(np.linalg.norm(d))
            units.append(d / max(norms[-1], 1e-30))
        row = np.mean(units, axis=0)
        strength.append(np.mean(norms))
        rows.append(row / np.linalg.norm(row) if strength[-1] >= 1e-5 else np.zeros_like(row))
        if compat == "official":  # the official script never restores a channel that it visited
            s_base[:, position] = world.stats.mean[position]
    return np.array(rows), np.array(strength)


def assert_same(found, rows, strength):
    alive = strength >= 1e-5
    assert alive.sum() == len(rows) - 1
    cosine = (found.rows * rows).sum(axis=1)
    assert cosine[alive].min() >= 0.9999
    assert not found.rows[~alive].any()
    np.testing.assert_allclose(np.linalg.norm(found.rows[alive], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.effect_norm, strength, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("base, compat", [("mean", None), ("own", None), ("mean", "official")])
def test_relevance_equals_the_plain_loop(world, base, compat):
    rows, strength = plain_relevance(world, base, compat)
    assert_same(world.relevance(base=base, compat=compat), rows, strength)


def test_relevance_is_computed_from_python_without_a_file_or_a_command_line(world, monkeypatch):
    rows, strength = plain_relevance(world)

    def refuse(*args, **options):
        raise AssertionError("no file, no command line")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("argparse.Namespace.__init__", refuse)
    config = RelevanceConfig(alpha=ALPHA, batch_size=8)
    records = list(compute_relevance(world.generator, world.clip, world.stats, config, s_base=world.s))
    monkeypatch.undo()
    assert records[-1].done == records[-1].total == world.layout.num_editable
    assert_same(records[-1].relevance, rows, strength)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, opened",
    [({}, True), ({"base": "own"}, True), ({"cache_bytes": 0}, False), ({"compat": "official"}, False)],
)
def test_compiled_relevance_equals_the_plain_loop(world, tmp_path, monkeypatch, options, opened):
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path))
    monkeypatch.setattr(
        networks,
        "compile_image_encoder",
        lambda clip, side, precision: lambda images: clip.encode_image(paddle.to_tensor(images)).numpy(),
    )
    compiled, begun = CompiledNetworks(world.generator, world.clip), set()
    features = compiled.features
    compiled.features = lambda prefix, *rest: (begun.add(prefix.is_cached), features(prefix, *rest))[1]
    found = world.relevance(compiled=compiled, **options)
    plain = {name: options[name] for name in ("base", "compat") if name in options}
    assert_same(found, *plain_relevance(world, **plain))
    assert begun == {opened}


def test_the_three_ways_differ(world):
    plain, own = world.relevance(), world.relevance(base="own")
    official = world.relevance(compat="official")
    last = world.layout.num_editable - 1
    assert np.abs(plain.rows - own.rows).max() > 0.01
    assert np.abs(plain.rows[last] - official.rows[last]).max() > 1e-3
    np.testing.assert_allclose(plain.rows[0], official.rows[0], atol=1e-4)  # nothing visited yet


@pytest.mark.parametrize("compat", [None, "official"])
@pytest.mark.parametrize(
    "options", [{"batch_size": 2}, {"batch_size": 7}, {"batch_size": 64}, {"cache_bytes": 0}]
)
def test_batch_and_memory_change_nothing(world, options, compat):
    one, other = world.relevance(compat=compat), world.relevance(compat=compat, **options)
    np.testing.assert_allclose(one.rows, other.rows, atol=2e-3)
    np.testing.assert_allclose(one.effect_norm, other.effect_norm, atol=1e-5)


@pytest.mark.parametrize("compat", [None, "official"])
def test_some_channels_are_the_same_as_in_the_whole(world, compat):
    some = [1, 9, world.layout.num_editable - 1]
    whole, part = world.relevance(compat=compat), world.relevance(compat=compat, channels=some)
    assert part.measured.nonzero()[0].tolist() == some
    assert not part.rows[~part.measured].any()
    np.testing.assert_allclose(part.rows[some], whole.rows[some], atol=2e-3)


def test_records_cover_every_channel_once(world):
    records = list(world.records(batch_size=12))
    channels = np.concatenate([record.channels for record in records])
    assert channels.tolist() == list(range(world.layout.num_editable))
    counts = [len(record.channels) for record in records]
    assert [record.done for record in records] == np.cumsum(counts).tolist()
    assert {record.total for record in records} == {world.layout.num_editable}
    assert all(record.seconds > 0 for record in records)


def test_the_last_record_alone_carries_the_whole_and_what_it_was_made_with(world):
    *before, record = world.records(base="own", channels=[1, 9])
    assert before and all(one.relevance is None for one in before)
    found = record.relevance
    assert found.measured.nonzero()[0].tolist() == [1, 9] and found.layout == world.layout
    joined = collect_relevance([*before, record], world.layout.num_editable, world.clip.dim)
    assert np.array_equal(joined.rows, found.rows)
    assert np.array_equal(joined.effect_norm, found.effect_norm)
    expected = {"alpha": ALPHA, "base": "own", "compat": None, "num_images": 3, "channels": 2}
    assert expected.items() <= found.made_with.items()
    assert np.asarray(found) is found.rows and found.shape == found.rows.shape


def test_closing_the_generator_ends_the_work(world):
    records = world.records()
    next(records)
    records.close()
    with pytest.raises(StopIteration):
        next(records)


def test_the_base_faces_are_left_as_they_were(world):
    before, grad = world.s.copy(), paddle.is_grad_enabled()
    next(world.records(compat="official"))
    assert paddle.is_grad_enabled() == grad
    assert np.array_equal(before, world.s)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"base": "median"}, "known: mean, own"),
        ({"compat": "paddlegan"}, "known: official"),
        ({"compat": "official", "base": "own"}, "leave base at 'mean'"),
        ({"batch_size": 1}, "batch_size at least 2"),
        ({"channels": [10**6]}, "channels must be some of"),
        ({"channels": []}, "channels must be some of"),
    ],
)
def test_bad_options_are_named(world, options, message):
    with pytest.raises(ValueError, match=message):
        world.relevance(**options)


def test_styles_or_statistics_of_another_generator_are_refused(world):
    networks, config = (world.generator, world.clip), RelevanceConfig()
    with pytest.raises(ValueError, match="base styles are"):
        compute_relevance(*networks, world.stats, config, s_base=world.s[:, :-1])
    with pytest.raises(ValueError, match="statistics are of 1 style channels"):
        compute_relevance(*networks, StyleStats(np.zeros(1), np.ones(1), 2), config, s_base=world.s)
