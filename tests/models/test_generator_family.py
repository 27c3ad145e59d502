# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A family of one file, registered from outside, does all that the package does; no other file knows it."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from family_checks import (
    ALPHA,
    check_compiled_gradients,
    check_compiled_synthesis,
    draw,
    measure,
    some_styles,
)
from tiny_world import tiny_clip
from toy_family import ToyGenerator

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.engine import CompiledNetworks, compile_synthesis
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import (
    StatisticsConfig,
    collect_statistics,
)
from ppstyleclip.models import families
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of
from ppstyleclip.progress import last
from ppstyleclip.zoo import EditDefaults, load_generator, load_pack, save_generator, save_pack


@pytest.fixture(scope="module")
def generator():
    paddle.seed(4)
    generator = families.build_generator({"family": "toy", "size": 16, "style_dim": 8, "widths": [6, 5]})
    assert isinstance(generator, ToyGenerator)
    generator.eval()
    return generator


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


@pytest.fixture(scope="module")
def measured(generator):
    """The last record of collect_statistics: statistics, and the styles of three faces."""
    config = StatisticsConfig(num_samples=40, batch_size=16, keep=3, truncation=0.7, cutoff=2)
    return last(collect_statistics(generator, config))


@pytest.fixture(scope="module")
def relevance(generator, clip, measured):
    return measure(generator, clip, measured)


def test_statistics_are_those_of_sampled_styles(generator, measured):
    z = np.random.RandomState(1234).randn(40, generator.style_dim).astype(np.float32)
    mean = generator.mean_latent()
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z), 0.7, 2, mean)
        s = generator.layout.flatten(generator.style_affine(w_plus)).numpy()
    np.testing.assert_allclose(measured.stats.mean, s.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(measured.stats.std, s.std(axis=0), atol=1e-5)
    assert (measured.stats.std > 0).all()


def test_relevance_is_the_formula(generator, clip, measured, relevance):
    layout, stats = generator.layout, measured.stats

    def feature(s):
        f = clip.encode_image(paddle.to_tensor(draw(generator, layout.unflatten(s[None])))).numpy()[0]
        return f / np.linalg.norm(f)

    for e in (0, 7, layout.num_editable - 1):
        position, differences = layout.editable_index[e], []
        for face in measured.s:
            up, down = face.copy(), face.copy()
            up[position] = stats.mean[position] + ALPHA * stats.std[position]
            down[position] = stats.mean[position] - ALPHA * stats.std[position]
            differences.append(feature(up) - feature(down))
        units = [difference / np.linalg.norm(difference) for difference in differences]
        row = np.sum(units, axis=0) / np.linalg.norm(np.sum(units, axis=0))
        assert relevance.rows[e] @ row > 0.999
        np.testing.assert_allclose(
            relevance.effect_norm[e], np.mean([np.linalg.norm(d) for d in differences]), rtol=1e-3
        )


def test_compiled_relevance_is_the_eager_one(generator, clip, measured, relevance, programs):
    compiled = CompiledNetworks(generator, clip)
    for options in ({}, {"cache_bytes": 0}):
        found = measure(generator, clip, measured, compiled=compiled, **options)
        assert (found.rows * relevance.rows).sum(axis=1).min() > 0.999
    assert len(list((programs / "engine").iterdir())) == 2  # one synthesis for all layers, and CLIP


@pytest.mark.parametrize("noise", ["const", "none"])
def test_compiled_synthesis_is_the_eager_one(generator, programs, noise):
    check_compiled_synthesis(generator, programs, noise, close=1e-5)


def test_compiled_gradients_are_the_eager_ones(generator, programs):
    check_compiled_gradients(generator, programs)


def test_a_file_of_it_is_loaded_as_what_it_is(generator, tmp_path):
    mark = save_generator(tmp_path / "toy.safetensors", generator, name="blobs", mean=np.zeros(8))
    again, metadata = load_generator(tmp_path / "toy.safetensors", {"size": 16})
    assert isinstance(again, ToyGenerator) and not again.training
    assert again.config() == generator.config() and metadata["fingerprint"] == mark
    styles = some_styles(generator, 2)
    np.testing.assert_array_equal(draw(again, styles), draw(generator, styles))
    with pytest.raises(UserError, match="size 32 was given, but the weights in .* have size 16"):
        load_generator(tmp_path / "toy.safetensors", {"size": 32})
    with pytest.raises(UserError, match="n_mlp 8 was given, but the generator in .* has none"):
        load_generator(tmp_path / "toy.safetensors", {"n_mlp": 8})


def test_an_unknown_family_is_named_with_those_that_are_known(generator, tmp_path, monkeypatch):
    save_generator(tmp_path / "toy.safetensors", generator, name="blobs")
    monkeypatch.delitem(families._FAMILIES, "toy")
    with pytest.raises(UserError, match="unknown generator family 'toy', known: stylegan2"):
        load_generator(tmp_path / "toy.safetensors")


def test_a_bundle_of_it_edits_by_text(generator, clip, measured, relevance, tmp_path):
    save_pack(
        tmp_path,
        generator=generator,
        clip=clip,
        stats=measured.stats,
        relevance=relevance,
        s_base=measured.s,
        defaults=EditDefaults(alpha=3.0, beta=0.01, unit="style", templates="plain"),
        name="blobs",
    )
    editor = Editor(load_pack(tmp_path))
    face = editor.sample(3)
    before, after = editor.edit(face, Edit("face", "happy face"))
    assert before.shape == after.shape == (16, 16, 3) and before.dtype == np.uint8
    assert np.abs(before.astype(int) - after).max() > 2
    ds = editor.step(Edit("face", "happy face"))
    colours = slice(generator.layout.offsets[2], None)
    assert ds.any() and not ds[colours].any()


def test_what_the_family_does_not_bring_is_refused_in_words(generator):
    drawing = prefix_drawing_of(generator)
    assert drawing.stops == {16: 3} and drawing.cacheable == ()
    with pytest.raises(UserError, match="draws pictures of 16 px on its way; it cannot stop at 8"):
        count_tensors(drawing, 8)
    with pytest.raises(ValueError, match="drawn whole, and at 16 px"):
        compile_synthesis(generator, side=8)
