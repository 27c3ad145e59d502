# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The studio as an application of Baidu AI Studio, which runs files called *.gradio.py.

The port is in GRADIO_SERVER_PORT. What was installed with `pip install -t` into the folder that stays there
is found, too. Everywhere else `ppstyleclip studio` does the same.
"""

import os
import sys
from pathlib import Path

LIBRARIES = Path("~/external-libraries")  # which AI Studio keeps from one start to the next

if __name__ == "__main__":
    sys.path.append(str(LIBRARIES.expanduser()))
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout
    from ppstyleclip.cli.main import main

    port = os.environ.get("GRADIO_SERVER_PORT", "7860")
    root = os.environ.get("GRADIO_ROOT_PATH", "")
    place = ["--root_path", root] if root else []
    sys.exit(main(["studio", "--host", "0.0.0.0", "--port", port, *place, *sys.argv[1:]]))
