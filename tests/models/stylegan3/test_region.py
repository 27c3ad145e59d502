# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Two chains of a StyleGAN3 blended by a mask: the limits, the formula, and the same from a program."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from engine_world import draw_styles, eager, relative
from stylegan3_world import tiny_stylegan3

from ppstyleclip.engine import Renderer
from ppstyleclip.models.generator import SynthesisRequest, mask_name
from ppstyleclip.models.region import blends_layers, layer_masks, region_part
from ppstyleclip.models.stylegan3.geometry import sampling_rates
from ppstyleclip.models.stylegan3.region import blended_tensors, layer_sides

SIZE = 32


@pytest.fixture(scope="module", params=["T", "R"])
def generator(request):
    return tiny_stylegan3(request.param, SIZE)


@paddle.no_grad()
def blended(generator, styles, edited, masks):
    tensors = [[paddle.to_tensor(style) for style in part] for part in (styles, edited)]
    by_side = {side: paddle.to_tensor(mask) for side, mask in layer_masks(generator, masks).items()}
    return generator.synthesis_in_region(*tensors, by_side).numpy()


def half():
    masks = np.zeros([1, SIZE, SIZE], np.float32)
    masks[:, :, : SIZE // 2] = 1
    return masks


def test_rates_and_how_far_the_original_is_drawn():
    assert sampling_rates(1024)[:6] == (16, 16, 32, 32, 64, 128) and sampling_rates(1024)[10:] == (1024,) * 5
    assert layer_sides(1024) == (16, 32, 64, 128, 256, 512) and blended_tensors(1024) == 11
    assert layer_sides(SIZE) == (16,) and blended_tensors(SIZE) == 6 and blended_tensors(16) == 0


def test_a_full_mask_gives_the_edited_picture(generator):
    styles, edited = draw_styles(generator, 2), draw_styles(generator, 2, seed=1)
    ones = np.ones([1, SIZE, SIZE], np.float32)
    assert blends_layers(generator)
    assert relative(blended(generator, styles, edited, ones), eager(generator, edited)) < 1e-5


def test_an_empty_mask_keeps_what_lower_rates_drew(generator):
    styles, other = draw_styles(generator, 2), draw_styles(generator, 2, seed=1)
    edited = [*other[:6], *styles[6:]]
    none = np.zeros([1, SIZE, SIZE], np.float32)
    assert relative(blended(generator, styles, edited, none), eager(generator, styles)) < 1e-5


def test_the_last_rate_goes_on_from_the_blend_of_both(generator):
    styles, edited = draw_styles(generator, 1), draw_styles(generator, 1, seed=1)
    mask = layer_masks(generator, half())[16][0, 0]
    with paddle.no_grad():
        parts = []
        for part in (styles, edited):
            x = None
            for k in range(6):
                x = generator.draw_layer(k, x, paddle.to_tensor(part[k]))
            parts.append(x.numpy())
        wide = np.pad(mask, 10, mode="edge")  # L4's margin
        x = parts[0] + wide * (parts[1] - parts[0])
        rest = [paddle.to_tensor(style) for style in edited[6:]]
        wanted = generator.draw_layers(paddle.to_tensor(x), 6, rest).numpy()
    assert relative(blended(generator, styles, edited, half()), wanted) < 1e-5


def test_the_program_takes_the_mask_of_each_side(generator):
    plan = region_part(generator, SynthesisRequest())
    assert plan.inputs == {mask_name(16): (1, 16, 16)} and len(plan.widths) == 6 + 16


@pytest.mark.slow
def test_the_program_draws_the_same(generator, tmp_path, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path))
    styles, edited = draw_styles(generator, 2), draw_styles(generator, 2, seed=1)
    renderer = Renderer(generator)
    renderer.compile_next()
    found = renderer.synthesize_in_region(styles, edited, half())
    assert renderer._region is not None
    assert relative(found, blended(generator, styles, edited, half())) < 1e-4
