# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How styles go with features: measured against a plain loop, kept in the cache, and in a relevance file."""

import dataclasses

import numpy as np
import paddle
import pytest
from tiny_world import save_tiny_pack, tiny_clip, tiny_generator

from ppstyleclip import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.methods.global_directions import of_bundle, style_direction
from ppstyleclip.methods.global_directions import regression as module
from ppstyleclip.methods.global_directions.regression import (
    fit_regression,
    measure_regression,
    remembered_regression,
    side_for,
)
from ppstyleclip.progress import last
from ppstyleclip.stylespace import Relevance
from ppstyleclip.worlds.portrait.training.population import add_population
from ppstyleclip.zoo.directions import read_relevance, save_relevance
from ppstyleclip.zoo.load import load_pack

FACES = 20


@pytest.fixture(scope="module")
def networks():
    return tiny_generator(), tiny_clip()


def plain(generator, clip):
    """The covariances of the same faces, drawn whole and one by one."""
    z = np.random.RandomState(0).standard_normal([FACES, generator.style_dim]).astype(np.float32)
    styles, features = [], []
    with paddle.no_grad():
        for one in z:
            tensors = generator.style_affine(generator.get_latent(paddle.to_tensor(one[None])))
            picture = generator.synthesis_from_styles(tensors, noise="const")
            styles.append(np.concatenate([tensor.numpy().reshape(-1) for tensor in tensors]))
            f = clip.encode_image(picture).numpy()[0]
            features.append(f / np.linalg.norm(f))
    both = np.cov(np.stack(styles).T, np.stack(features).T, bias=True)
    return both[: len(styles[0]), len(styles[0]) :], both[len(styles[0]) :, len(styles[0]) :]


def test_covariances_are_those_of_a_plain_loop(networks):
    assert side_for(*networks) == networks[0].size
    *records, end = measure_regression(*networks, FACES)
    assert [record.done for record in records] == [16, 20] and end.done == end.total == FACES
    cross, covariance = plain(*networks)
    np.testing.assert_allclose(end.regression.cross, cross, atol=2e-4 * np.abs(cross).max())
    np.testing.assert_allclose(end.regression.covariance, covariance, atol=2e-4 * np.abs(covariance).max())


def test_what_was_measured_is_kept(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FACES", FACES)
    first = remembered_regression(*networks, folder=tmp_path)
    monkeypatch.setattr(module, "measure_regression", None)
    again = remembered_regression(*networks, folder=tmp_path)
    np.testing.assert_array_equal(again.cross, first.cross)
    np.testing.assert_array_equal(again.covariance, first.covariance)
    assert first.cross.shape == (networks[0].layout.size, networks[1].dim)
    monkeypatch.undo()
    monkeypatch.setattr(module, "FACES", 64)  # enough of them to say what w explains
    first = remembered_regression(*networks, folder=tmp_path)
    np.testing.assert_array_equal(
        remembered_regression(*networks, folder=tmp_path).explained, first.explained
    )
    assert first.explained.shape == first.covariance.shape


def test_a_relevance_file_brings_it(networks, tmp_path):
    layout, rng = networks[0].layout, np.random.RandomState(0)
    rows = rng.randn(layout.num_editable, 6).astype(np.float32)
    regression = fit_regression(rng.randn(30, layout.size), rng.randn(30, 6), rng.randn(30, 4))
    own = Relevance(rows, None, np.ones(len(rows), bool), regression=regression)
    path, known = tmp_path / "relevance.safetensors", {"generator": "0" * 16, "clip": "1" * 16}
    save_relevance(path, own, clip_name="tiny", **known)
    found = read_relevance(path, layout, name="tiny")
    np.testing.assert_allclose(found.regression.cross, regression.cross, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(found.regression.covariance, regression.covariance)
    np.testing.assert_array_equal(found.regression.explained, regression.explained)
    save_relevance(path, dataclasses.replace(own, regression=None), clip_name="tiny", **known)
    assert read_relevance(path, layout, name="tiny").regression is None
    save_relevance(path, own, clip_name="tiny", **known)
    state, about = read_safetensors(path)
    write_safetensors(path, {word: v for word, v in state.items() if word != "features_explained"}, about)
    assert read_relevance(path, layout, name="tiny").regression.explained is None
    for word, value in (
        ("features", state["features"][:5]),
        ("styles_features", state["features"] * np.nan),
        ("features_explained", state["features"][:5]),
    ):
        write_safetensors(path, {**state, word: value}, about)
        with pytest.raises(UserError, match=f"'{word}' is no array of floats"):
            read_relevance(path, layout, name="tiny")
    write_safetensors(path, {word: v for word, v in state.items() if word != "features"}, about)
    with pytest.raises(
        UserError, match="'styles_features' and 'features' go together: give both, or neither"
    ):
        read_relevance(path, layout, name="tiny")
    for damaged in (0 * state["features"], -state["features"]):
        write_safetensors(path, {**state, "features": damaged}, about)
        with pytest.raises(UserError, match="'features' is no covariance; it is damaged"):
            read_relevance(path, layout, name="tiny")
    triangle = 9 * np.triu(state["features"])
    for damaged in (-state["features"], 1.1 * state["features"], triangle):
        write_safetensors(path, {**state, "features_explained": damaged.astype(np.float32)}, about)
        with pytest.raises(UserError, match="'features_explained' is no part of 'features'; it is damaged"):
            read_relevance(path, layout, name="tiny")
    write_safetensors(path, {**state, "styles_features": regression.cross * np.float32(1e30)}, about)
    with pytest.raises(UserError, match="'styles_features' holds values beyond 1,000,000; it is damaged"):
        read_relevance(path, layout, name="tiny")
    state["features"][0, 0] = np.nan
    write_safetensors(path, state, about)
    with pytest.raises(UserError, match="features holds NaN"):
        read_relevance(path, layout, name="tiny")


@pytest.mark.parametrize("factor", [1e6, 1e-7])
def test_what_half_precision_would_lose_is_stored_in_full(tmp_path, factor):
    layout, rng = tiny_generator().layout, np.random.RandomState(0)
    rows = rng.randn(layout.num_editable, 6).astype(np.float32)
    regression = fit_regression(factor * rng.randn(30, layout.size), rng.randn(30, 6))
    own = Relevance(rows, None, np.ones(len(rows), bool), regression=regression)
    save_relevance(tmp_path / "r.safetensors", own, generator="0" * 16, clip="1" * 16, clip_name="tiny")
    found = read_relevance(tmp_path / "r.safetensors", layout, name="tiny")
    np.testing.assert_array_equal(found.regression.cross, regression.cross)


def test_a_cache_without_what_w_explains_is_measured_anew(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FACES", 64)  # enough of them to say it
    first = remembered_regression(*networks, folder=tmp_path)
    [path] = tmp_path.glob("*-population.safetensors")
    vector = read_safetensors(path)[0]["vector"]
    for count in (vector.size - first.explained.size, 7):  # of an older version; of nobody
        write_safetensors(path, {"vector": vector[:count]})
        again = remembered_regression(*networks, folder=tmp_path)
        np.testing.assert_array_equal(again.explained, first.explained)
        np.testing.assert_array_equal(read_safetensors(path)[0]["vector"], vector)


def test_a_smaller_population_leaves_nothing_of_the_larger_one(tmp_path):
    add_population(save_tiny_pack(tmp_path), 64)
    assert load_pack(tmp_path).relevance.regression.explained is not None
    add_population(tmp_path, FACES)
    assert load_pack(tmp_path).relevance.regression.explained is None


def test_an_edit_leans_on_the_relevances_own_or_on_what_is_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path))
    monkeypatch.setattr(module, "FACES", FACES)
    save_tiny_pack(tmp_path / "pack")
    bundle = load_pack(tmp_path / "pack")
    edit = Edit("face", "happy face", beta=0.0, unit="sigma", pull=0.5)
    measured = Editor(bundle).direction(edit)
    own = last(measure_regression(bundle.generator, bundle.clip, FACES)).regression
    again = style_direction(
        bundle.relevance, measured.dt, bundle.layout, bundle.stats, beta=0.0, pull=0.5, regression=own
    )
    np.testing.assert_allclose(measured.ds, again.ds, atol=1e-5)
    add_population(tmp_path / "pack", FACES, pull=0.25)
    changed = load_pack(tmp_path / "pack")
    assert changed.defaults == dataclasses.replace(bundle.defaults, pull=0.25)
    np.testing.assert_array_equal(changed.relevance.rows, bundle.relevance.rows.astype(np.float16))
    monkeypatch.setattr(of_bundle, "remembered_regression", None)
    np.testing.assert_allclose(Editor(changed).direction(edit).ds, measured.ds, atol=2e-3)  # stored in half
