# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The tiny world with an encoder, a drawn scene on disk, and the embedded world where dlib is installed."""

import json
from pathlib import Path

import pytest
from photo_world import PACK, SCENE
from PIL import Image

from ppstyleclip.pipelines import quality
from ppstyleclip.zoo import registry

POOR = quality.POOR


@pytest.fixture(autouse=True)
def world(encoder_world):
    """The tiny world, which draws every face badly."""
    Image.fromarray(SCENE.pixels).save("scene.png")
    Path("marks.json").write_text(json.dumps([face.landmarks.tolist() for face in SCENE.faces]))


@pytest.fixture
def embedded(monkeypatch):
    """The embedded world itself, whose faces and face models are real."""
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    monkeypatch.setattr(registry, "PACK", PACK)
    monkeypatch.setattr(quality, "POOR", POOR)
