# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The folder of a mapper's training, from which a run that was killed goes on.

state.safetensors          everything that a run needs to go on; no generator
mapper.safetensors         the mapper as it is now, best_mapper.safetensors that of the best validation
losses.csv, losses.png     the curves
images_val/00200.png       validation faces after 200 steps, before above and after below, under their texts
opt.json                   the options of the command, as the published codes write them
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ppstyleclip.cli.curve_files import curve_lines, curve_rows, save_curves, write_csv
from ppstyleclip.cli.mappers.board import Board
from ppstyleclip.cli.saving import save_labelled
from ppstyleclip.errors import UserError
from ppstyleclip.files import (
    all_or_nothing,
    check_writable,
    read_metadata,
    read_safetensors,
    sweep_drafts,
    write_atomic,
    write_safetensors,
)
from ppstyleclip.formats import sniff
from ppstyleclip.methods.mapper.training import TRAIN, VAL
from ppstyleclip.pipelines.mapper_training import (
    STATE_KIND,
    MapperTraining,
    MapperTrainingRecord,
    StateMetadata,
)
from ppstyleclip.pipelines.presets import RunConfig
from ppstyleclip.schema import from_metadata
from ppstyleclip.zoo import load_mapper, save_mapper

STATE, MAPPER, BEST = "state.safetensors", "mapper.safetensors", "best_mapper.safetensors"
OPTIONS = "opt.json"


class TrainingFolder:
    """Writes a training.

    Args:
        path: of the folder.
        task: MapperTraining.
        run: what is written when.
        seconds: that earlier runs took.
        board: Board, or None.

    Attributes: `written`, `{path: None}` of the files so far.
    """

    def __init__(
        self,
        path: Any,
        task: MapperTraining,
        run: RunConfig,
        *,
        seconds: float = 0.0,
        board: Board | None = None,
    ):
        self.path, self.task, self.run, self.board = check_writable(path), task, run, board
        sweep_drafts(self.path)
        self._since = time.monotonic() - seconds
        self.written: dict[Path, None] = {}

    @property
    def seconds(self) -> float:
        """That all runs have taken so far."""
        return time.monotonic() - self._since

    def write_options(self, options: Mapping[str, Any]) -> None:
        """Write opt.json."""
        text = json.dumps(dict(options), indent=4, sort_keys=True, ensure_ascii=False)
        write_atomic(self.path / OPTIONS, f"{text}\n".encode())
        self.written[self.path / OPTIONS] = None

    def write_due(self, record: MapperTrainingRecord) -> None:
        """Write what a record asks for; the state comes last, as it counts for what is before it."""
        step, seconds = record.done, f"{self.seconds:.1f}"
        self._add_to_board(record)
        if record.is_best:
            about = {"step": str(step), "seconds": seconds}
            save_mapper(self.path / BEST, self.task.mapper(), about=about)
            self.written[self.path / BEST] = None
        if record.picture is not None:
            path = self.path / "images_val" / f"{step:05d}.png"
            save_labelled(path, record.picture)
            self.written[path] = None
        if self.run.save_every and step and step % self.run.save_every == 0 and step != record.total:
            self.write_all()

    @all_or_nothing()
    def write_all(self) -> None:
        """Write the mapper, the curves and the state."""
        training, seconds = self.task.training, f"{self.seconds:.1f}"
        about = {"step": str(training.step), "seconds": seconds}
        save_mapper(self.path / MAPPER, self.task.mapper(), about=about)
        write_csv(self.path / "losses.csv", curve_rows(training.curves))
        save_curves(self.path / "losses.png", curve_lines(training.curves), smooth=True)
        arrays, metadata = self.task.state()
        write_safetensors(self.path / STATE, arrays, {**metadata, "seconds": seconds})
        self.written.update(
            dict.fromkeys(self.path / name for name in (MAPPER, "losses.csv", "losses.png", STATE))
        )

    def close(self) -> None:
        """Write what is left of the board."""
        if self.board is not None:
            self.board.close()

    def _add_to_board(self, record: MapperTrainingRecord) -> None:
        if self.board is None:
            return
        if self.run.board_every and record.done % self.run.board_every == 0:
            self.board.add(TRAIN, record.terms, record.done)
        if record.val is not None:
            self.board.add(VAL, record.val, record.done)


def resume_training(
    task: MapperTraining, folder: Any, *, checkpoint: Any = None, restart: bool = False
) -> float:
    """Put the state of an earlier run back, if there is one.

    Args:
        task: MapperTraining; it is moved.
        folder: where the run writes; its own state comes first.
        checkpoint: a state of another folder to go on from, or a mapper of any form that load_mapper reads,
            with whose weights to begin.
        restart: pass over the folder's own state.
    Returns:
        seconds that the training has taken so far.
    Raises:
        UserError: the state is of another training, or the mapper of another form.
    """
    own = Path(folder) / STATE
    if own.is_file() and not restart:
        return _load_state(task, own)
    if checkpoint is None:
        return 0.0
    if sniff(checkpoint) == "safetensors" and read_metadata(checkpoint).get("kind") == STATE_KIND:
        return _load_state(task, checkpoint)
    try:
        task.load_weights(load_mapper(checkpoint, generator=task.made_for["generator"]))
    except UserError as error:
        raise UserError(f"{checkpoint}: {error}") from None
    return 0.0


def _load_state(task: MapperTraining, path: Any) -> float:
    arrays, metadata = read_safetensors(path)
    try:
        task.load_state(arrays, metadata)
        return from_metadata(StateMetadata, metadata, "this state").seconds
    except UserError as error:
        raise UserError(f"{path}: {error} (--restart begins again)") from None
