# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A compiled loss and its gradients are those of eager mode."""

from __future__ import annotations

import warnings

import numpy as np
import paddle
import pytest
from engine_world import BOUND, Step, draw_styles, relative, small_resnet_clip
from tiny_world import tiny_clip

from ppstyleclip import engine
from ppstyleclip.models.forms import inference_of
from ppstyleclip.models.stylegan2 import inference_layers
from ppstyleclip.models.stylegan2.inference import InferenceSynthesis


@pytest.mark.slow
@pytest.mark.parametrize("make_clip", [tiny_clip, small_resnet_clip])
def test_compiled_gradient_is_the_eager_one(generator, folder, make_clip):
    clip = make_clip()
    step = Step(generator, clip)
    wrt = [name for name in step.shapes() if name != "text"]
    run = engine.compile_gradient(step, step.shapes(), wrt, folder=folder)
    for count in (1, 2):
        arrays = dict(zip(wrt, draw_styles(generator, count)))
        arrays["text"] = np.random.RandomState(4).randn(count, clip.dim).astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a warning would say that it runs eager
            (loss, images), gradients = run(arrays)
        tensors = {name: paddle.to_tensor(a, stop_gradient=name == "text") for name, a in arrays.items()}
        pictures = generator.synthesis_from_styles([tensors[name] for name in wrt])
        expected = -paddle.mean(clip.encode_image(pictures) * tensors["text"])
        wanted = paddle.grad([expected], [tensors[name] for name in wrt])
        assert abs(loss.item() - expected.item()) < 1e-5
        assert relative(images, pictures.numpy()) < BOUND / 10
        got = np.concatenate([gradients[name] for name in wrt], axis=1)
        want = np.concatenate([gradient.numpy() for gradient in wanted], axis=1)
        assert np.linalg.norm(got - want) < 1e-3 * np.linalg.norm(want)


@pytest.mark.parametrize("winograd", [False, True])
def test_the_backward_of_synthesis_is_paddles(generator, monkeypatch, winograd):
    monkeypatch.setattr(inference_layers.InferenceConv, "winograd_channels", 1)
    monkeypatch.setattr(inference_layers, "WINOGRAD_SIDE", 4)
    synthesis = InferenceSynthesis(generator)
    backward = synthesis.build_backward(on_gpu=not winograd)
    assert any(getattr(layer, "winograd", False) for layer in backward.layers) == winograd
    styles = [paddle.to_tensor(style, stop_gradient=False) for style in draw_styles(generator, 2)]
    images = generator.synthesis_from_styles(styles, noise="const")
    weight = paddle.to_tensor(np.random.RandomState(2).randn(*images.shape).astype(np.float32))
    wanted = paddle.grad([(images * weight).sum()], styles)
    with paddle.no_grad():
        drawn, recorded = synthesis.record(styles)
        got = backward(styles, recorded, weight)
    assert relative(drawn.numpy(), images.numpy()) < BOUND / 10
    for one, other in zip(got, wanted):
        assert relative(one.numpy(), other.numpy()) < BOUND


class TwoPaths(paddle.nn.Layer):
    """A latent that reaches the loss by its picture, through an affine layer, and by itself."""

    def __init__(self, generator):
        super().__init__()
        self.generator, self.synthesis = generator, inference_of(generator).differentiable()

    def forward(self, tensors):
        """Return [loss]."""
        latent = tensors["w_plus"]
        images = self.synthesis(self.generator.style_affine(latent))
        return [paddle.mean(images * images) + 0.01 * paddle.mean(latent * latent)]


@pytest.mark.slow
def test_a_latent_that_is_also_in_the_loss_itself_gets_both_gradients(generator, folder):
    layer = TwoPaths(generator)
    shape = [2, generator.n_latent, generator.style_dim]
    w_plus = np.random.RandomState(3).randn(*shape).astype(np.float32)
    run = engine.compile_gradient(layer, {"w_plus": [-1, *shape[1:]]}, ["w_plus"], folder=folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (loss,), gradients = run({"w_plus": w_plus})
    leaf = paddle.to_tensor(w_plus, stop_gradient=False)
    images = generator.synthesis_from_styles(generator.style_affine(leaf), noise="const")
    expected = paddle.mean(images * images) + 0.01 * paddle.mean(leaf * leaf)
    assert relative(loss, expected.numpy()) < BOUND / 10
    assert relative(gradients["w_plus"], paddle.grad([expected], leaf)[0].numpy()) < BOUND


class Operators(paddle.nn.Layer):
    """Operators that Paddle 3 has only for its new kind of programs."""

    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([4])

    def forward(self, tensors):
        x = tensors["x"] * self.weight
        apart = paddle.exp(x).sum(axis=1) + paddle.sqrt(x * x + 1.0).sum() + (x * x + 2.0).rsqrt().sum(1)
        unit = paddle.nn.functional.normalize(x, axis=1)
        return [paddle.mean(apart + paddle.sum(unit * unit * x, axis=1)), apart]


def test_operators_that_only_new_programs_have_are_compiled(folder):
    paddle.seed(1)
    layer, x = Operators(), np.random.RandomState(0).randn(3, 4).astype(np.float32)
    run = engine.compile_gradient(layer, {"x": [-1, 4]}, ["x"], folder=folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (loss, apart), gradients = run({"x": x})
    leaf = paddle.to_tensor(x, stop_gradient=False)
    expected = layer({"x": leaf})
    assert relative(apart, expected[1].numpy()) < 1e-5 and relative(loss, expected[0].numpy()) < 1e-5
    assert relative(gradients["x"], paddle.grad(expected[:1], leaf)[0].numpy()) < 1e-5
