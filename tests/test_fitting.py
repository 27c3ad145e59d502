# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Adam on latents beside the formulas, learning rates, fitting several faces at once, and tuning."""

import numpy as np
import paddle
import pytest
from tiny_world import STYLE_DIM, live_in, save_tiny_pack, tiny_generator

from ppstyleclip import engine
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.descent import Adam, descend, geometric, ramped, stepped
from ppstyleclip.methods.fitting import (
    LpipsDistance,
    PlainDistance,
    VggDistance,
    fit_latents,
    shrink,
    tune_generator,
)
from ppstyleclip.models.lpips import LPIPS, VGG16
from ppstyleclip.zoo import load_pack

LEVELS, RATES = 6, geometric(0.1, 0.025, 12)


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


# ---- Adam


def slope(value):
    """Gradient of a bowl that is steeper in some numbers than in others."""
    return (value - 1) * np.arange(1, value.size + 1, dtype=np.float32).reshape(value.shape)


def evaluate_bowl(value):
    return {"bowl": np.zeros(len(value))}, slope(value), None


def adam_in_words(value, rates, adam):
    """Kingma and Ba's algorithm 1, Loshchilov and Hutter's decay, Reddi et al.'s maximum, in loops."""
    value = value.astype(np.float64).copy()
    for place in np.ndindex(value.shape):
        factor, m, v, top, x = np.ravel_multi_index(place, value.shape) + 1, 0.0, 0.0, 0.0, value[place]
        for t, rate in enumerate(rates, 1):
            g = (x - 1) * factor
            m, v = adam.beta1 * m + (1 - adam.beta1) * g, adam.beta2 * v + (1 - adam.beta2) * g * g
            top = max(top, v)
            used = top if adam.amsgrad else v
            x -= rate * adam.weight_decay * x
            x -= rate * (m / (1 - adam.beta1**t)) / (np.sqrt(used / (1 - adam.beta2**t)) + adam.epsilon)
        value[place] = x
    return value


@pytest.mark.parametrize(
    "adam",
    [
        Adam(),
        Adam(beta1=0.5, beta2=0.9, epsilon=1e-3),
        Adam(weight_decay=0.1),
        Adam(beta2=0.6, amsgrad=True),
        Adam(beta2=0.6, weight_decay=0.05, amsgrad=True),
    ],
)
def test_adam_is_the_papers(adam):
    start, rates = np.random.RandomState(1).randn(2, 3, 2).astype(np.float32), geometric(0.2, 0.05, 25)
    *_, last = descend(evaluate_bowl, start, rates, adam)
    np.testing.assert_allclose(last.value, adam_in_words(start, rates, adam), atol=2e-5)
    assert last.value.dtype == np.float32 and last.number == last.total == 25


def test_amsgrad_and_decay_are_not_plain_adam():
    start, rates = np.full([1, 3], 3, np.float32), [0.2] * 25
    ends = [
        [*descend(evaluate_bowl, start, rates, adam)][-1].value
        for adam in (Adam(beta2=0.6), Adam(beta2=0.6, amsgrad=True), Adam(beta2=0.6, weight_decay=0.1))
    ]
    assert np.abs(ends[0] - ends[1]).max() > 1e-2 and np.abs(ends[0] - ends[2]).max() > 1e-2


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_is_paddles(amsgrad):
    start, rates = np.random.RandomState(2).randn(1, 4).astype(np.float32), [0.1] * 10
    value = paddle.to_tensor(start, stop_gradient=False)
    options = {"amsgrad": True} if amsgrad else {}
    try:
        optimizer = paddle.optimizer.AdamW(0.1, parameters=[value], weight_decay=0.02, **options)
    except TypeError:
        pytest.skip("this Paddle's AdamW has no amsgrad")
    for _ in rates:
        (paddle.to_tensor(slope(value.detach().numpy())) * value).sum().backward()
        optimizer.step()
        optimizer.clear_grad()
    *_, last = descend(evaluate_bowl, start, rates, Adam(weight_decay=0.02, amsgrad=amsgrad))
    np.testing.assert_allclose(last.value, value.numpy(), atol=1e-5)


def test_the_start_is_left_alone_and_every_step_is_a_record():
    start = np.zeros([2, 3], np.float32)
    seen = list(descend(evaluate_bowl, start, [0.1, 0.1], Adam()))
    assert not start.any() and [step.number for step in seen] == [1, 2]
    assert not np.array_equal(seen[0].value, seen[1].value)
    assert list(descend(evaluate_bowl, start, [], Adam())) == []


@pytest.mark.parametrize(
    "loss, gradient, words",
    [
        (np.nan, 1.0, "step 3: the apart loss is not finite"),
        (1.0, np.inf, "step 3: the gradient is not finite"),
    ],
)
def test_numbers_that_are_none_stop_it_with_the_step(loss, gradient, words):
    calls = []

    def evaluate(value):
        calls.append(value)
        odd = len(calls) == 3
        return (
            {"mse": np.ones(1), "apart": np.full(1, loss if odd else 1.0)},
            np.full(value.shape, gradient if odd else 1.0),
            None,
        )

    steps = descend(evaluate, np.zeros([1, 2], np.float32), [0.1] * 5, Adam())
    good = [next(steps), next(steps)]
    with pytest.raises(UserError, match=words):
        next(steps)
    assert all(np.isfinite(step.value).all() for step in good)


# ---- learning rates


def test_rates_in_equal_ratios():
    rates = geometric(0.1, 0.025, 3)
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.025])
    assert geometric(0.1, 0.025, 1) == [0.1] and geometric(0.1, 0.025, 0) == []


def test_rates_that_rise_and_fall():
    rates = ramped(0.1, 100)
    np.testing.assert_allclose(rates[:6], [0, 0.02, 0.04, 0.06, 0.08, 0.1])
    np.testing.assert_allclose(rates[5:76], 0.1)
    np.testing.assert_allclose(rates[88], 0.1 * (0.5 - 0.5 * np.cos(np.pi * 0.48)))
    assert len(rates) == 100 and 0 < rates[-1] < 0.001
    assert ramped(0.1, 4, up=0)[0] == 0.1


def test_rates_in_stairs():
    np.testing.assert_allclose(stepped(0.1, 5, every=2, factor=0.5), [0.1, 0.1, 0.05, 0.05, 0.025])


# ---- fitting


def test_fitting_draws_the_picture_better_and_better(generator, faces):
    _, images, start = faces
    steps = list(fit_latents(generator, images, start, geometric(0.1, 0.025, 40)))
    first, last = steps[0].terms, steps[-1].terms
    assert set(first) == {"plain", "mse"} and first["mse"].shape == (3,)
    assert (last["plain"] < 0.5 * first["plain"]).all() and (last["mse"] < 0.5 * first["mse"]).all()
    np.testing.assert_allclose(steps[0].images, draw(generator, start), atol=1e-4)
    expected = np.mean((draw(generator, start) - images) ** 2, (1, 2, 3))
    np.testing.assert_allclose(first["mse"], expected, rtol=1e-3)


def test_faces_together_go_the_way_of_each_alone(generator, faces):
    _, images, start = faces
    *_, together = fit_latents(generator, images, start, RATES)
    for k in range(3):
        *_, alone = fit_latents(generator, images[k : k + 1], start[k : k + 1], RATES)
        np.testing.assert_allclose(together.value[k : k + 1], alone.value, atol=2e-3)


def test_levels_that_do_not_move_stay_to_the_bit(generator, faces):
    _, images, start = faces
    *_, last = fit_latents(generator, images, start, RATES, levels=[0, 3])
    still = [1, 2, 4, 5]
    np.testing.assert_array_equal(last.value[:, still], start[:, still])
    assert (np.abs(last.value - start)[:, [0, 3]] > 1e-3).all(2).any()


def test_the_weight_of_the_squares_counts(generator, faces):
    _, images, start = faces
    ends = [
        [*fit_latents(generator, images, start, [0.1] * 3, mse_weight=weight)][-1].value
        for weight in (0.0, 30.0)
    ]
    assert np.abs(ends[0] - ends[1]).max() > 1e-3


@pytest.mark.parametrize(
    "change, words",
    [
        ({"images": np.zeros([1, 3, 8, 8])}, r"pictures have shape \[1, 3, 8, 8\].*\[N, 3, 16, 16\]"),
        ({"start": np.zeros([2, 6, 12])}, r"latents have shape \[2, 6, 12\], 1 pictures"),
        ({"levels": [0, 6]}, "no level 6 in w_plus: this generator has 0 to 5"),
        ({"levels": [-1]}, "no level -1"),
        ({"images": np.full([1, 3, 16, 16], np.nan)}, "step 1: the plain loss is not finite"),
    ],
)
def test_what_cannot_be_fitted_gets_one_line(generator, change, words):
    parts = {"images": np.zeros([1, 3, 16, 16]), "start": np.zeros([1, 6, 12]), "rates": [0.1], **change}
    with pytest.raises(UserError, match=words):
        list(fit_latents(generator, **parts))


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


@pytest.mark.parametrize("kind", ["vgg", "lpips"])
def test_networks_compare_in_a_compiled_program(kind, generator, faces):
    """A warning, which pytest makes an error, would say that it runs in eager mode."""
    paddle.seed(0)
    narrow = (4, 4, 4, 4, 4)
    distance = VggDistance(VGG16(narrow), (1, 3)) if kind == "vgg" else LpipsDistance(LPIPS(narrow))
    _, images, start = faces
    step = next(fit_latents(generator, images, start, [0.1], distance=distance))
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
    steps = list(tune_generator(generator, images[:1], start[:1], num_steps=30, rate=1e-2))
    (_, first, _), (number, last, tuned) = steps[0], steps[-1]
    assert number == 30 and last < 0.5 * first
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
    untuned = Editor(bundle).draw(faces[2][:1])
    *_, (_, _, tuned) = tune_generator(bundle.generator, faces[1][:1], faces[2][:1], num_steps=2, rate=1e-2)
    editor = Editor(bundle.with_parts(generator=tuned))
    drawn = editor.draw(faces[2][:1])
    np.testing.assert_allclose(drawn, draw(tuned, faces[2][:1]), atol=1e-4)
    assert np.abs(drawn - untuned).max() > 1e-2
    assert editor.draw(editor.apply(faces[2][:1], Edit("face", "happy face"))).shape == (1, 3, 16, 16)
