# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The commands in tools/, which are scripts and not a package, for tests to call."""

import functools
import importlib.util
from pathlib import Path

from ppstyleclip.cli.main import run_command

TOOLS = Path(__file__).resolve().parents[1] / "tools"


def load_module(name):
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_tool(name):
    """The main of a script of tools/; it takes a list of arguments and returns an exit code."""
    return getattr(load_module(name), "main", None) or functools.partial(run_command, name)
