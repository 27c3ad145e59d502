# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The console command: its table, and the scripts that call it by other names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ppstyleclip import __version__
from ppstyleclip.cli.main import ALIASES, COMMANDS, main, run_command

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.name for path in (ROOT / "tools").glob("*.py"))


def called(path):
    """The command that a script runs."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return next(call.args[0].value for call in calls if getattr(call.func, "id", "") == "run_command")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_and_its_twin_for_paddlegans_documents_run_the_command_of_their_name(script):
    name = called(ROOT / "tools" / script)
    assert name == script.removesuffix(".py") == called(ROOT / "applications" / "tools" / script)
    assert ALIASES.get(name, name) in COMMANDS


def test_every_command_answers_by_a_script_or_is_new():
    new = {
        "camera",
        "direction",
        "edit",
        "export",
        "prepare",
        "replay",
        "serve",
        "studio",
        "verify",
        "words",
        "worker",
    }
    assert {ALIASES.get(s.removesuffix(".py"), s.removesuffix(".py")) for s in SCRIPTS} == set(COMMANDS) - new


def test_the_tree_has_no_symbolic_links():
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    assert not [line for line in listed.stdout.splitlines() if line.startswith("120000")]


def test_help_lists_the_commands_and_the_version_is_the_packages(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}" in shown for name in COMMANDS)
    assert main(["--version"]) == 0 and __version__ in capsys.readouterr().out


def test_an_unknown_command_is_one_line_that_names_those_there_are(capsys):
    assert run_command("edti", []) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "'edti'" in line and "edit, replay, photo" in line


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_names_it_as_it_was_called(name, capsys):
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"usage: ppstyleclip {name}" in capsys.readouterr().out


def test_the_package_runs_as_a_module(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ppstyleclip", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert done.returncode == 0 and "usage: ppstyleclip COMMAND" in done.stdout


def test_a_reader_that_leaves_ends_the_command_without_a_word():
    code = (
        "import sys; from ppstyleclip.cli.run import run_cli; "
        "sys.exit(run_cli(lambda: [print('x' * 1000) for _ in range(1000)] and None))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 141 and said == b""
