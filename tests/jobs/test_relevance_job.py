# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a relevance job chooses and says: bar, memory, engine, the check of fast rows."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from job_commands import (
    DIRECTIONS,
    JOB,
    NUM_BLOCKS,
    Killed,
    counted,
    die,
    die_of_it,
    extract,
    extract_with,
    getf,
    kill_at,
)
from safetensors.numpy import load as load_safetensors
from tiny_world import tiny_clip, tiny_generator

from ppstyleclip import engine
from ppstyleclip.cli import progress
from ppstyleclip.files import read_safetensors
from ppstyleclip.jobs import relevance_plan
from ppstyleclip.jobs.folder import read_job
from ppstyleclip.jobs.relevance_config import CHECK_CHANNELS, FAST_IMAGES
from ppstyleclip.methods.global_directions.memory import clip_work
from ppstyleclip.models.forms import prefix_drawing_of


def test_the_bar_counts_work_and_foretells_from_this_run_alone(monkeypatch):
    bars = []

    class Bar(progress.tqdm):
        def __init__(self, **options):
            super().__init__(**options)
            bars.append((self, []))

        def update(self, n=1):
            bars[-1][1].extend([n] if n else [])  # the last record tells of no block
            super().update(n)

    monkeypatch.setattr(progress, "tqdm", Bar)
    die(monkeypatch, 6)  # four blocks are there
    assert extract() == 0
    (_, first), (bar, second) = [one for one in bars if one[0].desc.startswith("channels")]
    assert len(first) == 4 and len(second) == 10
    assert bar.initial == pytest.approx(sum(first)) and bar.n == pytest.approx(bar.total)
    assert first[0] > second[-1]  # early layers are more work
    generator, clip = tiny_generator(), tiny_clip()
    assert first[0] == pytest.approx(2 * (prefix_drawing_of(generator).work(0) + clip_work(clip)))


def test_max_memory_decides_the_job(monkeypatch):
    command = ["--num_images", "3", "--max_memory", "4G"]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 2)
        extract_with(*command)
    job = read_job(JOB).job
    assert job["batch_size"] == 50 and job["cache_bytes"] < 2**20
    assert extract_with(*command) == 0


@pytest.mark.slow
def test_the_compiled_engine_measures_the_same_in_one_run_or_in_shards(single):
    compiled = ["--engine", "compiled"]
    assert extract(*compiled, "--output_path", "whole") == 0
    whole = (Path("whole") / DIRECTIONS).read_bytes()
    rows, expected = (load_safetensors(data)["relevance"] for data in (whole, single))
    assert (rows * expected).sum(axis=1).min() > 0.9999
    assert not np.array_equal(rows, expected)
    for i in range(2):
        assert extract(*compiled, "--shard", f"{i}/2") == 0
    assert extract("--merge", *map(str, Path().glob(f"{JOB}-*"))) == 0
    assert Path(DIRECTIONS).read_bytes() == whole


def test_a_job_is_compiled_when_it_is_worth_it(monkeypatch, single):
    monkeypatch.setattr(engine.CompiledNetworks, "features", die_of_it)
    assert extract() == 0
    monkeypatch.setattr(relevance_plan, "COMPILED_WORK", 1e3)
    with pytest.raises(Killed):
        extract()


def agreement_of(said):
    match = re.search(
        r"exact rows \(16 px, (\d+) images\) on (\d+) channels drawn at random: "
        r"mean cosine ([-\d.]+), least ([-\d.]+)",
        said,
    )
    return int(match[1]), int(match[2]), float(match[3]), float(match[4])


@pytest.mark.slow
def test_fast_says_how_well_it_agrees(capsys, monkeypatch):
    assert getf() == 0  # 60 styles
    assert extract_with("--num_images", "60") == 0
    exact = read_safetensors(DIRECTIONS)[0]["relevance"]
    capsys.readouterr()
    fast = ["--fast", "--num_images", "2", "--stop_at", "8", "--check_channels", "28"]
    assert extract_with(*fast) == 0
    arrays, metadata = read_safetensors(DIRECTIONS)
    made = json.loads(metadata["made_with"])
    assert (made["num_images"], made["stop_at"], made["precision"]) == (2, 8, "fp32")
    cosines = (arrays["relevance"] * exact).sum(axis=1)
    images, channels, mean, least = agreement_of(capsys.readouterr().out)
    assert (images, channels) == (60, 28) and least < 0.99
    assert mean == pytest.approx(cosines.mean(), abs=2e-4) and least == pytest.approx(cosines.min(), abs=2e-3)


@pytest.mark.slow
def test_fast_alone_takes_its_three_options(capsys):
    assert getf() == 0
    assert extract_with("--fast", "--keep_job") == 0
    job = read_job(JOB).job
    assert job["num_images"] == FAST_IMAGES and job["stop_at"] is None  # CLIP sees all 16 px
    images, channels, mean, _ = agreement_of(capsys.readouterr().out)
    assert (images, channels) == (60, CHECK_CHANNELS) and 0.5 < mean < 0.9999
    assert relevance_plan._seen_side(type("G", (), {"size": 1024}), type("C", (), {"image_size": 224})) == 256


@pytest.mark.slow
def test_an_exact_run_agrees_with_itself(capsys, monkeypatch):
    assert getf() == 0
    words = ["--num_images", "60", "--check_channels", "5"]
    die(monkeypatch, NUM_BLOCKS + 4, *words)  # at the sample, which is a job too
    measured = counted(monkeypatch)
    assert extract(*words) == 0
    assert len(measured) < 5
    assert agreement_of(capsys.readouterr().out)[2:] == (1, 1)
