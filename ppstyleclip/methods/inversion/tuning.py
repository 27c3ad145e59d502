# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Change a generator around latents that stay until it draws a picture (Roich et al. 2021, PTI)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle

from ppstyleclip.methods.checks import check_count, check_number
from ppstyleclip.methods.inversion.distances import Distance, PlainDistance, mean_square, shrink
from ppstyleclip.worker import on_worker


@dataclass(frozen=True)
class TuningConfig:
    """How a generator is tuned.

    Attributes:
        steps: of Adam on the weights of the synthesis, at least 1.
        rate: its learning rate.
        mse_weight: weight of the squared differences beside the distance.
    """

    steps: int = 350
    rate: float = 3e-4
    mse_weight: float = 1.0

    def __post_init__(self) -> None:
        check_count("steps", self.steps, least=1)
        for name in ("rate", "mse_weight"):
            check_number(name, getattr(self, name))


@dataclass(frozen=True, eq=False)
class TuningStep:
    """One step of tuning.

    Attributes:
        done, total: steps.
        loss: before this step.
        generator: the copy that is being tuned; it goes on changing until the last step.
    """

    done: int
    total: int
    loss: float
    generator: Any


@on_worker
def tune_generator(
    generator: Any,
    image: np.ndarray,
    w_plus: np.ndarray,
    config: TuningConfig = TuningConfig(),  # noqa: B008  frozen
    *,
    distance: Distance | None = None,
) -> Iterator[TuningStep]:
    """Change a generator until fixed latents draw a picture.

    Args:
        generator: in evaluation mode; it is left as it is, a copy changes.
        image: `[1, 3, S, S]` float32 in [-1, 1].
        w_plus: `[1, L, D]`.
        config: TuningConfig.
        distance: a Distance; None is PlainDistance.
    Yields:
        TuningStep.
    """
    tuned = copy.deepcopy(generator)
    distance = PlainDistance() if distance is None else distance
    target, latent = (paddle.to_tensor(np.asarray(part, np.float32)) for part in (image, w_plus))
    with paddle.no_grad():
        wanted = distance.prepare(target)
    weights = [weight for name, weight in tuned.named_parameters() if not name.startswith("style.")]
    for weight in weights:
        weight.stop_gradient = False
    optimizer = paddle.optimizer.Adam(config.rate, parameters=weights)
    for done in range(1, config.steps + 1):
        drawn = tuned.synthesis_from_styles(tuned.style_affine(latent))
        mse = mean_square(shrink(drawn) - shrink(target))
        loss = paddle.mean(distance(drawn, wanted) + config.mse_weight * mse)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        yield TuningStep(done, config.steps, float(loss), tuned)
