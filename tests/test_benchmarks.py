# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The arithmetic of benchmarks/speed.py: turns, ratios, agreement; nothing is timed."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import speed
from lanes import race
from lanes.race import Absent, Case, Contestant, Result
from lanes.tables import duration, limit_lines, ratio_table, time_table

RESULTS = [
    Result("draw", "ours, engine", True, 2, (0.5, 0.6, 0.9), 2**30, 60.2),
    Result("draw", "ours, eager", True, 2, (2.0,)),
    Result("draw", "PaddleGAN", False, 1, (6.0, 5.0)),
    Result("blur", "ours, eager", True, 2, (0.01, 0.02)),
    Result("blur", "PyTorch", False, 2, (0.03,)),
]


def cells(lines):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_ratios_are_of_best_times_and_absent_peers_leave_gaps():
    head, _, *rows = cells(ratio_table(RESULTS))
    assert head == ["what", "who", "best", "PaddleGAN takes", "PyTorch takes"]
    assert rows == [
        ["draw", "ours, engine", "0.5 s", "10.00x", ""],
        ["draw", "ours, eager", "2 s", "2.50x", ""],
        ["blur", "ours, eager", "10 ms", "", "3.00x"],
    ]


def test_without_peers_ours_stands_alone():
    assert cells(ratio_table(RESULTS[:1]))[2:] == [["draw", "ours, engine", "0.5 s"]]


def test_times_name_threads_rounds_memory_and_agreement():
    _, _, first, second, *_ = cells(time_table(RESULTS))
    assert first == ["draw", "ours, engine", "2", "0.5 s", "0.6 s", "3", "1,024 MB", "60 dB"]
    assert second[5:] == ["1", "", ""]


def test_the_limit_is_told_by_the_fastest_convolution():
    fast, slow = Result("conv", "oneDNN", True, 2, (0.1,)), Result("conv", "PyTorch", False, 2, (0.2,))
    lines = limit_lines([fast, slow, RESULTS[0]], {"conv": 40.0}, {"draw": 100.0})
    assert lines[0].endswith("400 GFLOP/s") and lines[1].endswith("200 GFLOP/s")
    assert "0.25 s" in lines[2] and "ours, engine takes 2.00 times that" in lines[2]
    assert limit_lines(RESULTS, {"conv": 40.0}, {"draw": 100.0}) == []


@pytest.mark.parametrize("seconds, text", [(1.234, "1.23 s"), (0.0999, "99.9 ms"), (0.00045, "0.45 ms")])
def test_durations_have_three_digits(seconds, text):
    assert duration(seconds) == text


def test_agreement_is_decibels_below_the_reference():
    reference = np.full(4, 2.0)
    assert race._agreement(reference * 1.01, reference) == pytest.approx(40)
    assert race._agreement(reference, reference) == math.inf
    assert race._agreement(reference[:2], reference) is None
    assert race._agreement(None, reference) is None


class FakeLane:
    """Answers at once; from its third `go` on it fails, where it is told to."""

    def __init__(self, name, log, seconds, fails=False):
        self.name, self.log, self.seconds, self.fails = name, log, seconds, fails

    def ask(self, word, *rest):
        if word == "keep":
            return {"kept": False}
        if word == "peak":
            return {"peak": 7}
        if self.fails and self.log.count(self.name) == 2:
            raise Absent("out of memory")
        self.log.append(self.name)
        return {"seconds": self.seconds}


def test_contestants_take_turns_and_who_fails_leaves(monkeypatch, tmp_path):
    monkeypatch.setattr(race, "PAUSE", 0)
    monkeypatch.setattr(race, "COLD", 0)
    log, notes = [], []
    racing = [
        (Contestant("a", "ours", "make", units=8), 2, FakeLane("a", log, 4.0)),
        (Contestant("b", "paddlegan", "make"), 1, FakeLane("b", log, 3.0, fails=True)),
        (Contestant("c", "paddlegan", "make"), 1, FakeLane("c", log, 3.0)),
    ]
    setting = SimpleNamespace(rounds=2, scratch=tmp_path)
    results = race._race(Case("x", "X", 2), racing, setting, notes.append)
    assert log == ["a", "b", "c", "a", "b", "c", "a", "c"]  # the first round warms up
    assert [(r.contestant, r.ours, r.seconds, r.peak) for r in results] == [
        ("a", True, (0.5, 0.5), 7),
        ("c", False, (1.5, 1.5), 7),
    ]
    assert notes == ["b left: out of memory"]


def test_what_differs_from_a_peer_is_noted(monkeypatch, tmp_path):
    monkeypatch.setattr(race, "PAUSE", 0)
    kept = {"ours": np.array([1.0, -1.996]), "peer": np.array([1.0, -2.0])}
    monkeypatch.setattr(race, "_kept", lambda lane, case, path: kept[lane.name])
    racing = [(Contestant(name, name, "make"), 1, FakeLane(name, [], 6.0)) for name in kept]
    setting, notes = SimpleNamespace(rounds=1, scratch=tmp_path), []
    ours, peer = race._race(Case("x", "X"), racing, setting, notes.append, "peer")
    assert notes == ["ours differs by 0.002 of peer's peak"]
    assert ours.agreement == pytest.approx(10 * math.log10(5 / 0.004**2))
    assert peer.agreement is None


@pytest.mark.parametrize("seconds, asked", [(4.0, ["a", "a"]), (6.0, ["a"])])
def test_a_short_step_is_done_once_before_it_is_timed(monkeypatch, seconds, asked):
    monkeypatch.setattr(race, "PAUSE", 0)
    log = []
    entry = Contestant("a", "ours", "make"), 2, FakeLane("a", log, seconds)
    assert race._round(Case("x", "X", 1), [entry], None) == {"a": seconds}
    assert log == asked


@pytest.mark.parametrize("cores, counts", [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_peers_try_powers_of_two_and_all_cores(cores, counts):
    assert speed.thread_counts(cores) == counts


def test_every_group_is_built_with_and_without_peers():
    peers = {
        "paddlegan": "p",
        "rosinality": "r",
        "stylegan3": "g",
        "styleclip": "s",
        "torch_python": "python",
    }
    for given in (peers, dict.fromkeys(peers)):
        found = speed.groups(SimpleNamespace(only=speed.NAMES, **given))
        assert tuple(group.name for group in found) == speed.NAMES
        peer_first = [group.name for group in found if not group.contestants[0].ours]
        assert peer_first == [name for name in speed.NAMES if given["stylegan3"] and "stylegan3" in name]
