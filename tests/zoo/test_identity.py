# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Identity networks: ours as files and in a bundle, and the training of the embedded world's."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from ppstyleclip.toonface import build_pack, train_identity, world
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.engine import compile_gradient
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.pictures import to_images
from ppstyleclip.worlds.portrait.factors import FACTORS
from ppstyleclip.worlds.portrait.render import render_batch
from ppstyleclip.zoo import load_bundle, load_identity, save_identity
from ppstyleclip.zoo.pack import IDENTITY

IMAGES = paddle.to_tensor(np.random.RandomState(0).uniform(-1, 1, [3, 3, 32, 32]).astype(np.float32))


def tiny_identity(seed=7):
    paddle.seed(seed)
    network = IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6)
    network.train()
    network(paddle.randn([8, 3, 16, 16]))  # batch norm has seen something
    network.eval()
    return network


def features(network):
    with paddle.no_grad():
        return network.identity_features(IMAGES).numpy()


def test_a_network_comes_back_as_it_was(tmp_path):
    network, path = tiny_identity(), tmp_path / "identity.safetensors"
    mark = save_identity(path, network)
    again = load_identity(path)
    assert not again.training and all(parameter.stop_gradient for parameter in again.parameters())
    assert again.config() == {"widths": [2, 4, 6, 8], "depths": [1, 1, 1, 1], "face_size": 16, "dim": 6}
    np.testing.assert_array_equal(features(again), features(network))
    assert read_safetensors(path)[1]["fingerprint"] == mark
    half = save_identity(tmp_path / "half.safetensors", network, half=True)
    apart = np.abs(features(load_identity(tmp_path / "half.safetensors")) - features(network)).max()
    assert half != mark and 0 < apart < 0.02


@pytest.mark.parametrize("change, words", [
    ({"config": "{"}, "is damaged"), ({"config": '{"deep": 1}'}, "is damaged: .*deep"),
    ({"config": '{"widths": [2, 4, 6, 8]}'}, "is damaged: config.depths is missing; needed: a list of 4"),
    ({"fingerprint": "0" * 16}, "not those it was written with")])  # fmt: skip
def test_a_damaged_file_is_refused(tmp_path, change, words):
    path = tmp_path / "identity.safetensors"
    save_identity(path, tiny_identity())
    state, metadata = read_safetensors(path)
    write_safetensors(path, state, {**metadata, **change})
    with pytest.raises(UserError, match=words):
        load_identity(path)


def test_a_bundle_has_one_if_it_brings_one(tmp_path, monkeypatch):
    pack = save_tiny_pack(tmp_path / "pack")
    live_in(pack, monkeypatch, tmp_path)
    assert load_bundle(None).identity is None
    save_identity(pack / IDENTITY, tiny_identity())
    np.testing.assert_array_equal(features(load_bundle(None).identity), features(tiny_identity()))


@pytest.mark.slow
def test_its_gradient_compiles(tmp_path, recwarn):
    class Likeness(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.network = tiny_identity()

        def forward(self, tensors):
            seen = self.network.identity_features(tensors["images"])
            return [paddle.mean(paddle.sum(seen * tensors["who"], axis=1))]

    layer, images = Likeness(), IMAGES.numpy()
    who = np.random.RandomState(1).randn(3, 6).astype(np.float32)
    run = compile_gradient(layer, {"images": [-1, 3, 32, 32], "who": [-1, 6]}, ["images"], folder=tmp_path)
    found = run({"images": images, "who": who})[1]["images"]
    x = paddle.to_tensor(images, stop_gradient=False)
    loss = tiny_identity().identity_features(x) * paddle.to_tensor(who)
    expected = paddle.grad(loss.sum(axis=1).mean(), x)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    assert not [one for one in recwarn if "not compiled" in str(one.message)]


# ---- the embedded world's


def test_places_say_how_far_identities_are_apart():
    shapes = np.random.RandomState(0).randn(2000, 5)
    found = train_identity.places(shapes)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    apart = ((shapes[:1000] - shapes[1000:]) ** 2).sum(1)
    cosines = (found[:1000] * found[1000:]).sum(1)
    expected = np.exp(-apart / (2 * train_identity.REACH**2))
    assert np.corrcoef(cosines, expected)[0, 1] > 0.8 and np.abs(cosines - expected).mean() < 0.2


def test_dressed_faces_have_the_shape_and_nothing_else_in_common():
    shapes = np.random.RandomState(0).randn(400, 5)
    first, second = (
        world.factors_from_z(train_identity.dressed(shapes, np.random.RandomState(k))) for k in (1, 2)
    )
    np.testing.assert_allclose(train_identity.shape_of(first), shapes, atol=1e-4)
    for index, name in enumerate(FACTORS):
        r = np.corrcoef(first[:, index], second[:, index])[0, 1]
        assert r > 0.999 if name in train_identity.SHAPE else abs(r) < 0.2, name


def test_training_goes_on_where_it_stopped_and_joins_a_pack(tmp_path):
    z = world.sample_z(3, 48)
    pixels = render_batch(world.factors_from_z(z), 64)

    def draw(rng, count):
        rows = rng.randint(0, len(z), count)
        return pixels[rows], z[rows]

    def run_to(folder, stops):
        for stop in stops:
            run = train_identity.Run(folder, 4, 1e-3)
            seen = list(train_identity.train(run, draw, steps=stop, batch_size=4))
            assert seen[-1][0] == stop and np.isfinite(seen).all()
            run.save()
        return {key: value.numpy() for key, value in run.network.state_dict().items()}

    whole, broken = run_to(tmp_path / "a", [4]), run_to(tmp_path / "b", [2, 4])
    for key in whole:
        np.testing.assert_allclose(whole[key], broken[key], atol=1e-5, err_msg=key)
    build_pack.main(["--identity", str(tmp_path / "a" / "state.safetensors"), "--output", str(tmp_path)])
    joined = load_identity(tmp_path / IDENTITY)
    assert (tmp_path / IDENTITY).stat().st_size < 1e6
    seen = joined.identity_features(paddle.to_tensor(to_images(pixels[:4])))
    assert seen.shape == [4, train_identity.CONFIG["dim"]]


def test_verification_of_a_network_that_knows_and_of_one_that_does_not():
    class Reader:
        """Sees what `draw` hands it: the face's place, or noise."""

        def identity_features(self, images):
            return images

    def knows(z):
        return train_identity.places(train_identity.shape_of(world.factors_from_z(z)))

    def guesses(z):
        noise = np.random.RandomState(int(1e4 * abs(z[0, 0]))).randn(len(z), 8).astype(np.float32)
        return noise / np.linalg.norm(noise, axis=1, keepdims=True)

    auc, right, found, alike, apart = train_identity.verification(Reader(), knows, people=60)
    assert auc > 0.999 and right > 0.99 and found == 1 and alike > 0.999 and abs(apart) < 0.4
    auc, right, found, alike, apart = train_identity.verification(Reader(), guesses, people=60)
    assert abs(auc - 0.5) < 0.15 and right < 0.65 and found < 0.1
