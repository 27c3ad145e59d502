# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Contestants in processes of their own, timed in turns: A B C A B C."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
PAUSE = 0.25  # seconds between two contestants: idle OpenMP threads spin for 0.2
SHORT = 2.0  # seconds that one timing lasts at least; shorter work is repeated
COLD = 5.0  # seconds: shorter work is first done once untimed, for waiting has cooled caches and memory
SLOW = 20.0  # a round that takes longer is not preceded by one that only warms up
REFERENCE = "ours, eager"  # whom the others' results are usually compared with
TORCH = ("rosinality", "nvidia")  # modules that run under the Python that has PyTorch
LONG = 45.0  # once a case has taken as many seconds and two rounds, it ends


@dataclass(frozen=True)
class Case:
    """What is timed. units: pictures and the like in one step; tried: thread counts are compared on it."""

    name: str
    label: str
    units: int = 1
    tried: bool = True


@dataclass(frozen=True)
class Contestant:
    """Who does it: function `make` of `module` beside this file.

    units: in place of the case's, if not 0; compiles: its first run leaves programs on the disk for the next.
    """

    label: str
    module: str
    make: str
    options: dict = field(default_factory=dict)
    units: int = 0
    compiles: bool = False

    @property
    def ours(self):
        return self.module.startswith("ours")


@dataclass(frozen=True)
class Group:
    """Cases that the same processes do one after another; `reference` is whom results are compared with."""

    name: str
    cases: tuple
    contestants: tuple
    reference: str = REFERENCE


@dataclass(frozen=True)
class Result:
    """Times of one contestant at one case.

    seconds: per unit, one of each round; peak: bytes or None; agreement: decibels by which the reference's
    result exceeds the difference to it, None where there is nothing to compare.
    """

    case: str
    contestant: str
    ours: bool
    threads: int
    seconds: tuple
    peak: int | None = None
    agreement: float | None = None

    @property
    def best(self):
        return min(self.seconds)

    @property
    def median(self):
        return statistics.median(self.seconds)


class Absent(Exception):
    """A contestant that cannot take part; the message says why."""


class Lane:
    """A contestant's process."""

    def __init__(self, contestant, threads, setting):
        root = str(HERE.parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        own = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "",
               "PPSTYLECLIP_HOME": str(setting.scratch)}  # fmt: skip
        lent = {} if contestant.ours else setting.lent
        python = setting.torch_python if contestant.module in TORCH else sys.executable
        self.process = subprocess.Popen(
            [python, HERE / "lane.py", contestant.module, contestant.make, json.dumps(contestant.options)]
            + ["--processor"] * setting.processor,
            env={**os.environ, **lent, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if setting.verbose else subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        try:
            ready = self._answer()
        except BaseException:
            self.close()
            raise
        self.cases, self.versions = ready["ready"], ready["versions"]

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
        except BrokenPipeError:
            pass  # _answer says so
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Absent(f"its process ended ({self.process.wait()}); --verbose shows what it said")
        answer = json.loads(line)
        if "absent" in answer:
            raise Absent(answer["absent"])
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Setting:
    """What a run is told.

    threads: counts that peers try, the last for ours; scratch: a folder; lent: environment of the peers;
    processor: take the processor's seconds, of all threads, in place of the clock's.
    """

    rounds: int
    threads: tuple
    scratch: Path
    lent: dict
    torch_python: str | None = None
    verbose: bool = False
    processor: bool = False


@dataclass
class Outcome:
    """What a group's race has shown; others: the share of the machine that other processes took."""

    results: list = field(default_factory=list)
    versions: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    others: float | None = None


def compete(group, setting, say):
    """Run a group; an Outcome. `say` is told what happens."""
    outcome, entries, lanes = Outcome(), [], {}

    def note(said):
        outcome.notes.append(f"{group.name}: {said}")
        say(outcome.notes[-1])

    try:
        for contestant in group.contestants:
            try:
                entries.append((contestant, _enter(contestant, group, setting, lanes)))
            except Absent as reason:
                note(f"{contestant.label} is absent: {reason}")
        for lane in lanes.values():
            outcome.versions.update(lane.versions)
        watch = _Watch([lane.process.pid for lane in lanes.values()])
        for case in group.cases:
            racing = [
                (c, threads[case.name], lanes[c.label, threads[case.name]])
                for c, threads in entries
                if case.name in threads
            ]
            results = _race(case, racing, setting, note, group.reference)
            for r in results:
                say(f"{r.case}: {r.contestant}, {r.threads} threads: {r.best:.4g} s")
            outcome.results += results
        outcome.others = watch.others()
    finally:
        for lane in lanes.values():
            lane.close()
    return outcome


def _enter(contestant, group, setting, lanes):
    """Start a contestant's lanes; `{case: its threads}`. Our lanes have every core."""
    counts = setting.threads[-1:] if contestant.ours else setting.threads
    trials, known = {}, []
    for count in counts if len(counts) > 1 or contestant.compiles else ():
        lane = Lane(contestant, count, setting)
        try:
            known = lane.cases
            for case in group.cases:
                if case.tried and case.name in known:
                    trials[case.name, count] = _trial(lane, case)
        finally:
            lane.close()
    if not trials:
        lane = lanes[contestant.label, counts[-1]] = Lane(contestant, counts[-1], setting)
        return dict.fromkeys(lane.cases, counts[-1])
    chosen = {name: min(counts, key=lambda n, name=name: trials[name, n]) for name, _ in trials}
    usual = next(iter(chosen.values()))
    chosen = {case.name: chosen.get(case.name, usual) for case in group.cases if case.name in known}
    for count in sorted(set(chosen.values())):
        lanes[contestant.label, count] = Lane(contestant, count, setting)
    return chosen


def _trial(lane, case):
    """Best of a few steps; one, where a step is slow."""
    seconds = [lane.ask("go", case.name, 1)["seconds"]]
    if seconds[0] < 3:
        seconds += [lane.ask("go", case.name, _repeats(seconds[0]))["seconds"] for _ in range(2)]
    return min(seconds)


def _repeats(seconds):
    return max(1, min(100, round(SHORT / max(seconds, 1e-6))))


def _race(case, racing, setting, note, reference=REFERENCE):
    """Results of one case, the contestants taking turns; who fails leaves."""
    racing, began = list(racing), time.perf_counter()
    _each(racing, note, lambda contestant, lane: lane.ask("peak"))
    rounds = [_round(case, racing, note)]
    if time.perf_counter() - began < SLOW:
        rounds.clear()
    while len(rounds) < setting.rounds and (len(rounds) < 2 or time.perf_counter() - began < LONG):
        rounds.append(_round(case, racing, note))
    path = setting.scratch / "kept.npy"
    kept = _each(racing, note, lambda contestant, lane: _kept(lane, case, path))
    peaks = _each(racing, note, lambda contestant, lane: lane.ask("peak")["peak"])
    results = []
    for contestant, threads, _ in racing:
        label, units = contestant.label, contestant.units or case.units
        agreement = None if label == reference else _agreement(kept[label], kept.get(reference))
        if agreement is not None and reference != REFERENCE:
            note(f"{label} differs by {_difference(kept[label], kept[reference]):.2g} of {reference}'s peak")
        seconds = tuple(times[label] / units for times in rounds)
        results.append(Result(case.label, label, contestant.ours, threads, seconds, peaks[label], agreement))
    return results


def _each(racing, note, do):
    """`{contestant: do(contestant, lane)}`; who fails is taken off the list, with a note."""
    answers = {}
    for entry in list(racing):
        contestant, _, lane = entry
        try:
            answers[contestant.label] = do(contestant, lane)
        except Absent as reason:
            racing.remove(entry)
            note(f"{contestant.label} left: {reason}")
    return answers


def _round(case, racing, note):
    """`{contestant: seconds of one step}`."""

    def turn(contestant, lane):
        time.sleep(PAUSE)
        seconds = lane.ask("go", case.name, 1)["seconds"]
        if seconds < COLD:
            seconds = lane.ask("go", case.name, _repeats(seconds))["seconds"]
        return seconds

    return _each(racing, note, turn)


def _kept(lane, case, path):
    """The lane's last result, thinned out, or None."""
    return np.load(path) if lane.ask("keep", case.name, path)["kept"] else None


def _agreement(values, reference):
    """Decibels by which a reference exceeds the difference to it; None without both or if they are unlike."""
    if values is None or reference is None or values.shape != reference.shape:
        return None
    power, error = (float(np.mean(np.square(v, dtype="float64"))) for v in (reference, values - reference))
    return 10 * math.log10(power / error) if error else math.inf


def _difference(values, reference):
    """The largest difference to a reference, as a share of its largest value."""
    return float(np.abs(values - reference).max() / np.abs(reference).max())


class _Watch:
    """How much of the machine other processes take from now on, where Linux tells."""

    def __init__(self, pids):
        self.pids, self.before = pids, self._now(pids)

    def _now(self, pids):
        try:
            machine = [int(v) for v in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
            own = sum(
                sum(map(int, Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[11:13]))
                for p in [*pids, os.getpid()]
            )
        except OSError:
            return None
        return sum(machine), sum(machine) - machine[3] - machine[4] - own

    def others(self):
        """Share, 0 to 1, or None."""
        now = self._now(self.pids)
        if now is None or self.before is None or now[0] == self.before[0]:
            return None
        return max(0.0, (now[1] - self.before[1]) / (now[0] - self.before[0]))
