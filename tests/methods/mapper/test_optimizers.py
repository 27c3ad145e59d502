# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Ranger and Adam against their formulas written out in NumPy, and states that resume."""

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper.optimizers import RULES, Optimizer, _rectification


def drawn(seed=0):
    random = np.random.RandomState(seed)
    return {"weight": random.randn(3, 4).astype(np.float32), "bias": random.randn(4).astype(np.float32)}


def moved(optimiser, parameters, steps, first=0):
    for step in range(first, first + steps):
        optimiser.step({name: paddle.to_tensor(value) for name, value in drawn(100 + step).items()})
    return {name: value.numpy() for name, value in parameters.items()}


def fresh(rule):
    parameters = {name: paddle.to_tensor(value) for name, value in drawn().items()}
    return Optimizer(rule, parameters, 0.5), parameters


def ranger_by_hand(name, steps, rate=0.5, alpha=0.5, k=6, beta1=0.95, beta2=0.999):
    value = drawn()[name].astype(np.float64)
    slow, mean, square = value.copy(), 0.0, 0.0
    longest = 2 / (1 - beta2) - 1
    for t in range(1, steps + 1):
        gradient = drawn(99 + t)[name].astype(np.float64)
        if name == "weight":
            gradient = gradient - gradient.mean(axis=0, keepdims=True)
        mean, square = beta1 * mean + (1 - beta1) * gradient, beta2 * square + (1 - beta2) * gradient**2
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        if length > 5:
            r = np.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            spread = np.sqrt(square / (1 - beta2**t)) + 1e-5 / np.sqrt(1 - beta2**t)
            value = value - rate * r * mean / (1 - beta1**t) / spread
        else:
            value = value - rate * mean / (1 - beta1**t)
        if t % k == 0:
            slow = slow + alpha * (value - slow)
            value = slow.copy()
    return value


@pytest.mark.parametrize("steps", [1, 5, 6, 7, 20])
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_ranger_is_its_formula(steps, name):
    """Not adapted up to step 5, adapted from 6 on, slow weights at 6, 12 and 18."""
    found = moved(*fresh("ranger"), steps)[name]
    np.testing.assert_allclose(found, ranger_by_hand(name, steps), rtol=2e-5, atol=2e-6)


def test_the_step_is_adapted_from_the_sixth_on():
    assert [_rectification(step, 0.999) is not None for step in range(1, 9)] == [False] * 5 + [True] * 3


def test_a_gradient_that_is_the_same_for_all_inputs_moves_no_matrix():
    optimiser, parameters = fresh("ranger")
    optimiser.step(
        {"weight": paddle.ones([3, 1]) * paddle.to_tensor([1.0, 2, 3, 4]), "bias": paddle.ones([4])}
    )
    np.testing.assert_array_equal(parameters["weight"].numpy(), drawn()["weight"])
    assert (parameters["bias"].numpy() != drawn()["bias"]).all()


def test_adam_is_paddles():
    theirs = [paddle.create_parameter([3, 4], "float32"), paddle.create_parameter([4], "float32")]
    for parameter, value in zip(theirs, drawn().values()):
        parameter.set_value(value)
    optimiser = paddle.optimizer.Adam(0.5, parameters=theirs)
    for step in range(7):
        for parameter, value in zip(theirs, drawn(100 + step).values()):
            parameter.grad = paddle.to_tensor(value)
        optimiser.step()
    for parameter, value in zip(theirs, moved(*fresh("adam"), 7).values()):
        np.testing.assert_allclose(value, parameter.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", RULES)
def test_going_on_from_a_state_equals_never_having_stopped(kind):
    whole = moved(*fresh(kind), 15)
    optimiser, parameters = fresh(kind)
    moved(optimiser, parameters, 8)
    state = {name: value.copy() for name, value in optimiser.state().items()}
    after = {name: paddle.to_tensor(value.numpy()) for name, value in parameters.items()}
    again = Optimizer(kind, after, 0.5)
    again.load_state(state)
    for name, value in moved(again, after, 7, first=8).items():
        np.testing.assert_array_equal(value, whole[name])


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match="unknown optimizer 'sgd', known: ranger, adam"):
        Optimizer("sgd", {}, 0.5)
    with pytest.raises(UserError, match="another optimizer"):
        fresh("ranger")[0].load_state(fresh("adam")[0].state())
