# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Instant directions against differences of drawn pictures, and what is kept of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_parts

from ppstyleclip import Edit, Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.methods.global_directions import (
    InstantConfig,
    InstantRelevance,
    RefinedRelevance,
    RelevanceConfig,
    choose_matcher,
    compute_relevance,
    default_instant_config,
    instant,
    refined,
)
from ppstyleclip.progress import last
from ppstyleclip.zoo import load_pack

FACES = 6
CONFIG = InstantConfig(faces=FACES, probes=60, faces_per_probe=FACES)


@pytest.fixture(scope="module")
def world():
    """(generator, clip, statistics, s_base) of a tiny world, in small steps."""
    generator, layout, stats, _, clip = tiny_parts()
    z = np.random.RandomState(3).standard_normal([FACES, generator.style_dim]).astype(np.float32)
    with paddle.no_grad():
        s = layout.flatten(generator.style_affine(generator.get_latent(paddle.to_tensor(z)))).numpy()
    stats.std[:] = np.linspace(0.0005, 0.0015, len(stats.std))
    return generator, clip, stats, s


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def jacobian(world):
    """`[E, N, D]` how far one deviation of each channel moves each unit CLIP feature, by differences."""
    generator, clip, stats, s = world
    moves = []
    with paddle.no_grad():
        for channel in generator.layout.editable_index:
            step = np.zeros(s.shape[1], np.float32)
            step[channel] = stats.std[channel]
            up, down = (features(generator, clip, s + sign * step) for sign in (1, -1))
            moves.append((up - down) / 2)
    return np.stack(moves)


def features(generator, clip, s):
    styles = generator.layout.unflatten(paddle.to_tensor(s))
    found = (
        clip.encode_image(generator.synthesis_from_styles(styles, noise="const")).numpy().astype(np.float64)
    )
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def a_direction(clip, seed=0):
    dt = np.random.RandomState(seed).standard_normal(clip.dim).astype(np.float32)
    return dt / np.linalg.norm(dt)


def test_r_is_the_mean_slope_along_the_text_over_the_channels_whole_slope(world, jacobian):
    dt = a_direction(world[1])
    instant = InstantRelevance(*world, CONFIG)
    match = instant.match(dt)
    along = (jacobian @ dt).mean(axis=1)
    norm, agreement = instant._probed
    np.testing.assert_allclose(match.r * norm * agreement, along, atol=0.02 * abs(along).max())
    true_norm = np.sqrt(np.square(jacobian).sum(2).mean(1))
    np.testing.assert_allclose(match.effect_norm, 6.5 * norm, rtol=1e-6)
    assert np.corrcoef(norm, true_norm)[0, 1] > 0.95  # of 60 probes
    assert abs(np.median(norm / true_norm) - 1) < 0.1


def test_agreement_is_that_of_the_faces(world, jacobian):
    instant, start = InstantRelevance(*world, CONFIG), 0
    together = np.square(jacobian.mean(axis=1)).sum(1)
    spread = np.square(jacobian - jacobian.mean(axis=1, keepdims=True)).sum(2).sum(1) / (FACES - 1)
    true = (together - spread / FACES) / np.square(jacobian).sum(2).mean(1)  # without the bias of few faces
    layout = world[0].layout
    for width, editable in zip(layout.channels, layout.editable):
        if editable:
            part = slice(start, start + width)
            expected = np.sqrt(np.clip(np.median(true[part]), 0.01, 1))
            assert instant._probed[1][start] == pytest.approx(expected, abs=0.15)
            start += width


def test_a_channel_that_does_nothing_is_not_alive(world):
    generator, clip, stats, s = world
    still = stats.std.copy()
    still[generator.layout.editable_index[3]] = 0
    match = InstantRelevance(generator, clip, type(stats)(stats.mean, still, 10), s, CONFIG).match(
        a_direction(clip)
    )
    assert not match.alive[3] and match.r[3] == 0 and match.alive[[0, 1, 2, 4]].all()


def test_what_is_measured_is_kept_for_the_next_process_and_damage_is_measured_again(world, tmp_path):
    dt, folder = a_direction(world[1]), tmp_path / "kept"
    expected = InstantRelevance(*world, CONFIG, folder=folder).match(dt)
    assert len(list(folder.iterdir())) == 2  # the probes, and the text
    again = InstantRelevance(*world, CONFIG, folder=folder)
    again._run = None  # nothing may be computed
    np.testing.assert_array_equal(again.match(dt).r, expected.r)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-7])
    np.testing.assert_allclose(
        InstantRelevance(*world, CONFIG, folder=folder).match(dt).r, expected.r, rtol=1e-5, atol=1e-6
    )
    other = InstantRelevance(*world, InstantConfig(FACES, 4, FACES, seed=1), folder=folder)
    assert not np.allclose(other.match(dt).r, expected.r)


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(world, tmp_path):
    (tmp_path / "file").write_text("")
    InstantRelevance(*world, CONFIG, folder=tmp_path / "file").match(a_direction(world[1]))


@pytest.mark.slow
def test_refined_channels_are_those_of_the_matrix(world, tmp_path):
    generator, clip, stats, s = world
    dt = a_direction(clip)
    few = RefinedRelevance(InstantRelevance(*world, CONFIG, folder=tmp_path), strongest=4, faces=FACES)
    match, guess = few.match(dt), few.instant.match(dt)
    matrix = last(compute_relevance(generator, clip, stats, RelevanceConfig(), s_base=s)).relevance
    strongest = np.argsort(-np.abs(guess.r))[:4]
    exact = matrix.match(dt)
    np.testing.assert_allclose(match.r[strongest], exact.r[strongest], atol=1e-3)
    np.testing.assert_allclose(match.effect_norm[strongest], exact.effect_norm[strongest], rtol=1e-3)
    others = np.setdiff1d(np.arange(len(match.r)), strongest)
    np.testing.assert_array_equal(match.r[others], guess.r[others])


def test_drawn_channels_are_known_for_later_texts_and_processes(world, tmp_path, monkeypatch):
    def refined_match():
        instant = InstantRelevance(*world, CONFIG, folder=tmp_path)
        return RefinedRelevance(instant, strongest=4).match(a_direction(world[1]))

    expected = refined_match()
    monkeypatch.setattr(refined, "compute_relevance", None)  # nothing may be drawn
    np.testing.assert_array_equal(refined_match().r, expected.r)


def test_a_bundle_without_matrix_and_statistics_is_edited_at_once_and_says_so(tmp_path):
    folder = save_tiny_pack(tmp_path / "pack")
    for name in ("relevance.safetensors", "statistics.safetensors"):
        (folder / name).unlink()
    editor = Editor(load_pack(folder))
    edit = Edit("face", "happy face", alpha=1.0, beta=0.0)
    with pytest.warns(UserWarning, match="instant directions are used, because .* has no relevance"):
        direction = editor.direction(edit)
    assert direction.num_channels > 0 and np.isfinite(direction.ds).all() and direction.ds.any()
    with pytest.raises(MissingFile, match="has no relevance"):
        Editor(load_pack(folder), relevance="matrix").direction(edit)


def test_an_edit_of_a_bundle_without_statistics_stays_where_its_faces_lie(tmp_path):
    folder = save_tiny_pack(tmp_path / "pack")
    for name in ("relevance.safetensors", "statistics.safetensors"):
        (folder / name).unlink()
    bundle = load_pack(folder)
    bundle = bundle.with_parts(defaults=replace(bundle.defaults, within=1.5))
    editor = Editor(bundle, relevance="instant")
    s = editor.styles(editor.sample(seed=4)).numpy()
    edited = editor.added(s, np.full(s.shape[1], 1e3, np.float32))
    at_most = np.maximum(editor.stats.mean + np.float32(1.5) * editor.stats.std, s[0])
    np.testing.assert_allclose(edited[0], at_most, rtol=1e-6)
    assert editor.edit(editor.sample(seed=4), Edit("face", "happy face", alpha=1.0, beta=0.0)).after.any()


def test_from_256_px_on_less_is_measured_the_dearer_a_picture_is(monkeypatch):
    def measured(size, work):
        drawing = SimpleNamespace(work=lambda k: work)
        monkeypatch.setattr(instant, "prefix_drawing_of", lambda generator: drawing)
        config = default_instant_config(SimpleNamespace(size=size))
        return config.faces, config.probes * config.faces_per_probe

    assert measured(128, 1e15) == (32, 128)
    assert measured(256, 1e9) == (24, 32)
    assert measured(256, 45e9) == (14, 14)  # config-f: 28 passes
    assert measured(1024, 1e12) == (8, 8)


def test_pictures_of_256_px_are_measured_one_by_one_and_small_ones_together(world, monkeypatch):
    runs = []

    def run(arrays):
        runs.append(len(arrays["s"]))
        return [], {"s": np.zeros_like(arrays["s"])}

    few = InstantRelevance(*world, CONFIG)
    monkeypatch.setattr(few, "_run", run)
    few._at_once = instant._at_once(256)
    few.match(a_direction(world[1]))
    assert set(runs) == {1} and instant._at_once(64) == 16


def test_what_is_not_known_is_refused(world, tmp_path):
    generator, clip, stats, s = world
    with pytest.raises(UserError, match="unknown relevance 'fast', known: matrix, instant, instant+"):
        choose_matcher(load_pack(save_tiny_pack(tmp_path / "pack")), "fast")
    with pytest.raises(UserError, match="32 base faces are needed, got 6"):
        InstantRelevance(*world)
    with pytest.raises(UserError, match="different CLIP"):
        InstantRelevance(*world, CONFIG).match(np.ones(3, np.float32))
    with pytest.raises(UserError, match="2 or more of the faces"):
        InstantConfig(faces=4, faces_per_probe=1)
