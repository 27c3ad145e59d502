# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The engine: compiled programs give what eager layers give, are kept once, and are never in the way."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import CLIP, tiny_clip, tiny_generator

from ppstyleclip import engine
from ppstyleclip.engine import compiled, networks, program, tracing
from ppstyleclip.errors import UserError
from ppstyleclip.models.clip import build_clip
from ppstyleclip.models.forms import inference_of, prefix_drawing_of
from ppstyleclip.models.generator import CachedConvolution
from ppstyleclip.models.stylegan2 import inference as stylegan2_inference
from ppstyleclip.models.stylegan2 import inference_layers
from ppstyleclip.models.stylegan2.inference import InferenceSynthesis, SynthesisForm
from ppstyleclip.pictures import to_pixels
from ppstyleclip.threads import thread_count

BOUND = 1e-3  # largest difference of images in about [-1, 1]


@pytest.fixture(scope="module")
def generator():
    return tiny_generator()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("engine")


def small_resnet_clip():
    paddle.seed(3)
    return build_clip(
        {
            **CLIP,
            "vision_layers": (1, 1, 1, 1),
            "vision_width": 4,
            "vision_patch_size": None,
            "image_size": 32,
        }
    )


def draw_styles(generator, count, seed=0):
    z = np.random.RandomState(seed).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        return [style.numpy() for style in generator.style_affine(generator.get_latent(paddle.to_tensor(z)))]


def eager(generator, styles, noise="const"):
    with paddle.no_grad():
        return generator.synthesis_from_styles([paddle.to_tensor(s) for s in styles], noise=noise).numpy()


@paddle.no_grad()
def drawn_before(generator, styles, start):
    """The state that a synthesis from style tensor `start` goes on from."""
    drawing = prefix_drawing_of(generator)
    state = drawing.initial_state(len(styles[0]))
    while state.k < start:
        state = drawing.run_layer(state, paddle.to_tensor(styles[state.k]))
    return state


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


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
    run = compiled.Compiled.__call__
    monkeypatch.setattr(
        compiled.Compiled,
        "__call__",
        lambda self, arrays: (sizes.append(len(arrays["style_00"])), run(self, arrays))[1],
    )
    assert relative(draw(styles), eager(generator, styles)) < BOUND / 10
    assert sizes == [2, 2, 1]


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


def test_a_paddle_without_programs_of_the_old_kind_draws_but_not_in_bf16(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(stylegan2_inference, "AT_ONCE_PIXELS", 1)
    for module in (networks, tracing):
        monkeypatch.setattr(module, "writes_old_programs", lambda: False)
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
    loaded, inference = [], program.inference
    load = inference.create_predictor
    monkeypatch.setattr(inference, "create_predictor", lambda config: (loaded.append(1), load(config))[1])
    for _ in (0, 1):
        assert relative(draw(styles[start:], **begin), eager(generator, styles)) < BOUND / 10
    assert len(loaded) == len(draw.parts)  # each once


def test_noise_is_in_the_program(generator, folder):
    styles = draw_styles(generator, 1)
    draws = [engine.compile_synthesis(generator, noise=noise, folder=folder) for noise in ("const", "none")]
    assert np.abs(draws[0](styles) - draws[1](styles)).max() > BOUND


@pytest.mark.parametrize("start", [1, 2, 3, 4])
def test_synthesis_goes_on_from_any_layer(generator, folder, start):
    styles = draw_styles(generator, 2)
    draw = engine.compile_synthesis(generator, start=start, folder=folder)
    assert draw.compile()
    begin = drawn_before(generator, styles, start).initial_inputs(np.arange(2), None, None)
    assert relative(draw(styles[start:], **begin), eager(generator, styles)) < BOUND / 10


@pytest.mark.parametrize("batch_one", [False, True])
@pytest.mark.parametrize("start", [0, 2, 3, 6])
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


@pytest.mark.parametrize("side", [32, 48])
def test_compiled_image_encoder_is_the_eager_one(folder, side):
    clip = tiny_clip()
    images = np.random.RandomState(1).uniform(-1.2, 1.2, [3, 3, side, side]).astype(np.float32)
    with paddle.no_grad():
        expected = clip.encode_image(paddle.to_tensor(images)).numpy()
    assert relative(engine.compile_image_encoder(clip, side, folder=folder)(images), expected) < BOUND / 10


def test_a_run_leaves_eager_mode_its_threads(generator, tmp_path, monkeypatch):
    """Paddle leaves one, and eager sums are then split otherwise than before the first run."""
    libraries = list(Path(paddle.__file__).parent.glob("libs/libiomp5.*"))
    if not libraries:
        pytest.skip("this Paddle has no libiomp5")
    openmp, before = ctypes.CDLL(str(libraries[0])), thread_count()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    try:
        draw = engine.compile_synthesis(generator, folder=tmp_path)
        draw(draw_styles(generator, 1))
        assert openmp.omp_get_max_threads() == 3
    finally:
        paddle.base.core.set_num_threads(before)


def test_a_program_is_exported_once_for_equal_weights(generator, tmp_path, monkeypatch):
    count = []
    export = engine.export
    monkeypatch.setattr(compiled, "export", lambda *a, **k: (count.append(1), export(*a, **k)))
    styles = draw_styles(generator, 1)
    for _ in range(2):
        engine.compile_synthesis(generator, folder=tmp_path)(styles)
    assert len(count) == 1 and len(list(tmp_path.iterdir())) == 1
    other = tiny_generator(seed=5)
    picture = engine.compile_synthesis(other, folder=tmp_path)(styles)
    assert len(count) == 2
    assert relative(picture, eager(other, styles)) < BOUND / 10


def test_a_damaged_program_is_exported_again(generator, tmp_path):
    styles = draw_styles(generator, 1)
    first = engine.compile_synthesis(generator, folder=tmp_path)(styles)
    weights = next(tmp_path.glob("*/*.pdiparams"))
    weights.write_bytes(weights.read_bytes()[:100])
    again = engine.compile_synthesis(generator, folder=tmp_path)
    assert again.compile()
    assert np.array_equal(first, again(styles))
    assert weights.stat().st_size > 100


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_costs_no_more_than_time(generator, tmp_path):
    tmp_path.chmod(0o500)
    styles = draw_styles(generator, 1)
    draw = engine.compile_synthesis(generator, folder=tmp_path / "engine")
    assert draw.compile()
    assert relative(draw(styles), eager(generator, styles)) < BOUND / 10


def test_a_file_in_place_of_the_cache_costs_no_more_than_time(generator, tmp_path):
    (tmp_path / "engine").write_bytes(b"not a folder")
    styles = draw_styles(generator, 1)
    draw = engine.compile_synthesis(generator, folder=tmp_path / "engine")
    assert draw.compile()
    assert relative(draw(styles), eager(generator, styles)) < BOUND / 10


class Wide(paddle.nn.Layer):
    """A linear layer of 64 MB."""

    def __init__(self):
        super().__init__()
        self.linear = paddle.nn.Linear(4096, 4096)

    def forward(self, tensors):
        return [self.linear(tensors["x"])]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how much memory is in use")
def test_programs_made_later_cost_the_others_no_memory(generator, tmp_path):
    wide = engine.Compiled(Wide(), {"x": [-1, 4096]}, ["wide"], folder=tmp_path)
    arrays, styles = {"x": np.ones([8, 4096], np.float32)}, draw_styles(generator, 1)
    small, sizes = [], []
    expected = wide(arrays)[0]
    for _ in range(6):
        small.append(engine.compile_synthesis(generator, folder=tmp_path))
        small[-1](styles)
        np.testing.assert_array_equal(wide(arrays)[0], expected)
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    assert sizes[-1] - sizes[1] < 2 * 2**26  # lost each time, it would be four times the layer
    assert relative(small[0](styles), small[-1](styles)) < BOUND / 100


def test_a_program_whose_files_are_gone_goes_on(generator, tmp_path):
    draw, styles = engine.compile_synthesis(generator, folder=tmp_path / "gone"), draw_styles(generator, 2)
    before = draw(styles)
    shutil.rmtree(tmp_path / "gone")
    engine.compile_synthesis(generator, side=8, folder=tmp_path)(draw_styles(generator, 1)[:5])
    np.testing.assert_array_equal(draw(styles), before)


def test_what_cannot_be_exported_runs_eager_and_says_so_once(generator, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("no such operator\nin a long story")

    monkeypatch.setattr(compiled, "export", refuse)
    styles = draw_styles(generator, 2)
    draw = engine.compile_synthesis(generator, folder=tmp_path)
    with pytest.warns(UserWarning, match="eager mode: no such operator in a long story"):
        picture = draw(styles)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(draw(styles), picture)
    assert relative(picture, eager(generator, styles)) < BOUND / 10
    assert list(tmp_path.iterdir()) == []


def test_programs_unused_for_longest_make_room(generator, tmp_path, monkeypatch):
    styles = draw_styles(generator, 1)
    for index, noise in enumerate(("const", "none")):
        engine.compile_synthesis(generator, noise=noise, folder=tmp_path)(styles)
        for place in tmp_path.iterdir():
            os.utime(place, (index + 1, index + 1))
    kept = {place.name for place in tmp_path.iterdir()}
    assert len(kept) == 2
    size = sum(file.stat().st_size for file in next(tmp_path.iterdir()).iterdir())
    monkeypatch.setattr(compiled, "KEEP_BYTES", int(size * 1.5))
    engine.compile_synthesis(generator, side=generator.size // 2, folder=tmp_path)(styles[:5])
    left = {place.name for place in tmp_path.iterdir()}
    assert len(left) == 1 and not left & kept


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


@pytest.mark.parametrize("make_clip", [tiny_clip, small_resnet_clip])
def test_image_encoder_in_bf16_is_near_fp32(folder, make_clip):
    if not paddle.base.core.supports_bfloat16():
        pytest.skip("this processor does not compute in bf16")
    clip = make_clip()
    images = np.random.RandomState(1).uniform(-1, 1, [3, 3, 48, 48]).astype(np.float32)
    with paddle.no_grad():
        expected = clip.encode_image(paddle.to_tensor(images)).numpy()
    got = engine.compile_image_encoder(clip, 48, precision="bf16", folder=folder)(images)
    assert 0 < relative(got, expected) < 0.05


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


class Step(paddle.nn.Layer):
    """Synthesis, CLIP and a cosine to a text feature: a loss with everything in it that an edit has."""

    def __init__(self, generator, clip):
        super().__init__()
        self.synthesis, self.clip = inference_of(generator).differentiable(), clip

    def shapes(self):
        widths = self.synthesis.widths
        return {**{f"s{k:02d}": [-1, width] for k, width in enumerate(widths)}, "text": [-1, self.clip.dim]}

    def forward(self, tensors):
        """Return [loss, images]."""
        images = self.synthesis([tensors[f"s{k:02d}"] for k in range(len(self.synthesis.widths))])
        return [-paddle.mean(self.clip.encode_image(images) * tensors["text"]), images]


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


def test_a_gradient_that_cannot_be_exported_is_eager(generator, tmp_path, monkeypatch):
    step, clip = Step(generator, tiny_clip()), tiny_clip()
    wrt = [name for name in step.shapes() if name != "text"]
    arrays = dict(zip(wrt, draw_styles(generator, 1)))
    arrays["text"] = np.ones([1, clip.dim], np.float32)
    compiled_way = engine.compile_gradient(step, step.shapes(), wrt, folder=tmp_path)(arrays)
    monkeypatch.setattr(compiled, "export", lambda *a, **k: 1 / 0)
    with pytest.warns(UserWarning, match="eager mode"):
        eager_way = engine.compile_gradient(step, step.shapes(), wrt, ["other"], folder=tmp_path)(arrays)
    for name in wrt:
        assert np.allclose(compiled_way[1][name], eager_way[1][name], rtol=1e-3, atol=1e-6)
