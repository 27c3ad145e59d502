# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The job folders of all shards, joined to one Relevance."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.jobs.folder import JobFolder, differences, read_job, shown
from ppstyleclip.jobs.relevance_blocks import channels_of, job_blocks, join_blocks, read_relevance_block
from ppstyleclip.jobs.shards import parse_shard, ranges
from ppstyleclip.methods.global_directions import Relevance
from ppstyleclip.methods.global_directions.blocks import Block

ROUNDING = ("threads", "device")  # shards of unlike machines may differ in these: only rounding does


def merge_jobs(paths: Iterable[Path | str]) -> Relevance:
    """Join the job folders of several machines.

    Args:
        paths: the folders.
    Returns:
        Relevance; its bytes are those of a single run with the same number of threads.
    Raises:
        UserError: a folder without job, jobs that differ, channels that are missing, or rows that are in two
            folders and not the same.
    """
    folders = [_job_of(path) for path in paths]
    first = folders[0]
    for other in folders[1:]:
        _check_mergeable(first, other)
    blocks = job_blocks(first.job)
    found: dict[int, dict[str, np.ndarray]] = {}
    source: dict[int, Path] = {}
    for folder in folders:
        for block in blocks:
            arrays = read_relevance_block(folder, block)
            if arrays is None:
                continue
            if block.number in found and not _same(arrays, found[block.number]):
                raise UserError(
                    f"channels {ranges(block.channels)} are in {source[block.number]} and in "
                    f"{folder.path} with different rows; leave one of the folders out"
                )
            found[block.number], source[block.number] = arrays, folder.path
    lost = [(place, block) for place, block in enumerate(blocks) if block.number not in found]
    if lost:
        raise UserError(_who_owes(lost, folders))
    return join_blocks(first.job, found)


def _job_of(path: Path | str) -> JobFolder:
    folder = read_job(path)
    if folder is None or folder.job.get("kind") != "relevance":
        raise UserError(
            f"{path} holds no relevance job; name folders that `ppstyleclip relevance --shard` has made"
        )
    return folder


def _check_mergeable(one: JobFolder, other: JobFolder) -> None:
    different = differences(one.job, other.job, ignored=("layout", *ROUNDING))
    if different:
        parts = [f"{word} {shown(here)} and {shown(there)}" for word, here, there in different[:3]]
        raise UserError(
            f"{one.path} and {other.path} are parts of different jobs: {'; '.join(parts)}; "
            "measure one of them again"
        )
    for word, here, there in differences(one.job, other.job, ignored=("layout",)):
        warnings.warn(
            f"{one.path} and {other.path} were measured with {word} {shown(here)} and "
            f"{shown(there)}; joined, they may differ from a single run by rounding",
            stacklevel=3,
        )


def _who_owes(lost: list[tuple[int, Block]], folders: list[JobFolder]) -> str:
    """Name the channels that no folder holds, and the shards that owe them."""
    text = f"channels {ranges(channels_of(block for _, block in lost))} are missing"
    counts = {parse_shard(folder.shard)[1] for folder in folders}
    if counts == {1}:
        return f"{text}; the job in {folders[0].path} has not ended, run it again"
    if len(counts) > 1:
        return f"{text}; the folders are shards of {' and of '.join(map(str, sorted(counts)))} parts"
    count = counts.pop()
    owing = ", ".join(f"{i}/{count}" for i in sorted({place % count for place, _ in lost}))
    return f"{text}; shard {owing} owes them: name its folder too, or run it (again) with --shard"


def _same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
