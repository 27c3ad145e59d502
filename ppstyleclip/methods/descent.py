# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Adam on latents: what fitting and optimisation have in common.

The latents are a NumPy array and the loss is a function that gives its gradient, so compiled and eager
arithmetic are driven alike. Adam works on each number by itself: N latents in one array go the way that each
would go alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError


@dataclass(frozen=True, eq=False)
class Step:
    """One evaluation and the update that followed it.

    Attributes:
        number: from 1.
        total: of all.
        terms: `{name: [N]}` parts of the loss, of the latents before the update.
        value: `[N, ...]` the latents after it.
        images: `[N, 3, H, W]` what the loss saw: drawn from the latents before it, or from near them.
    """

    number: int
    total: int
    terms: dict
    value: np.ndarray
    images: Any


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015), with AdamW's decay and AMSGrad where they are asked for."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False


def descend(evaluate, start, rates, adam):
    """Yield a Step after each update.

    Args:
        evaluate: function of the latents; gives (`{name: [N]}`, gradient of the sum of the losses, images).
        start: `[N, ...]` latents.
        rates: the learning rate of each step, as many as there are steps.
        adam: an Adam.
    Raises:
        UserError: the loss or its gradient is not finite; names the step. What was yielded before stays good.
    """
    value = np.array(start, np.float32)
    mean, square, largest = (np.zeros(value.shape, np.float64) for _ in range(3))
    for number, rate in enumerate(rates, 1):
        terms, gradient, images = evaluate(value)
        _check_finite(number, terms, gradient)
        mean = adam.beta1 * mean + (1 - adam.beta1) * gradient
        square = adam.beta2 * square + (1 - adam.beta2) * np.square(gradient, dtype=np.float64)
        largest = np.maximum(largest, square) if adam.amsgrad else square
        spread = np.sqrt(largest / (1 - adam.beta2**number)) + adam.epsilon
        moved = value * (1 - rate * adam.weight_decay) - rate * mean / (1 - adam.beta1**number) / spread
        value = moved.astype(np.float32)
        yield Step(number, len(rates), terms, value, images)


def _check_finite(number, terms, gradient):
    odd = [name for name, values in terms.items() if not np.isfinite(values).all()]
    if odd or not np.isfinite(gradient).all():
        what = f"the {odd[0]} loss" if odd else "the gradient"
        raise UserError(f"step {number}: {what} is not finite (NaN or infinity); use a smaller learning rate")


def geometric(first, last, count) -> list:
    """Learning rates from `first` to `last` in equal ratios (PaddleGAN's fitting)."""
    return [first * (last / first) ** (k / max(1, count - 1)) for k in range(count)]


def ramped(rate, count, *, up=0.05, down=0.25) -> list:
    """Learning rates that rise linearly over the first share of the steps and end in a cosine (StyleGAN2).

    The first is 0, as in StyleCLIP's code.
    """
    rates = []
    for k in range(count):
        t = k / count
        fall = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / down))
        rates.append(rate * fall * (min(1.0, t / up) if up > 0 else 1.0))
    return rates


def stepped(rate, count, *, every, factor) -> list:
    """Learning rates that are multiplied by `factor` after each `every` steps."""
    return [rate * factor ** (k // every) for k in range(count)]
