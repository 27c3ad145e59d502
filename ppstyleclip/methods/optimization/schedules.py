# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Learning rates of the steps of an optimisation."""

from __future__ import annotations

import math


def rampup_cosine(learning_rate: float, steps: int, *, rampup: float = 0.05, rampdown: float = 0.25) -> list:
    """Rates that rise linearly over the first share of the steps and end in a cosine (StyleGAN2).

    The first is 0, as in StyleCLIP's code.
    """
    rates = []
    for k in range(steps):
        t = k / steps
        fall = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - t) / rampdown))
        rates.append(learning_rate * fall * (min(1.0, t / rampup) if rampup > 0 else 1.0))
    return rates


def step_lr(learning_rate: float, steps: int, *, step_size: int, gamma: float) -> list:
    """Rates that are multiplied by `gamma` after each `step_size` steps."""
    return [learning_rate * gamma ** (k // step_size) for k in range(steps)]


def exponential(first: float, last: float, steps: int) -> list:
    """Rates from `first` to `last` in equal ratios (PaddleGAN's fitting)."""
    return [first * (last / first) ** (k / max(1, steps - 1)) for k in range(steps)]


# Name in OptimizationConfig.schedule -> function of the configuration that gives the rate of each step.
SCHEDULES = {
    "rampup_cosine": lambda config: rampup_cosine(
        config.learning_rate, config.steps, rampup=config.rampup, rampdown=config.rampdown
    ),
    "step_lr": lambda config: step_lr(
        config.learning_rate, config.steps, step_size=config.step_size, gamma=config.gamma
    ),
}
