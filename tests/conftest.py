# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Paddle as the commands import it: without that, some processors use other kernels, with other last digits.

Each process of the tests computes on one thread, for pytest-xdist starts one process for each core.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from ppstyleclip.threads import import_paddle  # noqa: E402

import_paddle()


@pytest.fixture
def open_folder():
    """A folder that every user of the machine may write, as /tmp is."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)
