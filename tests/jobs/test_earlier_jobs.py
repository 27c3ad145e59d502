# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Unfinished jobs of version 0.1.0's first code go on; manifest and blocks are written here as that did."""

import hashlib
import json
from pathlib import Path

import numpy as np
from job_commands import DIRECTIONS, JOB, NUM_BLOCKS, STATS, STYLES, counted, extract, getf
from safetensors.numpy import save
from tiny_world import tiny_clip, tiny_generator

from ppstyleclip.files import fingerprint, read_safetensors
from ppstyleclip.threads import thread_count
from ppstyleclip.zoo import clip_fingerprint, generator_fingerprint, load_bundle


def write_manifest(folder, job):
    folder.mkdir()
    content = {"format": 1, "job": job, "shard": None}
    (folder / "manifest.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def write_block(folder, job, number, arrays):
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()
    metadata = {"manifest": digest, "checksum": fingerprint(arrays)}
    (folder / f"block-{number:05d}.safetensors").write_bytes(save(arrays, metadata))


def old_relevance_job():
    """The words of a manifest for what OPTIONS ask for, on the tiny world."""
    generator, clip = tiny_generator(), tiny_clip()
    bundle = load_bundle()
    made = json.loads(read_safetensors(DIRECTIONS)[1]["made_with"])  # of an undisturbed run
    return {
        "kind": "relevance",
        "name": "tiny",
        "layout": generator.layout.to_config(),
        "generator": generator_fingerprint(generator),
        "clip": clip_fingerprint(clip),
        "statistics": fingerprint({"mean": bundle.stats.mean, "std": bundle.stats.std}),
        "styles": made["styles"],
        "clip_name": "portrait",
        "num_images": 3,
        "channels": None,
        "threads": thread_count(),
        "num_editable": 28,
        "device": "cpu",
        "options": {"engine": "eager"},
        "alpha": 5.0,
        "base": "mean",
        "compat": None,
        "batch_size": 8,
        "block_size": 2,
        "cache_bytes": 2 << 30,
        "stop_at": None,
        "precision": "fp32",
    }


def test_an_old_relevance_job_goes_on_and_its_blocks_count(monkeypatch, single, capsys):
    Path(DIRECTIONS).write_bytes(single)
    job, folder = old_relevance_job(), Path(JOB)
    arrays = read_safetensors(DIRECTIONS)[0]
    Path(DIRECTIONS).unlink()
    write_manifest(folder, job)
    for number in range(5):
        channels = np.array([2 * number, 2 * number + 1], np.int64)
        block = {
            "channels": channels,
            "rows": arrays["relevance"][channels],
            "strength": arrays["strength"][channels],
        }
        write_block(folder, job, number, block)
    manifest = (folder / "manifest.json").read_bytes()
    measured = counted(monkeypatch)
    assert extract("--keep_job") == 0
    assert measured == list(range(5, NUM_BLOCKS))
    assert f"5 of {NUM_BLOCKS} blocks are done in {JOB}; going on" in capsys.readouterr().out
    assert (folder / "manifest.json").read_bytes() == manifest
    assert Path(DIRECTIONS).read_bytes() == single


def test_old_statistics_go_on_from_their_state(capsys):
    assert getf("--batch_size", "7") == 0
    expected = Path(STATS).read_bytes(), Path(STYLES).read_bytes()
    first = read_safetensors(STYLES)[0]["s"][:14]
    for path in (STATS, STYLES):
        Path(path).unlink()
    folder = Path("stylegan2-tiny-styleclip-stats-job")
    job = {
        "kind": "statistics",
        "generator": generator_fingerprint(tiny_generator()),
        "seed": 1234,
        "num_samples": 60,
        "truncation": 0.7,
        "truncation_mode": "layers",
        "batch_size": 7,
        "keep": 2000,
        "threads": thread_count(),
        "device": "cpu",
    }
    write_manifest(folder, job)
    halves = first[:7].astype(np.float64), first[7:].astype(np.float64)
    means = [half.mean(axis=0) for half in halves]
    shift = means[1] - means[0]
    m2 = [np.square(half - mean).sum(axis=0) for half, mean in zip(halves, means)]
    state = {
        "done": np.array(14, np.int64),
        "mean": means[0] + shift * (7 / 14),
        "m2": m2[0] + m2[1] + shift**2 * (7 * 7 / 14),
        "s": first,
    }
    write_block(folder, job, 0, state)
    assert getf() == 0
    assert "14 samples are done in" in capsys.readouterr().out
    assert (Path(STATS).read_bytes(), Path(STYLES).read_bytes()) == expected
    assert not folder.exists()
