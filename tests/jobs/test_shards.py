# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Shards of machines that share nothing: joined, missing, overlapping, of another job."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from edges import slow
from job_commands import DIRECTIONS, JOB, NUM_BLOCKS, extract, refuses

from ppstyleclip.jobs.folder import JobFolder, read_job
from ppstyleclip.jobs.merge import merge_jobs
from ppstyleclip.jobs.shards import ranges


@pytest.fixture
def shards():
    for i in range(2):
        assert extract("--shard", f"{i}/2", "--output_path", f"m{i}") == 0
    return [str(Path(f"m{i}", f"{JOB}-{i}of2")) for i in range(2)]


def test_two_shards_merged_are_the_single_run(shards, single, capsys):
    assert not list(Path.cwd().rglob(DIRECTIONS))
    assert [len(list(Path(folder).glob("block-*"))) for folder in shards] == [7, 7]
    for order in (shards, shards[::-1], [*shards, shards[0]]):
        assert extract("--merge", *order, "--output_path", "out") == 0
        assert Path("out", DIRECTIONS).read_bytes() == single
        Path("out", DIRECTIONS).unlink()
    assert all(Path(folder).exists() for folder in shards)


def test_gaps_name_the_channels_and_who_owes_them(shards, capsys):
    missing = "channels 2-3, 6-7, 10-11, 14-15, 18-19, 22-23, 26-27 (14 in all) are missing"
    refuses(extract, ["--merge", shards[0]], missing, "shard 1/2 owes", capsys=capsys)
    (Path(shards[0]) / "block-00004.safetensors").unlink()
    refuses(extract, ["--merge", *shards], "channels 8-9 are missing", "shard 0/2 owes", capsys=capsys)
    path = Path(shards[1]) / "block-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    refuses(extract, ["--merge", *shards], "channels 2-3, 8-9", "shard 0/2, 1/2 owes", capsys=capsys)


def test_an_overlap_with_other_rows_is_refused(shards, capsys):
    shutil.copytree(shards[0], "copy")
    copy = read_job("copy")
    arrays = copy.read_block(2)
    copy.write_block(2, {**arrays, "strength": arrays["strength"] + np.float32(1e-6)})
    refuses(
        extract,
        ["--merge", *shards, "copy"],
        "channels 4-5 are in",
        "copy with different rows",
        capsys=capsys,
    )


@pytest.mark.parametrize(
    "word, value",
    [
        ("generator", "0" * 16),
        slow(("clip", "1" * 16)),
        ("alpha", 3.0),
        slow(("block_size", 4)),
        slow(("stop_at", 8)),
    ],
)
def test_shards_of_another_job_are_refused_with_both_values(word, value, shards, capsys):
    folder = read_job(shards[1])
    JobFolder(folder.path, {**folder.job, word: value}, folder.shard).write_manifest()
    here = "none" if folder.job[word] is None else str(folder.job[word])
    refuses(
        extract, ["--merge", *shards], "parts of different jobs", f"{word} {here} and {value}", capsys=capsys
    )


def test_shards_of_unlike_machines_are_joined_with_a_word(shards):
    folder = read_job(shards[1])
    blocks = {number: folder.read_block(number) for number in range(1, NUM_BLOCKS, 2)}
    other = JobFolder(folder.path, {**folder.job, "threads": 64}, folder.shard)
    other.write_manifest()
    for number, arrays in blocks.items():
        other.write_block(number, arrays)
    with pytest.warns(UserWarning, match="threads [0-9]+ and 64"):
        found = merge_jobs(shards)
    assert found.measured.all() and found.fingerprints["generator"] == folder.job["generator"]


def test_numbers_in_words():
    assert ranges([3]) == "3"
    assert ranges([0, 1, 2]) == "0-2"
    assert ranges([0, 1, 5]) == "0-1, 5 (3 in all)"
