# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation (StyleCLIP, section 4): a latent goes downhill until CLIP sees the text in its picture.

    loss = sum_t weight_t (1 - cos(CLIP(G(latent)), text_t))
         + l2 |latent - start|^2 + identity (1 - cos(R(G(latent)), R(G(start))))

Several faces, and several texts, go in one run, each the way it would go alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ppstyleclip.engine import compile_gradient
from ppstyleclip.errors import UserError
from ppstyleclip.losses import CLIP_VIEWS, clip_image_features, l2_loss
from ppstyleclip.methods.descent import Adam, descend, ramped, stepped
from ppstyleclip.models.stylegan2_fixed import FixedSynthesis

SPACES = ("z", "w", "w_plus", "s")
CORNERS = ((0, 0), (1, 1), (1, 0), (0, 1))  # where the views behind the first are cut, in units of `reach`


@dataclass(frozen=True)
class Settings:
    """How a latent is optimised; the defaults are the official code's.

    Attributes:
        space: one of SPACES; what moves.
        steps: how many.
        rate: learning rate, before the schedule.
        schedule: "ramped" (up over `up`, down over `down`, shares of the steps) or "stepped" (times `factor`
            every `every` steps).
        up, down, every, factor: of the schedule.
        l2: weight of the squared distance from the start, in the moving space.
        l2_over: "sum" or "mean" of the latent's numbers; in s also "layers", the layers' means added up.
        identity: weight of the identity loss; needs a network.
        view: how pictures are prepared for CLIP, one of losses.CLIP_VIEWS.
        views: what CLIP sees: 1, the picture; up to 5, also cuts of it from the corners, which are harder to
            fool all at once.
        reach: what a cut leaves out, as a share of the picture's side.
        toward: 0 is the paper, where the text itself is what CLIP should see. Above 0, CLIP should see what
            it sees now, moved so far along the direction from a neutral text (see directed_features).
        nearby: 0 is the paper. Above 0, this face and so many near it take turns, a step each, and the move
            is one for all of them (see places): one that only fools CLIP on one picture helps no other.
        spread: how far off those are, where 1 is as far as faces are from their mean.
        adam: of descent.
    """

    space: str = "w_plus"
    steps: int = 300
    rate: float = 0.1
    schedule: str = "ramped"
    up: float = 0.05
    down: float = 0.25
    every: int = 50
    factor: float = 0.5
    l2: float = 0.008
    l2_over: str = "sum"
    identity: float = 0.0
    view: str = "official"
    views: int = 1
    reach: float = 0.05
    toward: float = 0.0
    nearby: int = 0
    spread: float = 0.5
    adam: Adam = Adam()

    def rates(self) -> list:
        """The learning rate of each step."""
        if self.schedule == "ramped":
            return ramped(self.rate, self.steps, up=self.up, down=self.down)
        return stepped(self.rate, self.steps, every=self.every, factor=self.factor)


def check_settings(settings: Settings) -> None:
    """Refuse what cannot be run.

    Raises:
        UserError: names the setting, what was got and what is known.
    """
    known = {
        "space": SPACES,
        "schedule": ("ramped", "stepped"),
        "view": CLIP_VIEWS,
        "l2_over": ("sum", "mean", "layers") if settings.space == "s" else ("sum", "mean"),
    }
    for name, words in known.items():
        if getattr(settings, name) not in words:
            raise UserError(f"unknown {name} '{getattr(settings, name)}', known: {', '.join(words)}")
    if settings.nearby < 0:
        raise UserError(f"nearby is a count of faces from 0 on, got {settings.nearby}")
    if settings.steps < 1 or not 1 <= settings.views <= 1 + len(CORNERS):
        raise UserError(
            f"optimisation needs at least 1 step and 1 to {1 + len(CORNERS)} views, got "
            f"{settings.steps} steps and {settings.views} views"
        )
    for name in ("rate", "l2", "identity", "reach", "toward", "spread", "up", "down", "factor"):
        value = getattr(settings, name)
        if not np.isfinite(value) or value < 0:
            raise UserError(f"{name} must be a number from 0 on, got {value}")


class _Objective(nn.Layer):
    """Latents to the mean loss, its parts and the pictures: see compile_objective."""

    def __init__(self, generator, layout, clip, identity, settings):
        super().__init__()
        self.generator, self.draw, self.clip = generator, FixedSynthesis(generator), clip
        self.identity, self.settings, self.layout = identity, settings, layout

    def forward(self, tensors):
        settings, latent = self.settings, tensors["latent"]
        images = self.draw(styles_of(self.generator, self.layout, latent, settings.space))
        features = seen_features(self.clip, images, settings)
        features = features.reshape([-1, 1, features.shape[1]])  # unsqueeze has no gradient in old programs
        cosines = paddle.sum(features * tensors["texts"], axis=2)  # [N, T]
        clip = paddle.sum((1.0 - cosines) * tensors["weights"], axis=1)
        l2 = self._distance(latent, tensors["start"])
        total, parts = clip + settings.l2 * l2, [clip, l2]
        if self.identity is not None:
            likeness = paddle.sum(self.identity.identity_features(images) * tensors["reference"], axis=1)
            total, parts = total + settings.identity * (1.0 - likeness), [*parts, 1.0 - likeness]
        return [paddle.mean(total), *parts, images]

    def _distance(self, latent, start):
        if self.settings.l2_over != "layers":
            return l2_loss(latent, start, reduction=self.settings.l2_over)
        layers = zip(self.layout.unflatten(latent), self.layout.unflatten(start))
        return paddle.add_n([l2_loss(one, other, reduction="mean") for one, other in layers])


def seen_features(clip, images, settings):
    """CLIP's features of pictures, `[N, E]` of length 1, averaged over the settings' views."""
    side = images.shape[-1]
    cut = max(1, round(settings.reach * side))
    seen = [images] + [
        images[:, :, y * cut : side - (1 - y) * cut, x * cut : side - (1 - x) * cut]
        for x, y in CORNERS[: settings.views - 1]
    ]
    features = [clip_image_features(clip, view, settings.view) for view in seen]
    return features[0] if len(features) == 1 else F.normalize(paddle.add_n(features), axis=1)


def compile_objective(generator, layout, clip, identity, settings, arrays, *, mixed=False):
    """Make the loss of latents and its gradient a fast function of arrays.

    Args:
        generator, layout, clip: the networks.
        identity: network with `identity_features`, or None for a loss without it.
        settings: what says how: its space, l2, l2_over, identity, view, views and reach.
        arrays: inputs, of which the names and all of the shapes but the batch count: `latent` and `start`
            `[N, ...]`, `texts` `[N, T, E]` unit vectors, `weights` `[N, T]` of 1 - cosine, and with an
            identity network `reference` `[N, I]`.
        mixed: do not compile, and compute in bfloat16 where Paddle holds that to be safe; for a GPU.
    Returns:
        function of such arrays; gives ({"clip", "l2"[, "identity"]: [N]}, gradient of the sum of the losses,
        images `[N, 3, H, W]`).
    """
    objective = _Objective(generator, layout, clip, identity, settings)
    key = [
        settings.space,
        settings.l2,
        settings.l2_over,
        settings.identity,
        settings.view,
        settings.views,
        settings.reach,
    ]
    shapes = {name: [-1, *array.shape[1:]] for name, array in arrays.items()}
    run = _in_mixed_precision(objective) if mixed else compile_gradient(objective, shapes, ["latent"], key)
    names = ["clip", "l2"] + ["identity"] * (identity is not None)

    def evaluate(arrays):
        (_, *parts, drawn), gradients = run(arrays)
        return dict(zip(names, parts)), gradients["latent"] * len(drawn), drawn

    return evaluate


def _in_mixed_precision(objective):
    def run(arrays):
        tensors = {name: paddle.to_tensor(array) for name, array in arrays.items()}
        tensors["latent"].stop_gradient = False
        with paddle.amp.auto_cast(dtype="bfloat16"):
            results = objective(tensors)
        gradient = paddle.grad(results[:1], [tensors["latent"]])[0]
        return [result.astype("float32").numpy() for result in results], {"latent": gradient.numpy()}

    return run


def styles_of(generator, layout, latent, space):
    """Styles, a list of K `[N, C_k]`, of latents in one of SPACES."""
    if space == "s":
        return layout.unflatten(latent)
    return generator.style_affine(generator.get_latent(latent) if space == "z" else latent)


def optimise(generator, layout, clip, start, texts, settings, *, weights=None, identity=None):
    """Move latents towards texts.

    Args:
        generator: StyleGANv2Generator in evaluation mode.
        layout: its StyleLayout.
        clip: ClipModel.
        start: `[N, ...]` latents in the settings' space: z `[N, D]`, w `[N, D]`, w_plus `[N, L, D]` or s
            `[N, S]`; in s only editable channels move.
        texts: `[N or 1, T, D]` CLIP features of T texts for each, or for all; of any length. With nearby
            faces also `[1 + nearby, N or 1, T, D]`, what CLIP should see at each of the places.
        settings: Settings.
        weights: `[T]` of the texts; None is 1 each.
        identity: network with `identity_features`, where settings.identity is above 0.
    Returns:
        iterator of descent.Step; terms clip, l2 and identity.
    Raises:
        UserError: bad settings, or parts that do not fit; later, a loss that is not finite.
    """
    check_settings(settings)
    start, texts = np.asarray(start, np.float32), np.asarray(texts, np.float32)
    offsets = places(generator, layout, settings)
    identity = identity if settings.identity > 0 else None
    _check_parts(start, texts, clip, settings, identity)
    texts = texts / np.linalg.norm(texts, axis=-1, keepdims=True)
    texts = np.broadcast_to(texts, [len(offsets), len(start), *texts.shape[-2:]])
    weights = np.ones(texts.shape[2]) if weights is None else np.asarray(weights)
    fixed = {"weights": np.tile(np.float32(weights), [len(start), 1])}
    seen = [
        _seen_from(generator, layout, identity, start + offset, wanted, settings)
        for offset, wanted in zip(offsets, texts)
    ]
    inputs = {"latent": start, **fixed, **seen[0]}
    run = compile_objective(generator, layout, clip, identity, settings, inputs)
    moving, turns = _moving(layout, settings.space), cycle(zip(offsets, seen))

    def evaluate(latent):
        offset, there = next(turns)
        terms, gradient, drawn = run({"latent": latent + offset, **fixed, **there})
        return terms, gradient * moving, drawn

    return descend(evaluate, start, settings.rates(), settings.adam)


def _seen_from(generator, layout, identity, start, wanted, settings):
    """Inputs of the objective that belong to a place."""
    arrays = {"start": start, "texts": wanted}
    if identity is not None:
        arrays["reference"] = _identity_of(generator, layout, identity, start, settings.space)
    return arrays


@paddle.no_grad()
def places(generator, layout, settings) -> list:
    """Where a run looks, as offsets from the face: 0, then those of the nearby faces, each `[1, ...]`.

    They are drawn from one seed, the same for every face: sampled faces less their mean, times the spread.
    """
    if settings.nearby == 0:
        return [np.float32(0)]
    z = (
        np.random.RandomState(0)
        .standard_normal([max(256, settings.nearby), generator.style_dim])
        .astype(np.float32)
    )
    if settings.space == "z":
        away = z
    else:
        w = generator.get_latent(paddle.to_tensor(z))
        if settings.space == "s":
            w = layout.flatten(generator.style_affine(w))
        away = (w - w.mean(axis=0)).numpy()
    away = away[: settings.nearby]
    if settings.space == "w_plus":
        away = away[:, None]
    return [np.zeros_like(away[:1]), *(np.float32(settings.spread) * away)[:, None]]


def directed_features(clip, images, directions, settings) -> np.ndarray:
    """What CLIP should see of each face: what it sees of it now, moved along the texts' directions.

    A text alone pulls a face towards all that CLIP has ever met with it; this asks only for the difference to
    a neutral text, and keeps the rest of what CLIP sees.

    Args:
        clip: ClipModel.
        images: `[N, 3, H, W]` float32, the faces now.
        directions: `[T, E]` unit vectors, text.text_direction of each text.
        settings: Settings; toward is the length of the move, where the picture's own feature has length 1.
    Returns:
        `[N, T, E]`, for optimise.
    """
    with paddle.no_grad():
        own = seen_features(clip, paddle.to_tensor(images), settings).numpy()
    return own[:, None] + np.float32(settings.toward) * np.asarray(directions, np.float32)[None]


def _moving(layout, space):
    """1 for each number of a latent that moves; in s ToRGB stays, as in the official code."""
    if space != "s":
        return np.float32(1)
    mask = np.zeros(layout.size, np.float32)
    mask[layout.editable_index] = 1
    return mask


@paddle.no_grad()
def _identity_of(generator, layout, identity, start, space):
    styles = styles_of(generator, layout, paddle.to_tensor(start), space)
    return identity.identity_features(generator.synthesis_from_styles(styles, noise="const")).numpy()


def _check_parts(start, texts, clip, settings, identity):
    count = 1 + settings.nearby
    is_known = texts.ndim == 3 or (texts.ndim == 4 and len(texts) == count)
    if not is_known or texts.shape[-1] != clip.dim or texts.shape[-3] not in (1, len(start)):
        raise UserError(
            f"texts have shape {list(texts.shape)}, {len(start)} latents and this CLIP need "
            f"[{len(start)} or 1, texts, {clip.dim}]"
            + (f", or one of those for each of {count} places" if settings.nearby else "")
        )
    if settings.identity > 0 and identity is None:
        raise UserError("identity is above 0, but there is no identity network; give one, or set it to 0")
