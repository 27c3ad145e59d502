# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Identity networks, VGG features and LPIPS: the peers' numbers, and gradients that reach the picture."""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import keyed_state, seeded_images
from PIL import Image

from ppstyleclip.models.arcface import IRSE50, ResNetFace18
from ppstyleclip.models.lpips import IMAGE2STYLEGAN_TAPS, LPIPS, VGG16
from ppstyleclip.models.state import from_torch_state, load_state

STORED = np.load(Path(__file__).parents[1] / "oracles" / "measures.npz", allow_pickle=False)
WIDTHS = (16, 32, 48, 64)
FIRST, SECOND = (paddle.to_tensor(seeded_images(2, 3, 64, 64, seed)) for seed in (3, 4))


def loaded(network, case):
    shapes = json.loads(bytes(STORED[f"{case}/shapes"]).decode())
    load_state(network, from_torch_state(network, keyed_state(shapes)), case)
    network.eval()
    return network


@pytest.fixture(scope="module")
def irse():
    return loaded(IRSE50(WIDTHS, dim=64), "irse")


@pytest.fixture(scope="module")
def grey():
    return loaded(ResNetFace18(WIDTHS, dim=64), "grey")


@pytest.fixture(scope="module")
def lpips():
    network = LPIPS()
    vgg = keyed_state({key: value.shape for key, value in network.vgg.state_dict().items()})
    heads = keyed_state({key: value.shape for key, value in network.lins.state_dict().items()})
    load_state(network.vgg, vgg, "VGG-16")
    load_state(network.lins, {key: np.abs(value) for key, value in heads.items()}, "LPIPS heads")
    return network


@pytest.mark.parametrize("name, step", [("features256", 1), ("features64", 4)])
def test_irse_features_are_styleclips(irse, name, step):
    images = paddle.to_tensor(np.ascontiguousarray(seeded_images(2, 3, 256, 256)[:, :, ::step, ::step]))
    with paddle.no_grad():
        features = irse.identity_features(images).numpy()
    np.testing.assert_allclose(features, STORED[f"irse/{name}"], rtol=0, atol=1e-5)
    assert abs(features[0] @ features[1]) < 0.999  # the two pictures are told apart


def test_grey_features_are_the_peers(grey):
    with paddle.no_grad():
        features = grey(paddle.to_tensor(seeded_images(2, 1, 128, 128))).numpy()
    np.testing.assert_allclose(features, STORED["grey/features"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("side", [64, 128, 200])
def test_grey_network_sees_what_pillow_makes_of_the_picture(side, monkeypatch):
    pixels = np.random.RandomState(side).randint(0, 256, (side, side, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("L").resize((128, 128), Image.BILINEAR))
    network, seen = ResNetFace18((2, 2, 2, 2), dim=3), []
    monkeypatch.setattr(ResNetFace18, "forward", lambda self, faces: seen.append(faces) or faces.flatten(1))
    network.identity_features(paddle.to_tensor(pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - 1))
    assert np.abs((seen[0].numpy()[0, 0] + 1) * 127.5 - expected).max() < 1.5  # Pillow rounds three times


def test_identity_networks_have_the_published_keys():
    keys = set(IRSE50((2, 4, 6, 8), face_size=16, dim=2).state_dict())
    assert len(keys) == 343  # 397 in the torch file, of which 54 count batches
    assert {
        "input_layer.2._weight",
        "body.23.res_layer.5.fc2.weight",
        "output_layer.0._mean",
        "output_layer.3.weight",
        "output_layer.4._variance",
    } <= keys
    keys = set(ResNetFace18((2, 2, 2, 2), dim=2).state_dict())
    assert {
        "prelu.weight",
        "layer1.0.prelu.weight",
        "layer2.0.downsample.1._mean",
        "bn4.bias",
        "fc5.weight",
        "bn5._variance",
    } <= keys
    assert not any("layer1.0.downsample" in key for key in keys)


def test_vgg_features_are_torchvisions(lpips):
    with paddle.no_grad():
        maps = lpips.vgg(FIRST, IMAGE2STYLEGAN_TAPS)
    for index, features in zip(IMAGE2STYLEGAN_TAPS, maps):
        found = features.mean(axis=[2, 3]).numpy()[:, ::4]
        np.testing.assert_allclose(found, STORED[f"vgg/{index}"], rtol=1e-4, atol=1e-5)


def test_vgg_has_the_published_keys():
    convolutions = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    expected = {f"features.{n}.{part}" for n in convolutions for part in ("weight", "bias")}
    assert set(VGG16((2, 2, 2, 2, 2)).state_dict()) == expected
    assert set(LPIPS((2, 2, 2, 2, 2)).lins.state_dict()) == {f"{n}.model.1.weight" for n in range(5)}


def test_lpips_is_the_peers(lpips):
    with paddle.no_grad():
        found = lpips(FIRST, SECOND).numpy()
        one = lpips(FIRST, SECOND[:1]).numpy()
    np.testing.assert_allclose(found, STORED["lpips"], rtol=1e-5)
    np.testing.assert_allclose(one[0], found[0], rtol=1e-6)
    assert abs(one[1] - found[1]) > 1e-3


def slope_error(measure, images):
    """Compare the gradient's length with the finite difference along it; relative."""
    x = paddle.to_tensor(images, stop_gradient=False)
    measure(x).sum().backward()
    slope = float(np.linalg.norm(x.grad.numpy()))
    step = 2e-4 / slope * x.grad.numpy() / slope  # moves the measure by about 0.0002
    ends = [float(measure(paddle.to_tensor(images + sign * step)).sum()) for sign in (1, -1)]
    return abs((ends[0] - ends[1]) / 4e-4 - 1)


def test_lpips_is_smooth_and_zero_for_equal_pictures(lpips):
    assert slope_error(lambda x: lpips(x, SECOND), FIRST.numpy()) < 0.02
    black = paddle.full([1, 3, 32, 32], -1.0)
    black.stop_gradient = False
    value = lpips(black, black.detach())
    value.sum().backward()
    assert value.numpy().tolist() == [0.0] and np.isfinite(black.grad.numpy()).all()
    assert all(parameter.grad is None for parameter in lpips.parameters())


@pytest.mark.parametrize("name", ["irse", "grey"])
def test_identity_features_are_unit_vectors_with_a_slope(name, request):
    network = request.getfixturevalue(name)
    images = 0.8 * seeded_images(2, 3, 64, 64)
    target = network.identity_features(SECOND).detach()
    assert slope_error(lambda x: (network.identity_features(x) * target).sum(axis=1), images) < 0.02
    lengths = np.linalg.norm(network.identity_features(SECOND).numpy(), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_face_size_that_the_stages_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of 16; got 100"):
        IRSE50(face_size=100)
