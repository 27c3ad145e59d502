# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The relevance measurement as a job folder: what it is, who does which block, how parts are joined.

The blocks are dealt round-robin: each share has its part of every layer, so shares are equal in work whatever
a picture costs there, and each draws what lies before a layer once.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.methods.job_folder import JobFolder, differences, parse_shard, read_job, shown
from ppstyleclip.methods.relevance import Relevance, RelevanceRecord, compute_relevance, split_blocks
from ppstyleclip.stylespace import StyleLayout

# All but the last are compute_relevance's own words.
OPTIONS = ("alpha", "base", "compat", "batch_size", "block_size", "cache_bytes", "stop_at", "precision")
ROUNDING = ("threads", "device")  # shards of unlike machines may differ in these: only rounding does


def describe_job(
    *,
    name: str,
    layout: StyleLayout,
    fingerprints: dict,
    clip_name: str,
    num_images: int,
    channels,
    threads: int,
    device: str,
    options: dict | None = None,
    **measured,
) -> dict:
    """Everything that decides what the blocks hold, as a manifest keeps it.

    Args:
        name: of the generator.
        layout: its style space.
        fingerprints: of "generator", "clip", "statistics" and "styles".
        clip_name: of the CLIP.
        num_images: base pictures.
        channels: the editable channels that are wanted; None for all.
        threads, device: of each process.
        options: further words that later options need.
        measured: one value for each of OPTIONS.
    """
    channels = None if channels is None else [int(channel) for channel in channels]
    return {
        "kind": "relevance",
        "name": name,
        "layout": layout.to_config(),
        **fingerprints,
        "clip_name": clip_name,
        "num_images": num_images,
        "channels": channels,
        "threads": threads,
        "num_editable": layout.num_editable,
        "device": device,
        "options": dict(options or {}),
        **{word: measured[word] for word in OPTIONS},
    }


def job_blocks(job: dict) -> list:
    """The blocks of a job, in the order of their numbers."""
    return split_blocks(StyleLayout.from_config(job["layout"]), job["block_size"], job["channels"])


def start_records(
    job: dict, todo: list, generator, clip, stats, s_base, compiled=None
) -> Iterator[RelevanceRecord]:
    """compute_relevance for the blocks `todo` of a job; `compiled` as there.

    Raises:
        UserError: an option of the job is out of range.
    """
    layout = StyleLayout.from_config(job["layout"])
    return compute_relevance(
        generator,
        clip,
        layout,
        stats,
        s_base,
        channels=_channels(todo),
        compiled=compiled,
        **{word: job[word] for word in OPTIONS[:-1]},
    )


def save_records(folder: JobFolder, records: Iterable[RelevanceRecord]) -> Iterator[RelevanceRecord]:
    """Write each record as a block of the job, then hand it on."""
    for record in records:
        arrays = {"channels": record.channels, "rows": record.rows, "strength": record.strength}
        folder.write_block(record.block, arrays)
        yield record


def missing_blocks(folder: JobFolder, blocks: list) -> list:
    """Those of `blocks` that the folder does not hold, or holds damaged (with a warning)."""
    return [block for block in blocks if folder.read_block(block.number) is None]


def read_relevance_blocks(folder: JobFolder, blocks: list) -> Relevance:
    """Join blocks of a job; rows of all others are zero and not measured.

    Raises:
        UserError: some are not there; names their channels.
    """
    found = {block.number: folder.read_block(block.number) for block in blocks}
    lost = [block for block in blocks if found[block.number] is None]
    if lost:
        raise UserError(f"{folder.path} lacks channels {ranges(_channels(lost))}; run the same command again")
    return _join(folder.job, found.values())


def merge_jobs(paths) -> tuple:
    """Join the job folders of several machines.

    Args:
        paths: the folders.
    Returns:
        (job, Relevance); the bytes are those of a single run with the same number of threads.
    Raises:
        UserError: a folder without job, jobs that differ, channels that are missing, or rows that are in two
            folders and not the same.
    """
    folders = [_job_of(path) for path in paths]
    first = folders[0]
    for other in folders[1:]:
        _check_mergeable(first, other)
    blocks, found, source = job_blocks(first.job), {}, {}
    for folder in folders:
        for block in blocks:
            arrays = folder.read_block(block.number)
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
        raise UserError(_gap(lost, folders))
    return first.job, _join(first.job, found.values())


def _job_of(path) -> JobFolder:
    folder = read_job(path)
    if folder is None or folder.job.get("kind") != "relevance":
        raise UserError(
            f"{path} holds no relevance job; name folders that tools/styleclip_extract.py --shard has made"
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


def _gap(lost, folders) -> str:
    """The channels that no folder holds, and who owes them."""
    text = f"channels {ranges(_channels([block for _, block in lost]))} are missing"
    counts = {parse_shard(folder.shard)[1] for folder in folders}
    if counts == {1}:
        return f"{text}; the job in {folders[0].path} has not ended, run it again"
    if len(counts) > 1:
        return f"{text}; the folders are shards of {' and of '.join(map(str, sorted(counts)))} parts"
    count = counts.pop()
    owing = ", ".join(f"{i}/{count}" for i in sorted({place % count for place, _ in lost}))
    return f"{text}; shard {owing} owes them: name its folder too, or run it (again) with --shard"


def ranges(numbers) -> str:
    """Whole numbers in words, such as "0-4, 9, 12-20 (15 in all)"."""
    numbers = [int(number) for number in numbers]
    parts, start = [], 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            first, last = numbers[start], numbers[end - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = end
    more = ", ..." if len(parts) > 8 else ""
    return f"{', '.join(parts[:8])}{more}" + (f" ({len(numbers)} in all)" if len(parts) > 1 else "")


def sample_channels(blocks: list, count: int, seed: int) -> np.ndarray:
    """`count` channels of the blocks, or all if there are fewer, drawn without repeats; ascending."""
    channels = _channels(blocks)
    return np.sort(np.random.RandomState(seed).choice(channels, min(count, len(channels)), replace=False))


def row_agreement(one: Relevance, other: Relevance, channels) -> np.ndarray:
    """Cosine of the rows of `channels`, without those that do nothing in both."""
    rows, others = one.relevance[channels], other.relevance[channels]
    return (rows * others).sum(axis=1)[rows.any(axis=1) | others.any(axis=1)]


def _channels(blocks) -> np.ndarray:
    return np.concatenate([block.channels for block in blocks])


def _same(one, other) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _join(job, parts) -> Relevance:
    parts = list(parts)
    relevance = np.zeros((job["num_editable"], parts[0]["rows"].shape[1]), np.float32)
    strength, measured = np.zeros(len(relevance), np.float32), np.zeros(len(relevance), bool)
    for part in parts:
        channels = part["channels"]
        relevance[channels], strength[channels], measured[channels] = part["rows"], part["strength"], True
    return Relevance(relevance, strength, measured)
