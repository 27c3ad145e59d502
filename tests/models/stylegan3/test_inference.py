# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3 arranged for programs draws what the network draws; compiling is tested in test_forms.py."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from edges import slow
from oracles.seeded_weights import seeded_z

from ppstyleclip.models.generator import SynthesisRequest
from ppstyleclip.models.stylegan3 import StyleGAN3Generator, inference_layers
from ppstyleclip.models.stylegan3.inference import InferenceSynthesis, StyleGAN3Inference
from ppstyleclip.models.stylegan3.inference_layers import channel_parts


def drawn(configuration, size=16, width=5):
    paddle.seed(6)
    generator = StyleGAN3Generator(size, 8, configuration, channels=[width] * 14 + [3])
    for layer in generator.layers:
        layer.bias.set_value(0.3 * paddle.randn(layer.bias.shape))
        layer.magnitude_ema.set_value(paddle.full([1], 1.3))
    generator.eval()
    return generator


@pytest.mark.parametrize("configuration", ["T", "R"])
@pytest.mark.parametrize("batch_one", [slow(False), True])
def test_it_draws_what_the_network_draws(configuration, batch_one, monkeypatch):
    generator, count = drawn(configuration), 1 if batch_one else 2
    monkeypatch.setattr(inference_layers, "_BLOCK", 2)
    monkeypatch.setattr(inference_layers, "PART_BYTES", 1)  # three parts in each layer
    z = paddle.to_tensor(seeded_z(count, 8))
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latent(z))
        wanted = generator.synthesis_from_styles(styles).numpy()
        whole = InferenceSynthesis(generator, 0, batch_one)(styles).numpy()
        rests, state = [], None
        for k in range(15):
            if k in (10, 14):  # behind the last one is the layer that crops most
                rests.append(InferenceSynthesis(generator, k, batch_one)(styles[k:], state).numpy())
            state = generator.draw_layer(k, state, styles[k])
    for found in (whole, *rests):
        np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("configuration", ["T", "R"])
def test_layers_that_enlarge_draw_the_same(configuration):
    generator = drawn(configuration, 64, 2)
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latent(paddle.to_tensor(seeded_z(1, 8))))
        wanted = generator.synthesis_from_styles(styles).numpy()
        found = InferenceSynthesis(generator, 0, True)(styles).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("configuration", ["T", "R"])
def test_nothing_is_computed_to_be_cropped(configuration):
    """A crop would move the whole picture into another layout, once for each phase, and keep it."""
    layers = InferenceSynthesis(drawn(configuration, 256, 1)).layers
    assert all(min(phase.pads) >= 0 for layer in layers[:-1] for phase in layer.phases)
    margins = {"T": [4], "R": [1, 1, 1, 1, 5]}[configuration]  # of the layers with up 4, and of L13
    assert [layer.margin for layer in layers if layer.margin] == margins


def test_parts_are_all_channels_once():
    for channels, side in ((1024, 36), (967, 148), (192, 1044), (3, 1044), (16, 52)):
        parts = channel_parts(channels, side)
        assert [start for start, _ in parts] == [0, *(end for _, end in parts[:-1])]
        assert parts[-1][1] == channels and all(end > start for start, end in parts)
    assert len(channel_parts(1024, 36)) == 1 and channel_parts(192, 1044)[0] == (0, 32)


def test_large_pictures_are_drawn_one_by_one():
    small, large = (
        StyleGAN3Inference(StyleGAN3Generator(size, 8, channels=[2] * 14 + [3])) for size in (64, 256)
    )
    assert small.parts(SynthesisRequest())[0].at_once == 16
    assert small.parts(SynthesisRequest())[0].key == ("stylegan3", 0, False)
    assert large.parts(SynthesisRequest())[0].key == ("stylegan3", 0, True)
    assert large.parts(SynthesisRequest(legacy_ir=False))[0].key == ("stylegan3", 0, False)
