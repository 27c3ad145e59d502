# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Identity networks: ours as files, and in a bundle."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.engine import compile_gradient
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.models.arcface import IRSE50
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
