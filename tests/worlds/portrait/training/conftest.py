# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What tests of the fits share."""

from __future__ import annotations

import pytest

from ppstyleclip.worlds.portrait.training import shards


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run's folder with a shard to learn from and a held-out one."""
    path = tmp_path_factory.mktemp("run")
    for seed in (0, shards.HELD_OUT):
        shards.write_shard(path, seed, count=8)
    return path
