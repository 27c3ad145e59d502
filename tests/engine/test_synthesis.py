# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Compiled synthesis gives what eager layers give, from any layer, at any batch and precision."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from edges import slow
from engine_world import BOUND, draw_styles, drawn_before, eager, relative

from ppstyleclip import engine
from ppstyleclip.engine import compiled_layer, exporter, networks, predictor
from ppstyleclip.errors import UserError
from ppstyleclip.models.forms import prefix_drawing_of
from ppstyleclip.models.generator import CachedConvolution
from ppstyleclip.models.stylegan2 import inference as stylegan2_inference
from ppstyleclip.models.stylegan2 import inference_layers
from ppstyleclip.models.stylegan2.inference import InferenceSynthesis, SynthesisForm
from ppstyleclip.pictures import to_pixels


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["const", "none"])
def test_compiled_synthesis_is_the_eager_one_at_any_batch(generator, folder, noise):
    draw = engine.compile_synthesis(generator, noise=noise, folder=folder)
    assert draw.compile()
    for count in (1, 3, 2):
        styles = draw_styles(generator, count)
        assert relative(draw(styles), eager(generator, styles, noise)) < BOUND / 10


def test_a_large_batch_is_drawn_in_parts(generator, folder, monkeypatch):
    monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", 2 * generator.size**2)
    draw, styles, sizes = engine.compile_synthesis(generator, folder=folder), draw_styles(generator, 5), []
    run = compiled_layer.Compiled.__call__
    monkeypatch.setattr(
        compiled_layer.Compiled,
        "__call__",
        lambda self, arrays: (sizes.append(len(arrays["style_00"])), run(self, arrays))[1],
    )
    assert relative(draw(styles), eager(generator, styles)) < BOUND / 10
    assert sizes == [2, 2, 1]


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["const", "none"])
@pytest.mark.parametrize("winograd", [False, True])
@pytest.mark.parametrize("precision, bound", [("fp32", BOUND / 10), ("bf16", 0.05)])
def test_pictures_of_which_each_fills_a_program(
    generator, tmp_path, monkeypatch, noise, winograd, precision, bound
):
    if precision == "bf16" and not paddle.base.core.supports_bfloat16():
        pytest.skip("this processor does not compute in bf16")
    monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", 1)
    monkeypatch.setattr(inference_layers.BatchOneConv, "winograd_channels", 1 if winograd else 999)
    monkeypatch.setattr(inference_layers, "WINOGRAD_SIDE", 4)
    draw = engine.compile_synthesis(generator, noise=noise, precision=precision, folder=tmp_path)
    layers = draw.parts[0].compiled.layer.synthesis.layers
    assert {layer.scales_weight for layer in layers if not layer.is_to_rgb} == {False, True}
    assert any(layer.winograd for layer in layers if not layer.is_to_rgb) == (
        winograd and precision == "fp32"
    )
    assert draw.compile()
    for seed in (0, 1):  # weights that the program makes from the styles are made anew
        styles = draw_styles(generator, 2, seed)
        assert relative(draw(styles), eager(generator, styles, noise)) < bound


def test_a_paddle_without_the_legacy_ir_draws_but_not_in_bf16(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", 1)
    for module in (networks, exporter):
        monkeypatch.setattr(module, "writes_legacy_ir", lambda: False)
    styles = draw_styles(generator, 2)
    draw = engine.compile_synthesis(generator, folder=tmp_path)
    first = draw.parts[0].compiled.layer.synthesis.layers[0]
    assert not isinstance(first, inference_layers.BatchOneConv) and draw.compile()
    assert relative(draw(styles), eager(generator, styles)) < BOUND / 10
    if paddle.base.core.supports_bfloat16():
        half = engine.compile_synthesis(generator, precision="bf16", folder=tmp_path)
        with pytest.warns(UserWarning, match="eager mode: bf16 on a CPU needs"):
            assert relative(half(styles), eager(generator, styles)) < BOUND / 10


@pytest.mark.parametrize("start", [0, 3, 5])
def test_small_layers_of_large_pictures_draw_many_at_once(generator, tmp_path, monkeypatch, start):
    monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", generator.size**2)
    monkeypatch.setattr(stylegan2_inference, "SMALL_SIDE", 8)
    styles = draw_styles(generator, 3)
    begin = drawn_before(generator, styles, start).initial_inputs(np.arange(3), None, None)
    first = engine.compile_synthesis(generator, folder=tmp_path)
    draw = engine.compile_synthesis(generator, start=start, folder=tmp_path, like=first)
    assert [part.plan.at_once for part in first.parts] == [generator.size**2 // 64, 1]
    assert draw.parts[-1].compiled is first.parts[-1].compiled if start < 5 else len(draw.parts) == 1
    loaded, inference = [], predictor.inference
    load = inference.create_predictor
    monkeypatch.setattr(inference, "create_predictor", lambda config: (loaded.append(1), load(config))[1])
    for _ in (0, 1):
        assert relative(draw(styles[start:], **begin), eager(generator, styles)) < BOUND / 10
    assert len(loaded) == len(draw.parts)  # each once


def test_noise_is_in_the_program(generator, folder):
    styles = draw_styles(generator, 1)
    draws = [engine.compile_synthesis(generator, noise=noise, folder=folder) for noise in ("const", "none")]
    assert np.abs(draws[0](styles) - draws[1](styles)).max() > BOUND


@pytest.mark.parametrize("start", [1, slow(2), slow(3), 4])
def test_synthesis_goes_on_from_any_layer(generator, folder, start):
    styles = draw_styles(generator, 2)
    draw = engine.compile_synthesis(generator, start=start, folder=folder)
    assert draw.compile()
    begin = drawn_before(generator, styles, start).initial_inputs(np.arange(2), None, None)
    assert relative(draw(styles[start:], **begin), eager(generator, styles)) < BOUND / 10


@pytest.mark.parametrize("batch_one", [False, True])
@pytest.mark.parametrize("start", [0, slow(2), 3, slow(6)])
def test_a_convolution_is_done_once_and_one_channel_of_it_changed(
    generator, folder, monkeypatch, batch_one, start
):
    if batch_one:
        monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", 1)
    styles, images, columns = draw_styles(generator, 2), np.array([0, 1, 1]), np.array([3, 0, 2])
    drawing = prefix_drawing_of(generator)
    with paddle.no_grad():
        state = drawn_before(generator, styles, start)
        singles = [state.index_select(paddle.to_tensor([k])) for k in (0, 1)]
        rows = [paddle.to_tensor(styles[start][k : k + 1]) for k in (0, 1)]
        cached = CachedConvolution.concat(
            [drawing.cache_convolution(single, row) for single, row in zip(singles, rows)]
        )
    changed = [style[images] for style in styles]
    changed[start][np.arange(3), columns] += np.float32([4.0, -3.0, 2.0])
    draw = engine.compile_synthesis(generator, start=start, cached_convolution=True, folder=folder)
    assert draw.compile()
    drawn = draw(changed[start:], **cached.initial_inputs(images, changed[start], columns))
    assert relative(drawn, eager(generator, changed)) < BOUND / 10
    assert relative(drawn, eager(generator, [style[images] for style in styles])) > 10 * BOUND  # it changed


def test_synthesis_stops_at_a_resolution(generator):
    synthesis = InferenceSynthesis(generator, SynthesisForm(side=generator.size // 2))
    styles = [paddle.to_tensor(s) for s in draw_styles(generator, 2)]
    images = synthesis(styles[: len(synthesis.widths)])
    assert images.shape == [2, 3, generator.size // 2, generator.size // 2]
    with pytest.raises(ValueError, match="start must be 0 to"):
        InferenceSynthesis(generator, SynthesisForm(start=99))


@pytest.mark.parametrize("precision, words", [("fp8", "known: fp32, bf16, fp16"), ("fp16", "needs a GPU")])
def test_precisions_that_cannot_be_are_refused(generator, precision, words):
    if precision == "fp16" and paddle.get_device() != "cpu":
        pytest.skip("there is a GPU")
    with pytest.raises(UserError, match=words):
        engine.compile_synthesis(generator, precision=precision)


def test_bf16_is_near_fp32(generator, folder):
    if not paddle.base.core.supports_bfloat16():
        pytest.skip("this processor does not compute in bf16")
    styles = draw_styles(generator, 2)
    got = engine.compile_synthesis(generator, precision="bf16", folder=folder)(styles)
    expected = eager(generator, styles)
    error = relative(got, expected)
    assert 0 < error < 0.05


def test_a_renderer_compiles_when_enough_was_drawn(generator, monkeypatch, tmp_path):
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path))
    monkeypatch.setattr(networks, "EAGER_PIXELS", 3 * generator.size**2)
    renderer, styles = engine.Renderer(generator), draw_styles(generator, 2)
    first = renderer.synthesize(styles)
    assert not (tmp_path / "engine").exists()
    second = renderer.synthesize([paddle.to_tensor(style) for style in styles])
    assert len(list((tmp_path / "engine").iterdir())) == 1
    assert relative(second, first) < BOUND / 10
    np.testing.assert_array_equal(renderer.render(styles), to_pixels(renderer.synthesize(styles)))
