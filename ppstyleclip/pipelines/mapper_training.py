# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of a mapper as a whole task: put together, resumed from a state, run; nothing touches the disk.

A program calls it like this:

    task = prepare_training(bundle, texts, latents, config)
    task.load_state(arrays, metadata)               # of an earlier run, if there is one
    for record in run_training(task): ...           # save task.state() whenever you like
    record.result.last, record.result.best          # trained mappers
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError, plain
from ppstyleclip.files import fingerprint
from ppstyleclip.methods.checks import check_count, check_number, check_seeds
from ppstyleclip.methods.mapper import (
    ALONE,
    ImageLoss,
    LatentDataset,
    ProcessGroup,
    TextSet,
    Training,
    TrainingConfig,
    TrainingRecord,
    build_training,
    train,
)
from ppstyleclip.models.state import load_state
from ppstyleclip.pictures import labelled_grid, to_pixels
from ppstyleclip.pipelines.presets import current_names
from ppstyleclip.schema import Between, OneOf, Open, Plain, Size, from_metadata
from ppstyleclip.text import text_direction, text_embedding
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import TrainedMapper, clip_fingerprint, seed000_words

STATE_KIND = "ppstyleclip mapper training"
COLUMNS = 8  # faces of a validation picture
_FREE = ("steps", "validate_every", "patience")  # fields that may change from one run to the next
_NEW = {"width": 256, "depth": 4}  # fields that earlier states do not have, and what they were
_TABLE_SEED, _TABLE_SCALE = 1, 3.0  # of a table of our own: large, to decide the signs of text + latent
_SAMPLED_AT_ONCE = 500


@dataclass(frozen=True)
class StateMetadata(Open):
    """What the state of a training says of itself: which training it is, and how long it has taken."""

    kind: Annotated[str, OneOf((STATE_KIND,))]
    training: Annotated[dict[str, Plain], Size(1, 200)]
    seconds: Annotated[float, Between(0, 1e9)] = 0.0


@dataclass(frozen=True, eq=False)
class TrainedMappers:
    """What a training made: the mapper at its end, and that of the best validation, if there was one."""

    last: TrainedMapper
    best: TrainedMapper | None


@dataclass(frozen=True, eq=False)
class MapperTrainingRecord(TrainingRecord):
    """The state of a training before its next update.

    Attributes:
        done, total, terms, val, is_best, is_last, value: as in TrainingRecord.
        picture: `[H, W, 3]` uint8 of validation faces, before above and after below, where it is due; else
            None.
        result: TrainedMappers, of the last record; else None.
    """

    picture: np.ndarray | None = None
    result: TrainedMappers | None = None


@dataclass(frozen=True, eq=False)
class MapperTraining:
    """A training with all that belongs to it.

    Attributes:
        training: methods.mapper.Training.
        loss: ImageLoss.
        dataset, validation: LatentDataset; validation may be None.
        texts: TextSet.
        vectors: `[K, T]` text vectors, or None.
        made_for: fingerprints of generator and CLIP.
        identity_of_run: what tells this training from others, values that JSON can hold.
    """

    training: Training
    loss: ImageLoss
    dataset: LatentDataset
    validation: LatentDataset | None
    texts: TextSet
    vectors: np.ndarray | None
    made_for: dict[str, str]
    identity_of_run: dict[str, Any]

    @on_worker
    def mapper(self, *, is_copy: bool = False) -> TrainedMapper:
        """The mapper as it is now; `is_copy` keeps it so when the training goes on."""
        config, network = self.training.config.mapper, self.training.network
        if is_copy:
            network = copy.deepcopy(network)
            network.eval()
        same = self.texts.prompts == self.texts.names
        return TrainedMapper(
            network,
            self.training.network_config,
            scale=config.scale,
            space=config.space,
            texts=tuple(self.texts.prompts if config.embed == "none" else self.texts.names),
            words=self.vectors,
            embed=config.embed,
            made_for=self.made_for,
            prompts=() if config.embed == "none" or same else self.texts.prompts,
        )

    @on_worker
    def state(self) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """(arrays, metadata) of everything that a run needs to go on; no generator."""
        return self.training.state(), {"kind": STATE_KIND, "training": json.dumps(self.identity_of_run)}

    @on_worker
    def load_state(self, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
        """Go on from what `state` gave.

        Raises:
            UserError: it is no state, or that of another training; names what differs.
        """
        if metadata.get("kind") != STATE_KIND:
            raise UserError("this is no state of a training; begin in another folder, or again")
        said = from_metadata(StateMetadata, metadata, "this state").training
        before = {**_NEW, **_with_current_names(said, self.identity_of_run)}
        other = [
            f"{name} {_short(before.get(name))}, not {_short(value)}"
            for name, value in self.identity_of_run.items()
            if before.get(name) != value
        ]
        if other:
            raise UserError(
                f"this state is of another training: {'; '.join(other[:4])}; ask for the same, use "
                "another folder, or begin again"
            )
        self.training.load_state(arrays)

    @on_worker
    def load_weights(self, mapper: TrainedMapper) -> None:
        """Begin with the weights of a mapper.

        Raises:
            UserError: it has another form.
        """
        try:
            load_state(self.training.network, mapper.network.state_dict(), "mapper")
        except ValueError as error:
            raise UserError(str(error)) from None

    @on_worker
    def picture(self) -> np.ndarray:
        """Some validation faces of all classes, before above and after below, under the names of their texts.

        Returns:
            `[H, W, 3]` uint8.
        """
        dataset = self.validation or self.dataset
        rows = np.unique(np.linspace(0, len(dataset) - 1, COLUMNS).astype(int))
        edited = self.training.edit(dataset, rows).numpy()
        pictures = [self.loss.draw(dataset.latents[rows]), self.loss.draw(edited)]
        classes = [self.texts.classes[k] for k in dataset.classes[rows]]
        labels = [", ".join(self.texts.names[k] for k in members) for members in classes]
        return labelled_grid(np.concatenate([to_pixels(images) for images in pictures]), labels)


def prepare_training(
    bundle: Any,
    texts: TextSet,
    latents: tuple[np.ndarray, np.ndarray],
    config: TrainingConfig,
    *,
    neutral: str = "face",
    identity: Any = None,
) -> MapperTraining:
    """Put a training together.

    Args:
        bundle: of the model.
        texts: TextSet.
        latents: to train on and to validate on (none of these: no validation), `[N, ...]` in the mapper's
            space.
        config: TrainingConfig.
        neutral: what the faces are, where the objective's directional_strength is above 0.
        identity: network of the identity loss.
    Raises:
        UserError: parts that do not fit.
    """
    if config.mixed_precision and not paddle.get_device().startswith("gpu"):
        raise UserError("mixed precision needs a GPU; leave it out")
    generator, clip = bundle.generator, bundle.clip
    vectors = text_vectors(texts, config.mapper.embed, generator.style_dim, clip)
    made_for = {
        "generator": bundle.fingerprints["generator"],
        "clip": bundle.fingerprints.get("clip") or clip_fingerprint(clip),
    }
    features = text_features(bundle, texts, neutral, config.objective.directional_strength)
    training, validation = latents
    return MapperTraining(
        build_training(generator, texts, config, vectors),
        ImageLoss(generator, clip, texts, features, config, identity=identity),
        LatentDataset(training, texts),
        LatentDataset(validation, texts) if len(validation) else None,
        texts,
        vectors,
        made_for,
        _identity_of_run(config, texts, latents, made_for),
    )


def _identity_of_run(config: TrainingConfig, texts: TextSet, latents: tuple, made_for: dict) -> dict:
    fields = dataclasses.asdict(config)
    parts = {**fields.pop("mapper"), **fields.pop("objective"), **fields}
    return {
        **{name: value for name, value in parts.items() if name not in _FREE},
        **made_for,
        "texts": list(texts.prompts),
        "classes": [list(members) for members in texts.classes],
        "latents": fingerprint({"train": latents[0], "held_out": latents[1]}),
    }


def _with_current_names(before: dict, now: dict) -> dict:
    """An earlier version's identity of a run in this one's names.

    The weight of CLIP was not written then. Moves along a direction began at what CLIP sees of the whole
    picture.
    """
    if "weights" in before:
        return before
    found = current_names("mapper", before)
    weights = {name: found.pop(name, 0.0) for name in ("l2", "identity")}
    is_other = found.get("directional_strength") and (found.get("crops") != 1 or found.get("view") != "clip")
    return {
        **found,
        "weights": {"clip": now["weights"]["clip"], **weights},
        "l2_reduction": now["l2_reduction"],
        "anchor": "picture" if is_other else now["anchor"],
    }


def _short(value: Any) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value))


def run_training(
    task: MapperTraining, *, pictures_every: int = 0, group: ProcessGroup = ALONE
) -> Iterator[MapperTrainingRecord]:
    """Train, from where the task's state is.

    Args:
        task: MapperTraining; it is moved.
        pictures_every: steps from one validation picture to the next; 0 for none.
        group: the processes that train together.
    Yields:
        MapperTrainingRecord; the last one has the result.
    Raises:
        UserError: as methods.mapper.train.
    """
    check_count("pictures_every", pictures_every)
    best = None
    for record in train(task.training, task.loss, task.dataset, task.validation, group=group):
        if record.is_best:
            best = task.mapper(is_copy=True)
        is_due = pictures_every > 0 and (record.done % pictures_every == 0 or record.done == record.total)
        yield MapperTrainingRecord(
            record.done,
            record.total,
            record.terms,
            record.val,
            record.is_best,
            record.is_last,
            record.value,
            task.picture() if is_due else None,
            TrainedMappers(task.mapper(is_copy=True), best) if record.is_last else None,
        )


@on_worker
def text_vectors(texts: TextSet, embed: str, style_dim: int, clip: Any) -> np.ndarray | None:
    """`[K, T]` the vector of each text: a row of a table that is never trained, or CLIP's feature."""
    if embed == "none":
        return None
    if embed == "clip":
        return clip.encode_text(list(texts.prompts)).numpy()  # Parity: seed 000 does not normalise them
    count = len(texts.names)
    if style_dim == 512 and count <= 6:
        return seed000_words(count)
    rows = np.random.RandomState(_TABLE_SEED).standard_normal([count, style_dim])
    return (_TABLE_SCALE * rows).astype(np.float32)


@on_worker
def text_features(bundle: Any, texts: TextSet, neutral: str, directional_strength: float) -> np.ndarray:
    """`[K, E]` what ImageLoss takes of the texts: CLIP's features, or directions to them."""
    if directional_strength == 0:
        return np.stack([text_embedding(bundle.clip, text, "plain") for text in texts.prompts])
    templates = bundle.defaults.templates
    return np.stack(
        [text_direction(bundle.clip, neutral, text, templates=templates) for text in texts.prompts]
    )


@on_worker
def sample_latents(editor: Any, count: int, seed: int, truncation: float | None = None) -> np.ndarray:
    """`[count, L, D]` w_plus of sampled faces, the first of which has the seed.

    Raises:
        UserError: a seed or a truncation that cannot be.
    """
    check_count("number of faces", count)
    check_seeds("seed", [seed, seed + count])
    if truncation is not None:
        check_number("truncation", truncation)
    seeds = range(seed, seed + count)
    parts = [
        editor.sample(list(seeds[k : k + _SAMPLED_AT_ONCE]), truncation=truncation).numpy()
        for k in range(0, count, _SAMPLED_AT_ONCE)
    ]
    generator = editor.bundle.generator
    empty = np.zeros([0, generator.n_latent, generator.style_dim], np.float32)
    return np.concatenate([empty, *parts])
