# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Statistics that are killed go on bit for bit."""

import functools
from pathlib import Path

from job_commands import STATS, STYLES, die, getf, refuses

from ppstyleclip.jobs import statistics
from ppstyleclip.methods import global_directions


def stats_bytes():
    return Path(STATS).read_bytes(), Path(STYLES).read_bytes()


def test_statistics_go_on_bit_for_bit(monkeypatch, capsys):
    monkeypatch.setattr(statistics, "SAVE_EVERY", 2)
    keep_40 = functools.partial(global_directions.StatisticsConfig, keep=40)
    monkeypatch.setattr(global_directions, "StatisticsConfig", keep_40)
    assert getf("--batch_size", "7") == 0
    expected = stats_bytes()
    for path in (STATS, STYLES):
        Path(path).unlink()
    for place in (4, 2):  # manifest, state, manifest, state
        die(monkeypatch, place, "--batch_size", "7", command=getf)
    assert sorted(path.name for path in Path("stylegan2-tiny-styleclip-stats-job").iterdir()) == [
        "block-00000.safetensors",
        "manifest.json",
    ]
    refuses(getf, ["--seed", "3"], "seed 1234, not 3", "--restart", capsys=capsys)
    refuses(getf, ["--batch_size", "8"], "batch_size 7, not 8", capsys=capsys)
    assert getf() == 0  # the batch size is the job's
    assert "14 samples are done in" in capsys.readouterr().out
    assert stats_bytes() == expected
    assert sorted(path.name for path in Path.cwd().iterdir()) == [STYLES, STATS]
    assert getf() == 0
    assert stats_bytes() != expected  # one batch of 60: the test can fail


def test_a_damaged_state_begins_again_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(statistics, "SAVE_EVERY", 2)
    assert getf("--batch_size", "7") == 0
    expected = stats_bytes()
    die(monkeypatch, 5, "--batch_size", "7", command=getf)
    state = Path("stylegan2-tiny-styleclip-stats-job", "block-00000.safetensors")
    state.write_bytes(state.read_bytes()[:-1])
    assert getf() == 0
    assert "is damaged" in capsys.readouterr().err
    assert stats_bytes() == expected
