# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where PyTorch is not installed, the commands that need it say so in one line."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from ppstyleclip.cli.run import run_cli

COMMANDS = {
    "generator": [],
    "regressor": [],
    "export": ["--output", "out"],
    "encoder.__main__": [],
    "identity.__main__": [],
    "clip.__main__": [],
    "clip.export": ["--output", "b.safetensors"],
    "clip.texts": ["--start", "a.safetensors", "--output", "b.safetensors"],
    "own_dimensions": ["--generator", "a.safetensors", "--output", "b.safetensors", "--factors", "smile"],
    "mappers": ["happy"],
}


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
@pytest.mark.parametrize("module", COMMANDS)
def test_a_command_names_the_missing_package(module, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main = importlib.import_module(f"ppstyleclip.worlds.portrait.training.{module}").main
    code = run_cli(main, [*COMMANDS[module], "--folder", "run"])
    assert code == 2 and capsys.readouterr().err.endswith("run: pip install torch\n")
    assert not list(tmp_path.iterdir())
