# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands start Paddle by `import_paddle` alone: on all cores, with fast arithmetic, without its remarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from ppstyleclip.files import save_png

COMMANDS = [
    "edit 7 --target x",
    "edit picture.png --target x",
    "photo picture.png --target x",
    "photo . --target x",
    "replay one.card.json",
    "invert --input_image picture.png",
    "fit --input_image picture.png",
    "map --modules happy",
    "optimize --description x",
    "camera 7 --target x",
    "words",
]
# Forks a process for each command, which ends where Paddle is first looked for and prints the function that
# did so. What is imported before the forks takes no part in that, and need not be imported for each.
FIRST_IMPORT = """
import importlib.abc, json, os, sys
import cv2, numpy, safetensors, yaml

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "paddle":
            frame = sys._getframe(1)
            while "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            print(json.dumps(frame.f_code.co_name), flush=True)
            os._exit(0)

sys.meta_path.insert(0, Watch())
from ppstyleclip.cli.main import main

for command in json.loads(sys.argv[1]):
    print(json.dumps(command), flush=True)
    number = os.fork()
    if number == 0:
        try:
            main(command.split())
        finally:
            os._exit(0)
    os.waitpid(number, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process for each command is forked")
def test_paddle_is_first_imported_by_import_paddle(tmp_path):
    save_png(tmp_path / "picture.png", np.zeros([64, 64, 3], np.uint8))
    (tmp_path / "one.card.json").write_text("{}")
    arguments = [sys.executable, "-c", FIRST_IMPORT, json.dumps(COMMANDS)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('"')]
    expected = [word for command in COMMANDS for word in (command, "import_paddle")]
    assert said == expected, done.stdout + done.stderr
