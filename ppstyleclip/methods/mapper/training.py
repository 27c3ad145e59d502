# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of latent mappers (StyleCLIP, section 5; seed 000 for several texts in one mapper).

    w_hat = w + scale * mapper(w[, text])
    loss = clip (1 - cos(CLIP(G(w_hat)), text)) + l2 |w_hat - w|^2 + identity (1 - cos(R(G(w_hat)), R(G(w))))

The picture losses and their gradient at w_hat are one compiled program; the mapper itself is small and eager.
What a step draws at random follows from its number, so a run that goes on draws what it would have drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper.config import TrainingConfig
from ppstyleclip.methods.mapper.data import LatentDataset
from ppstyleclip.methods.mapper.loss import ImageLoss
from ppstyleclip.methods.mapper.optimizers import Optimizer
from ppstyleclip.methods.mapper.text_sets import TextSet
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.models.state import load_state
from ppstyleclip.worker import on_worker

TRAIN, VAL = "train", "held_out"  # names of the curves, as they stand in files
_BLOWN = 1e4  # times the latents' mean square: a longer step means that the training has diverged


def _alone(array: np.ndarray) -> np.ndarray:
    return array


@dataclass(frozen=True)
class ProcessGroup:
    """This process among those that train together.

    Attributes:
        rank, count: 0 <= rank < count.
        all_reduce: function of a float32 array `[P]`; gives its sum over all processes.
    """

    rank: int = 0
    count: int = 1
    all_reduce: Callable[[np.ndarray], np.ndarray] = _alone

    def share(self, rows: np.ndarray) -> np.ndarray:
        """The part of `rows` that is this process's."""
        return np.array_split(rows, self.count)[self.rank]


ALONE = ProcessGroup()


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """The state of a training before its next update; its loss is finite, so that it may be saved.

    Attributes:
        done: number of updates so far.
        total: of all updates.
        terms: `{name: mean over the batch}`, parts of the loss and the `loss` itself.
        val: the same over the validation latents, where they were validated; else None.
        is_best: whether that loss is the lowest so far.
        is_last: whether the training ends here.
        value: the Training, which holds the mapper; the next update changes it in place.
    """

    done: int
    total: int
    terms: dict[str, float]
    val: dict[str, float] | None
    is_best: bool
    is_last: bool
    value: Training


class Training:
    """A mapper in training: all that a checkpoint holds.

    Args:
        network_config: for build_mapper.
        vectors: `[K, T]` vectors of the texts, or None.
        texts: TextSet.
        config: TrainingConfig.

    Attributes: `network`; `step`, the number of updates so far; `curves`, `{TRAIN or VAL: {name:
    [values]}}`, among them a list `step` with the step of each value.
    """

    @on_worker
    def __init__(
        self, network_config: dict, vectors: np.ndarray | None, texts: TextSet, config: TrainingConfig
    ):
        paddle.seed(config.seed)
        self.network, self.network_config = build_mapper(network_config), network_config
        self.config = config
        self.optimizer = Optimizer(config.optimizer, self.network.named_parameters(), config.learning_rate)
        self.vectors = None if vectors is None else _sum_by_class(vectors, texts)
        self.step = 0
        self.curves: dict[str, dict[str, list]] = {TRAIN: {}, VAL: {}}

    @on_worker
    def edit(self, dataset: LatentDataset, rows: np.ndarray) -> paddle.Tensor:
        """`[N, ...]` some of the latents, each edited for its class."""
        latent = paddle.to_tensor(dataset.latents[rows])
        text = () if self.vectors is None else (paddle.to_tensor(self.vectors[dataset.classes[rows]]),)
        with paddle.amp.auto_cast(enable=self.config.mixed_precision, dtype="bfloat16"):
            moved = self.network(latent, *text)
        return latent + self.config.mapper.scale * moved.astype("float32")

    def best(self) -> tuple[int, int] | None:
        """(step of the lowest validation loss, validations since then); None before the first."""
        losses = self.curves[VAL].get("loss", [])
        if not losses:
            return None
        place = int(np.argmin(losses))
        return int(self.curves[VAL]["step"][place]), len(losses) - 1 - place

    def log(self, curve: str, terms: dict[str, float]) -> None:
        """Add a point at this step to a curve, in place of one that a stopped run had there or beyond."""
        lines = self.curves[curve]
        earlier = sum(step < self.step for step in lines.get("step", []))
        self.curves[curve] = {
            name: [*lines.get(name, [])[:earlier], value]
            for name, value in {"step": self.step, **terms}.items()
        }

    @on_worker
    def state(self) -> dict[str, np.ndarray]:
        """`{name: array}` of everything."""
        weights = {f"mapper/{name}": value.numpy() for name, value in self.network.state_dict().items()}
        moments = {f"optimiser/{name}": value for name, value in self.optimizer.state().items()}
        curves = {
            f"{curve}/{name}": np.array(values, np.float64)
            for curve, lines in self.curves.items()
            for name, values in lines.items()
        }
        return {"step": np.array([self.step], np.int64), **weights, **moments, **curves}

    @on_worker
    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` gave.

        Raises:
            UserError: it is the state of another network or optimizer.
        """
        parts: dict[str, dict] = {}
        for key, value in state.items():
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = value
        try:
            load_state(self.network, parts.get("mapper", {}), "mapper")
        except ValueError as error:
            raise UserError(f"this checkpoint is of another mapper: {error}") from None
        step, curves = _checked_step(state), {curve: _checked_curve(parts, curve) for curve in self.curves}
        self.optimizer.load_state(parts.get("optimiser", {}))
        self.step, self.curves = step, curves


def _checked_step(state: dict[str, np.ndarray]) -> int:
    """The number of updates that a state counts."""
    step = state.get("step")
    if step is None or step.shape != (1,) or step.dtype.kind not in "iu" or not 0 <= step[0] <= 10**9:
        raise UserError("this checkpoint is damaged: 'step' is not one whole number from 0 to 1000000000")
    return int(step[0])


def _checked_curve(parts: dict[str, dict], curve: str) -> dict[str, list]:
    """The lines of a curve, `{name: [values]}`, each with a value for each of its steps."""
    lines = parts.get(curve, {})
    lengths = {values.shape for values in lines.values()}
    is_curve = all(values.ndim == 1 and values.dtype.kind in "fiu" for values in lines.values())
    if not is_curve or len(lengths) > 1 or lines and "step" not in lines:
        raise UserError(f"this checkpoint is damaged: the curve '{curve}' has lines of different lengths")
    return {name: values.tolist() for name, values in lines.items()}


def _sum_by_class(vectors: np.ndarray, texts: TextSet) -> np.ndarray:
    return np.stack([np.sum(vectors[list(members)], axis=0, dtype=np.float32) for members in texts.classes])


@on_worker
def train(
    training: Training,
    loss: ImageLoss,
    dataset: LatentDataset,
    validation: LatentDataset | None,
    *,
    group: ProcessGroup = ALONE,
) -> Iterator[TrainingRecord]:
    """Train a mapper, from where its state is to config.steps.

    Args:
        training: Training; it is updated in place.
        loss: ImageLoss.
        dataset: latents to learn from; each step draws config.batch_size of them.
        validation: latents to validate on; None for never.
        group: the processes that share each batch.
    Yields:
        TrainingRecord before each update, and after the last: what is saved then has a finite loss. The
        training ends after config.steps updates, or when config.patience validations brought no new best.
    Raises:
        UserError: fewer latents of a batch than processes; a loss that is not finite or a step that has grown
            beyond all measure, by too high a learning rate. What was saved before stays good.
    """
    config = training.config
    if config.batch_size < group.count:
        raise UserError(
            f"a batch of {config.batch_size} cannot be shared among {group.count} processes; "
            f"use a batch size of at least {group.count}"
        )
    while True:
        random = np.random.RandomState((training.step + config.seed) % 2**32)
        rows = random.randint(0, len(dataset), config.batch_size)
        terms, gradients = _evaluate(training, loss, dataset, rows, group)
        _check(training, dataset, terms, gradients)
        training.log(TRAIN, terms)
        is_last, val = training.step >= config.steps, None
        if (
            validation is not None
            and training.step
            and (training.step % config.validate_every == 0 or is_last)
        ):
            val = _validate(training, loss, validation, group)
            training.log(VAL, val)
        best_step, waited = training.best() or (-1, 0)
        is_best = val is not None and best_step == training.step
        is_last = is_last or (val is not None and 0 < config.patience <= waited)
        yield TrainingRecord(training.step, config.steps, terms, val, is_best, is_last, training)
        if is_last:
            return
        training.optimizer.step(gradients)
        training.step += 1


def _evaluate(
    training: Training, loss: ImageLoss, dataset: LatentDataset, rows: np.ndarray, group: ProcessGroup
) -> tuple[dict[str, float], dict[str, paddle.Tensor]]:
    """Mean terms of a batch and the gradients of its loss, by all processes together."""
    own = group.share(rows)
    edited = training.edit(dataset, own)
    terms, slope = loss(dataset, own, edited.numpy())
    parameters = dict(training.network.named_parameters())
    found = paddle.grad([edited], list(parameters.values()), [paddle.to_tensor(slope / len(rows))])
    sums = _with_loss({name: values.sum() / len(rows) for name, values in terms.items()}, training.config)
    flat = group.all_reduce(
        np.concatenate([np.array(list(sums.values()), np.float32), *(one.numpy().ravel() for one in found)])
    )
    means = dict(zip(sums, flat[: len(sums)].tolist()))
    ends = np.cumsum([len(sums), *(one.size for one in found)])
    gradients = {
        name: paddle.to_tensor(flat[start:end].reshape(parameter.shape))
        for (name, parameter), start, end in zip(parameters.items(), ends, ends[1:])
    }
    return means, gradients


def _validate(
    training: Training, loss: ImageLoss, validation: LatentDataset, group: ProcessGroup
) -> dict[str, float]:
    """Mean terms over all validation latents."""
    size, places = training.config.batch_size, np.arange(len(validation))
    sums = dict.fromkeys(loss.parts, 0.0)
    for start in range(size * group.rank, len(places), size * group.count):
        rows = places[start : start + size]
        with paddle.no_grad():
            edited = training.edit(validation, rows).numpy()
        for name, values in loss(validation, rows, edited)[0].items():
            sums[name] += float(values.sum())
    means = group.all_reduce(np.array(list(sums.values()), np.float32)) / len(validation)
    return _with_loss(dict(zip(sums, means.tolist())), training.config)


def _with_loss(terms: dict, config: TrainingConfig) -> dict:
    return {**terms, "loss": sum(config.objective.coefficient(name) * value for name, value in terms.items())}


def _check(training: Training, dataset: LatentDataset, terms: dict, gradients: dict) -> None:
    cure = "use a smaller learning rate; what was saved before is kept"
    odd = [name for name, value in terms.items() if not np.isfinite(value)]
    if odd or not all(bool(paddle.isfinite(gradient).all()) for gradient in gradients.values()):
        what = f"the {odd[0]} loss" if odd else "the gradient"
        raise UserError(f"step {training.step}: {what} is not finite (NaN or infinity); {cure}")
    if terms["l2"] > _BLOWN * float(np.mean(dataset.latents[:100] ** 2)) * _summed_layers(training):
        raise UserError(
            f"step {training.step}: the mapper's steps have grown to many times the latents "
            f"(squared distance {terms['l2']:.3g}); {cure}"
        )


def _summed_layers(training: Training) -> Any:
    return len(training.network_config.get("style_dims", [0]))  # in s, l2 adds up the means of the layers
