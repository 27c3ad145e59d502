# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fixtures of the tests of jobs: a pack of random weights in an empty folder, and an undisturbed run."""

import os

import pytest
from job_commands import DIRECTIONS, extract
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.zoo import registry


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    for name in [name for name in os.environ if name.startswith("PADDLE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def single(pack, tmp_path_factory):
    """The bytes of a run that nothing disturbed."""
    folder, former = tmp_path_factory.mktemp("single"), registry.PACK
    registry.PACK = pack
    try:
        assert extract("--output_path", str(folder)) == 0
    finally:
        registry.PACK = former
    assert [path.name for path in folder.iterdir()] == [DIRECTIONS]
    return (folder / DIRECTIONS).read_bytes()
