# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Killed and started again: seven kills within this process, three SIGKILLs of a real one."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from job_commands import (
    DIRECTIONS,
    JOB,
    NUM_BLOCKS,
    counted,
    dead_process,
    die,
    driver,
    environment,
    extract,
    extract_with,
    launch,
    refuses,
)

from ppstyleclip.files import read_safetensors, sweep_drafts
from ppstyleclip.jobs.folder import JobFolder, read_job


def test_seven_kills_lose_at_most_a_block_each(monkeypatch, single):
    measured, random_ = counted(monkeypatch), random.Random(4)
    for kill in range(7):
        die(monkeypatch, random_.choice([1, 2, 3, 4]))  # 1 is the manifest
        if kill == 3:
            draft = Path(JOB) / f".block-00003.safetensors.{dead_process()}.0123abcd.tmp"
            draft.write_bytes(b"half")
    assert draft.exists() is False and not Path(DIRECTIONS).exists()
    assert extract() == 0
    assert Path(DIRECTIONS).read_bytes() == single
    assert NUM_BLOCKS <= len(measured) <= NUM_BLOCKS + 7
    assert set(measured) == set(range(NUM_BLOCKS))
    assert [path.name for path in Path.cwd().iterdir()] == [DIRECTIONS]  # the job is gone


@pytest.fixture(scope="module")
def by_process(pack, tmp_path_factory):
    """What three SIGKILLs at random moments have left, ended; and a single run of the same process."""
    folder, before, random_ = tmp_path_factory.mktemp("killed"), Path.cwd(), random.Random()
    os.chdir(folder)
    try:
        for kill in range(3):
            process = subprocess.Popen(
                [sys.executable, *driver(pack, 0.03, [])],
                env=environment(),
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            while len(list(folder.glob(f"{JOB}/block-*.safetensors"))) <= 3 * kill:
                assert process.poll() is None, "it ended before it was killed"
                time.sleep(0.005)
            time.sleep(random_.uniform(0, 0.15))
            process.kill()
            assert process.wait() == -signal.SIGKILL
        assert not (folder / DIRECTIONS).exists()
        done = subprocess.run(
            [sys.executable, *driver(pack, 0, [], ["--output_path", "single"])],
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    finally:
        os.chdir(before)
    return done.stdout, (folder / DIRECTIONS).read_bytes(), (folder / "single" / DIRECTIONS).read_bytes()


@pytest.mark.slow
def test_three_sigkills_change_no_byte(by_process):
    said, killed, undisturbed = by_process
    assert killed == undisturbed
    finished = int(re.search(r"(\d+) of 14 blocks are done in \S+; going on", said).group(1))
    assert 7 <= finished < NUM_BLOCKS


@pytest.mark.slow
def test_two_launched_processes_write_the_same_bytes_though_one_died_first(pack, by_process):
    """Launch ends all when process 1 gets a SIGKILL; the next launch goes on."""
    words = ["--output_path", "out", "--keep_job"]
    dying, text = driver(pack, 0, words), Path("driver.py").read_text()
    kill = "import os, signal; os.environ['PADDLE_TRAINER_ID'] == '1' and os.kill(os.getpid(), 9)"
    Path("driver.py").write_text(text.replace("    time.sleep", f"    {kill}\n    time.sleep"))
    assert launch(2, dying, env=environment()).returncode != 0
    assert not Path("out", DIRECTIONS).exists()
    done = launch(2, driver(pack, 0.01, words), env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert Path("out", DIRECTIONS).read_bytes() == by_process[2]
    logs = [Path(f"log/workerlog.{rank}").read_text() for rank in range(2)]
    assert "wrote out" in logs[0] and "process 1 of 2 has done its share" in logs[1]
    names = sorted(path.name for path in Path("out", JOB).iterdir())
    assert len(names) == NUM_BLOCKS + 1 and names[-1] == "manifest.json"


def test_a_job_keeps_what_it_was_begun_with(monkeypatch, single):
    def plain(*argv):
        return extract_with("--num_images", "3", *argv)

    die(monkeypatch, 4)
    assert plain("--keep_job") == 0
    assert Path(DIRECTIONS).read_bytes() == single
    kept = read_job(JOB).job
    assert (kept["batch_size"], kept["block_size"]) == (8, 2) and len(list(Path(JOB).iterdir())) == 15
    assert plain("--keep_job", "--restart") == 0
    kept = read_job(JOB).job
    assert (kept["batch_size"], kept["block_size"]) == (50, 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv, words",
    [
        (["--alpha", "3"], ["alpha 5.0, not 3.0"]),
        (["--batch_size", "6"], ["batch_size 8, not 6"]),
        (["--block_size", "3", "--compat", "official"], ["block_size 2, not 3", "compat none, not official"]),
        (["--num_images", "2"], ["num_images 3, not 2", "styles "]),
        (["--stop_at", "8"], ["stop_at none, not 8"]),
        (["--shard", "0/2", "--job_path", JOB], ["shard none, not 0/2"]),
    ],
)
def test_another_wish_than_the_job_is_refused_by_name(argv, words, monkeypatch, single, capsys):
    die(monkeypatch, 4)
    refuses(extract, argv, *words, "--restart", "choose another output folder", capsys=capsys)
    assert extract() == 0
    assert Path(DIRECTIONS).read_bytes() == single


def test_other_networks_and_threads_are_refused_and_restart_helps(monkeypatch, tmp_path, capsys, single):
    die(monkeypatch, 4)
    old = read_job(JOB).job
    for word in ("generator", "clip", "threads"):
        JobFolder(Path(JOB), {**old, word: "0" * 16 if word != "threads" else 99}).write_manifest()
        said = [f"{'threads (OMP_NUM_THREADS)' if word == 'threads' else word} ", "not "]
        refuses(extract, [], *said, "--restart", capsys=capsys)
    (Path(JOB) / "manifest.json").write_text("{")
    refuses(extract, [], "manifest.json is damaged", "--restart", capsys=capsys)
    measured = counted(monkeypatch)
    assert extract("--restart") == 0
    assert Path(DIRECTIONS).read_bytes() == single and len(measured) == NUM_BLOCKS


def test_a_damaged_block_is_measured_again_and_said(monkeypatch, single, capsys):
    die(monkeypatch, 7)
    blocks = sorted(Path(JOB).glob("block-*"))
    assert len(blocks) == 5
    blocks[0].write_bytes(blocks[0].read_bytes()[:-5])
    changed = bytearray(blocks[2].read_bytes())
    changed[-1] ^= 1
    blocks[2].write_bytes(changed)
    measured = counted(monkeypatch)
    capsys.readouterr()
    assert extract() == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert [line.split()[1] for line in said] == [str(blocks[0]), str(blocks[2])]
    assert all("is damaged" in line for line in said)
    assert sorted(measured) == [0, 2, *range(5, NUM_BLOCKS)]
    assert Path(DIRECTIONS).read_bytes() == single


def test_bad_options_leave_no_job_behind(capsys):
    for argv, words in [
        (["--alpha", "-1"], "--alpha: a finite number from"),
        (["--block_size", "0"], "--block_size: a whole number from 1"),
        (["--stop_at", "12"], "pictures of 4, 8, 16 px on its way; it cannot stop at 12"),
        (["--precision", "bf16", "--engine", "eager"], "bf16 needs the compiled engine"),
        (["--engine", "fast"], "known: auto, compiled, eager"),
        (["--precision", "fp8"], "known: fp32, bf16, fp16"),
        (["--shard", "2/2"], "i from 0 to n - 1"),
        (["--shard", "0/99"], "only 14 blocks"),
        (["--max_memory", "much"], "a size such as 4G"),
        (["--max_memory", "10M"], "is too little"),
        (["--check_channels", "-1"], "--check_channels: a whole number from 0"),
        (["--merge", "nowhere"], "holds no relevance job"),
    ]:
        refuses(extract, argv, words, capsys=capsys)


def test_a_live_process_keeps_its_draft():
    mine, other = (Path(f".a.{pid}.0123abcd.tmp") for pid in (os.getpid(), dead_process()))
    for draft in (mine, other):
        draft.write_bytes(b"")
    sweep_drafts(".", "b")
    assert other.exists()
    sweep_drafts(".")
    assert mine.exists() and not other.exists()


def test_a_trial_has_a_job_of_its_own(monkeypatch):
    die(monkeypatch, 3, "--limit_channels", "5")
    assert [path.name for path in Path.cwd().iterdir()] == [f"{JOB.replace('-job', '-job-trial5')}"]
    assert extract("--limit_channels", "5") == 0
    strength = read_safetensors(DIRECTIONS.replace("directions", "directions-trial5"))[0]["strength"]
    assert set(strength.nonzero()[0]) == {0, 7, 14, 20, 27}
