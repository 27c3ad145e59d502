# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pack grows with its generator: what was measured stays, the new channels are measured."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
from tiny_mappers import LEVELS as MAPPER
from tiny_mappers import made
from tiny_world import SIZE, STYLE_DIM, tiny_clip, tiny_generator

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.progress import last
from ppstyleclip.worlds.portrait.training.grow import grow, grow_mapper
from ppstyleclip.zoo import Encoder, load_bundle, load_pack, save_encoder, save_generator, save_pack
from ppstyleclip.zoo.directions import save_stats
from ppstyleclip.zoo.mappers import load_mapper, save_mapper

COUNT, KEPT = 50, 3  # styles


def larger(generator):
    """A generator of twice the size, whose first blocks are those of `generator`."""
    paddle.seed(9)
    channels = {4: 6, 8: 6, 16: 4, 32: 3}
    found = StyleGANv2Generator(2 * SIZE, STYLE_DIM, generator.n_mlp, channels=channels)
    found.set_state_dict({**found.state_dict(), **generator.state_dict()})
    found.eval()
    return found


def as_half(values):
    return values.astype(np.float16).astype(np.float32)


def save_whole_pack(folder):
    """The tiny world, measured, with an encoder and a mapper."""
    generator, clip = tiny_generator(), tiny_clip()
    found = last(collect_statistics(generator, StatisticsConfig(num_samples=COUNT, keep=KEPT)))
    relevance = last(
        compute_relevance(generator, clip, found.stats, RelevanceConfig(), s_base=found.s)
    ).relevance
    z = paddle.to_tensor(np.random.RandomState(0).randn(2, STYLE_DIM).astype("float32"))
    latents = generator.get_latents(z).numpy()
    parts = {"generator": generator, "clip": clip, "stats": found.stats, "relevance": relevance}
    marks = save_pack(folder, **parts, name="tiny", latents=latents, s_base=found.s)
    made_with = json.dumps({"num_samples": COUNT})
    layout = json.dumps(generator.layout.to_config())
    save_stats(
        folder / "statistics.safetensors",
        found.stats,
        generator=marks["generator"],
        layout=layout,
        name="tiny",
        made_with=made_with,
    )
    config = {
        "encoder_type": "BackboneEncoderUsingLastLayerIntoWPlus",
        "num_styles": generator.n_latent,
        "style_dim": STYLE_DIM,
        "input_size": 32,
        "widths": (4, 6, 8, 10),
        "depths": (1, 1, 1, 1),
    }
    paddle.seed(3)
    network = build_encoder(config)
    network.eval()
    encoder = Encoder(network, np.zeros([1, STYLE_DIM], np.float32))
    save_encoder(folder / "encoder.safetensors", encoder, generator=marks["generator"])
    with_heads = {**config, "encoder_type": "ProgressiveBackboneEncoder", "head_widths": (5, 2)}
    other = build_encoder(with_heads)
    other.eval()
    other = Encoder(other, encoder.latent_avg)
    save_encoder(folder / "encoder_e4e.safetensors", other, generator=marks["generator"], half=True)
    save_mapper(folder / "mapper_smile.safetensors", made(MAPPER, made_for=marks))
    return generator


@pytest.mark.slow
def test_a_pack_grows_with_its_generator(tmp_path):
    small = save_whole_pack(tmp_path / "pack")
    large = larger(small)
    mark = save_generator(tmp_path / "large.safetensors", large, name="tiny")
    grow(tmp_path / "pack", tmp_path / "large.safetensors", tmp_path / "grown")
    old, new = load_pack(tmp_path / "pack"), load_pack(tmp_path / "grown")
    assert new.generator.size == 2 * SIZE and new.fingerprints["generator"] == mark

    whole = last(collect_statistics(large, StatisticsConfig(num_samples=COUNT, keep=KEPT)))
    np.testing.assert_allclose(new.stats.mean, whole.stats.mean, rtol=1e-5, atol=1e-6)
    config = RelevanceConfig(stop_at=SIZE)  # what the whole job would say
    expected = last(compute_relevance(large, old.clip, whole.stats, config, s_base=whole.s)).relevance
    known = len(old.relevance.rows)
    np.testing.assert_array_equal(new.relevance.rows[:known], as_half(old.relevance.rows))
    np.testing.assert_allclose(new.relevance.rows, expected.rows, atol=1e-3)
    np.testing.assert_allclose(new.relevance.effect_norm, expected.effect_norm, rtol=1e-3, atol=1e-5)
    assert np.abs(new.relevance.rows[known:]).max() > 0
    assert new.relevance.made_with["stop_at"] == SIZE

    layers = large.n_latent
    assert new.latents.shape == (2, layers, STYLE_DIM)
    np.testing.assert_array_equal(new.latents[:, -3:], np.repeat(as_half(old.latents)[:, -1:], 3, axis=1))
    pictures = paddle.to_tensor(np.random.RandomState(1).randn(2, 3, 32, 32).astype("float32"))
    for name in (None, "e4e"):
        found = [load_bundle(bundle=tmp_path / folder, encoder=name).encoder for folder in ("pack", "grown")]
        first, second = (encoder.network(pictures).numpy() for encoder in found)
        np.testing.assert_allclose(second[:, :-2], first, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(second[:, -2:], np.repeat(first[:, -1:], 2, axis=1), rtol=1e-5, atol=1e-6)
    mapper = load_mapper(tmp_path / "grown" / "mapper_smile.safetensors", generator=mark)
    assert mapper.config["levels"] == [2, 2, 4]
    edited = Editor(new).edit(new.latents[:1], Edit("face", "happy face", alpha=3, beta=0))
    assert edited.after.shape == (2 * SIZE, 2 * SIZE, 3)


@pytest.mark.slow
def test_a_generator_that_was_fitted_further_is_measured_anew(tmp_path):
    old_generator = save_whole_pack(tmp_path / "pack")
    fitted = tiny_generator()
    for name, value in fitted.state_dict().items():
        if name.endswith("weight") and not name.startswith("style."):
            value.set_value(value * 1.1 + 0.05)
    mark = save_generator(tmp_path / "fitted.safetensors", fitted, name="tiny")
    grow(tmp_path / "pack", tmp_path / "fitted.safetensors", tmp_path / "new")
    old, new = load_pack(tmp_path / "pack"), load_pack(tmp_path / "new")
    whole = last(collect_statistics(fitted, StatisticsConfig(num_samples=COUNT, keep=KEPT)))
    expected = last(
        compute_relevance(fitted, old.clip, whole.stats, RelevanceConfig(), s_base=whole.s)
    ).relevance
    np.testing.assert_allclose(new.stats.mean, whole.stats.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(new.relevance.rows, expected.rows, atol=1e-3)
    assert np.abs(new.relevance.rows - old.relevance.rows).max() > 0.01
    assert new.fingerprints["generator"] == mark != old.fingerprints["generator"]
    np.testing.assert_array_equal(new.latents, as_half(old.latents))
    assert new.latents.shape[1] == old_generator.n_latent
    mapper = load_mapper(tmp_path / "new" / "mapper_smile.safetensors", generator=mark)
    assert mapper.config["levels"] == [2, 2, 2]
    assert load_bundle(bundle=tmp_path / "new", encoder="e4e").encoder is not None

    for name, value in fitted.state_dict().items():
        if name == "style.1.bias":
            value.set_value(value + 1)  # w is another one
    save_generator(tmp_path / "mapped.safetensors", fitted, name="tiny")
    grow(tmp_path / "pack", tmp_path / "mapped.safetensors", tmp_path / "mapped")
    left = {path.name for path in (tmp_path / "pack").iterdir()} - {
        path.name for path in (tmp_path / "mapped").iterdir()
    }
    assert left == {f"{name}.safetensors" for name in ("encoder", "encoder_e4e", "mapper_smile", "latents")}
    assert load_pack(tmp_path / "mapped").relevance is not None


@pytest.mark.parametrize("idle", [[], [4, 5]])
def test_a_mapper_of_many_texts_moves_new_layers_as_the_last_one(idle, tmp_path):
    path = tmp_path / "mapper_words.safetensors"
    config = {
        "mapper_type": "ConditionedMapper",
        "style_dim": STYLE_DIM,
        "text_dim": 16,
        "layers": 6,
        "width": 8,
        "idle": idle,
    }
    mapper = made(config, texts=("happy face",), embed="clip", scale=1.0)
    random = np.random.RandomState(2)
    weight = mapper.network.write.weight  # starts at 0, which would hide faults
    weight.set_value(random.randn(*weight.shape).astype("float32"))
    save_mapper(path, mapper)
    grow_mapper(path, 8, "f" * 16)
    grown, latent = load_mapper(path, generator="f" * 16), random.randn(2, 6, STYLE_DIM).astype(np.float32)
    wide = np.concatenate([latent, latent[:, -1:], latent[:, -1:]], axis=1)
    text = random.randn(1, 16).astype(np.float32)
    step, wanted = grown.step(wide, text), mapper.step(latent, text)
    np.testing.assert_allclose(step[:, :6], wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(step[:, 6:], np.repeat(wanted[:, -1:], 2, axis=1), rtol=1e-5, atol=1e-6)


def test_another_generator_is_refused(tmp_path):
    save_whole_pack(tmp_path / "pack")
    save_generator(tmp_path / "other.safetensors", larger(tiny_generator(seed=8)), name="tiny")
    with pytest.raises(UserError, match="does not go on from the pack's own.*style"):
        grow(tmp_path / "pack", tmp_path / "other.safetensors", tmp_path / "grown")
    assert not (tmp_path / "grown").exists()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fitted_file(path):
    """A generator of the tiny pack's size whose mapping network is another one."""
    fitted = tiny_generator()
    for name, value in fitted.state_dict().items():
        if name == "style.1.bias":
            value.set_value(value + 1)
    save_generator(path, fitted, name="tiny")
    return path


def test_a_pack_stays_as_it_is_where_its_growing_is_interrupted(tmp_path, monkeypatch):
    save_whole_pack(tmp_path / "pack")
    before = contents(tmp_path / "pack")

    def interrupted(*args, **options):
        raise KeyboardInterrupt

    for name in ("collect_statistics", "compute_relevance"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(f"ppstyleclip.worlds.portrait.training.grow.{name}", interrupted)
            grow(tmp_path / "pack", fitted_file(tmp_path / "f.safetensors"), tmp_path / "pack")
        assert contents(tmp_path / "pack") == before


def test_a_pack_may_be_the_output_and_its_generator_the_new_one(tmp_path):
    save_whole_pack(tmp_path / "pack")
    names = set(contents(tmp_path / "pack"))
    grow(tmp_path / "pack", tmp_path / "pack" / "generator.safetensors", tmp_path / "pack")
    assert set(contents(tmp_path / "pack")) == names and load_pack(tmp_path / "pack").relevance is not None
    (tmp_path / "pack" / "notes.txt").write_text("mine")
    grow(tmp_path / "pack", fitted_file(tmp_path / "f.safetensors"), tmp_path / "pack")
    left = {f"{name}.safetensors" for name in ("encoder", "encoder_e4e", "mapper_smile", "latents")}
    assert set(contents(tmp_path / "pack")) == (names | {"notes.txt"}) - left


def test_an_output_that_cannot_be_is_refused_before_anything_is_measured(tmp_path):
    save_whole_pack(tmp_path / "pack")
    new, before = fitted_file(tmp_path / "f.safetensors"), contents(tmp_path / "pack")
    with pytest.raises(UserError, match="lies inside the pack"):
        grow(tmp_path / "pack", new, tmp_path / "pack" / "inside")
    for place in (new, new / "folder"):
        with pytest.raises(CannotWrite, match="cannot write"):
            grow(tmp_path / "pack", new, place)
    assert contents(tmp_path / "pack") == before
