# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What must be decided where the package is installed; everything else is in pyproject.toml.

pip install -e ".[cpu]"                         a checkout
PPSTYLECLIP_RELEASE=1 python -m build           what is published: it names opencv-python
"""

import ctypes
import os
import sys

from setuptools import setup


def opencv_requirement():
    """Name the OpenCV build that can be imported here.

    `opencv-python` links against libGL and glib, which servers and slim containers lack; the headless build
    has all but the windows, and ppstyleclip opens none. A published wheel cannot know where it will be
    installed and names opencv-python.
    """
    if os.environ.get("PPSTYLECLIP_RELEASE") or not sys.platform.startswith("linux"):
        return "opencv-python"
    try:
        for library in ("libGL.so.1", "libgthread-2.0.so.0"):
            ctypes.CDLL(library)
    except OSError:
        return "opencv-python-headless"
    return "opencv-python"


setup(
    install_requires=[
        "paddleclip",
        "numpy",
        opencv_requirement(),
        "pillow",
        "tqdm",
        "pyyaml",
        "safetensors",
    ],
)
