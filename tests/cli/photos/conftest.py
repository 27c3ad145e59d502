# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The tiny world with an encoder, a drawn scene on disk, and the embedded world where dlib is installed."""

import pytest
from photo_world import PACK, save_scene

from ppstyleclip.pipelines import quality
from ppstyleclip.zoo import registry

POOR = quality.POOR


@pytest.fixture(autouse=True)
def world(encoder_world):
    """The tiny world, which draws every face badly."""
    save_scene()


@pytest.fixture
def embedded(monkeypatch):
    """The embedded world itself, whose faces and face models are real."""
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    monkeypatch.setattr(registry, "PACK", PACK)
    monkeypatch.setattr(quality, "POOR", POOR)
