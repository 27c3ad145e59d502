# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Statistics of style channels as a job on disk: collect_statistics, whose state is saved on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.jobs.folder import JobFolder, check_same, read_job, remove_job, rounding_conditions
from ppstyleclip.methods.global_directions import (
    StatisticsConfig,
    StatisticsRecord,
    StatisticsState,
    collect_statistics,
)

SAVE_EVERY = 20  # batches between two savings of the state
# Words of a manifest that are StatisticsConfig's own; its cutoff is always the default.
CONFIG_WORDS = ("seed", "num_samples", "truncation", "truncation_mode", "batch_size", "keep")


@dataclass(frozen=True, eq=False)
class StatisticsJob:
    """A job that is ready to run.

    Attributes:
        generator, config: what is sampled, and how.
        folder: where the job lives, and what its manifest says.
        start: what an earlier run has left; None for a new one.
    """

    generator: Any
    config: StatisticsConfig
    folder: JobFolder
    start: StatisticsState | None

    @property
    def num_done(self) -> int:
        """Samples that earlier runs have taken in."""
        return 0 if self.start is None else self.start.done


def known_batch_size(path: Path | str, *, restart: bool = False) -> int | None:
    """Return the batch size of the job in a folder; None if there is none, or where that begins again."""
    found = None if restart else read_job(path)
    return None if found is None else found.job.get("batch_size")


def prepare_statistics_job(
    generator: Any, config: StatisticsConfig, path: Path | str, *, fingerprint: str, restart: bool = False
) -> StatisticsJob:
    """See what there is to do.

    Args:
        generator, config: what is sampled, and how.
        path: the job's folder; a job that is there goes on.
        fingerprint: of the generator.
        restart: begin again instead.
    Raises:
        UserError: the folder holds another job; nothing is written.
    """
    found = None if restart else read_job(path)
    described = {
        "kind": "statistics",
        "generator": fingerprint,
        **{word: getattr(config, word) for word in CONFIG_WORDS},
        **rounding_conditions(),
    }
    folder = JobFolder(Path(path), described)
    start = None
    if found is not None:
        check_same(found, folder)
        saved = folder.read_block(0)
        if saved is not None:
            start = _checked_state(saved, generator.layout.size, config, folder.block_path(0))
    return StatisticsJob(generator, config, folder, start)


def _checked_state(saved: dict, size: int, config: StatisticsConfig, path: Path) -> StatisticsState:
    """The state in a block, refused where it cannot be one of this job."""
    nothing = np.zeros(0)
    done, mean, m2, s = (saved.get(word, nothing) for word in ("done", "mean", "m2", "s"))
    count = int(done.reshape(())) if done.size == 1 and done.dtype.kind in "iu" else -1
    fits = 0 < count <= config.num_samples and all(
        array.dtype.kind == "f" and array.shape == shape and np.isfinite(array).all()
        for array, shape in ((mean, (size,)), (m2, (size,)), (s, (min(config.keep, count), size)))
    )
    if not fits:
        raise UserError(
            f"{path} holds no state of statistics over {size} channels; begin again with --restart"
        )
    return StatisticsState(count, mean, m2, s)


def run_statistics_job(job: StatisticsJob) -> Iterator[StatisticsRecord]:
    """Yield the records of collect_statistics, and save its state every SAVE_EVERY batches."""
    records = collect_statistics(job.generator, job.config, start=job.start)
    for number, record in enumerate(records, 1):
        if number % SAVE_EVERY == 0 and record.get_state is not None:
            job.folder.write_manifest()
            state = record.get_state()
            job.folder.write_block(0, {**state.__dict__, "done": np.int64(state.done)})
        yield record


def finish_statistics_job(job: StatisticsJob) -> None:
    """Remove the job once its result is saved."""
    remove_job(job.folder.path)
