# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Install ppstyleclip: `pip install -e ".[cpu]"` (or `gpu`; `align`, `test` add to it)."""

import ctypes
import re
import sys
from pathlib import Path

from setuptools import find_packages, setup


def opencv_requirement():
    """Name the OpenCV build that can be imported here.

    `opencv-python` links against libGL and glib, which servers and slim containers lack; the headless build
    has all but the windows, and ppstyleclip opens none.
    """
    if not sys.platform.startswith("linux"):
        return "opencv-python"
    try:
        for library in ("libGL.so.1", "libgthread-2.0.so.0"):
            ctypes.CDLL(library)
    except OSError:
        return "opencv-python-headless"
    return "opencv-python"


HERE = Path(__file__).parent
FRONT_DOOR = (HERE / "ppstyleclip" / "__init__.py").read_text("utf-8")

setup(
    name="ppstyleclip",
    version=re.search(r'__version__ = "([^"]+)"', FRONT_DOOR)[1],
    description="Text-driven image editing (StyleCLIP) on PaddlePaddle, with a small face world to try it on",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9,<3.14",
    packages=find_packages(include=["ppstyleclip", "ppstyleclip.*"]),
    package_data={
        "ppstyleclip": ["*.yaml", "presets/*/*.yaml"],
        "ppstyleclip.zoo": ["*.safetensors"],
        "ppstyleclip.toonface": ["*.yaml", "pack/*.safetensors", "pack/*.svm", "pack/*.dat"],
    },
    install_requires=[
        "paddleclip",
        "numpy",
        opencv_requirement(),
        "pillow",
        "tqdm",
        "pyyaml",
        "safetensors",
    ],
    extras_require={
        "cpu": ["paddlepaddle>=2.6.2"],
        "gpu": ["paddlepaddle-gpu>=2.6.2"],
        "align": ["dlib-bin"],
        "board": ["visualdl"],
        # dlib only where it is a wheel for certain: what needs it is skipped elsewhere.
        "test": [
            "pytest",
            "pytest-xdist",
            "ruff",
            "dlib-bin; platform_machine == 'x86_64' and python_version >= '3.10'",
        ],
    },
    zip_safe=False,
)
