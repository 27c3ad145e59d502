# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A process that forks while it draws: the child draws too, or ends with one line, and never hangs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from engine_world import BOUND, draw_styles, eager, relative

from ppstyleclip import engine
from ppstyleclip.errors import MissingFile

pytestmark = [
    pytest.mark.skipif(
        not hasattr(os, "register_at_fork") or sys.platform == "darwin", reason="no fork here"
    ),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
SECONDS = 60.0  # after which a child hangs


@pytest.fixture
def drawing(generator, folder):
    """(draw, styles, the eager picture) of a program that two threads run without a pause."""
    styles, is_over = draw_styles(generator, 1), threading.Event()
    draw = engine.compile_synthesis(generator, folder=folder)
    draw(styles)

    def go_on():
        while not is_over.is_set():
            draw(styles)

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield draw, styles, eager(generator, styles)
    is_over.set()
    for thread in threads:
        thread.join(SECONDS)


def in_child(function):
    """Exit status of a forked child: that of the function, 99 for an error, "hangs" after SECONDS."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = function()
        finally:
            os._exit(status)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hangs"


def test_a_child_of_a_process_that_draws_draws_too(drawing):
    draw, styles, image = drawing
    for _ in range(5):
        assert in_child(lambda: 0 if relative(draw(styles), image) < BOUND / 10 else 1) == 0
    assert relative(draw(styles), image) < BOUND / 10


@pytest.mark.slow
def test_a_child_computes_in_eager_mode_and_compiles(drawing, generator, tmp_path):
    _, styles, image = drawing

    def use():
        again = engine.run(eager, generator, styles)
        draw = engine.compile_synthesis(generator, folder=tmp_path / "cold")
        is_right = relative(again, image) < BOUND / 10 and relative(draw(styles), image) < BOUND / 10
        return 0 if is_right and draw.compile() else 1

    assert in_child(use) == 0


def test_a_child_whose_program_is_gone_ends_with_one_line(drawing, folder):
    draw, styles, _ = drawing

    def use():
        folder.rename(folder.with_name("gone"))
        try:
            draw(styles)
        except MissingFile as error:
            return 0 if "spawn" in str(error) and "\n" not in str(error) else 1
        return 2

    assert in_child(use) == 0
    folder.with_name("gone").rename(folder)


def test_the_worker_itself_may_fork(drawing):
    draw, styles, image = drawing
    child = lambda: 0 if relative(draw(styles), image) < BOUND / 10 else 1  # noqa: E731
    assert engine.run(in_child, child) == 0


@pytest.mark.slow
def test_a_pool_of_forked_processes_draws_while_this_one_does(drawing):
    draw, styles, image = drawing
    with multiprocessing.get_context("fork").Pool(2, _keep, (draw, styles)) as pool:
        drawn = pool.map_async(_draw_kept, range(6)).get(SECONDS)
    assert relative(np.concatenate(drawn), np.repeat(image, 6, axis=0)) < BOUND / 10


def _keep(draw, styles):
    global _kept
    _kept = draw, styles


def _draw_kept(_):
    draw, styles = _kept
    return draw(styles)
