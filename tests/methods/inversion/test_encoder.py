# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Inversion with an encoder: one pass, ReStyle's passes worked in NumPy, and what is refused."""

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import seeded_images
from tiny_world import tiny_generator

from ppstyleclip.methods.inversion import inversion_steps, invert
from ppstyleclip.models.encoders import build_encoder

L, D, S = 3, 4, 8
MEAN = np.random.RandomState(0).randn(L, D).astype("float32")
IMAGES = seeded_images(2, 3, S, S)


class Linear:
    """An encoder that is a matrix, so that its passes can be worked by hand."""

    num_styles, style_dim = L, D

    def __init__(self, input_channels):
        self.input_channels = input_channels
        self.matrix = np.random.RandomState(1).randn(input_channels * S * S, L * D).astype("float32") / S

    def __call__(self, images):
        assert images.shape[1] == self.input_channels
        return (images.flatten(1) @ paddle.to_tensor(self.matrix)).reshape([-1, L, D])


PICTURE = np.random.RandomState(2).randn(L * D, 3 * 2 * S * 2 * S).astype("float32") / 20


def draw(w_plus):
    """Pictures of twice the encoder's side."""
    return (w_plus.flatten(1) @ paddle.to_tensor(PICTURE)).reshape([-1, 3, 2 * S, 2 * S])


@pytest.mark.parametrize("mean", [MEAN, MEAN[None], paddle.to_tensor(MEAN)])
def test_one_pass_adds_the_mean_latent(mean):
    encoder = Linear(3)
    w_plus = invert(encoder, paddle.to_tensor(IMAGES), latent_avg=mean)
    expected = MEAN + (IMAGES.reshape(2, -1) @ encoder.matrix).reshape(2, L, D)
    np.testing.assert_allclose(w_plus.numpy(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("mean", [MEAN[0], MEAN[:1]])
def test_one_mean_latent_serves_all_layers(mean):
    whole = invert(Linear(3), paddle.to_tensor(IMAGES), latent_avg=np.repeat(MEAN[:1], L, 0))
    given = invert(Linear(3), paddle.to_tensor(IMAGES), latent_avg=mean)
    np.testing.assert_array_equal(given.numpy(), whole.numpy())


def test_restyle_corrects_what_it_last_drew():
    encoder, found = Linear(6), []
    w_plus = np.broadcast_to(MEAN, (2, L, D))
    for _ in range(3):
        large = (w_plus.reshape(2, -1) @ PICTURE).reshape(2, 3, S, 2, S, 2)
        seen = np.concatenate([IMAGES, large.mean(axis=(3, 5))], axis=1)
        w_plus = w_plus + (seen.reshape(2, -1) @ encoder.matrix).reshape(2, L, D)
        found.append(w_plus)
    steps = list(inversion_steps(encoder, paddle.to_tensor(IMAGES), latent_avg=MEAN, draw=draw, n_iters=3))
    for step, expected in zip(steps, found):
        np.testing.assert_allclose(step.w_plus.numpy(), expected, rtol=0, atol=1e-4)
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    last = invert(encoder, paddle.to_tensor(IMAGES), latent_avg=MEAN, draw=draw, n_iters=3)
    np.testing.assert_array_equal(last.numpy(), steps[2].w_plus.numpy())


@pytest.mark.parametrize("name", ["BackboneEncoder", "ProgressiveBackboneEncoder"])
def test_restyle_with_networks_and_a_batch_is_as_each_picture_alone(name):
    paddle.seed(0)
    generator = tiny_generator()
    encoder = build_encoder(
        {
            "encoder_type": name,
            "output_size": generator.size,
            "input_channels": 6,
            "input_size": 32,
            "style_dim": generator.style_dim,
            "widths": (4, 4, 6, 8),
            "depths": (1, 1, 1, 1),
        }
    )
    encoder.eval()
    images, mean = paddle.to_tensor(seeded_images(2, 3, 32, 32)), generator.mean_latent(64)

    def synthesis(w_plus):
        return generator.synthesis_from_styles(generator.style_affine(w_plus))

    with paddle.no_grad():
        both = invert(encoder, images, latent_avg=mean, draw=synthesis, n_iters=2)
        alone = [
            invert(encoder, images[k : k + 1], latent_avg=mean, draw=synthesis, n_iters=2) for k in (0, 1)
        ]
    assert list(both.shape) == [2, generator.n_latent, generator.style_dim]
    np.testing.assert_allclose(both.numpy(), paddle.concat(alone).numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"latent_avg": MEAN[:2]}, "latent_avg has shape [2, 4]"),
        ({"draw": None}, "give it draw"),
        ({"n_iters": 0}, "n_iters=0"),
        ({"images": paddle.zeros([2, 6, S, S])}, "expected [N, 3, S, S]"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    arguments = {"images": paddle.to_tensor(IMAGES), "latent_avg": MEAN, "draw": draw, "n_iters": 2, **change}
    with pytest.raises(ValueError) as error:
        invert(Linear(6), arguments.pop("images"), **arguments)
    assert words in str(error.value)
