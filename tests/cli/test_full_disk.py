# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A disk that fills at any file of any command: all files are old or all are new, and no drafts are left."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_world import live_in, save_tiny_pack

from ppstyleclip import drafts
from ppstyleclip.cli.main import run_command

FACES = np.random.RandomState(3).randn(3, 6, 12).astype(np.float32)
# Command and how many files it writes together.
COMMANDS = [
    (["sample", "--seed", "1"], 4),
    (["mix"], 4),
    (["move", "--direction_path", "step.npy", "--direction_offset", "-1", "1"], 4),
    (["interpolate", "--steps", "1"], 3),
    (["styleganv2clip", "--target", "happy face", "--direction_offset", "-1", "1"], 4),
    (["edit", "5", "--target", "happy face"], 3),
    (["fit", "--input_image", "face.png", "--step", "1"], 3),
    (["split-latents", "bank.npy", "--texts", "happy face", "sad face"], 2),
    (["statistics", "--num_samples", "8"], 2),
]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    np.save("bank.npy", FACES)
    np.save("step.npy", FACES[0])
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save("face.png")


def run(argv):
    place = ["-o", "out"] if argv[0] == "edit" else ["--output_path", "out"]
    return run_command(argv[0], [*argv[1:], *place])


def files():
    """All files below out, but for the job folder, which is written block by block."""
    return {
        path.relative_to("out").as_posix(): path.read_bytes()
        for path in Path("out").rglob("*")
        if path.is_file() and not any(part.endswith("-job") for part in path.parts)
    }


class FullDisk:
    """Refuses the n-th file that is opened, renamed or linked below out."""

    def __init__(self, monkeypatch, number):
        self.number, self.calls = number, 0
        monkeypatch.setattr(drafts, "open", self._refusing(open), raising=False)
        for name in ("replace", "link"):
            monkeypatch.setattr(os, name, self._refusing(getattr(os, name)))

    def _refusing(self, function):
        def call(path, *args, **options):
            if "probe" not in str(path) and Path(path).absolute().parts[-2:-1] == ("out",):
                self.calls += 1
                if self.calls == self.number:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return function(path, *args, **options)

        return call


@pytest.mark.slow
@pytest.mark.filterwarnings("always::UserWarning")
@pytest.mark.parametrize("argv, count", COMMANDS, ids=[argv[0] for argv, _ in COMMANDS])
def test_all_files_are_old_or_all_are_new(argv, count, monkeypatch, capsys):
    assert run(argv) == 0
    new = files()
    assert len(new) >= count
    for name in new:
        Path("out", name).write_bytes(b"old")
    old, number = files(), 0
    while True:
        number += 1
        with monkeypatch.context() as patch:
            disk = FullDisk(patch, number)
            code = run(argv)
        if disk.calls < number:
            break
        assert code == 2 and files() == old, number
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1 and "No space left" in lines[0]
    assert number > 2 * count and code == 0  # each file was refused when opened and when renamed
    assert set(files()) == set(new) and b"old" not in files().values()
