# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile manifests: one line, and nothing of another folder is touched. Blocks under another number."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from edges import slow
from hostile_values import (
    DEEP,
    NO_COUNT,
    NO_LINE,
    NO_LIST,
    NO_MARK,
    NO_NAME,
    NO_NAMED,
    NO_NUMBER,
    RELEVANCE_JOB,
    STATISTICS_JOB,
    cases,
    changed,
)
from hostile_values import refused as refused_line
from job_commands import DIRECTIONS, JOB, die, extract, refuses

from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.jobs.folder import JobFolder, read_job, threads_of_jobs
from ppstyleclip.jobs.relevance_blocks import job_blocks, read_relevance_block

NO_OPTIONAL = [value for value in NO_COUNT if value is not None]
BAD = {
    "relevance": {
        "kind": ["other", "", 3, None, ["relevance"], {}],
        "name": NO_NAME,
        "layout": [*NO_NAMED, None, {}, DEEP],
        "layout.channels": [*NO_LIST, [], [3], [3, 0], [3, 10**9], [10**9, 2], ["3", 2], [3, None]],
        "layout.editable": [*NO_LIST, [], [1, 0], [False, True], [False, False]],
        "layout.names": [*NO_LIST, [], ["a"], [3, 4], ["a" * 201, "b"]],
        "generator": NO_MARK,
        "clip": NO_MARK,
        "statistics": NO_MARK,
        "clip_name": NO_LINE,
        "num_images": [0, 10**7, *NO_COUNT],
        "channels": [*NO_LIST, [], [-1], ["0"], [None], [1.5], [[0]], DEEP],
        "num_editable": [0, 4, 2**30, *NO_COUNT],
        "options": [*NO_NAMED, None, {}, {"engine": "fast"}, {"engine": 3}, {"engine": None}],
        "precision": ["fp8", 3, None],
        "threads": NO_COUNT,
        "device": NO_LINE[:4],
        "alpha": [0, -1, *NO_NUMBER],
        "base": ["other", 3, None],
        "compat": ["other", 3, True],
        "batch_size": [0, 1, 2**30, *NO_COUNT],
        "block_size": [0, 2**30, *NO_COUNT],
        "cache_bytes": [-1, 2**60, "2", None],
        "stop_at": [0, *NO_OPTIONAL],
    },
    "statistics": {
        "seed": [2**32, *NO_COUNT],
        "num_samples": [1, 10**10, *NO_COUNT],
        "truncation": [-0.1, 1.1, *NO_NUMBER],
        "truncation_mode": NO_LINE[:4],
        "batch_size": [0, 2**30, *NO_COUNT],
        "keep": NO_COUNT,
    },
}
JOBS = {"relevance": RELEVANCE_JOB, "statistics": STATISTICS_JOB}
TEXTS = ["", "{", "[]", "3", "null", '"x"', "[" * 100_000, "9" * 5000, "NaN", b"\xff\xfe", " " * 2**25]


def write_manifest(words, **more):
    Path("job").mkdir(exist_ok=True)
    Path("job", "manifest.json").write_text(json.dumps({"format": 1, "job": words, "shard": None, **more}))


def all_cases():
    return [
        pytest.param(kind, *case.values, id=f"{kind}-{case.id}")
        for kind, table in BAD.items()
        for case in cases(table)
    ]


@pytest.mark.parametrize("kind, field, value", all_cases())
def test_a_hostile_word_is_one_line(kind, field, value):
    write_manifest(changed(JOBS[kind], field, value))
    line = refused_line(read_job, "job")
    assert "job/manifest.json is damaged: " in line and "--restart" in line
    assert threads_of_jobs([Path("job")]) is None


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_manifest_is_one_line(text):
    Path("job").mkdir()
    Path("job", "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert "--restart" in refused_line(read_job, "job")


@pytest.mark.parametrize(
    "more",
    [
        {"shard": "2/2"},
        {"shard": "0/0"},
        {"shard": 3},
        {"shard": "../1"},
        {"shard": "9" * 5000 + "/1"},
        {"format": "1"},
        {"format": True},
        {"format": -1},
        {"job": []},
        {"job": None},
        {"job": {}},
    ],
)
def test_a_hostile_frame_is_one_line(more):
    write_manifest(RELEVANCE_JOB, **more)
    refused_line(read_job, "job")


@pytest.mark.parametrize("kind", JOBS)
def test_the_valid_ones_are_read_with_words_of_a_later_version(kind):
    write_manifest({**JOBS[kind], "later": {"a": [1, 2]}})
    assert read_job("job").job == {**JOBS[kind], "later": {"a": [1, 2]}}


# ---- names out of manifests


def test_the_name_of_a_merged_job_is_no_path(capsys):
    assert extract("--shard", "0/1", "--output_path", "m", "--keep_job") == 0
    path = next(Path("m").glob("*/manifest.json"))
    for victim in ("victim.safetensors", "stylegan2-", "m/victim.safetensors"):
        Path(victim).write_bytes(b"precious")
    content = json.loads(path.read_text())
    for name in ("/../../victim", "../victim", "..", "a/b", "\x1b[2J", "x" * 300):
        content["job"]["name"] = name
        path.write_text(json.dumps(content))
        for more in ([], ["--restart"]):
            argv = ["--merge", str(path.parent), "--output_path", "out", *more]
            refuses(extract, argv, "job.name", capsys=capsys)
    assert not Path("out").exists()


# ---- blocks under another number


def begun(monkeypatch):
    die(monkeypatch, 7)
    return sorted(Path(JOB).glob("block-*"))


def without_number(path):
    """Write a block as versions did that kept no number in it."""
    arrays, metadata = read_safetensors(path)
    write_safetensors(path, arrays, {name: text for name, text in metadata.items() if name != "number"})


def test_a_block_says_its_number_and_its_job(monkeypatch):
    for number, path in enumerate(begun(monkeypatch)):
        metadata = read_safetensors(path)[1]
        assert metadata["number"] == str(number) and metadata["manifest"] == read_job(JOB).digest


@pytest.mark.parametrize("is_old", [False, True])
def test_a_block_copied_under_another_number_is_refused(is_old, monkeypatch, capsys, single):
    blocks = begun(monkeypatch)
    if is_old:
        for path in blocks:
            without_number(path)
    kept = blocks[2].read_bytes()
    shutil.copyfile(blocks[1], blocks[2])
    why = "it holds channels 2-3, this block is channels 4-5" if is_old else "it was written as block 1"
    refuses(
        extract, [], f"{blocks[2]} is not the block that its name says: {why}", "delete it", capsys=capsys
    )
    refuses(extract, ["--merge", JOB], f"{blocks[2]} is not the block", why, capsys=capsys)
    blocks[2].write_bytes(kept)
    if is_old:
        without_number(blocks[2])
    assert extract() == 0
    assert Path(DIRECTIONS).read_bytes() == single


def test_a_block_is_measured_again_once_it_is_deleted(monkeypatch, capsys, single):
    blocks = begun(monkeypatch)
    shutil.copyfile(blocks[3], blocks[0])
    refuses(extract, [], "it was written as block 3", capsys=capsys)
    blocks[0].unlink()
    assert extract() == 0
    assert Path(DIRECTIONS).read_bytes() == single


BLOCK = {
    "channels": np.array([2, 3]),
    "rows": np.zeros([2, 16], np.float32),
    "strength": np.zeros(2, np.float32),
}


@pytest.mark.parametrize(
    "change, why",
    [
        ({"channels": None}, "does not say which channels"),
        ({"channels": np.array([2.0, 3.0])}, "does not say which channels"),
        ({"channels": np.array([[2, 3]])}, "does not say which channels"),
        ({"channels": np.array([3, 2])}, "it holds channels"),
        ({"channels": np.array([2])}, "it holds channels 2,"),
        ({"channels": np.zeros(0, np.int64)}, "it holds no channels"),
        ({"channels": np.array([2, 10**12])}, "it holds channels"),
        ({"channels": np.array([-1, 3])}, "it holds channels"),
        ({"rows": None}, "finite rows"),
        ({"rows": np.zeros([3, 16], np.float32)}, "finite rows"),
        ({"rows": np.zeros([2], np.float32)}, "finite rows"),
        ({"rows": np.zeros([2, 16], np.int32)}, "finite rows"),
        ({"rows": np.full([2, 16], np.nan, np.float32)}, "finite rows"),
        ({"strength": None}, "finite rows"),
        ({"strength": np.zeros([2, 1], np.float32)}, "finite rows"),
        ({"strength": np.array([np.inf, 0], np.float32)}, "finite rows"),
    ],
)
def test_a_block_of_other_arrays_is_refused(change, why):
    job = {
        **RELEVANCE_JOB,
        "channels": None,
        "layout": {"names": ["a"], "channels": [6], "editable": [True]},
        "num_editable": 6,
    }
    folder = JobFolder(Path("job"), job)
    arrays = {name: array for name, array in {**BLOCK, **change}.items() if array is not None}
    folder.write_block(1, arrays)
    line = refused_line(read_relevance_block, folder, job_blocks(job)[1])
    assert "is not the block that its name says" in line and why in line
    folder.write_block(1, BLOCK)
    assert read_relevance_block(folder, job_blocks(job)[1]) is not None


def test_blocks_of_unlike_width_are_refused(monkeypatch, capsys):
    begun(monkeypatch)
    read_job(JOB).write_block(1, {**BLOCK, "rows": np.zeros([2, 15], np.float32)})
    assert extract() == 2
    assert "rows of 15 and 16 numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "metadata", [{"number": "x"}, slow({"number": "-1"}), slow({"manifest": "a"}), {"checksum": "\x1b"}]
)
def test_hostile_metadata_of_a_block_count_as_damage(metadata, monkeypatch):
    path = begun(monkeypatch)[1]
    arrays, own = read_safetensors(path)
    write_safetensors(path, arrays, {**own, **metadata})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert read_job(JOB).read_block(1) is None
    assert "is damaged" in str(said[0].message)


@pytest.mark.parametrize(
    "change",
    [
        {"done": np.array(61)},
        {"done": np.array(0)},
        {"done": np.array(7.0)},
        {"done": np.array([7, 7])},
        {"done": None},
        {"mean": np.zeros(3)},
        {"mean": None},
        {"m2": np.full(5, np.nan)},
        {"s": np.zeros([3, 5], np.float32)},
        {"s": None},
    ],
)
def test_a_state_of_statistics_that_cannot_be_is_one_line(change):
    from ppstyleclip.jobs.statistics import _checked_state
    from ppstyleclip.methods.global_directions import StatisticsConfig

    state = {"done": np.array(7), "mean": np.zeros(5), "m2": np.zeros(5), "s": np.zeros([7, 5], np.float32)}
    config = StatisticsConfig(num_samples=60, keep=9)
    assert _checked_state(state, 5, config, Path("b")).done == 7
    other = {name: array for name, array in {**state, **change}.items() if array is not None}
    refused_line(_checked_state, other, 5, config, Path("b"))
