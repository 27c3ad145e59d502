# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The first cell of every notebook; build.py takes what is behind the next line."""

# ---- code
# Where ppstyleclip and Paddle are there already, this cell does nothing.
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

checkout = next(
    (f for f in [Path.cwd(), *Path.cwd().parents] if (f / "ppstyleclip" / "zoo.yaml").is_file()), None
)
PACKAGE = str(checkout or "ppstyleclip")  # what pip installs: a name, a folder, or a wheel that you uploaded
EXTRAS = "@EXTRAS@"

home = Path.home()
on_aistudio = home.name == "aistudio"
if on_aistudio:  # what pip puts elsewhere is gone with the session; "work" stays, "data" does not
    sys.path.append(str(home / "external-libraries"))
    os.environ.setdefault("PPSTYLECLIP_HOME", str(home / "work" / "ppstyleclip"))


def pip_install(*packages):
    target = ["--target", str(home / "external-libraries")] if on_aistudio else []
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *target, *packages], check=True)
    importlib.invalidate_caches()


if importlib.util.find_spec("ppstyleclip") is None:
    pip_install(PACKAGE + EXTRAS)
if (
    importlib.util.find_spec("paddle") is None
):  # AI Studio brings Paddle with its GPU: no second one is installed
    pip_install("paddlepaddle")
