# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Outputs that are absent, closed, full, short of letters or left: the work is done all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="a POSIX shell is needed")
# A command that works behind a bar and a warning, then prints, and leaves a file.
COMMAND = """
import sys, warnings
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record

def main(word):
    for record in show_progress((Record(k, 5, "work") for k in range(6)), title="作品", mininterval=0):
        warnings.warn("look \\u8138 " + str(record.done))
    open("done.txt", "w").close()
    print("wrote \\u8138 \\udc80")
    if word == "bad":
        raise UserError("no \\u8138")

sys.exit(run_cli(main, sys.argv[-1]))
"""


def run(tmp_path, shell, word="good", **environment):
    """Run COMMAND with a redirection; its code, output and errors."""
    (tmp_path / "command.py").write_text(COMMAND, "utf-8")
    for name in ("done.txt",):
        (tmp_path / name).unlink(missing_ok=True)
    done = subprocess.run(
        ["/bin/bash", "-c", f'set -o pipefail; "{sys.executable}" command.py {word} {shell}'],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", **environment},
    )
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr, (tmp_path / "done.txt").exists()


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize(
    "shell, code",
    [
        (">&-", 0),
        ("2>&-", 0),
        (">&- 2>&-", 0),
        ("<&- >&- 2>&-", 0),
        ("2>/dev/full", 0),
        (">/dev/full", 2),
        ("2> >(exit 0)", 0),
        ("| true", 141),
    ],
)
def test_the_work_is_done_wherever_the_output_goes(tmp_path, shell, code):
    if "/dev/full" in shell and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    got, _, _, is_done = run(tmp_path, shell)
    assert is_done and got in ((code, 0) if code == 141 else (code,))  # a slow reader may still take it


@POSIX
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_that_an_output_lacks_are_codes(tmp_path, encoding):
    code, out, err, is_done = run(tmp_path, "", "bad", PYTHONIOENCODING=encoding)
    assert code == 2 and is_done and out == b"wrote \\u8138 \\udc80\n"
    assert b"warning: look \\u8138 5\n" in err and err.endswith(b"error: no \\u8138\n")


@POSIX
def test_utf8_outputs_keep_their_letters_and_lone_bytes_are_codes(tmp_path):
    code, out, err, is_done = run(tmp_path, "", "bad", PYTHONIOENCODING="utf-8")
    assert code == 2 and is_done and out == "wrote 脸 \\udc80\n".encode() and "error: no 脸".encode() in err


def test_no_streams_at_all_as_under_pythonw(monkeypatch):
    from ppstyleclip.cli.main import main
    from ppstyleclip.cli.run import run_cli
    from ppstyleclip.errors import UserError

    def work():
        print("done")
        sys.stderr.write("a bar")
        raise UserError("bad")

    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert run_cli(work) == 2 and main(["--help"]) == 0 and main(["edit", "--seed"]) == 2
    assert sys.stdout is None and sys.stderr is None


@pytest.mark.slow
def test_commands_run_without_docstrings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-OO", "-m", "ppstyleclip", "edit", "5", "--target", "happy face", "-o", "x.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PPSTYLECLIP_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 0 and (tmp_path / "x.png").is_file(), done.stderr


def test_help_of_every_command_without_docstrings(tmp_path):
    code = (
        "import contextlib, io, sys\n"
        "from ppstyleclip.cli.main import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "        main([name, '--help'])\n"
        "print('all')\n"
    )
    done = subprocess.run(
        [sys.executable, "-OO", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "all\n", done.stderr
