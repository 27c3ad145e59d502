# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Move latents by Adam until they draw a picture: PaddleGAN's fitting, Image2StyleGAN (Abdal et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import paddle
import paddle.nn as nn

from ppstyleclip.engine import compile_gradient
from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_count, check_number, check_signed
from ppstyleclip.methods.inversion.distances import Distance, PlainDistance, mean_square, shrink
from ppstyleclip.methods.optimization.adam import Adam, DescentRecord, adam_steps
from ppstyleclip.methods.optimization.schedules import exponential
from ppstyleclip.models.forms import inference_of
from ppstyleclip.worker import on_worker


@dataclass(frozen=True)
class FittingLoss:
    """What the loss of a fitting is made of. A compiled loss is kept under all of these fields.

    Attributes:
        mse_weight: weight of the squared differences of the pictures, beside the distance.
    """

    mse_weight: float = 1.0

    def __post_init__(self) -> None:
        check_number("mse_weight", self.mse_weight)


@dataclass(frozen=True)
class FittingConfig:
    """How latents are fitted; the rates and the loss are those of PaddleGAN's fitting.

    Attributes:
        steps: of Adam; 0 leaves the latents as they are.
        start_rate, last_rate: learning rates, in equal ratios from the one to the other.
        levels: layers of w_plus that move; None is all.
        loss: FittingLoss.
        adam: Adam.
    """

    steps: int = 60
    start_rate: float = 0.1
    last_rate: float = 0.025
    levels: tuple[int, ...] | None = None
    loss: FittingLoss = FittingLoss()
    adam: Adam = Adam()

    def __post_init__(self) -> None:
        check_count("steps", self.steps)
        for name in ("start_rate", "last_rate"):
            check_signed(name, getattr(self, name))

    def rates(self) -> list[float]:
        """Return the learning rate of each step."""
        return exponential(self.start_rate, self.last_rate, self.steps)


class _Objective(nn.Layer):
    """w_plus to the mean loss, its parts and the pictures."""

    def __init__(self, generator: Any, distance: Distance, config: FittingLoss):
        super().__init__()
        self.affine, self.draw = generator, inference_of(generator).differentiable()
        self.distance, self.config = distance, config

    def forward(self, tensors: dict[str, paddle.Tensor]) -> list[paddle.Tensor]:
        images = self.draw(self.affine.style_affine(tensors["w_plus"]))
        wanted = [tensors[name] for name in sorted(tensors) if name.startswith("wanted")]
        apart = self.distance(images, wanted)
        mse = mean_square(shrink(images) - tensors["target"])
        return [paddle.mean(apart + self.config.mse_weight * mse), apart, mse, images]


@on_worker
def fit_latents(
    generator: Any,
    images: np.ndarray,
    start: np.ndarray,
    config: FittingConfig = FittingConfig(),  # noqa: B008  frozen
    *,
    distance: Distance | None = None,
) -> Iterator[DescentRecord]:
    """Move latents until they draw given pictures; several at once, each as if alone.

    Args:
        generator: in evaluation mode.
        images: `[N, 3, S, S]` float32 in [-1, 1], of the generator's size.
        start: w_plus `[N, L, D]`, such as an encoder's, or the mean latent.
        config: FittingConfig.
        distance: a Distance; None is PlainDistance.
    Returns:
        iterator of DescentRecord; terms are the distance's name and "mse".
    Raises:
        UserError: shapes disagree, a level that is not there, or a loss that is not finite.
    """
    return latent_fitter(generator, config, distance=distance)(images, start)


def latent_fitter(
    generator: Any,
    config: FittingConfig = FittingConfig(),  # noqa: B008  frozen
    *,
    distance: Distance | None = None,
) -> Callable[[np.ndarray, np.ndarray], Iterator[DescentRecord]]:
    """Make fit_latents a function of pictures, for one group of them after another.

    Its compiled loss is loaded for the first ones, and freed when nothing refers to the function any more.

    Args:
        generator, config, distance: as for fit_latents.
    Returns:
        function of `images` and `start`, as fit_latents takes them; gives what that gives.
    """
    compiled = compile_fitting(generator, config.loss, distance=distance)

    @on_worker
    def fit(images: np.ndarray, start: np.ndarray) -> Iterator[DescentRecord]:
        images, start = np.asarray(images, np.float32), np.asarray(start, np.float32)
        _check(generator, images, start, config.levels)
        run = compiled(images)
        moving = np.zeros([1, generator.n_latent, 1], np.float32)
        moving[:, slice(None) if config.levels is None else list(config.levels)] = 1.0

        def evaluate(w_plus):
            terms, gradient, drawn = run(w_plus)
            return terms, gradient * moving, drawn

        return adam_steps(evaluate, start, config.rates(), config.adam)

    return fit


def compile_fitting(
    generator: Any, loss: FittingLoss, *, distance: Distance | None = None
) -> Callable[[np.ndarray], Callable[[np.ndarray], tuple]]:
    """Make the loss of a fitting a fast function, compiled once whatever the pictures are.

    Args:
        generator, distance: as for fit_latents.
        loss: FittingLoss.
    Returns:
        function of images `[N, 3, S, S]` float32; gives one of w_plus `[N, L, D]`, which gives
        (`{term: [N]}`, gradient of the sum of the losses, images), as adam_steps asks it.
    """
    distance = PlainDistance() if distance is None else distance
    distance.eval()
    run = None

    def loss_of(images: np.ndarray) -> Callable[[np.ndarray], tuple]:
        nonlocal run
        target = paddle.to_tensor(images)
        with paddle.no_grad():
            wanted = {f"wanted_{k}": part.numpy() for k, part in enumerate(distance.prepare(target))}
            fixed = {"target": shrink(target).numpy(), **wanted}
        if run is None:
            shapes = {name: [-1, *array.shape[1:]] for name, array in fixed.items()}
            shapes = {"w_plus": [-1, generator.n_latent, generator.style_dim], **shapes}
            run = compile_gradient(_Objective(generator, distance, loss), shapes, ["w_plus"])
        compiled = run

        def evaluate(w_plus):
            (_, apart, mse, drawn), gradients = compiled({"w_plus": w_plus, **fixed})
            return {distance.name: apart, "mse": mse}, gradients["w_plus"] * len(w_plus), drawn

        return evaluate

    return loss_of


def check_pictures(generator: Any, images: np.ndarray) -> None:
    """Refuse pictures of another size than the generator's."""
    size = generator.size
    if list(images.shape[1:]) != [3, size, size]:
        raise UserError(
            f"pictures have shape {list(images.shape)}, this generator draws [N, 3, {size}, {size}]"
        )


def _check(generator: Any, images: np.ndarray, start: np.ndarray, levels: tuple[int, ...] | None) -> None:
    check_pictures(generator, images)
    latent = [generator.n_latent, generator.style_dim]
    if list(start.shape) != [len(images), *latent]:
        raise UserError(
            f"latents have shape {list(start.shape)}, {len(images)} pictures of this generator "
            f"have {[len(images), *latent]}"
        )
    odd = [level for level in levels or () if not 0 <= level < latent[0]]
    if odd:
        raise UserError(f"there is no level {odd[0]} in w_plus: this generator has 0 to {latent[0] - 1}")
