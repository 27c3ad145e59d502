# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Relevance as a job on disk: compute_relevance, block by block in a folder, from which a killed run goes on.

    job = prepare_relevance_job(inputs, config, folder)     everything bad is refused here, nothing is written
    for record in run_relevance_job(job): ...               the last record has the Relevance
    finish_relevance_job(job)                               once that is saved

Several processes of one launch share a job's blocks; machines that share nothing take shards (merge.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.engine import CompiledNetworks
from ppstyleclip.jobs.folder import CHECK, JobFolder, check_same, read_job, remove_job
from ppstyleclip.jobs.ranks import PATIENCE, Ranks, single_process
from ppstyleclip.jobs.relevance_blocks import (
    channels_of,
    job_blocks,
    missing_blocks,
    read_relevance_blocks,
    save_records,
)
from ppstyleclip.jobs.relevance_config import NUM_IMAGES, RelevanceJobConfig
from ppstyleclip.jobs.relevance_plan import (
    RelevanceInputs,
    block_work,
    describe_relevance,
    plan_relevance,
    relevance_config,
)
from ppstyleclip.jobs.shards import share_of
from ppstyleclip.methods.global_directions import Relevance, RelevanceRecord, compute_relevance
from ppstyleclip.methods.global_directions.blocks import Block, default_block_size


@dataclass(frozen=True, eq=False)
class RelevanceJob:
    """A job that is ready to run.

    Attributes:
        inputs: what it measures.
        folder: where it lives, and what its manifest says.
        blocks: of the whole job, or of its shard.
        own: those that this process measures.
        todo: those of them that are not in the folder yet.
        records: their measurement, not begun.
        work: multiplications of each own block, `{block number: work}`.
        ranks: the processes that share the job.
        begins_again: whether what the folder holds is removed.
    """

    inputs: RelevanceInputs
    folder: JobFolder
    blocks: list[Block]
    own: list[Block]
    todo: list[Block]
    records: Iterable[RelevanceRecord]
    work: dict[int, float]
    ranks: Ranks
    begins_again: bool

    @property
    def num_done(self) -> int:
        """Blocks of this process that earlier runs have finished."""
        return len(self.own) - len(self.todo)

    @property
    def work_done(self) -> float:
        """Multiplications of those."""
        return sum(self.work.values()) - sum(self.work[block.number] for block in self.todo)


def prepare_relevance_job(
    inputs: RelevanceInputs,
    config: RelevanceJobConfig,
    path: Path | str,
    *,
    restart: bool = False,
    ranks: Ranks | None = None,
) -> RelevanceJob:
    """See what there is to do.

    Args:
        inputs: what is measured.
        config: how.
        path: the job's folder; a job that is there goes on.
        restart: begin again instead.
        ranks: this process among those of a launch; all but the first wait until that one runs.
    Raises:
        UserError: the folder holds another job, or the job cannot be; nothing is written.
    """
    path, ranks = Path(path), ranks or single_process()
    if ranks.rank > 0:
        ranks.wait_for(path, "ready", 0)
    begins_again = restart and ranks.rank == 0
    found = None if begins_again else read_job(path)
    known = {} if found is None else found.job
    folder = JobFolder(path, plan_relevance(inputs, config, known), config.shard)
    if found is not None:
        check_same(found, folder)
    blocks = share_of(job_blocks(folder.job), config.shard)
    return _prepared(inputs, folder, blocks, ranks, is_there=found is not None, begins_again=begins_again)


def prepare_exact_sample(job: RelevanceJob, num_channels: int, seed: int) -> RelevanceJob:
    """Make a job in a job: some channels, drawn at random, of whole pictures in full precision.

    Args:
        job: whose channels they are.
        num_channels: how many; all if there are fewer.
        seed: of the draw.
    """
    inputs, manifest = job.inputs, job.folder.job
    channels, num_images = (
        sample_channels(job.blocks, num_channels, seed),
        min(NUM_IMAGES, len(inputs.s_base)),
    )
    config = replace(
        relevance_config(manifest, job.blocks),
        channels=tuple(channels),
        stop_at=None,
        keep_features=False,
        block_size=default_block_size(manifest["batch_size"], num_images),
    )
    described = describe_relevance(
        inputs, config, num_images=num_images, precision="fp32", engine=manifest["options"]["engine"]
    )
    folder = JobFolder(job.folder.path / CHECK, described)
    earlier = read_job(folder.path)
    is_same = earlier is not None and earlier.job == folder.job
    blocks, ranks = job_blocks(folder.job), single_process()
    return _prepared(inputs, folder, blocks, ranks, is_there=is_same, begins_again=not is_same)


def _prepared(
    inputs: RelevanceInputs,
    folder: JobFolder,
    blocks: list[Block],
    ranks: Ranks,
    *,
    is_there: bool,
    begins_again: bool,
) -> RelevanceJob:
    own, manifest = blocks[ranks.rank :: ranks.count], folder.job
    todo = missing_blocks(folder, own) if is_there else own
    records: Iterable[RelevanceRecord] = ()
    if todo:
        records = compute_relevance(
            inputs.generator,
            inputs.clip,
            inputs.statistics,
            relevance_config(manifest, todo),
            s_base=inputs.s_base[: manifest["num_images"]],
            compiled=_compiled(inputs, manifest),
        )
    work = block_work(inputs.generator, inputs.clip, manifest, own)
    return RelevanceJob(inputs, folder, blocks, own, todo, records, work, ranks, begins_again)


def _compiled(inputs: RelevanceInputs, manifest: dict[str, Any]) -> CompiledNetworks | None:
    """The networks compiled, where the job says so."""
    if manifest["options"]["engine"] == "eager":
        return None
    return CompiledNetworks(
        inputs.generator, inputs.clip, precision=manifest["precision"], mark=manifest["generator"]
    )


def run_relevance_job(job: RelevanceJob) -> Iterator[RelevanceRecord]:
    """Measure what is left to do and save it block by block; to close this loses the block it is at.

    Yields:
        RelevanceRecord of each block of this process, `done` and `work_done` with those of earlier runs. One
        more comes last; in the first process it has the `relevance` of the whole job or shard.
    Raises:
        UserError: another process of the launch has died.
    """
    path, ranks = job.folder.path, job.ranks
    _open_folder(job)
    total, still = (sum(len(block.channels) for block in blocks) for blocks in (job.own, job.todo))
    work_done, work_total, slowest = job.work_done, sum(job.work.values()), 0.0
    for record in save_records(job.folder, job.records):
        assert record.block is not None
        work_done, slowest = work_done + job.work[record.block], max(slowest, record.seconds)
        yield replace(
            record,
            done=total - still + record.done,
            total=total,
            relevance=None,
            features=None,
            work_done=work_done,
            work_total=work_total,
        )
    if ranks.rank > 0:
        ranks.signal(path, "done")
        yield _last_record(total, work_total, None)
        return
    for rank in range(1, ranks.count):
        ranks.wait_for(
            path,
            "done",
            rank,
            news=lambda: len(list(path.glob("block-*"))),
            patience=max(6 * PATIENCE, 10 * slowest),
        )
    yield _last_record(total, work_total, read_relevance_blocks(job.folder, job.blocks))


def _open_folder(job: RelevanceJob) -> None:
    """Settle the job folder, then let the other processes in."""
    if job.ranks.rank > 0:
        return
    path = job.folder.path
    if job.begins_again:
        remove_job(path)
    job.ranks.clear_signals(path)
    job.folder.write_manifest()
    if job.ranks.count > 1:
        job.ranks.signal(path, "ready")


def _last_record(total: int, work_total: float, relevance: Relevance | None) -> RelevanceRecord:
    nothing = np.zeros(0, np.float32)
    return RelevanceRecord(
        total,
        total,
        None,
        nothing.astype(np.int64),
        nothing.reshape(0, 0),
        nothing,
        relevance=relevance,
        work_done=work_total,
        work_total=work_total,
    )


def finish_relevance_job(job: RelevanceJob, *, keep: bool = False) -> None:
    """Remove the job once its result is saved; a shard's folder is the result, and stays.

    Args:
        job: the job.
        keep: leave manifest and blocks.
    """
    job.ranks.clear_signals(job.folder.path, everyone=True)
    if job.folder.shard is None and not keep:
        remove_job(job.folder.path)


def sample_channels(blocks: list[Block], count: int, seed: int) -> np.ndarray:
    """Draw `count` channels of the blocks, or all if there are fewer, without repeats; ascending."""
    channels = channels_of(blocks)
    return np.sort(np.random.RandomState(seed).choice(channels, min(count, len(channels)), replace=False))


def row_agreement(one: Relevance, exact: Relevance) -> np.ndarray:
    """Return the cosines of the rows that `exact` has measured, without those that do nothing in both."""
    rows, others = one.rows[exact.measured], exact.rows[exact.measured]
    return (rows * others).sum(axis=1)[rows.any(axis=1) | others.any(axis=1)]
