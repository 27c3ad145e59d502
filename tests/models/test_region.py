# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Two chains blended by a mask: its limits, its formula, and the same from compiled programs."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from engine_world import BOUND, draw_styles, eager, relative
from tiny_world import tiny_generator
from toy_family import ToyGenerator

from ppstyleclip import engine
from ppstyleclip.models.generator import SynthesisRequest, mask_name
from ppstyleclip.models.region import layer_masks, paste, region_part
from ppstyleclip.models.stylegan2 import inference as stylegan2_inference
from ppstyleclip.models.stylegan2 import inference_layers


@pytest.fixture(scope="module")
def generator():
    return tiny_generator()


@paddle.no_grad()
def blended(generator, styles, edited, masks):
    tensors = [[paddle.to_tensor(style) for style in part] for part in (styles, edited)]
    by_side = {side: paddle.to_tensor(mask) for side, mask in layer_masks(generator, masks).items()}
    return generator.synthesis_in_region(*tensors, by_side).numpy()


def half(generator, count=1):
    """Masks of the left half."""
    masks = np.zeros([count, generator.size, generator.size], np.float32)
    masks[:, :, : generator.size // 2] = 1
    return masks


def test_a_full_mask_gives_the_edited_picture(generator):
    styles, edited = draw_styles(generator, 2), draw_styles(generator, 2, seed=1)
    ones = np.ones([1, generator.size, generator.size], np.float32)
    assert relative(blended(generator, styles, edited, ones), eager(generator, edited)) < 1e-5


def test_an_empty_mask_keeps_what_lower_resolutions_drew(generator):
    styles, other = draw_styles(generator, 2), draw_styles(generator, 2, seed=1)
    edited = [*other[:-3], *styles[-3:]]
    none = np.zeros([1, generator.size, generator.size], np.float32)
    assert relative(blended(generator, styles, edited, none), eager(generator, styles)) < 1e-5


def test_each_resolution_goes_on_from_the_blend_of_both(generator):
    styles, edited, masks = draw_styles(generator, 1), draw_styles(generator, 1, seed=1), half(generator)
    by_side = layer_masks(generator, masks)
    with paddle.no_grad():
        x = y = generator.input.input
        image = None
        for k, (layer, noise) in enumerate(generator.synthesis_layers()):
            s, t = paddle.to_tensor(styles[k]), paddle.to_tensor(edited[k])
            if noise is not None:
                x, y = layer(x, s, noise), layer(y, t, noise)
                continue
            m = paddle.to_tensor(by_side.get(x.shape[-1], np.ones([1, 1, 1, 1], np.float32)))
            y = m * y + (1 - m) * x
            image = m * layer(y, t, image) + (1 - m) * layer(x, s, image)
    assert relative(blended(generator, styles, edited, masks), image.numpy()) < 1e-5


def test_masks_are_averaged_to_each_layers_side(generator):
    by_side = layer_masks(generator, half(generator))
    assert sorted(by_side) == [4, 8]
    np.testing.assert_array_equal(by_side[4][0, 0], np.tile([1, 1, 0, 0], [4, 1]))


@pytest.mark.slow
@pytest.mark.parametrize("winograd", [False, True])
def test_the_compiled_picture_is_the_eager_one(generator, tmp_path, monkeypatch, winograd):
    if winograd:  # pictures that each fill a program, and tiles between their layers
        monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", 1)
        monkeypatch.setattr(inference_layers.BatchOneConv, "winograd_channels", 1)
        monkeypatch.setattr(inference_layers, "WINOGRAD_SIDE", 4)
    styles, edited = draw_styles(generator, 2), draw_styles(generator, 2, seed=1)
    masks = np.concatenate([half(generator), 1 - half(generator)])
    draw = engine.compile_region_synthesis(generator, folder=tmp_path)
    assert draw.compile()
    inputs = {mask_name(side): mask for side, mask in layer_masks(generator, masks).items()}
    drawn = draw([*styles[:-3], *edited], **inputs)
    assert relative(drawn, blended(generator, styles, edited, masks)) < BOUND / 10


def test_the_renderer_draws_eager_then_compiled_and_the_same(generator, monkeypatch):
    styles, edited, masks = draw_styles(generator, 1), draw_styles(generator, 1, seed=1), half(generator)
    renderer = engine.Renderer(generator)
    first = renderer.synthesize_in_region(styles, edited, masks)
    assert not renderer.is_compiled
    renderer.compile_next()
    second = renderer.synthesize_in_region(styles, edited, masks)
    assert renderer.is_compiled and relative(second, first) < BOUND / 10


def test_a_family_without_layers_to_blend_draws_the_edited_picture():
    toy = ToyGenerator()
    toy.eval()
    assert region_part(toy, SynthesisRequest()) is None
    styles, edited = draw_styles(toy, 1), draw_styles(toy, 1, seed=1)
    drawn = engine.Renderer(toy).synthesize_in_region(styles, edited, half(toy))
    np.testing.assert_allclose(drawn, eager(toy, edited), atol=1e-6)


def test_the_paste_leaves_what_the_mask_does_not_reach_bit_for_bit():
    random = np.random.RandomState(0)
    before, drawn = random.randn(2, 1, 3, 8, 8).astype(np.float32)
    drawn[0, 0, 0, 7] = np.inf  # outside, where it must not count
    masks = np.zeros([1, 8, 8], np.float32)
    masks[:, :4, :4] = 0.25
    pasted = paste(before, drawn, masks)
    np.testing.assert_array_equal(pasted[:, :, 4:], before[:, :, 4:])
    np.testing.assert_allclose(pasted[0, :, 0, 0], 0.75 * before[0, :, 0, 0] + 0.25 * drawn[0, :, 0, 0])


def test_parts_that_are_not_as_many_are_refused(generator):
    styles, edited = draw_styles(generator, 2), draw_styles(generator, 1, seed=1)
    with pytest.raises(ValueError, match="do not go together"):
        engine.Renderer(generator).synthesize_in_region(styles, edited, half(generator))
