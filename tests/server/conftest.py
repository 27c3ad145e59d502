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
