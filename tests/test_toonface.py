# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The face world: renderer, population, captions, and that every training runs and can go on."""

from types import SimpleNamespace

import numpy as np
import paddle
import pytest

from ppstyleclip.pictures import to_images
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.toonface import captions, train_clip, train_encoder, train_generator, train_judge, world
from ppstyleclip.toonface.judge import AttributeNet
from ppstyleclip.toonface.renderer import FACTORS, INDEX, NUM_FACTORS, render, render_batch


@pytest.fixture(scope="module")
def faces():
    z = world.sample_z(3, 96)
    factors = world.factors_from_z(z)
    return z, factors, render_batch(factors, 64)


def test_render_is_deterministic_and_sized():
    factors = np.random.RandomState(0).randn(NUM_FACTORS)
    for size in (32, 64, 128, 192):
        assert render(factors, size).shape == (size, size, 3)
    assert np.array_equal(render(factors), render(factors))


@pytest.mark.parametrize("name", FACTORS)
def test_every_factor_moves_the_picture_on_both_sides(name):
    def at(value):
        factors = np.full(NUM_FACTORS, 0.2)
        factors[INDEX[name]] = value
        return render(factors, 64).astype(float)

    assert np.abs(at(1.5) - at(0)).max() > 20
    assert np.abs(at(-1.5) - at(0)).max() > 8


def test_factors_are_standard_normal_and_independent():
    factors = world.factors_from_z(world.sample_z(0, 20000))
    assert np.abs(factors.mean(0)).max() < 0.03
    assert np.abs(np.cov(factors.T) - np.eye(NUM_FACTORS)).max() < 0.05
    basis = world.rotation()
    assert np.allclose(basis.T @ basis, np.eye(NUM_FACTORS), atol=1e-5)


def test_z_counts_up_to_its_length():
    z = world.sample_z(1, 4)
    assert np.allclose(world.factors_from_z(z), world.factors_from_z(3 * z), atol=1e-5)


def test_shards_are_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr(world, "SHARD", 4)
    first = list(world.write_faces(tmp_path, size=16, seed=5, count=1))
    stamp = first[0].stat().st_mtime_ns
    again = list(world.write_faces(tmp_path, size=16, seed=5, count=1))
    z, pixels = world.load_shard(again[0])
    assert again[0].stat().st_mtime_ns == stamp
    assert np.array_equal(pixels, render_batch(world.factors_from_z(z), 16))


def test_captions_only_say_what_holds(faces):
    rng = np.random.RandomState(1)
    truths = captions.truth_table(faces[1])
    for row in truths:
        words, says = captions.caption(row, rng)
        assert not (says & ~row).any()
        assert says.sum() <= 4
        known = set(captions.all_words())
        assert {w.strip(".,").lower() for w in words.replace("-", " ").split()} <= known


def test_a_boy_is_the_unfeminine_side():
    factors = np.zeros((2, NUM_FACTORS), np.float32)
    factors[:, INDEX["feminine"]] = -1.5, 1.5
    boy = [a.name for a in captions.ATTRIBUTES].index("boy")
    assert captions.truth_table(factors)[:, boy].tolist() == [True, False]


def test_contrastive_loss_is_least_for_true_pairs():
    truths = np.eye(3, dtype=bool)
    features = paddle.eye(3)
    right = train_clip.contrastive_loss(features, features, 10.0, truths, truths)
    wrong = train_clip.contrastive_loss(features, features.flip(0), 10.0, truths, truths)
    assert float(right) < 0.01 < float(wrong)


def test_judge_training_lowers_its_loss(faces):
    net, images = AttributeNet(), paddle.to_tensor(to_images(faces[2]))

    def loss():
        return float(paddle.nn.functional.smooth_l1_loss(net(images), paddle.to_tensor(faces[1])))

    before = loss()
    list(train_judge.train(net, faces[2], faces[1], seed=0, steps=40, batch_size=16))
    assert loss() < 0.8 * before


def test_generator_starts_aligned_and_band_loss_is_zero_for_equals(faces):
    generator = train_generator.build(64)
    w = generator.get_latent(paddle.to_tensor(faces[0])).numpy()
    r = np.corrcoef(w[:, :NUM_FACTORS].T, faces[1].T)[:NUM_FACTORS, NUM_FACTORS:]
    assert np.diag(r).min() > 0.7
    x = paddle.to_tensor(to_images(faces[2][:2]))
    assert float(train_generator.band_loss(x, x)) == 0


def test_generator_training_goes_on_where_it_stopped(faces, tmp_path):
    net = AttributeNet()
    net.eval()

    def run_to(folder, stops):
        folder.mkdir()
        paddle.seed(0)  # the first weights
        for stop in stops:
            run = train_generator.Run(folder, 64, 4, 1e-3)
            list(train_generator.train(run, net, lambda rng: (faces[0], faces[2]), steps=stop, batch_size=2))
            run.save()
        return {k: v.numpy() for k, v in run.generator.state_dict().items()}

    whole, broken = run_to(tmp_path / "a", [4]), run_to(tmp_path / "b", [2, 4])
    for key in whole:
        assert np.allclose(whole[key], broken[key], atol=1e-5), key


def test_clip_training_runs_and_its_full_table_says_the_same(faces, tmp_path):
    run = train_clip.Run(tmp_path, 3, 1e-3)

    def draw(rng, count):
        return paddle.to_tensor(to_images(faces[2][:count])), faces[0][:count]

    assert np.isfinite(list(train_clip.train(run, draw, steps=3, batch_size=8, reading_steps=1))).all()
    from ppstyleclip.models.clip_tokens import tokenize

    run.clip.eval()
    tokens = tokenize(["a photo of a happy face with curly hair."])
    small = run.clip.encode_tokens(np.searchsorted(train_clip.token_ids(), tokens)).numpy()
    full = train_clip.to_full(run.clip).encode_text(["a photo of a happy face with curly hair."]).numpy()
    assert np.allclose(small, full, atol=1e-5)


@pytest.fixture
def small_world():
    """A 64 px generator with statistics of nothing, for what trains beside it."""
    generator = train_generator.build(64)
    generator.eval()
    for parameter in generator.parameters():
        parameter.stop_gradient = True
    layout = generator.layout
    blank = np.zeros(layout.size, np.float32)
    return SimpleNamespace(generator=generator, layout=layout, stats=StyleStats(blank, blank + 1, 1))


def test_encoder_training_goes_on_where_it_stopped(faces, small_world, tmp_path, monkeypatch):
    monkeypatch.setattr(train_encoder, "PICTURE_STEPS", 1.0)
    draw = train_encoder.both_kinds([(faces[0], faces[2])], [(faces[0][:8], faces[2][:8])])

    def run_to(folder, stops):
        seen = []
        for stop in stops:
            run = train_encoder.Run(folder, small_world, 4, 1e-3)
            seen += list(train_encoder.train(run, draw, steps=stop, batch_size=4))
            run.save()
        assert run.step == 4 and seen[-1][0] == 4 and np.isfinite(seen).all()
        return {key: value.numpy() for key, value in run.encoder.state_dict().items()}

    whole, broken = run_to(tmp_path / "a", [4]), run_to(tmp_path / "b", [2, 4])
    for key in whole:
        np.testing.assert_allclose(whole[key], broken[key], atol=1e-5, err_msg=key)


def test_encoder_loss_is_zero_for_the_truth_and_counts_the_picture(faces, small_world, tmp_path):
    run = train_encoder.Run(tmp_path, small_world, 4, 1e-3)
    w = run.mean.reshape([1, -1])
    images = paddle.zeros([1, 3, 64, 64])
    run.encoder.forward = lambda images: paddle.zeros([1, small_world.generator.n_latent, w.shape[1]])
    assert [float(part) for part in run.loss(images, w, True)] == pytest.approx([0, 0], abs=1e-8)
    style, picture = run.loss(images, w + 0.5, True)
    assert float(style) > 1e-4 and float(picture) > 1e-7
    assert float(run.loss(images, w + 0.5, False)[1]) == 0


def test_faces_for_the_encoder_are_half_rendered_half_drawn(faces):
    z, pixels = faces[0], faces[2]
    grey = np.full_like(pixels, 77)
    seen, found = train_encoder.both_kinds([(z, pixels)], [(z + 1, grey)])(np.random.RandomState(0), 6)
    assert seen.shape == (6, 64, 64, 3) and (seen[3:] == 77).all() and not (seen[:3] == 77).all()
    assert all(row in z.tolist() for row in found[:3].tolist())
    assert all(row in (z + 1).tolist() for row in found[3:].tolist())
    still = np.stack([train_encoder.jitter(pixels[0], np.random.RandomState(k)) for k in range(4)])
    assert len({one.tobytes() for one in still}) == 4
    assert np.abs(still.astype(int) - pixels[0]).mean() < 25
