# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Adam on latents: what inversion by optimisation and latent optimisation have in common.

The latents are a NumPy array and the loss is a function that gives its gradient, so compiled and eager
arithmetic are driven alike. Adam works on each number by itself: N latents in one array go the way that each
would go alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Callable

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.schema import Between, check_fields


@dataclass(frozen=True, eq=False)
class DescentRecord:
    """One evaluation of the loss and the update that followed it.

    Attributes:
        done: number of this step, from 1.
        total: of all steps.
        terms: `{name: [N]}` parts of the loss, of the latents before the update.
        value: `[N, ...]` the latents after it.
        images: `[N, 3, H, W]` what the loss saw: drawn from the latents before it, or from near them.
    """

    done: int
    total: int
    terms: dict[str, np.ndarray]
    value: np.ndarray
    images: Any

    @property
    def number(self) -> int:
        """The name of `done` in version 0.1; it goes with the next release."""
        warnings.warn("a record's number is `done` now", DeprecationWarning, stacklevel=2)
        return self.done


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, 2015), with AdamW's decay and AMSGrad where they are asked for."""

    beta1: Annotated[float, Between(0, 1, below=True)] = 0.9
    beta2: Annotated[float, Between(0, 1, below=True)] = 0.999
    epsilon: Annotated[float, Between(0, 1e3)] = 1e-8
    weight_decay: Annotated[float, Between(0, 1e3)] = 0.0
    amsgrad: bool = False

    def __post_init__(self) -> None:
        check_fields(self)


def adam_steps(
    evaluate: Callable[[np.ndarray], tuple],
    start: np.ndarray,
    learning_rates: Sequence[float],
    adam: Adam,
    *,
    settle: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Iterator[DescentRecord]:
    """Yield a record after each update.

    Args:
        evaluate: function of the latents; gives (`{name: [N]}`, gradient of the sum of the losses, images).
        start: `[N, ...]` latents.
        learning_rates: of each step, as many as there are steps.
        adam: an Adam.
        settle: gives, of the latents after an update, those that count; None leaves them.
    Raises:
        UserError: the loss or its gradient is not finite; names the step. What was yielded before stays good.
    """
    value = np.array(start, np.float32)
    mean, square, largest = (np.zeros(value.shape, np.float64) for _ in range(3))
    for number, rate in enumerate(learning_rates, 1):
        terms, gradient, images = evaluate(value)
        _check_finite(number, terms, gradient)
        mean = adam.beta1 * mean + (1 - adam.beta1) * gradient
        square = adam.beta2 * square + (1 - adam.beta2) * np.square(gradient, dtype=np.float64)
        largest = np.maximum(largest, square) if adam.amsgrad else square
        spread = np.sqrt(largest / (1 - adam.beta2**number)) + adam.epsilon
        moved = value * (1 - rate * adam.weight_decay) - rate * mean / (1 - adam.beta1**number) / spread
        value = moved.astype(np.float32)
        value = value if settle is None else settle(value)
        yield DescentRecord(number, len(learning_rates), terms, value, images)


def _check_finite(number: int, terms: dict, gradient: np.ndarray) -> None:
    odd = [name for name, values in terms.items() if not np.isfinite(values).all()]
    if odd or not np.isfinite(gradient).all():
        what = f"the {odd[0]} loss" if odd else "the gradient"
        raise UserError(f"step {number}: {what} is not finite (NaN or infinity); use a smaller learning rate")
