# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fixtures of the server's tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def served(tmp_path):
    """A running server."""
    from server_world import serving

    with serving(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A running server for all tests of a file which ask only for what it refuses."""
    from server_world import serving

    with serving(tmp_path_factory.mktemp("asked")) as one:
        yield one


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """What forks servers and workers."""
    from nursery import Nursery

    one = Nursery(tmp_path_factory.mktemp("nursery"))
    yield one
    one.close()
