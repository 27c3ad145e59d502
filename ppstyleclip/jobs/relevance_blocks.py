# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Relevance in the blocks of a job folder: written, found again, joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.jobs.folder import JobFolder, wrong_block
from ppstyleclip.jobs.shards import ranges
from ppstyleclip.methods.global_directions import Relevance, RelevanceRecord, collect_relevance
from ppstyleclip.methods.global_directions.blocks import Block, split_blocks
from ppstyleclip.stylespace import StyleLayout

# Words of a job that a relevance file repeats.
MADE_WITH = ("alpha", "base", "compat", "num_images", "statistics", "styles", "stop_at", "precision")


def job_blocks(job: dict[str, Any]) -> list[Block]:
    """Return the blocks of a job, in the order of their numbers."""
    return split_blocks(StyleLayout.from_config(job["layout"]), job["block_size"], job["channels"])


def save_records(folder: JobFolder, records: Iterable[RelevanceRecord]) -> Iterator[RelevanceRecord]:
    """Write each record as a block of the job, then hand it on."""
    for record in records:
        assert record.block is not None
        arrays = {"channels": record.channels, "rows": record.rows, "strength": record.effect_norm}
        if record.features is not None:
            arrays["features"] = record.features
        folder.write_block(record.block, arrays)
        yield record


def missing_blocks(folder: JobFolder, blocks: list[Block]) -> list[Block]:
    """Return those of `blocks` that the folder does not hold, or holds damaged (with a warning)."""
    return [block for block in blocks if read_relevance_block(folder, block) is None]


def read_relevance_block(folder: JobFolder, block: Block) -> dict[str, np.ndarray] | None:
    """Read a block of a relevance job; None as JobFolder.read_block.

    Blocks of earlier versions do not say their number; the channels in them tell them as well.

    Raises:
        UserError: it is another block, or holds no relevance.
    """
    arrays = folder.read_block(block.number)
    if arrays is None:
        return None
    path = folder.block_path(block.number)
    channels, rows, strength = (arrays.get(word) for word in ("channels", "rows", "strength"))
    if channels is None or channels.ndim != 1 or channels.dtype.kind not in "iu":
        raise wrong_block(path, "it does not say which channels it holds")
    if not np.array_equal(channels, block.channels):
        held = f"channels {ranges(channels[:1000])}" if len(channels) else "no channels"
        raise wrong_block(path, f"it holds {held}, this block is channels {ranges(block.channels)}")
    if not (_is_floats(rows, 2, len(channels)) and _is_floats(strength, 1, len(channels))):
        raise wrong_block(path, "it does not hold finite rows and a strength for each channel")
    return arrays


def read_features(folder: JobFolder, blocks: list[Block]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (channels `[B]`, features `[B, N, 2, D]`) of each block of a job that kept them.

    Raises:
        UserError: a block is not there, is another one, or holds no features.
    """
    for block in blocks:
        arrays = read_relevance_block(folder, block) or {}
        features = arrays.get("features")
        if features is None or features.ndim != 4 or len(features) != len(block.channels):
            raise wrong_block(folder.block_path(block.number), "it holds no features")
        yield arrays["channels"], features


def _is_floats(array: np.ndarray | None, rank: int, count: int) -> bool:
    if array is None or array.dtype.kind != "f" or array.ndim != rank or len(array) != count:
        return False
    return bool(np.isfinite(array).all())


def read_relevance_blocks(folder: JobFolder, blocks: list[Block]) -> Relevance:
    """Join blocks of a job; rows of all others are zero and not measured.

    Raises:
        UserError: some are not there (names their channels), or are other blocks than they are called.
    """
    found = {block.number: read_relevance_block(folder, block) for block in blocks}
    lost = [block for block in blocks if found[block.number] is None]
    if lost:
        raise UserError(
            f"{folder.path} lacks channels {ranges(channels_of(lost))}; run the same command again"
        )
    return join_blocks(folder.job, {number: arrays for number, arrays in found.items() if arrays is not None})


def join_blocks(job: dict[str, Any], blocks: dict[int, dict[str, np.ndarray]]) -> Relevance:
    """Make the Relevance of a job from arrays of its blocks, `{number: {name: array}}`, at least one.

    Raises:
        UserError: blocks are of CLIPs of different width.
    """
    widths = sorted({arrays["rows"].shape[1] for arrays in blocks.values()})
    if len(widths) > 1:
        raise UserError(
            f"blocks of one job have rows of {widths[0]} and {widths[1]} numbers; measure it again"
        )
    records = [
        RelevanceRecord(0, 0, number, arrays["channels"], arrays["rows"], arrays["strength"])
        for number, arrays in blocks.items()
    ]
    made_with = {**{word: job[word] for word in MADE_WITH}, **job["options"], "noise": "const"}
    return collect_relevance(
        records,
        job["num_editable"],
        records[0].rows.shape[1],
        name=job["name"],
        layout=StyleLayout.from_config(job["layout"]),
        clip_name=job["clip_name"],
        fingerprints={word: job[word] for word in ("generator", "clip")},
        made_with={**made_with, "channels": sum(len(record.channels) for record in records)},
    )


def channels_of(blocks: Iterable[Block]) -> np.ndarray:
    """Return the wanted channels of some blocks."""
    return np.concatenate([block.channels for block in blocks])
