# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Paddle as the commands import it: without that, some processors use other kernels, with other last digits.

Each process of the tests computes on one thread, for pytest-xdist starts one process for each core.
What there is once the tests are collected stays to the end: Python's collector of garbage, which would walk
it again and again, passes it over.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
gc.disable()  # until all tests are collected

from ppstyleclip.threads import import_paddle  # noqa: E402


def pytest_configure(config):
    """Import Paddle, or make the folder of what pytest-xdist's processes compile: they do the rest."""
    if not getattr(config.option, "numprocesses", None):
        import_paddle()
    else:
        programs = tempfile.mkdtemp(prefix="ppstyleclip-programs-")
        os.environ["PPSTYLECLIP_TEST_PROGRAMS"] = programs
        config.add_cleanup(lambda: shutil.rmtree(programs, ignore_errors=True))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    """Leave to Python's collector of garbage what the tests make, not the tests themselves."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def open_folder():
    """A folder that every user of the machine may write, as /tmp is."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def tiny_pack(tmp_path_factory):
    """The folder of the tiny world."""
    from tiny_world import save_tiny_pack

    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture
def tiny_editor(tiny_pack, monkeypatch, tmp_path):
    """An editor of the tiny world, which is the embedded one meanwhile."""
    from tiny_world import live_in

    from ppstyleclip.editor import Editor
    from ppstyleclip.zoo import load_pack

    live_in(tiny_pack, monkeypatch, tmp_path)
    return Editor(load_pack(tiny_pack))


@pytest.fixture(scope="module")
def encoder_pack(tmp_path_factory):
    """The folder of the tiny world with an encoder."""
    from tiny_encoder import save_with_encoder

    folder = tmp_path_factory.mktemp("pack")
    save_with_encoder(folder)
    return folder


@pytest.fixture
def encoder_world(encoder_pack, monkeypatch, tmp_path):
    """The tiny world with an encoder, as the embedded one; how badly it draws every face is not said."""
    from tiny_world import live_in

    from ppstyleclip.pipelines import quality

    live_in(encoder_pack, monkeypatch, tmp_path)
    monkeypatch.setattr(quality, "POOR", 0.0)
