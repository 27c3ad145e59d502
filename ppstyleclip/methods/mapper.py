# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of latent mappers (StyleCLIP, section 5; seed 000 for several texts in one mapper).

    w_hat = w + scale * mapper(w[, text])
    loss = clip (1 - cos(CLIP(G(w_hat)), text)) + l2 |w_hat - w|^2 + identity (1 - cos(R(G(w_hat)), R(G(w))))

The picture losses and their gradient at w_hat are one compiled program; the mapper itself is small and eager.
What a step draws at random follows from its number, so a run that goes on draws what it would have drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.ranger import Optimiser
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.models.state import load_state

_BLOWN = 1e4  # times the latents' own mean square: a step so long is no edit any more


def _alone(array):
    return array


@dataclass(frozen=True)
class Workers:
    """This process among those that train together.

    Attributes:
        rank, count: 0 <= rank < count.
        total: function of a float32 array `[P]`; gives its sum over all processes.
    """

    rank: int = 0
    count: int = 1
    total: Callable = _alone

    def share(self, rows):
        """The part of `rows` that is this process's."""
        return np.array_split(rows, self.count)[self.rank]


@dataclass(frozen=True, eq=False)
class Record:
    """The state of a training before its next update; what is saved now has proved to be sound.

    Attributes:
        step: number of updates so far.
        terms: `{name: mean over the batch}`, parts of the loss and the `loss` itself.
        held_out: the same over the held-out latents, where they were looked at; else None.
        is_best: whether that loss is the lowest so far.
    """

    step: int
    terms: dict
    held_out: Any
    is_best: bool


class Training:
    """A mapper in training: all that a checkpoint holds.

    Args:
        config: for build_mapper.
        words: `[K, T]` vectors of the texts, or None.
        texts: TextSet.
        settings: Settings.

    Attributes: `network`; `step`, the number of updates so far; `curves`, `{"train" or "held_out": {name:
    [values]}}`, with the `step` of each value among them.
    """

    def __init__(self, config, words, texts, settings):
        paddle.seed(settings.seed)
        self.network, self.config, self.settings = build_mapper(config), config, settings
        self.optimiser = Optimiser(settings.optimiser, self.network.named_parameters(), settings.rate)
        self.vectors = (
            None
            if words is None
            else np.stack(
                [np.sum(words[list(members)], axis=0, dtype=np.float32) for members in texts.classes]
            )
        )
        self.step, self.curves = 0, {"train": {}, "held_out": {}}

    def edited(self, faces, rows):
        """`[N, ...]` Tensor: the latents of some Faces, each edited for its class."""
        latent = paddle.to_tensor(faces.latents[rows])
        text = () if self.vectors is None else (paddle.to_tensor(self.vectors[faces.classes[rows]]),)
        with paddle.amp.auto_cast(enable=self.settings.mixed, dtype="bfloat16"):
            moved = self.network(latent, *text)
        return latent + self.settings.scale * moved.astype("float32")

    def best(self):
        """(step of the lowest held-out loss, looks since then); None before the first."""
        losses = self.curves["held_out"].get("loss", [])
        if not losses:
            return None
        place = int(np.argmin(losses))
        return int(self.curves["held_out"]["step"][place]), len(losses) - 1 - place

    def note(self, curve, terms):
        """Add a point at this step to a curve, in place of one that a stopped run had there or beyond."""
        lines = self.curves[curve]
        kept = sum(step < self.step for step in lines.get("step", []))
        self.curves[curve] = {
            name: [*lines.get(name, [])[:kept], value] for name, value in {"step": self.step, **terms}.items()
        }

    def state(self) -> dict:
        """`{name: array}` of everything."""
        weights = {f"mapper/{name}": value.numpy() for name, value in self.network.state_dict().items()}
        moments = {f"optimiser/{name}": value for name, value in self.optimiser.state().items()}
        curves = {
            f"{curve}/{name}": np.array(values, np.float64)
            for curve, lines in self.curves.items()
            for name, values in lines.items()
        }
        return {"step": np.array([self.step], np.int64), **weights, **moments, **curves}

    def load_state(self, state) -> None:
        """Go on from what `state` gave.

        Raises:
            UserError: it is the state of another network or optimiser.
        """
        parts = {}
        for key, value in state.items():
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = value
        try:
            load_state(self.network, parts.get("mapper", {}), "mapper")
        except ValueError as error:
            raise UserError(f"this checkpoint is of another mapper: {error}") from None
        self.optimiser.load_state(parts.get("optimiser", {}))
        self.step = int(state["step"][0])
        self.curves = {
            curve: {name: values.tolist() for name, values in parts.get(curve, {}).items()}
            for curve in self.curves
        }


ALONE = Workers()


def train(training, loss, faces, held_out, *, workers=ALONE):
    """Train a mapper, from where its state is to settings.steps.

    Args:
        training: Training; it is moved.
        loss: mapper_loss.PictureLoss.
        faces: mapper_loss.Faces to learn from; each step draws settings.batch_size of them.
        held_out: Faces to look at; None for never.
        workers: the processes that share each batch.
    Yields:
        Record before each update, and after the last: what is saved then has a finite loss. The training ends
        after settings.steps updates, or when settings.patience looks have brought no new best.
    Raises:
        UserError: fewer faces of a batch than processes; a loss that is not finite or a step that has grown
            beyond all measure, by too high a learning rate. What was saved before stays good.
    """
    settings = training.settings
    if settings.batch_size < workers.count:
        raise UserError(
            f"a batch of {settings.batch_size} cannot be shared among {workers.count} processes; "
            f"use a batch size of at least {workers.count}"
        )
    while True:
        random = np.random.RandomState((training.step + settings.seed) % 2**32)
        rows = random.randint(0, len(faces), settings.batch_size)
        terms, gradients = _evaluate(training, loss, faces, rows, workers)
        _check(training, faces, terms, gradients)
        training.note("train", terms)
        is_last, looked = training.step >= settings.steps, None
        if held_out is not None and training.step and (training.step % settings.every == 0 or is_last):
            looked = _look(training, loss, held_out, workers)
            training.note("held_out", looked)
        best_step, waited = training.best() or (-1, 0)
        yield Record(training.step, terms, looked, looked is not None and best_step == training.step)
        if is_last or looked is not None and 0 < settings.patience <= waited:
            return
        training.optimiser.step(gradients)
        training.step += 1


def _evaluate(training, loss, faces, rows, workers):
    """Mean terms of a batch and the gradients of its loss, by all processes together."""
    mine, settings = workers.share(rows), training.settings
    edited = training.edited(faces, mine)
    terms, slope = loss(faces, mine, edited.numpy())
    parameters = dict(training.network.named_parameters())
    found = paddle.grad([edited], list(parameters.values()), [paddle.to_tensor(slope / len(rows))])
    sums = _with_loss({name: values.sum() / len(rows) for name, values in terms.items()}, settings)
    flat = workers.total(
        np.concatenate([np.array(list(sums.values()), np.float32), *(one.numpy().ravel() for one in found)])
    )
    means = dict(zip(sums, flat[: len(sums)].tolist()))
    cuts = np.cumsum([len(sums), *(one.size for one in found)])
    gradients = {
        name: paddle.to_tensor(flat[start:end].reshape(parameter.shape))
        for (name, parameter), start, end in zip(parameters.items(), cuts, cuts[1:])
    }
    return means, gradients


def _look(training, loss, held_out, workers):
    """Mean terms over all held-out latents."""
    size, places = training.settings.batch_size, np.arange(len(held_out))
    sums = dict.fromkeys(loss.names, 0.0)
    for start in range(size * workers.rank, len(places), size * workers.count):
        rows = places[start : start + size]
        with paddle.no_grad():
            edited = training.edited(held_out, rows).numpy()
        for name, values in loss(held_out, rows, edited)[0].items():
            sums[name] += float(values.sum())
    means = workers.total(np.array(list(sums.values()), np.float32)) / len(held_out)
    return _with_loss(dict(zip(sums, means.tolist())), training.settings)


def _with_loss(terms, settings):
    weights = {"clip": 1.0, "l2": settings.l2, "identity": settings.identity}
    return {**terms, "loss": sum(weights[name] * value for name, value in terms.items())}


def _check(training, faces, terms, gradients):
    cure = "use a smaller learning rate; what was saved before is kept"
    odd = [name for name, value in terms.items() if not np.isfinite(value)]
    if odd or not all(bool(paddle.isfinite(gradient).all()) for gradient in gradients.values()):
        what = f"the {odd[0]} loss" if odd else "the gradient"
        raise UserError(f"step {training.step}: {what} is not finite (NaN or infinity); {cure}")
    if terms["l2"] > _BLOWN * float(np.mean(faces.latents[:100] ** 2)) * _layers(training):
        raise UserError(
            f"step {training.step}: the mapper's steps have grown to many times the latents "
            f"(squared distance {terms['l2']:.3g}); {cure}"
        )


def _layers(training):
    return len(training.config.get("style_dims", [0]))  # in s, l2 adds up the means of the layers
