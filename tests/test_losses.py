# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses: each preparation of CLIP's pictures, the peers' identity loss, and slopes by finite differences."""

import json
from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from oracles.seeded_weights import keyed_state, seeded_images
from tiny_world import CLIP, tiny_clip

from ppstyleclip.losses import (
    CLIP_VIEWS,
    clip_crop_features,
    clip_image_features,
    clip_loss,
    identity_loss,
    l2_loss,
    vgg_loss,
    vgg_maps,
)
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.lpips import IMAGE2STYLEGAN_TAPS, VGG16
from ppstyleclip.models.state import from_torch_state, load_state
from ppstyleclip.ops.area import area_matrix, resize_area

STORED = np.load(Path(__file__).with_name("oracles") / "measures.npz", allow_pickle=False)
LOUD = 1.5 * seeded_images(2, 3, 64, 64)  # beyond [-1, 1], as generators draw


class Seen:
    """A CLIP that only looks: its features are the view that the network would be given."""

    def __init__(self, image_size):
        self.image_size, self.dim = image_size, 3 * image_size**2

    def encode_view(self, view):
        return view.flatten(1)

    def encode_pixels(self, pixels):
        return 10 * pixels.flatten(1)


def text_loss(clip, images, texts, view="official"):
    """clip_loss of pictures and of texts `[T, D]` of any length, the same for all."""
    return clip_loss(clip_image_features(clip, images, view), F.normalize(texts, axis=1).unsqueeze(0))


def seen(images, side, view):
    """What the network is given, up to its length: cosines with all unit vectors."""
    texts = paddle.eye(3 * side * side)
    cosines = 1.0 - text_loss(Seen(side), paddle.to_tensor(images), texts, view=view)
    return cosines.numpy().reshape(-1, 3, side, side)


def unit(x):
    return x / np.sqrt((x**2).sum(axis=(1, 2, 3), keepdims=True))


@pytest.mark.parametrize("view", ["official", "seed001"])
@pytest.mark.parametrize("size", [32, 64, 96])
def test_official_view_is_enlarging_seven_times_and_pooling(size, view):
    """As the published code has it, step by step, here to 7 px instead of 7 times 32."""
    images = 1.5 * seeded_images(1, 3, size, size)
    pixels = np.clip(images / 2 + 0.5, 0, 1) if view == "seed001" else images
    large = pixels.repeat(7, 2).repeat(7, 3)
    expected = F.avg_pool2d(paddle.to_tensor(large), size).numpy()
    np.testing.assert_allclose(seen(images, 7, view), unit(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [64, 256])
def test_official_view_at_224_px(size):
    images = paddle.to_tensor(seeded_images(1, 3, size, size))
    large = F.interpolate(images, scale_factor=7, mode="nearest")
    expected = F.avg_pool2d(large, size // 32).numpy()
    np.testing.assert_allclose(resize_area(images, 224).numpy(), expected, rtol=0, atol=1e-5)


def test_area_of_sizes_that_share_no_factor():
    matrix = area_matrix(5, 3)
    expected = np.array([[3, 2, 0, 0, 0], [0, 1, 3, 1, 0], [0, 0, 0, 2, 3]]) / 5
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


@pytest.mark.parametrize("side, step", [(24, 1), (80, 5)])
def test_seed_004s_view_is_torchvisions_resize(side, step):
    class Kept(Seen):
        def encode_pixels(self, pixels):
            self.pixels = pixels
            return pixels.flatten(1)

    clip = Kept(side)
    text_loss(clip, paddle.to_tensor(seeded_images(1, 3, 64, 64)), paddle.ones([1, clip.dim]), view="seed004")
    found = clip.pixels.numpy()[:, :, ::step, ::step]
    np.testing.assert_allclose(found, STORED[f"seed004/{side}"], rtol=0, atol=1e-5)
    edges = paddle.to_tensor(np.sign(LOUD))
    text_loss(clip, edges, paddle.ones([1, clip.dim]), view="seed004")
    assert float(clip.pixels.min()) < -0.01  # what rings is left, CLIP's own preparation cuts it


def test_views_differ_and_clips_own_is_encode_image():
    clip, images = tiny_clip(), paddle.to_tensor(LOUD)
    texts = clip.encode_text(["happy face", "long hair", "a photo of the face"])
    found = {view: text_loss(clip, images, texts, view=view).numpy() for view in CLIP_VIEWS}
    assert all(value.shape == (2, 3) for value in found.values())
    features = F.normalize(clip.encode_image(images), axis=1) @ F.normalize(texts, axis=1).t()
    np.testing.assert_allclose(found["clip"], 1 - features.numpy(), rtol=0, atol=1e-5)
    values = [found[view] for view in ("official", "seed001", "clip")]  # seed 004's rings a little more
    assert all(np.abs(a - b).max() > 1e-4 for i, a in enumerate(values) for b in values[:i])
    loud_texts = text_loss(clip, images, 7 * texts, view="official").numpy()
    np.testing.assert_allclose(loud_texts, found["official"], rtol=0, atol=1e-5)


def test_batch_is_as_each_picture_alone():
    clip, images = tiny_clip(), paddle.to_tensor(LOUD)
    texts = clip.encode_text(["happy face"])
    for view in CLIP_VIEWS:
        both = text_loss(clip, images, texts, view=view).numpy()
        alone = [text_loss(clip, images[k : k + 1], texts, view=view).numpy()[0] for k in (0, 1)]
        np.testing.assert_allclose(both, alone, rtol=0, atol=1e-5)


def test_crops_are_averaged_and_one_is_the_whole_picture():
    """The first two crops leave out a margin at the right and below, and at the left and above."""
    clip, images = tiny_clip(), paddle.to_tensor(LOUD)
    whole = clip_image_features(clip, images, "clip")
    np.testing.assert_array_equal(clip_crop_features(clip, images, view="clip").numpy(), whole.numpy())
    found = clip_crop_features(clip, images, view="clip", crops=3, margin=0.125)
    crops = [whole] + [
        clip_image_features(clip, crop, "clip") for crop in (images[..., :56, :56], images[..., 8:, 8:])
    ]
    expected = F.normalize(paddle.add_n(crops), axis=1)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=0, atol=1e-6)


def test_l2_sums_or_averages():
    random = np.random.RandomState(0)
    latent, start = random.randn(2, 3, 4).astype("float32"), random.randn(1, 3, 4).astype("float32")
    squares = (latent - start) ** 2
    tensors = paddle.to_tensor(latent), paddle.to_tensor(start)
    np.testing.assert_allclose(l2_loss(*tensors, reduction="sum").numpy(), squares.sum((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(l2_loss(*tensors, reduction="mean").numpy(), squares.mean((1, 2)), rtol=1e-5)


@pytest.fixture(scope="module")
def irse():
    network = IRSE50((16, 32, 48, 64), dim=64)
    shapes = json.loads(bytes(STORED["irse/shapes"]).decode())
    load_state(network, from_torch_state(network, keyed_state(shapes)), "IR-SE 50")
    network.eval()
    for parameter in network.parameters():
        parameter.stop_gradient = True
    return network


def test_identity_loss_is_styleclips(irse):
    first, second = (paddle.to_tensor(seeded_images(2, 3, 256, 256, seed)) for seed in (3, 4))
    loss = identity_loss(irse, second, irse.identity_features(first))
    assert loss.shape == [2]
    np.testing.assert_allclose(float(loss.mean()), STORED["irse/loss"], rtol=0, atol=1e-5)
    same = identity_loss(irse, first, irse.identity_features(first))
    np.testing.assert_allclose(same.numpy(), 0, atol=1e-5)


def test_vgg_loss_is_seed_001s_formula():
    """Worked with plain calls; bilinear at half the size averages 2 x 2."""
    paddle.seed(0)
    vgg = VGG16((4, 4, 4, 4, 4))
    images, target = paddle.to_tensor(LOUD), paddle.to_tensor(LOUD[::-1].copy())
    found = vgg_loss(*(vgg_maps(vgg, x, IMAGE2STYLEGAN_TAPS, side=32) for x in (images, target)))
    x, y = (F.avg_pool2d((paddle.clip(t, -1, 1) + 1) / 2, 2) for t in (images, target))
    expected = np.zeros(2)
    for index in range(21):
        x, y = vgg.features[index](x), vgg.features[index](y)
        if index in (1, 3, 13, 20):
            expected += ((x - y) ** 2).mean(axis=[1, 2, 3]).numpy()
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4)
    assert vgg_loss(*[vgg_maps(vgg, images, (1, 3), side=32)] * 2).numpy().tolist() == [0, 0]


CLIP_NETWORK, TEXT = tiny_clip(), np.random.RandomState(5).randn(1, CLIP["embed_dim"]).astype("float32")
LOSSES = {
    view: lambda x, view=view: text_loss(CLIP_NETWORK, x, paddle.to_tensor(TEXT), view=view)[:, 0]
    for view in CLIP_VIEWS
}
LOSSES["l2 sum"] = lambda x: l2_loss(x, paddle.zeros_like(x[:1]), reduction="sum")
LOSSES["l2 mean"] = lambda x: l2_loss(x, paddle.zeros_like(x[:1]), reduction="mean")


def slope_error(loss, images, rise):
    """Compare the gradient's length with the finite difference along it; relative."""
    x = paddle.to_tensor(images, stop_gradient=False)
    loss(x).sum().backward()
    slope = np.linalg.norm(x.grad.numpy())
    step = rise / slope**2 * x.grad.numpy()  # the loss rises by `rise`
    ends = [float(loss(paddle.to_tensor(images + sign * step)).sum()) for sign in (1, -1)]
    return abs((ends[0] - ends[1]) / (2 * rise) - 1)


@pytest.mark.parametrize("name", LOSSES)
def test_slope_is_the_finite_difference(name):
    images = 0.8 * seeded_images(2, 3, 32, 32)
    scale = float(LOSSES[name](paddle.to_tensor(images)).sum())
    assert slope_error(LOSSES[name], images, 1e-3 * scale) < 0.01


def test_slopes_of_identity_and_vgg(irse):
    images = 0.8 * seeded_images(2, 3, 64, 64)
    reference = irse.identity_features(paddle.to_tensor(seeded_images(2, 3, 64, 64, 4)))
    assert slope_error(lambda x: identity_loss(irse, x, reference), images, 2e-4) < 0.02
    paddle.seed(0)
    vgg = VGG16((4, 4, 4, 4, 4))
    wanted = vgg_maps(vgg, paddle.to_tensor(images[::-1].copy()), (1, 3), side=48)
    scale = float(vgg_loss(vgg_maps(vgg, paddle.to_tensor(images), (1, 3), side=48), wanted).sum())
    loss = lambda x: vgg_loss(vgg_maps(vgg, x, (1, 3), side=48), wanted)  # noqa: E731
    assert slope_error(loss, images, 1e-2 * scale) < 0.02


def test_no_gradient_goes_to_the_picture_that_is_to_be_kept(irse):
    kept = paddle.to_tensor(seeded_images(1, 3, 64, 64), stop_gradient=False)
    images = paddle.to_tensor(seeded_images(2, 3, 64, 64, 4), stop_gradient=False)
    identity_loss(irse, images, irse.identity_features(kept)).sum().backward()
    assert kept.grad is None and float(images.grad.abs().max()) > 0


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: text_loss(CLIP_NETWORK, paddle.zeros([1, 3, 8, 8]), paddle.ones([1, 16]), view="raw"),
            "known: official, seed001, seed004, clip",
        ),
        (lambda: text_loss(CLIP_NETWORK, paddle.zeros([1, 3, 8, 9]), paddle.ones([1, 16])), "[N, 3, H, H]"),
        (
            lambda: text_loss(CLIP_NETWORK, paddle.zeros([1, 3, 8, 8]), paddle.ones([1, 15])),
            "expected [N or 1, T, 16]",
        ),
        (lambda: l2_loss(paddle.zeros([2, 3]), paddle.zeros([2, 3]), reduction="norm"), "known: sum, mean"),
        (lambda: l2_loss(paddle.zeros([2, 3]), paddle.zeros([3, 3]), reduction="sum"), "[2, 3] and [3, 3]"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)
