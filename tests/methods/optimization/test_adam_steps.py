# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Adam on latents beside the formulas, and learning rates."""

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.optimization.adam import Adam, adam_steps
from ppstyleclip.methods.optimization.schedules import exponential, rampup_cosine, step_lr

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
    start, rates = np.random.RandomState(1).randn(2, 3, 2).astype(np.float32), exponential(0.2, 0.05, 25)
    *_, last = adam_steps(evaluate_bowl, start, rates, adam)
    np.testing.assert_allclose(last.value, adam_in_words(start, rates, adam), atol=2e-5)
    assert last.value.dtype == np.float32 and last.done == last.total == 25


def test_amsgrad_and_decay_are_not_plain_adam():
    start, rates = np.full([1, 3], 3, np.float32), [0.2] * 25
    ends = [
        [*adam_steps(evaluate_bowl, start, rates, adam)][-1].value
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
    *_, last = adam_steps(evaluate_bowl, start, rates, Adam(weight_decay=0.02, amsgrad=amsgrad))
    np.testing.assert_allclose(last.value, value.numpy(), atol=1e-5)


def test_the_start_is_left_alone_and_every_step_is_a_record():
    start = np.zeros([2, 3], np.float32)
    seen = list(adam_steps(evaluate_bowl, start, [0.1, 0.1], Adam()))
    assert not start.any() and [step.done for step in seen] == [1, 2]
    assert not np.array_equal(seen[0].value, seen[1].value)
    assert list(adam_steps(evaluate_bowl, start, [], Adam())) == []


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

    steps = adam_steps(evaluate, np.zeros([1, 2], np.float32), [0.1] * 5, Adam())
    good = [next(steps), next(steps)]
    with pytest.raises(UserError, match=words):
        next(steps)
    assert all(np.isfinite(step.value).all() for step in good)


# ---- learning rates


def test_rates_in_equal_ratios():
    rates = exponential(0.1, 0.025, 3)
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.025])
    assert exponential(0.1, 0.025, 1) == [0.1] and exponential(0.1, 0.025, 0) == []


def test_rates_that_rise_and_fall():
    rates = rampup_cosine(0.1, 100)
    np.testing.assert_allclose(rates[:6], [0, 0.02, 0.04, 0.06, 0.08, 0.1])
    np.testing.assert_allclose(rates[5:76], 0.1)
    np.testing.assert_allclose(rates[88], 0.1 * (0.5 - 0.5 * np.cos(np.pi * 0.48)))
    assert len(rates) == 100 and 0 < rates[-1] < 0.001
    assert rampup_cosine(0.1, 4, rampup=0)[0] == 0.1


def test_rates_in_stairs():
    np.testing.assert_allclose(step_lr(0.1, 5, step_size=2, gamma=0.5), [0.1, 0.1, 0.05, 0.05, 0.025])
