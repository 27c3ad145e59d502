# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which models have a likeness of people."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ppstyleclip.worlds.likenesses import likeness_world
from ppstyleclip.worlds.portrait.factors import Z_DIM


def model(name, style_dim):
    return SimpleNamespace(name=name, generator=SimpleNamespace(style_dim=style_dim))


def test_the_portrait_world_has_one():
    assert likeness_world(model("portrait", Z_DIM)).z_dim == Z_DIM


@pytest.mark.parametrize("name, style_dim", [("portrait", Z_DIM + 1), ("someone's", Z_DIM)])
def test_other_models_have_none(name, style_dim):
    assert likeness_world(model(name, style_dim)) is None
