# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One w for all layers that draws a picture: StyleGAN2's projection (Karras et al., 2020, appendix D).

Adam begins at the mean w. What it draws is w with Gaussian noise that fades, so that w does not settle too
soon. StyleGAN2's noise pictures are fitted as well, or w would have to draw hairs and pores; a regulariser
keeps them noise, without a picture in it. At the end they are set aside: the result is w. StyleGAN3 has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import paddle
import paddle.nn.functional as F

from ppstyleclip.methods.checks import check_count, check_number, check_seeds
from ppstyleclip.methods.inversion.distances import Distance, PlainDistance
from ppstyleclip.methods.inversion.fitting import FittingLoss, check_pictures, compile_fitting
from ppstyleclip.methods.optimization.adam import Adam, DescentRecord, adam_steps
from ppstyleclip.methods.optimization.schedules import rampup_cosine
from ppstyleclip.worker import on_worker

LEAST_SIDE = 8  # of the smallest picture in a noise picture's pyramid that the regulariser looks at
_CHUNK = 1000  # samples of w that are drawn at a time


@dataclass(frozen=True)
class ProjectionConfig:
    """How a w is found; the numbers are StyleGAN2's and seed 004's.

    Attributes:
        steps: of Adam.
        learning_rate: before its schedule.
        rampup, rampdown: shares of the steps in which it rises and falls.
        w_samples, w_seed: the mean w and the spread of w are those of so many samples, drawn from this seed.
        w_noise: standard deviation of the noise on w in the first step, in spreads of w.
        w_noise_ramp: share of the steps after which there is none.
        noise_weight: of the regulariser of the noise pictures; 0 leaves the generator's own as they are.
        seed: of the noise on w and of the first noise pictures.
        adam: Adam.
    """

    steps: int = 1000
    learning_rate: float = 0.03
    rampup: float = 0.05
    rampdown: float = 0.25
    w_samples: int = 10_000
    w_seed: int = 123
    w_noise: float = 0.05
    w_noise_ramp: float = 0.75
    noise_weight: float = 1e5
    seed: int = 0
    adam: Adam = Adam()

    def __post_init__(self) -> None:
        check_count("steps", self.steps)
        check_count("w_samples", self.w_samples, least=1)
        check_seeds("seed", [self.seed, self.w_seed])
        for name in ("learning_rate", "rampup", "w_noise", "noise_weight"):
            check_number(name, getattr(self, name))
        for name in ("rampdown", "w_noise_ramp"):
            check_number(name, getattr(self, name), least=1e-6)

    def rates(self) -> list[float]:
        """The learning rate of each step."""
        return rampup_cosine(self.learning_rate, self.steps, rampup=self.rampup, rampdown=self.rampdown)

    def noise_on_w(self) -> list[float]:
        """Standard deviation of the noise on w in each step, in spreads of w."""
        left = [max(0.0, 1 - k / self.steps / self.w_noise_ramp) for k in range(self.steps)]
        return [self.w_noise * share**2 for share in left]


@on_worker
def project(
    generator: Any,
    images: np.ndarray,
    config: ProjectionConfig = ProjectionConfig(),  # noqa: B008  frozen
    *,
    distance: Distance | None = None,
) -> Iterator[DescentRecord]:
    """Find a w that draws given pictures; several at once, each as if alone.

    Args:
        generator: in evaluation mode.
        images: `[N, 3, S, S]` float32 in [-1, 1], of the generator's size.
        config: ProjectionConfig.
        distance: a Distance; LPIPS in the paper; None is PlainDistance.
    Returns:
        iterator of DescentRecord; value is w_plus `[N, L, D]` with one w for all layers; terms are the
        distance's name and "mse", or the distance's name and "noise", where noise pictures are fitted.
    Raises:
        UserError: pictures of another size, or a loss that is not finite.
    """
    images = np.asarray(images, np.float32)
    check_pictures(generator, images)
    mean, spread = measure_w(generator, config.w_samples, config.w_seed)
    random = np.random.RandomState(config.seed)
    start, levels = np.tile(mean, [len(images), 1]), generator.n_latent
    scales = iter(spread * scale for scale in config.noise_on_w())
    has_noise = hasattr(generator, "make_noise") and config.noise_weight > 0
    if not has_noise:
        run = compile_fitting(generator, FittingLoss(0.0), distance=distance)(images)

        def evaluate(w):
            shaken = w + next(scales) * random.standard_normal(w.shape)
            terms, gradient, drawn = run(np.repeat(shaken[:, None].astype(np.float32), levels, axis=1))
            return terms, gradient.sum(axis=1), drawn

        records = adam_steps(evaluate, start, config.rates(), config.adam)
    else:
        pictures = _NoisePictures([picture.shape[-1] for picture in generator.make_noise()])
        loss = _loss_with_noise(generator, images, config.noise_weight, pictures, distance)
        width = start.shape[1]

        def evaluate(value):
            shaken = np.array(value)
            shaken[:, :width] += next(scales) * random.standard_normal([len(value), width])
            return loss(shaken)

        def settle(value):
            return np.concatenate([value[:, :width], pictures.normalised(value[:, width:])], axis=1)

        drawn = random.standard_normal([len(images), pictures.count]).astype(np.float32)
        records = adam_steps(
            evaluate, np.concatenate([start, drawn], axis=1), config.rates(), config.adam, settle=settle
        )
    return (_as_w_plus(record, generator) for record in records)


def _as_w_plus(record: DescentRecord, generator: Any) -> DescentRecord:
    w = record.value[:, : generator.style_dim]
    w_plus = np.repeat(w[:, None], generator.n_latent, axis=1)
    return DescentRecord(record.done, record.total, record.terms, w_plus, record.images)


@on_worker
@paddle.no_grad()
def measure_w(generator: Any, count: int, seed: int) -> tuple[np.ndarray, float]:
    """Return the mean w `[1, D]` of `count` samples, and the root of their mean squared distance from it."""
    z = np.random.RandomState(seed).standard_normal([count, generator.style_dim]).astype(np.float32)
    parts = [
        generator.get_latent(paddle.to_tensor(z[k : k + _CHUNK])).numpy() for k in range(0, count, _CHUNK)
    ]
    w = np.concatenate(parts).astype(np.float64)
    mean = w.mean(axis=0, keepdims=True)
    return mean.astype(np.float32), float(np.sqrt(np.square(w - mean).sum() / count))


@dataclass(frozen=True)
class _NoisePictures:
    """Square noise pictures of one face in a row of numbers."""

    sides: list[int]

    @property
    def count(self) -> int:
        """Numbers of all pictures together."""
        return sum(side**2 for side in self.sides)

    def split(self, flat: Any) -> list[Any]:
        """`[N, count]` as pictures `[N, 1, r, r]`, arrays or tensors."""
        ends = np.cumsum([0, *(side**2 for side in self.sides)]).tolist()
        parts = zip(self.sides, ends, ends[1:])
        return [flat[:, begin:end].reshape([-1, 1, side, side]) for side, begin, end in parts]

    def normalised(self, flat: np.ndarray) -> np.ndarray:
        """Each picture with a mean of 0 and a mean square of 1."""
        made = []
        for picture in self.split(flat):
            centred = picture - picture.mean(axis=(2, 3), keepdims=True)
            scale = np.sqrt(np.square(centred).mean(axis=(2, 3), keepdims=True))
            made.append((centred / np.maximum(scale, 1e-12)).reshape(len(flat), -1))
        return np.concatenate(made, axis=1)


def _loss_with_noise(
    generator: Any, images: np.ndarray, weight: float, pictures: _NoisePictures, distance: Distance | None
) -> Callable[[np.ndarray], tuple]:
    """The loss of w and its noise pictures `[N, D + count]`, for adam_steps; gradients are Paddle's."""
    measured = PlainDistance() if distance is None else distance
    measured.eval()
    with paddle.no_grad():
        wanted = measured.prepare(paddle.to_tensor(images))

    def evaluate(value: np.ndarray) -> tuple:
        leaf = paddle.to_tensor(value, stop_gradient=False)
        noises = pictures.split(leaf[:, generator.style_dim :])
        drawn = generator.synthesis(
            generator.style_affine(leaf[:, : generator.style_dim]), noise=noises, randomize_noise=False
        )
        apart, pattern = measured(drawn, wanted), noise_pattern(noises)
        (gradient,) = paddle.grad([paddle.sum(apart + weight * pattern)], [leaf])
        terms = {measured.name: apart.numpy(), "noise": pattern.numpy()}
        return terms, gradient.numpy(), drawn.numpy()

    return evaluate


def noise_pattern(noises: list[paddle.Tensor]) -> paddle.Tensor:
    """How far noise pictures `[N, 1, r, r]` are from noise, `[N]`: squared correlations of neighbours.

    The mean product of a picture and itself moved by a pixel, right and down and squared, is added over all
    pictures and their halvings to LEAST_SIDE: what is no noise is like its neighbourhood on some scale.
    """
    parts = []
    for picture in noises:
        while True:
            for axis in (3, 2):
                product = paddle.mean(picture * paddle.roll(picture, 1, axis), axis=[1, 2, 3])
                parts.append(product * product)
            if picture.shape[-1] <= LEAST_SIDE:
                break
            picture = F.avg_pool2d(picture, 2, 2)
    return paddle.add_n(parts)
