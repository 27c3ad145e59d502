# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands start Paddle by `import_paddle` alone: on all cores, with fast arithmetic, without its remarks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ppstyleclip.files import save_png

# Ends the process where Paddle is first looked for, and prints the function that did so.
FIRST_IMPORT = """
import importlib.abc, os, sys

class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "paddle":
            frame = sys._getframe(1)
            while "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            print(frame.f_code.co_filename, frame.f_code.co_name, flush=True)
            os._exit(0)

sys.meta_path.insert(0, Watch())
from ppstyleclip.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "command",
    [
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
    ],
)
def test_paddle_is_first_imported_by_import_paddle(command, tmp_path):
    save_png(tmp_path / "picture.png", np.zeros([64, 64, 3], np.uint8))
    (tmp_path / "one.card.json").write_text("{}")
    arguments = [sys.executable, "-c", FIRST_IMPORT, *command.split()]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1:] == ["import_paddle"], done.stdout + done.stderr
