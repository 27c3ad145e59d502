# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Paddle without a module that it needs, such as 2.6.2 on a Python that brings no setuptools."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("command", (["edit", "--target", "happy face"], ["doctor"]))
def test_a_module_that_paddle_lacks_is_named_with_the_cure(tmp_path, command):
    (tmp_path / "paddle").mkdir()
    (tmp_path / "paddle/__init__.py").write_text("import a_module_that_nobody_has\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "-m", "ppstyleclip", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "pip install a_module_that_nobody_has" in said
    assert "Traceback" not in said
