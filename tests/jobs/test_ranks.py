# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Processes of one launch: threads, signals, waiting."""

import os
from pathlib import Path

import pytest
from job_commands import environment, launch

from ppstyleclip import threads
from ppstyleclip.errors import UserError
from ppstyleclip.jobs import ranks
from ppstyleclip.jobs.folder import JobFolder, threads_of_jobs


@pytest.mark.slow
def test_launched_processes_share_the_cores(monkeypatch):
    Path("threads.py").write_text(
        "import os\nfrom ppstyleclip.threads import given_threads, use_all_cores\n"
        "given = given_threads()\nuse_all_cores()\nprint('threads', given, os.environ['OMP_NUM_THREADS'])\n"
    )
    free = {name: value for name, value in environment().items() if name != "OMP_NUM_THREADS"}
    assert launch(1, ["threads.py"], env=free).returncode == 0  # which sets OMP_NUM_THREADS to 1
    assert f"threads None {threads.count_cores()}" in Path("log/workerlog.0").read_text()
    monkeypatch.setattr(threads, "count_cores", lambda: 8)
    monkeypatch.setenv("PADDLE_LOCAL_SIZE", "4")
    for is_given, expected in [(False, "2"), (True, "1")]:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(threads, "_parent_was_given", lambda name, given=is_given: given)
        threads.use_all_cores()
        assert os.environ["OMP_NUM_THREADS"] == expected


def test_threads_that_are_given_stay_and_those_of_a_job_are_taken(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    threads.use_all_cores(5)
    assert os.environ["OMP_NUM_THREADS"] == "3" and threads.given_threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.given_threads() is None
    threads.use_all_cores(5)
    assert os.environ["OMP_NUM_THREADS"] == "5"
    words = {"kind": "statistics", "generator": "1" * 16, "seed": 1, "num_samples": 9, "truncation": 0.7}
    words.update(truncation_mode="layers", batch_size=3, keep=2)
    folder = JobFolder(Path("stylegan2-x-styleclip-job"), {**words, "threads": 7})
    folder.write_manifest()
    assert threads_of_jobs([folder.path, Path("nothing")]) == 7
    other = JobFolder(Path("y"), {**words, "threads": 8})
    other.write_manifest()
    assert threads_of_jobs([folder.path, other.path]) is None


def test_waiting_ends_when_launch_has_ended_or_nothing_happens(monkeypatch):
    monkeypatch.setattr(ranks, "_PAUSE", 0.01)
    orphan = ranks.Ranks(0, 2, "a", os.getppid() + 1)
    with pytest.raises(UserError, match="launch has ended"):
        orphan.wait_for(Path("."), "done", 1)
    here = ranks.Ranks(0, 2, "a", os.getppid())
    with pytest.raises(UserError, match="process 1 of 2 has done nothing for 0 s"):
        here.wait_for(Path("."), "done", 1, patience=0.05)
    ranks.Ranks(1, 2, "b", os.getppid()).signal(Path("."), "done")  # of an earlier launch
    with pytest.raises(UserError, match="has done nothing"):
        here.wait_for(Path("."), "done", 1, patience=0.05)
    ranks.Ranks(1, 2, "a", os.getppid()).signal(Path("."), "done")
    here.wait_for(Path("."), "done", 1, patience=0.05)
    here.clear_signals(Path("."))
    assert [path.name for path in Path(".").iterdir()] == [".rank-1-a-done"]
    monkeypatch.setenv("PADDLE_TRAINER_ID", "2")
    with pytest.raises(UserError, match="PADDLE_TRAINER_ID is 2"):
        ranks.launched_ranks()
