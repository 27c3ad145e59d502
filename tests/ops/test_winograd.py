# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Winograd's convolution against the plain one, by itself and in a compiled synthesis."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from tiny_world import tiny_generator

from ppstyleclip import engine
from ppstyleclip.models.stylegan2 import inference_layers
from ppstyleclip.ops import (
    cut_tiles,
    join_tiles,
    winograd_conv2d,
    winograd_input_filter,
    winograd_output_matrix,
    winograd_weight,
)


@pytest.mark.parametrize("shape, outs", [((1, 3, 8, 8), 5), ((3, 16, 4, 12), 7), ((2, 1, 4, 4), 1)])
def test_winograd_is_the_plain_convolution(shape, outs):
    random = np.random.RandomState(0)
    x = paddle.to_tensor(random.randn(*shape).astype(np.float32))
    ins = shape[1]
    weight = random.randn(outs, ins, 3, 3).astype(np.float32)
    forms = [winograd_weight(weight), winograd_input_filter(), winograd_output_matrix()]
    result = winograd_conv2d(x, *map(paddle.to_tensor, forms)).numpy()
    plain = F.conv2d(x, paddle.to_tensor(weight), padding=1).numpy()
    assert np.abs(result - plain).max() < 1e-5 * np.abs(plain).max()


def test_tiles_are_cut_and_joined():
    picture = np.random.RandomState(0).randn(3, 8, 12).astype(np.float32)
    tiles = cut_tiles(picture)
    assert tiles.shape == (16, 3 * 2 * 3) and np.array_equal(tiles[:, 0], picture[0, :4, :4].ravel())
    assert np.array_equal(join_tiles(paddle.to_tensor(tiles), [3, 8, 12]).numpy()[0], picture)


@pytest.mark.parametrize("count", [1, 3])
def test_a_compiled_synthesis_in_winograds_form_is_the_eager_one(tmp_path, monkeypatch, count):
    monkeypatch.setattr(inference_layers.InferenceConv, "winograd_channels", 1)
    monkeypatch.setattr(inference_layers, "WINOGRAD_SIDE", 4)
    generator = tiny_generator()
    draw = engine.compile_synthesis(generator, folder=tmp_path)
    assert draw.compile()
    z = paddle.to_tensor(np.random.RandomState(1).randn(count, generator.style_dim).astype(np.float32))
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latent(z))
        eager = generator.synthesis_from_styles(styles, noise="const").numpy()
    assert np.abs(draw([style.numpy() for style in styles]) - eager).max() < 1e-5 * np.abs(eager).max()
