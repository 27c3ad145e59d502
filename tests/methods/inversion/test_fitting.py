# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fitting several faces at once, distances, tuning, and what a compiled loss is kept under."""

from dataclasses import fields, replace

import numpy as np
import paddle
import pytest
from tiny_world import STYLE_DIM, live_in, save_tiny_pack, tiny_generator

from ppstyleclip import engine
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods import inversion
from ppstyleclip.methods.inversion import (
    FittingConfig,
    FittingLoss,
    LpipsDistance,
    PlainDistance,
    TuningConfig,
    VggDistance,
    fit_latents,
    tune_generator,
)
from ppstyleclip.methods.inversion.distances import shrink
from ppstyleclip.models.lpips import LPIPS, VGG16
from ppstyleclip.zoo import load_pack

LEVELS, TWELVE = 6, FittingConfig(steps=12)


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """Compiled programs go to a folder of the test."""
    live_in(tmp_path, monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def generator():
    return tiny_generator()


@pytest.fixture(scope="module")
def faces(generator):
    """(w_plus `[3, L, D]`, its pictures, other latents to begin with)."""
    random = np.random.RandomState(4)
    w_plus, start = random.randn(2, 3, LEVELS, STYLE_DIM).astype(np.float32)
    return w_plus, draw(generator, w_plus), start


@paddle.no_grad()
def draw(generator, w_plus):
    return generator.synthesis_from_styles(generator.style_affine(paddle.to_tensor(w_plus))).numpy()


# ---- fitting


def test_fitting_draws_the_picture_better_and_better(generator, faces):
    _, images, start = faces
    steps = list(fit_latents(generator, images, start, FittingConfig(steps=40)))
    first, last = steps[0].terms, steps[-1].terms
    assert set(first) == {"plain", "mse"} and first["mse"].shape == (3,)
    assert (last["plain"] < 0.5 * first["plain"]).all() and (last["mse"] < 0.5 * first["mse"]).all()
    np.testing.assert_allclose(steps[0].images, draw(generator, start), atol=1e-4)
    expected = np.mean((draw(generator, start) - images) ** 2, (1, 2, 3))
    np.testing.assert_allclose(first["mse"], expected, rtol=1e-3)


def test_faces_together_go_the_way_of_each_alone(generator, faces):
    _, images, start = faces
    *_, together = fit_latents(generator, images, start, TWELVE)
    for k in range(3):
        *_, alone = fit_latents(generator, images[k : k + 1], start[k : k + 1], TWELVE)
        np.testing.assert_allclose(together.value[k : k + 1], alone.value, atol=2e-3)


def test_levels_that_do_not_move_stay_to_the_bit(generator, faces):
    _, images, start = faces
    *_, last = fit_latents(generator, images, start, replace(TWELVE, levels=(0, 3)))
    still = [1, 2, 4, 5]
    np.testing.assert_array_equal(last.value[:, still], start[:, still])
    assert (np.abs(last.value - start)[:, [0, 3]] > 1e-3).all(2).any()


@pytest.mark.slow
def test_the_weight_of_the_squares_counts(generator, faces):
    _, images, start = faces
    ends = [
        [*fit_latents(generator, images, start, FittingConfig(3, 0.1, 0.1, loss=FittingLoss(weight)))][
            -1
        ].value
        for weight in (0.0, 30.0)
    ]
    assert np.abs(ends[0] - ends[1]).max() > 1e-3


@pytest.mark.parametrize(
    "change, words",
    [
        ({"images": np.zeros([1, 3, 8, 8])}, r"pictures have shape \[1, 3, 8, 8\].*\[N, 3, 16, 16\]"),
        ({"start": np.zeros([2, 6, 12])}, r"latents have shape \[2, 6, 12\], 1 pictures"),
        ({"config": FittingConfig(1, levels=(0, 6))}, "no level 6 in w_plus: this generator has 0 to 5"),
        ({"config": FittingConfig(1, levels=(-1,))}, "no level -1"),
        ({"images": np.full([1, 3, 16, 16], np.nan)}, "step 1: the plain loss is not finite"),
    ],
)
def test_what_cannot_be_fitted_gets_one_line(generator, change, words):
    parts = {"images": np.zeros([1, 3, 16, 16]), "start": np.zeros([1, 6, 12]), "config": FittingConfig(1)}
    with pytest.raises(UserError, match=words):
        list(fit_latents(generator, **{**parts, **change}))


# ---- distances


def test_the_plain_distance_adds_all_halvings():
    a, b = np.random.RandomState(3).randn(2, 2, 3, 32, 32).astype(np.float32)
    distance = PlainDistance()
    got = distance(paddle.to_tensor(a), distance.prepare(paddle.to_tensor(b))).numpy()
    expected = 0
    for side in (32, 16, 8):
        small = (a - b).reshape(2, 3, side, 32 // side, side, 32 // side).mean((3, 5))
        expected = expected + np.mean(small**2, (1, 2, 3))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_large_pictures_are_averaged_for_vgg():
    images = np.random.RandomState(3).randn(1, 3, 512, 512).astype(np.float32)
    small = shrink(paddle.to_tensor(images)).numpy()
    np.testing.assert_allclose(small, images.reshape(1, 3, 256, 2, 256, 2).mean((3, 5)), atol=1e-6)
    assert shrink(paddle.to_tensor(images[:, :, :64, :64])).shape == [1, 3, 64, 64]


def test_vggs_distance_is_over_pictures_of_0_to_1():
    seen = []

    def features(images, taps):
        seen.append((float(images.min()), float(images.max()), taps))
        return [images, 2 * images]

    distance = VggDistance.__new__(VggDistance)
    paddle.nn.Layer.__init__(distance)
    distance.vgg, distance.taps = features, ("a", "b")
    black, white = (paddle.full([1, 3, 8, 8], level) for level in (-1.0, 1.0))
    got = distance(white, distance.prepare(black))
    assert seen == [(0.0, 0.0, ("a", "b")), (1.0, 1.0, ("a", "b"))] and got.numpy() == pytest.approx(1 + 4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vgg", "lpips"])
def test_networks_compare_in_a_compiled_program(kind, generator, faces):
    """A warning, which pytest makes an error, would say that it runs in eager mode."""
    paddle.seed(0)
    narrow = (4, 4, 4, 4, 4)
    distance = VggDistance(VGG16(narrow), (1, 3)) if kind == "vgg" else LpipsDistance(LPIPS(narrow))
    _, images, start = faces
    step = next(fit_latents(generator, images, start, FittingConfig(1), distance=distance))
    drawn, target = (paddle.to_tensor(part) for part in (step.images, images))
    np.testing.assert_allclose(step.terms[kind], distance(drawn, distance.prepare(target)).numpy(), rtol=1e-3)
    w_plus = paddle.to_tensor(start, stop_gradient=False)
    drawn = generator.synthesis_from_styles(generator.style_affine(w_plus))
    (
        distance(drawn, distance.prepare(target)) + ((shrink(drawn) - shrink(target)) ** 2).mean([1, 2, 3])
    ).sum().backward()
    slope = w_plus.grad.numpy()
    steep = np.abs(slope) > 1e-4  # Adam's first step only shows the sign
    np.testing.assert_allclose((step.value - start)[steep], -0.1 * np.sign(slope)[steep], rtol=0.01)


# ---- tuning


def test_tuning_changes_a_copy_until_it_draws_the_picture(generator, faces):
    w_plus, images, start = faces
    before = {key: value.numpy() for key, value in generator.state_dict().items()}
    steps = list(tune_generator(generator, images[:1], start[:1], TuningConfig(30, rate=1e-2)))
    assert [(step.done, step.total) for step in steps] == [(k, 30) for k in range(1, 31)]
    tuned = steps[-1].generator
    assert steps[-1].loss < 0.5 * steps[0].loss
    for key, value in generator.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key], err_msg=key)
    moved = {
        key for key, value in tuned.state_dict().items() if not np.array_equal(value.numpy(), before[key])
    }
    assert moved and not any(key.startswith("style.") for key in moved)
    assert not np.array_equal(draw(tuned, start[:1]), draw(generator, start[:1]))


def test_a_tuned_generator_is_edited_like_any_other(tmp_path, faces, monkeypatch):
    """Programs are remembered by fingerprint: a tuned generator must not draw with the untuned one's."""
    bundle = load_pack(save_tiny_pack(tmp_path / "pack"))
    monkeypatch.setattr(engine.networks, "EAGER_PIXELS", 0)
    untuned = Editor(bundle).synthesize(faces[2][:1])
    config = TuningConfig(2, rate=1e-2)
    *_, step = tune_generator(bundle.generator, faces[1][:1], faces[2][:1], config)
    editor = Editor(bundle.with_parts(generator=step.generator))
    drawn = editor.synthesize(faces[2][:1])
    np.testing.assert_allclose(drawn, draw(step.generator, faces[2][:1]), atol=1e-4)
    assert np.abs(drawn - untuned).max() > 1e-2
    assert editor.synthesize(editor.apply(faces[2][:1], Edit("face", "happy face"))).shape == (1, 3, 16, 16)


# ---- what a compiled loss is kept under


def key_of(monkeypatch, generator, config, distance=None):
    """The key under which fit_latents compiles its loss."""
    seen = []

    def compile_gradient(layer, shapes, wrt):
        seen.append(engine.Compiled(layer, shapes, "weights", wrt=wrt).program_key())
        return lambda arrays: None

    monkeypatch.setattr(inversion.fitting, "compile_gradient", compile_gradient)
    images, start = np.zeros([1, 3, 16, 16]), np.zeros([1, LEVELS, STYLE_DIM])
    fit_latents(generator, images, start, config, distance=distance)
    return seen[0]


@pytest.mark.parametrize("name", [field.name for field in fields(FittingLoss)])
def test_every_field_of_the_loss_changes_the_key(name, generator, monkeypatch):
    other = replace(FittingLoss(), **{name: getattr(FittingLoss(), name) + 1})
    keys = [key_of(monkeypatch, generator, FittingConfig(loss=loss)) for loss in (FittingLoss(), other)]
    assert keys[0] != keys[1]


def test_distances_have_keys_of_their_own(generator, monkeypatch):
    narrow = (4, 4, 4, 4, 4)
    vgg, lpips = VGG16(narrow), LpipsDistance(LPIPS(narrow))
    distances = [PlainDistance(), lpips, VggDistance(vgg), VggDistance(vgg, (1, 3))]
    keys = [key_of(monkeypatch, generator, TWELVE, distance) for distance in distances]
    assert len({str(key) for key in keys}) == len(keys)


def test_steps_and_rates_share_one_compiled_loss(generator, monkeypatch):
    keys = [key_of(monkeypatch, generator, config) for config in (TWELVE, FittingConfig(40, 0.2, 0.2, (1,)))]
    assert keys[0] == keys[1]
