# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fixtures of the engine's tests."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def generator():
    from tiny_world import tiny_generator

    return tiny_generator()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("engine")
