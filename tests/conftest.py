# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Paddle as the commands import it: without that, some processors use other kernels, with other last digits.

Each process of the tests computes on one thread, for pytest-xdist starts one process for each core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from ppstyleclip.threads import import_paddle  # noqa: E402

import_paddle()
