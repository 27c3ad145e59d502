# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a loaded program leaves to others: threads and memory."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
from engine_world import BOUND, draw_styles, relative

from ppstyleclip import engine
from ppstyleclip.threads import thread_count


@pytest.mark.slow
def test_a_run_leaves_eager_mode_its_threads(generator, tmp_path, monkeypatch):
    """Paddle leaves one, and eager sums are then split otherwise than before the first run."""
    libraries = list(Path(paddle.__file__).parent.glob("libs/libiomp5.*"))
    if not libraries:
        pytest.skip("this Paddle has no libiomp5")
    openmp, before = ctypes.CDLL(str(libraries[0])), thread_count()
    own = openmp.omp_get_max_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    try:
        draw = engine.compile_synthesis(generator, folder=tmp_path)
        draw(draw_styles(generator, 1))
        assert engine.run(openmp.omp_get_max_threads) == 3
        assert openmp.omp_get_max_threads() == own  # of this thread, in which no program ran
    finally:
        engine.run(paddle.base.core.set_num_threads, before)


class Wide(paddle.nn.Layer):
    """A linear layer of 64 MB."""

    def __init__(self):
        super().__init__()
        self.linear = paddle.nn.Linear(4096, 4096)

    def forward(self, tensors):
        return [self.linear(tensors["x"])]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how much memory is in use")
def test_programs_made_later_cost_the_others_no_memory(generator, tmp_path):
    wide = engine.Compiled(Wide(), {"x": [-1, 4096]}, ["wide"], folder=tmp_path)
    arrays, styles = {"x": np.ones([8, 4096], np.float32)}, draw_styles(generator, 1)
    small, sizes = [], []
    expected = wide(arrays)[0]
    for _ in range(6):
        small.append(engine.compile_synthesis(generator, folder=tmp_path))
        small[-1](styles)
        np.testing.assert_array_equal(wide(arrays)[0], expected)
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    assert sizes[-1] - sizes[1] < 2 * 2**26  # lost each time, it would be four times the layer
    assert relative(small[0](styles), small[-1](styles)) < BOUND / 100
