# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3 through the parts that know no family: programs, gradients, statistics, relevance, edits."""

from __future__ import annotations

import warnings

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import seeded_z
from tiny_world import tiny_clip

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.engine import CompiledNetworks, compile_gradient, compile_synthesis
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.models.forms import inference_of
from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.progress import last
from ppstyleclip.zoo import EditDefaults, load_pack, save_pack

pytestmark = pytest.mark.slow  # each program takes seconds to compile
CLOSE = 1e-4  # of the largest value


def tiny(configuration):
    paddle.seed(4)
    generator = StyleGAN3Generator(16, 8, configuration, channels=[4] * 14 + [3])
    generator.eval()
    return generator


@pytest.fixture(scope="module", params=["T", "R"])
def generator(request):
    return tiny(request.param)


def measured_styles(generator):
    config = StatisticsConfig(num_samples=24, batch_size=12, keep=2, truncation=0.7, cutoff=4)
    return last(collect_statistics(generator, config))


@pytest.fixture()
def programs(tmp_path, monkeypatch):
    """An own cache, and no warning that something runs in eager mode after all."""
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield tmp_path


def measure(generator, clip, measured, compiled=None):
    config = RelevanceConfig(alpha=3.0, batch_size=16)
    records = compute_relevance(generator, clip, measured.stats, config, s_base=measured.s, compiled=compiled)
    return last(records).relevance


@paddle.no_grad()
def some_styles(generator, count):
    z = paddle.to_tensor(seeded_z(count, generator.style_dim))
    return [style.numpy() for style in generator.style_affine(generator.get_latent(z))]


@paddle.no_grad()
def draw(generator, styles):
    return generator.synthesis_from_styles([paddle.to_tensor(style) for style in styles]).numpy()


def test_compiled_synthesis_is_the_eager_one(generator, programs):
    styles = some_styles(generator, 3)
    drawn, wanted = compile_synthesis(generator, folder=programs)(styles), draw(generator, styles)
    np.testing.assert_allclose(drawn, wanted, atol=CLOSE * np.abs(wanted).max())


class Brightness(paddle.nn.Layer):
    """A loss of the pictures of all styles."""

    def __init__(self, generator):
        super().__init__()
        self.synthesis = inference_of(generator).differentiable()

    def forward(self, tensors):
        """Return [loss]."""
        images = self.synthesis([tensors[f"s{k}"] for k in range(16)])
        return [paddle.mean(images * images)]


def test_compiled_gradients_are_the_eager_ones(generator, programs):
    styles = {f"s{k}": style for k, style in enumerate(some_styles(generator, 2))}
    shapes = {name: [-1, style.shape[1]] for name, style in styles.items()}
    loss = Brightness(generator)
    (value,), gradients = compile_gradient(loss, shapes, list(shapes), folder=programs)(styles)
    leaves = {name: paddle.to_tensor(style, stop_gradient=False) for name, style in styles.items()}
    [expected] = loss(leaves)
    np.testing.assert_allclose(value, expected.numpy(), rtol=1e-4)
    for name, gradient in zip(leaves, paddle.grad([expected], list(leaves.values()))):
        atol = 1e-3 * np.abs(gradient.numpy()).max()
        np.testing.assert_allclose(gradients[name], gradient.numpy(), atol=atol, err_msg=name)


def test_compiled_relevance_is_the_eager_one_and_edits(programs):
    generator, clip = tiny("R"), tiny_clip()
    measured = measured_styles(generator)
    eager = measure(generator, clip, measured)
    assert len(eager.rows) == generator.layout.num_editable == 56
    found = measure(generator, clip, measured, CompiledNetworks(generator, clip))
    assert (found.rows * eager.rows).sum(axis=1).min() > 0.999
    save_pack(
        programs / "pack",
        generator=generator,
        clip=clip,
        stats=measured.stats,
        relevance=found,
        s_base=measured.s,
        defaults=EditDefaults(alpha=3.0, beta=0.01, unit="style", templates="plain"),
        name="waves",
    )
    editor = Editor(load_pack(programs / "pack"))
    step = editor.step(Edit("face", "happy face"))
    layout = generator.layout
    assert step.any() and not step[:4].any() and not step[layout.offsets[15] :].any()
    before, after = editor.edit(editor.sample(3), Edit("face", "happy face"))
    assert before.shape == after.shape == (16, 16, 3) and (before != after).any()
