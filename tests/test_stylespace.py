# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Layout against the known numbers of FFHQ's generator."""

import json

import numpy as np
import paddle
import pytest

from ppstyleclip.models.stylegan2 import StyleGANv2Generator, layout_from_channels
from ppstyleclip.stylespace import StyleLayout, StyleStats, sides_of

CHANNELS = {4: 6, 8: 5, 16: 4, 32: 3}
FFHQ = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}


@pytest.fixture(scope="module")
def generator():
    paddle.seed(0)
    return StyleGANv2Generator(32, 12, 2, lr_mlp=1.0, channels=CHANNELS)


@pytest.mark.parametrize(
    "size, halve, tensors, total, editable",
    [(1024, 1, 26, 9088, 6048), (512, 1, 23, None, 5952), (256, 1, 20, None, 5760), (256, 2, 20, None, 4928)],
)
def test_layout_has_the_published_numbers(size, halve, tensors, total, editable):
    # Numbers of StyleCLIP's and PaddleGAN's files; `halve` is channel_multiplier 1.
    channels = {side: width // halve if side >= 64 else width for side, width in FFHQ.items()}
    layout = layout_from_channels(size, channels)
    assert (len(layout.names), layout.num_editable) == (tensors, editable)
    assert total is None or layout.size == total
    assert [k for k, flag in enumerate(layout.editable) if not flag] == list(range(1, tensors, 3))


def test_layout_of_ffhq_in_order():
    layout = layout_from_channels(1024, FFHQ)
    assert layout.names[:5] == ("conv1", "to_rgb1", "convs.0", "convs.1", "to_rgbs.0")
    # Lengths of the 26 arrays in PaddleGAN's published statistics.
    assert layout.channels == (512,) * 15 + (256,) * 3 + (128,) * 3 + (64,) * 3 + (32,) * 2
    assert layout.describe(512 + 17) == "convs.0 channel 17"
    assert layout.describe(6047) == "convs.15 channel 31"


def test_built_layout_equals_the_computed_one_and_the_styles(generator):
    layout = generator.layout
    assert layout == layout_from_channels(32, CHANNELS)
    styles = generator.style_affine(paddle.randn([2, 12]))
    assert tuple(style.shape[1] for style in styles) == layout.channels


def test_layout_survives_json(generator):
    layout = generator.layout
    assert StyleLayout.from_config(json.loads(json.dumps(layout.to_config()))) == layout


@pytest.mark.parametrize("as_tensor", [False, True])
def test_flatten_and_unflatten_are_inverse(generator, as_tensor):
    layout = generator.layout
    s = np.random.RandomState(0).randn(3, layout.size).astype(np.float32)
    given = paddle.to_tensor(s) if as_tensor else s
    styles = layout.unflatten(given)
    assert [list(style.shape) for style in styles] == [[3, width] for width in layout.channels]
    assert np.array_equal(np.asarray(layout.flatten(styles)), s)


def test_editable_index_leaves_out_only_rgb(generator):
    layout = generator.layout
    layers = {np.searchsorted(layout.offsets, i, side="right") - 1 for i in layout.editable_index}
    assert not any(layout.names[k].startswith("to_rgb") for k in layers)
    assert layout.num_editable == sum(w for n, w in zip(layout.names, layout.channels) if "rgb" not in n)


def test_wrong_shapes_are_refused(generator):
    layout = generator.layout
    with pytest.raises(ValueError, match="another generator"):
        layout.unflatten(np.zeros((1, layout.size + 1)))
    with pytest.raises(ValueError, match="widths"):
        layout.flatten([np.zeros((1, 3))])
    with pytest.raises(ValueError, match="no width for resolution 64"):
        layout_from_channels(64, CHANNELS)
    with pytest.raises(ValueError, match="power of two"):
        layout_from_channels(48, CHANNELS)
    with pytest.raises(ValueError, match="does not exist"):
        layout.describe(layout.num_editable)


def test_the_sides_of_a_normal_channel_are_its_deviation_and_of_others_what_lies_there():
    random = np.random.RandomState(3)
    normal = 2 + 3 * random.randn(200_000)
    glasses = np.where(random.rand(200_000) < 0.3, 5.0, 1.0)  # few have them, and none has less than none
    s = np.stack([normal, glasses, np.full(200_000, 7.0)], 1)
    below, above = sides_of(s, s.mean(0))
    assert below.dtype == above.dtype == np.float32
    np.testing.assert_allclose([below[0], above[0]], [3, 3], rtol=0.02)
    np.testing.assert_allclose([2.5 * below[1], 2.5 * above[1]], [1.2, 2.8], atol=0.02)
    assert below[2] == above[2] == 0


def test_edited_styles_keep_within_the_deviations_of_their_side():
    mean, std = np.zeros(3, np.float32), np.ones(3, np.float32)
    sided = StyleStats(mean, std, 9, np.float32([0.5, 1, 1]), np.float32([2, 1, 1]))
    s = np.float32([[0, 0, -9], [0, 9, 0]])
    edited = np.float32([[-5, 5, -10], [5, 10, 5]])
    np.testing.assert_array_equal(sided.kept(s, edited, 2), [[-1, 2, -9], [4, 9, 2]])
    np.testing.assert_array_equal(StyleStats(mean, std, 9).kept(s, edited, 2), [[-2, 2, -9], [2, 9, 2]])
