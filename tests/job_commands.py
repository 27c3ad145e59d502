# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The commands of both stages on a pack of random weights, and ways to kill them; for the tests of jobs."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from ppstyleclip import files
from ppstyleclip.cli.preparing import relevance as relevance_command
from ppstyleclip.cli.preparing import statistics as statistics_command
from ppstyleclip.cli.run import run_cli
from ppstyleclip.methods.global_directions import relevance

ROOT = Path(__file__).resolve().parents[1]
DIRECTIONS = "stylegan2-tiny-styleclip-global-directions.safetensors"
STATS, STYLES = "stylegan2-tiny-styleclip-stats.safetensors", "S-tiny.safetensors"
JOB = "stylegan2-tiny-styleclip-job"
OPTIONS = ["--num_images", "3", "--batch_size", "8", "--block_size", "2"]
NUM_BLOCKS = 14  # of the 28 channels


def extract_with(*argv):
    """The second stage as its command; exit code."""
    return run_cli(lambda: relevance_command.run(relevance_command.parse_args(list(argv))))


def extract(*argv):
    """The same with OPTIONS, and every warning said."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return extract_with(*OPTIONS, *argv)


def getf(*argv):
    """The first stage as its command, 60 samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        words = ["--num_samples", "60", *argv]
        return run_cli(lambda: statistics_command.run(statistics_command.parse_args(words)))


def refuses(command, argv, *words, capsys):
    before = tree()
    assert command(*argv) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ") and all(word in line for word in words), line
    assert tree() == before


def tree():
    return {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}


class Killed(BaseException):
    """What nothing catches, as SIGKILL."""


def kill_at(monkeypatch, place):
    """Let the run die when it moves its `place`-th file into place."""
    moves = []

    def replace(draft, path):
        moves.append(path)
        if len(moves) == place:
            raise Killed
        real(draft, path)

    real = os.replace
    monkeypatch.setattr(files.os, "replace", replace)


def die(monkeypatch, place, *argv, command=extract):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, place)
        command(*argv)


def die_of_it(*args):
    raise Killed


def counted(monkeypatch):
    """The list of blocks that are measured from now on."""
    measured, real = [], relevance._measure

    def measure(task, prefix, block):
        measured.append(block.number)
        return real(task, prefix, block)

    monkeypatch.setattr(relevance, "_measure", measure)
    return measured


def dead_process():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


# A driver that draws slowly, for real kills: python driver.py PACK PAUSE COMMAND ...
DRIVER = """
import sys
import time
from pathlib import Path
from ppstyleclip.cli.main import run_command
from ppstyleclip.methods.global_directions import relevance
from ppstyleclip.zoo import registry
registry.PACK = Path(sys.argv[1])
draw = relevance._features
def slow(*args):
    time.sleep(float(sys.argv[2]))
    return draw(*args)
relevance._features = slow
codes = [run_command("relevance", command.split()) for command in sys.argv[3:]]
raise SystemExit(max(codes))
"""


def driver(pack, pause, *commands):
    Path("driver.py").write_text(DRIVER)
    return ["driver.py", str(pack), str(pause), *(" ".join([*OPTIONS, *words]) for words in commands)]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def launch(processes, script, *, env):
    words = ["-m", "paddle.distributed.launch", "--nproc_per_node", str(processes), "--log_dir", "log"]
    return subprocess.run(
        [sys.executable, *words, *script], env=env, capture_output=True, text=True, timeout=120
    )
