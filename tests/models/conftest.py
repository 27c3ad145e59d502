# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What tests of generators share."""

from __future__ import annotations

import warnings

import pytest


@pytest.fixture()
def programs(tmp_path, monkeypatch):
    """An own cache, and no warning that something runs in eager mode after all."""
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield tmp_path
