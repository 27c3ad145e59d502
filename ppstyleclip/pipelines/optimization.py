# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation as a whole task: from faces and texts to faces, with what there was on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.inputs import as_list, to_array
from ppstyleclip.methods.checks import check_count, check_kind, check_seeds
from ppstyleclip.methods.optimization import (
    DescentRecord,
    OptimizationConfig,
    directed_features,
    neighbour_offsets,
    optimize,
)
from ppstyleclip.methods.optimization.objective import needed_networks
from ppstyleclip.methods.optimization.spaces import check_start
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.regions import draw_in_masks, find_masks
from ppstyleclip.regions import moved_masks
from ppstyleclip.text import text_direction, text_embedding
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.registry import PACKS

FRAMES = 48  # of the way, at most


@dataclass(frozen=True, eq=False)
class Optimized:
    """What an optimisation made.

    Attributes:
        before, after: `[N, H, W, 3]` uint8, of the start and of the last update.
        latent: `[N, ...]` in the configuration's space.
        saveable: the same as w_plus `[N, L, D]` or as s `[N, S]`, which other methods take.
        losses: `{name: [steps, N]}`.
        frames: pictures `[N, H, W, 3]` uint8 of the way, where they were asked for.
    """

    before: np.ndarray
    after: np.ndarray
    latent: np.ndarray
    saveable: np.ndarray
    losses: dict[str, np.ndarray]
    frames: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class OptimizationRecord(DescentRecord):
    """A step of an optimisation.

    Attributes:
        done, total, terms, value, images: as in DescentRecord.
        pictures: `[N, H, W, 3]` uint8, the faces before the update, where they are due; else None.
        result: Optimized, of the last step; else None.
    """

    pictures: np.ndarray | None = None
    result: Optimized | None = None


class OptimizationHistory:
    """What is remembered of a run, so that one that ends early has a result too.

    Steps are made on faces as they lie unmoved; pictures and styles of the result lie on the editor's canvas.

    Args:
        editor: Editor.
        start: `[N, ...]` latents.
        config: OptimizationConfig.
        keep_frames: remember pictures of the way.
    """

    def __init__(
        self, editor: Editor, start: np.ndarray, config: OptimizationConfig, *, keep_frames: bool = False
    ):
        self.editor, self.config, self.keep_frames = editor, config, keep_frames
        self.start = self.evaluated = self.reached = np.asarray(start, np.float32)
        self.terms: dict[str, list] = {}
        self.frames: list[np.ndarray] = []
        self.masks: np.ndarray | None = None  # where the faces may change

    @property
    def is_empty(self) -> bool:
        """Whether no step was made."""
        return not self.terms

    def add(self, record: DescentRecord) -> None:
        """Remember a step."""
        self.evaluated, self.reached = self.reached, record.value
        for name, values in record.terms.items():
            self.terms.setdefault(name, []).append(np.asarray(values))
        stride = max(1, self.config.steps // FRAMES)
        if self.keep_frames and (record.done - 1) % stride == 0:
            self.frames.append(self.pictures(record))

    def pictures(self, record: DescentRecord) -> np.ndarray:
        """The faces before the last update; with neighbours, what the step saw is a picture of another."""
        if self.config.neighbours == 0 and self.editor.canvas is None:
            return to_pixels(record.images)
        return self._drawn(self.evaluated)

    def _drawn(self, latent: np.ndarray) -> np.ndarray:
        """Pictures of latents, in the region where there is one."""
        start, changed, masks = self._saveable(self.start), self._saveable(latent), self.masks
        if masks is not None and self.editor.canvas is not None:
            masks = moved_masks(masks, self.editor.canvas)
        return draw_in_masks(self.editor, start, changed, masks)

    def _saveable(self, latent: np.ndarray) -> np.ndarray:
        return np.asarray(self.editor.placed(to_saveable(self.editor, latent, self.config.space)))

    def result(self, *, evaluated: bool = False) -> Optimized:
        """What the steps so far have made.

        Args:
            evaluated: take the last latents whose loss is known, not those of the update after it.
        """
        latent = self.evaluated if evaluated else self.reached
        before, after = self.editor.render(self._saveable(self.start)), self._drawn(latent)
        losses = {name: np.stack(values) for name, values in self.terms.items()}
        return Optimized(before, after, latent, self._saveable(latent), losses, tuple(self.frames))


def optimize_faces(
    editor: Editor,
    start: np.ndarray,
    texts: Sequence[str],
    config: OptimizationConfig,
    *,
    neutral: str = "face",
    weights: Sequence[float] | None = None,
    identity: Any = None,
    pictures_every: int = 0,
    history: OptimizationHistory | None = None,
    region: Any = None,
    masks: np.ndarray | None = None,
) -> Iterator[OptimizationRecord]:
    """Optimise faces until CLIP sees the texts in them.

    Args:
        editor: Editor; its canvas moves what is drawn of the way and the result, not what CLIP sees.
        start: `[N, ...]` latents in the configuration's space, of sample_start, mean_start or to_space.
        texts: what the faces should be, one or several.
        config: OptimizationConfig.
        neutral: what the faces are, where the objective's directional_strength is above 0.
        weights: of the texts; None is 1 each.
        identity: network of the identity loss.
        pictures_every: steps from one record with pictures to the next; 0 for none.
        history: OptimizationHistory that remembers the way; give one to have a result of a run that ends
            early.
        region: where the pictures may change, as Edit takes it ("auto" follows the first text); None:
            everywhere.
        masks: `[N or 1, size, size]` in place of a region, where it is known where that lies.
    Returns:
        iterator of an OptimizationRecord for each step; the last one has the result.
    Raises:
        UserError: at once, or at a step, as methods.optimization.optimize. After a loss that is not finite,
            `history.result(evaluated=True)` is of the last latents whose loss was finite.
    """
    check_count("pictures_every", pictures_every)
    check_kind("config", config, OptimizationConfig, "; read_optimization_preset gives a preset's")
    texts, start = as_list(texts, "text"), to_array(start, "a start is an array of latents")
    check_start(editor.bundle.generator, start, config.space)
    history = OptimizationHistory(editor, start, config) if history is None else history
    editor = editor.on_canvas(None)
    generator, clip = editor.bundle.generator, editor.bundle.clip
    needed_networks(config.objective, generator, clip, identity)  # before what takes long
    features = target_features(editor, start, neutral, texts, config)
    if masks is None:
        masks = _masks(editor, start, config.space, region, neutral, texts[0])
    history.masks = masks
    records = optimize(
        generator, clip, start, features, config, weights=weights, identity=identity, masks=masks
    )
    return _remembered(records, history, pictures_every)


def _masks(
    editor: Editor, start: np.ndarray, space: str, region: Any, neutral: str, text: str
) -> np.ndarray | None:
    if region is None:
        return None
    faces = to_saveable(editor, start, space)
    if space == "z":
        editor.sampled.remember(faces, [-1] * len(faces), start, 1.0)
    return find_masks(editor, faces, region, neutral=neutral, text=text)


def _remembered(
    records: Iterator[DescentRecord], history: OptimizationHistory, pictures_every: int
) -> Iterator[OptimizationRecord]:
    for record in records:
        history.add(record)
        is_due = pictures_every > 0 and record.done % pictures_every == 0
        yield OptimizationRecord(
            record.done,
            record.total,
            record.terms,
            record.value,
            record.images,
            history.pictures(record) if is_due else None,
            history.result() if record.done == record.total else None,
        )


@on_worker
def target_features(
    editor: Editor, start: np.ndarray, neutral: str, texts: Sequence[str], config: OptimizationConfig
) -> np.ndarray:
    """What CLIP should see: the texts `[1, T, E]`, or each face moved along their directions.

    The latter is `[1 + neighbours, N, T, E]`, for the face and for those near it. Of a direction it takes
    what pictures differ in, where the bundle's relevance knows that (StyleRegression.seen).
    """
    clip, templates = editor.bundle.clip, editor.bundle.defaults.templates
    if config.objective.directional_strength == 0:
        return np.stack([text_embedding(clip, text, "plain") for text in texts])[None]
    directions = np.stack([text_direction(clip, neutral, text, templates=templates) for text in texts])
    if (regression := editor.bundle.regression) is not None:
        directions = np.stack([regression.seen(dt) for dt in directions])
    return np.stack(
        [
            directed_features(
                clip, draw_latents(editor, start + offset, config.space), directions, config.objective
            )
            for offset in neighbour_offsets(editor.bundle.generator, config)
        ]
    )


def default_preset(model_name: str, *, is_sampled: bool) -> str:
    """The preset for a model's sampled faces, or for others: w_plus of a file, from which z cannot be had."""
    if model_name not in PACKS:
        return "official"
    return "portrait" if is_sampled else "portrait_latent"


def sample_start(
    editor: Editor, seeds: Sequence[int], space: str, truncation: float | None = None
) -> np.ndarray:
    """Latents of sampled faces in a space, as far from the mean as the model's default."""
    seeds = check_seeds("seed", seeds)
    if space != "z":
        return to_space(editor, editor.sample(seeds, truncation=truncation).numpy(), space)
    width = editor.bundle.generator.style_dim
    return np.stack([np.random.RandomState(seed).standard_normal(width) for seed in seeds]).astype(np.float32)


@on_worker
def to_space(editor: Editor, w_plus: np.ndarray, space: str) -> np.ndarray:
    """w_plus `[N, L, D]` in another space: as it is, its first layer (w), or its styles (s)."""
    if space == "w_plus":
        return np.asarray(w_plus, np.float32)
    if space == "w":
        return np.asarray(w_plus, np.float32)[:, 0]
    if space == "s":
        return editor.on_canvas(None).styles(w_plus).numpy()
    raise UserError("a latent file holds w_plus, from which z cannot be had; optimise in w, w_plus or s")


@on_worker
def mean_start(editor: Editor, space: str) -> np.ndarray:
    """The mean latent `[1, ...]`, where free generation begins; in z that is 0."""
    generator = editor.bundle.generator
    if space == "z":
        return np.zeros([1, generator.style_dim], np.float32)
    return to_space(editor, np.tile(generator.mean_latent().numpy()[None], [1, generator.n_latent, 1]), space)


@on_worker
def draw_latents(editor: Editor, latent: np.ndarray, space: str) -> np.ndarray:
    """Images `[N, 3, H, W]` of latents in a space."""
    return editor.synthesize(to_saveable(editor, latent, space))


@on_worker
@paddle.no_grad()
def to_saveable(editor: Editor, latent: np.ndarray, space: str) -> np.ndarray:
    """Latents in a space as other methods take them: w_plus, or s as it is."""
    generator = editor.bundle.generator
    if space == "z":
        latent = generator.get_latent(paddle.to_tensor(latent)).numpy()
    return np.tile(latent[:, None], [1, generator.n_latent, 1]) if space in ("z", "w") else latent
