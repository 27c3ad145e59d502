# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What moves a mapper's weights: Ranger as the published code has it, and Adam.

Ranger, v20.4.11, is RAdam (Liu et al. 2020) on centralised gradients (Yong et al. 2020); and every K steps it
looks ahead (Zhang et al. 2019): slow weights go a part of the way, and the fast ones begin there again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.worker import on_worker

K, ALPHA = 6, 0.5  # the slow weights go this part of the way, every K steps
_THRESHOLD = 5.0  # up to this length of the approximated moving average Ranger does not adapt its step
_STEP = "step"


def ranger(
    value: paddle.Tensor, gradient: paddle.Tensor, memory: dict, step: int, rate: float
) -> tuple[paddle.Tensor, dict]:
    """One update of one parameter by Ranger.

    Args:
        value, gradient: the parameter and its gradient; matrices are `[in, out]`, as Paddle's linear layers
            have them.
        memory: what was kept of the parameter: `mean` and `square` of its gradients, and its `slow` value.
        step: number of this update, from 1.
        rate: learning rate.
    Returns:
        (value, memory) after it; nothing is written into the arguments.
    """
    if gradient.ndim > 1:  # centralised over what goes into one output; torch's matrices are [out, in]
        gradient = gradient - gradient.mean(axis=0, keepdim=True)
    mean, square = _moments(gradient, memory, 0.95, 0.999)
    factor = rate / (1 - 0.95**step)
    rectified = _rectification(step, 0.999)
    moved = mean if rectified is None else rectified * mean / (paddle.sqrt(square) + 1e-5)
    value, slow = value - factor * moved, memory["slow"]
    if step % K == 0:
        value = slow = slow + ALPHA * (value - slow)
    return value, {"mean": mean, "square": square, "slow": slow}


def adam(
    value: paddle.Tensor, gradient: paddle.Tensor, memory: dict, step: int, rate: float
) -> tuple[paddle.Tensor, dict]:
    """One update of one parameter by Adam (Kingma and Ba, 2015); arguments as ranger's."""
    mean, square = _moments(gradient, memory, 0.9, 0.999)
    spread = paddle.sqrt(square / (1 - 0.999**step)) + 1e-8
    return value - rate / (1 - 0.9**step) * mean / spread, {"mean": mean, "square": square}


RULES = {"ranger": ranger, "adam": adam}


def _moments(
    gradient: paddle.Tensor, memory: dict, beta1: float, beta2: float
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """Running means of the gradient and of its square; neither is corrected for its start at 0."""
    return (
        beta1 * memory["mean"] + (1 - beta1) * gradient,
        beta2 * memory["square"] + (1 - beta2) * gradient * gradient,
    )


def _rectification(step: int, beta2: float) -> float | None:
    """RAdam's factor of the adapted step with the correction of `square`; None where it is not adapted."""
    power, longest = beta2**step, 2 / (1 - beta2) - 1
    length = longest - 2 * step * power / (1 - power)
    if length <= _THRESHOLD:
        return None
    share = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
    return math.sqrt((1 - power) * share)


class Optimizer:
    """A rule at work on some parameters; its state is a dict of arrays, from which it goes on exactly.

    Args:
        rule: a key of RULES.
        parameters: `{name: parameter}`.
        rate: learning rate.
    Raises:
        UserError: an unknown rule.
    """

    @on_worker
    def __init__(self, rule: str, parameters: Any, rate: float):
        if rule not in RULES:
            raise UserError(f"unknown optimizer '{rule}', known: {', '.join(RULES)}")
        self.rule, self.parameters, self.rate = RULES[rule], dict(parameters), rate
        self.steps = 0
        kinds = ("mean", "square", "slow") if rule == "ranger" else ("mean", "square")
        self.memory = {
            name: {kind: _first(kind, value) for kind in kinds} for name, value in self.parameters.items()
        }

    @on_worker
    @paddle.no_grad()
    def step(self, gradients: dict[str, paddle.Tensor]) -> None:
        """Move every parameter once, by its gradient in `{name: Tensor}`."""
        self.steps += 1
        for name, parameter in self.parameters.items():
            value, self.memory[name] = self.rule(
                parameter, gradients[name], self.memory[name], self.steps, self.rate
            )
            parameter.set_value(value)

    @on_worker
    def state(self) -> dict[str, np.ndarray]:
        """All that it remembers, `{name: array}`."""
        kept = {
            f"{kind}/{name}": value.numpy()
            for name, kinds in self.memory.items()
            for kind, value in kinds.items()
        }
        return {_STEP: np.array([self.steps], np.int64), **kept}

    @on_worker
    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` gave; the parameters are the caller's to restore.

        Raises:
            UserError: it is the state of another rule or of other parameters.
        """
        wanted = {
            f"{kind}/{name}": value.shape
            for name, kinds in self.memory.items()
            for kind, value in kinds.items()
        }
        if {name: list(value.shape) for name, value in state.items() if name != _STEP} != wanted:
            raise UserError("the optimizer's state is that of another optimizer or another network")
        steps = state.get(_STEP)
        if steps is None or steps.shape != (1,) or not 0 <= steps[0] <= 10**9:
            raise UserError("the optimizer's state does not say its steps, one number from 0 to 1000000000")
        self.steps = int(steps[0])
        for name, kinds in self.memory.items():
            self.memory[name] = {
                kind: paddle.to_tensor(np.asarray(state[f"{kind}/{name}"], np.float32)) for kind in kinds
            }


def _first(kind: str, value: paddle.Tensor) -> paddle.Tensor:
    return value.detach().clone() if kind == "slow" else paddle.zeros_like(value)
