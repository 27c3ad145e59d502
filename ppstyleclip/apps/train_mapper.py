# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of mappers as a command: presets, a folder that a killed run goes on from, pictures and curves.

state.safetensors          everything that a run needs to go on; no generator
mapper.safetensors         the mapper as it is now, best_mapper.safetensors that of the best look
losses.csv, losses.png     the curves
images_val/00200.png       held-out faces after 200 steps, before above and after below
"""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ppstyleclip.apps.curves import curves_picture, curves_table
from ppstyleclip.apps.presets import given, read_preset
from ppstyleclip.apps.ranks import Ranks
from ppstyleclip.errors import UserError
from ppstyleclip.files import (
    check_writable,
    fingerprint,
    read_safetensors,
    save_png,
    sweep_drafts,
    write_atomic,
    write_safetensors,
)
from ppstyleclip.methods.mapper import ALONE, Training, Workers, train
from ppstyleclip.methods.mapper_loss import Faces, PictureLoss
from ppstyleclip.methods.mapper_settings import Settings, check_settings, mapper_config
from ppstyleclip.models.state import load_state
from ppstyleclip.pictures import enlarged, grid, to_pixels
from ppstyleclip.zoo import TrainedMapper, load_mapper, save_mapper

STATE, MAPPER, BEST = "state.safetensors", "mapper.safetensors", "best_mapper.safetensors"
KIND = "ppstyleclip mapper training"
COLUMNS = 8  # faces of a validation picture
_FREE = ("steps", "every", "patience")  # settings that may change from one run to the next


@dataclass(frozen=True)
class Plan:
    """What a command does beside the training itself.

    Attributes:
        train_faces, held_out_faces: how many latents, at most.
        pictures_every, save_every, board_every: steps from one to the next; 0 for never.
    """

    train_faces: int = 5000
    held_out_faces: int = 1000
    pictures_every: int = 100
    save_every: int = 2000
    board_every: int = 50


def read_settings(preset: str, settings: dict, plan: dict) -> tuple[Settings, Plan]:
    """Read a preset, by name or from a YAML file, and change some of it.

    Args:
        preset: a name of known_presets("mapper"), or the path of a file of the same form.
        settings, plan: what replaces the preset's; None keeps it.
    Raises:
        MissingFile: there is no such file.
        UserError: an unknown setting, or one that cannot be.
    """

    def build(words):
        run = Plan(**{**words.pop("run", {}), **given(plan)})
        found = Settings(**{**words, **given(settings)})
        check_settings(found)
        if min(dataclasses.astuple(run)) < 0 or run.train_faces < 1:
            raise UserError(f"faces and intervals are counts from 0 on, faces to train on from 1; got {run}")
        return found, run

    return read_preset("mapper", preset, build)


@dataclass(frozen=True, eq=False)
class Job:
    """A training with all that belongs to it.

    Attributes:
        training: mapper.Training.
        loss: PictureLoss.
        faces, held_out: Faces; held_out may be None.
        texts: TextSet.
        words: `[K, T]` text vectors, or None.
        made_for: fingerprints of generator and CLIP.
        mark: what tells this training from others, values that JSON can hold.
    """

    training: Training
    loss: PictureLoss
    faces: Faces
    held_out: Faces | None
    texts: object
    words: object
    made_for: dict
    mark: dict

    def mapper(self) -> TrainedMapper:
        """The mapper as it is now."""
        training = self.training
        settings = training.settings
        names = self.texts.prompts if settings.embed == "none" else self.texts.names
        return TrainedMapper(
            training.network,
            training.config,
            scale=settings.scale,
            space=settings.space,
            texts=tuple(names),
            words=self.words,
            embed=settings.embed,
            made_for=self.made_for,
        )


def prepare(bundle, texts, words, features, banks, settings, *, identity=None) -> Job:
    """Put a training together.

    Args:
        bundle: the model's.
        texts, words, features: of mapper_data.
        banks: latents to train on and to look at (none of these: no looks), `[N, ...]`.
        settings: Settings.
        identity: network of the identity loss.
    Raises:
        UserError: parts that do not fit.
    """
    import paddle

    from ppstyleclip.zoo import clip_fingerprint

    if settings.mixed and not paddle.get_device().startswith("gpu"):
        raise UserError("mixed precision needs a GPU; leave out --mixed")
    generator, layout, clip = bundle.generator, bundle.layout, bundle.clip
    config = mapper_config(
        settings,
        generator.n_latent,
        generator.style_dim,
        layout.channels,
        None if words is None else words.shape[1],
    )
    made_for = {
        "generator": bundle.fingerprints["generator"],
        "clip": bundle.fingerprints.get("clip") or clip_fingerprint(clip),
    }
    own = {name: value for name, value in dataclasses.asdict(settings).items() if name not in _FREE}
    mark = {
        **own,
        **made_for,
        "texts": list(texts.prompts),
        "classes": [list(c) for c in texts.classes],
        "latents": fingerprint({"train": banks[0], "held_out": banks[1]}),
    }
    return Job(
        Training(config, words, texts, settings),
        PictureLoss(generator, layout, clip, texts, features, settings, identity=identity),
        Faces(banks[0], texts),
        Faces(banks[1], texts) if len(banks[1]) else None,
        texts,
        words,
        made_for,
        mark,
    )


def begin(job: Job, folder, *, checkpoint=None, restart=False) -> float:
    """Put the state of an earlier run back, if there is one.

    Args:
        job: Job; its training is moved.
        folder: where the run writes; its own state comes first.
        checkpoint: a state of another folder to go on from, or a mapper whose weights to begin with.
        restart: pass over the folder's own state.
    Returns:
        seconds that the training has taken so far.
    Raises:
        UserError: the state is of another training, or the mapper of another form.
    """
    own = Path(folder) / STATE
    if own.is_file() and not restart:
        return _go_on(job, own)
    if checkpoint is None:
        return 0.0
    from ppstyleclip.files import read_metadata

    if read_metadata(checkpoint).get("kind") == KIND:
        return _go_on(job, checkpoint)
    found = load_mapper(checkpoint, generator=job.made_for["generator"])
    try:
        load_state(job.training.network, found.network.state_dict(), "mapper")
    except ValueError as error:
        raise UserError(f"{checkpoint}: {error}") from None
    return 0.0


def _go_on(job, path) -> float:
    state, metadata = read_safetensors(path)
    if metadata.get("kind") != KIND:
        raise UserError(f"{path} is no state of a training; begin in another folder, or with --restart")
    before = json.loads(metadata["training"])
    other = [
        f"{name} {_short(before.get(name))}, not {_short(value)}"
        for name, value in job.mark.items()
        if before.get(name) != value
    ]
    if other:
        raise UserError(
            f"{path} is of another training: {'; '.join(other[:4])}; ask for the same, use "
            "another folder, or --restart to begin again"
        )
    job.training.load_state(state)
    return float(metadata["seconds"])


def _short(value) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:50]}..."


def run_job(job: Job, folder, plan: Plan, *, seconds=0.0, workers: Workers = ALONE, board=None) -> tuple:
    """Train, and write as the plan says; a run that ends early leaves its last state.

    Args:
        job: Job, begun.
        folder: where everything goes; the process of rank 0 writes.
        plan: Plan.
        seconds: that earlier runs took.
        workers: the processes that train together.
        board: curves.Board, or None.
    Returns:
        (the last Record, seconds of all runs, files that were written).
    Raises:
        UserError: as mapper.train, or the folder cannot be written.
    """
    folder, is_first = Path(folder), workers.rank == 0
    if is_first:
        check_writable(folder)
        sweep_drafts(folder)
    since, written = time.monotonic() - seconds, {}
    records = train(job.training, job.loss, job.faces, job.held_out, workers=workers)
    with tqdm(
        records,
        initial=job.training.step,
        total=job.training.settings.steps + 1,
        desc="training",
        disable=not is_first,
    ) as bar:
        for record in bar:
            bar.set_postfix_str(f"loss {record.terms['loss']:.4f}", refresh=False)
            if is_first:
                seconds = time.monotonic() - since
                written.update(_write_what_is_due(job, folder, plan, record, seconds, board))
    if is_first:
        written.update(_write_all(job, folder, time.monotonic() - since))
        board and board.close()
    return record, time.monotonic() - since, tuple(written)


def _write_what_is_due(job, folder, plan, record, seconds, board) -> dict:
    """Files that a Record asks for, `{path: None}`; the state comes last, it counts for what is before."""
    written, step = {}, record.step
    if board is not None:
        if plan.board_every and step % plan.board_every == 0:
            board.add("train", record.terms, step)
        if record.held_out is not None:
            board.add("held_out", record.held_out, step)
    if record.is_best:
        save_mapper(folder / BEST, job.mapper(), about={"step": str(step), "seconds": f"{seconds:.1f}"})
        written[folder / BEST] = None
    is_last = step == job.training.settings.steps
    if plan.pictures_every and (step % plan.pictures_every == 0 or is_last):
        path = folder / "images_val" / f"{step:05d}.png"
        save_png(path, validation_picture(job))
        written[path] = None
    if plan.save_every and step and step % plan.save_every == 0 and not is_last:
        written.update(_write_all(job, folder, seconds))
    return written


def _write_all(job, folder, seconds) -> dict:
    training, spent = job.training, f"{seconds:.1f}"
    save_mapper(folder / MAPPER, job.mapper(), about={"step": str(training.step), "seconds": spent})
    write_atomic(folder / "losses.csv", curves_table(training.curves).encode())
    save_png(folder / "losses.png", curves_picture(training.curves))
    write_safetensors(
        folder / STATE, training.state(), {"kind": KIND, "training": json.dumps(job.mark), "seconds": spent}
    )
    return dict.fromkeys(folder / name for name in (MAPPER, "losses.csv", "losses.png", STATE))


def validation_picture(job) -> np.ndarray:
    """Some held-out faces of all classes, before above and after below, `[H, W, 3]` uint8."""
    faces = job.held_out or job.faces
    rows = np.unique(np.linspace(0, len(faces) - 1, COLUMNS).astype(int))
    pictures = [job.loss.draw(faces.latents[rows]), job.loss.draw(job.training.edited(faces, rows).numpy())]
    return grid(enlarged(np.concatenate([to_pixels(images) for images in pictures])), len(rows))


def join_workers(ranks: Ranks) -> Workers:
    """Connect the processes of paddle.distributed.launch; one process needs nothing."""
    if ranks.count == 1:
        return ALONE
    import paddle
    import paddle.distributed as distributed

    distributed.init_parallel_env()

    def total(array):
        tensor = paddle.to_tensor(array)
        distributed.all_reduce(tensor)
        return tensor.numpy()

    return Workers(ranks.rank, ranks.count, total)
