# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The tiny world with an encoder, a drawn scene on disk, and the embedded world where dlib is installed."""

import json
from pathlib import Path

import pytest
from photo_world import PACK, SCENE
from PIL import Image
from tiny_encoder import save_with_encoder
from tiny_world import live_in

from ppstyleclip.pipelines import quality
from ppstyleclip.zoo import load

POOR = quality.POOR


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    save_with_encoder(folder)
    return folder


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    """The tiny world, which draws every face badly."""
    live_in(pack, monkeypatch, tmp_path)
    monkeypatch.setattr(quality, "POOR", 0.0)
    Image.fromarray(SCENE.pixels).save("scene.png")
    Path("marks.json").write_text(json.dumps([face.landmarks.tolist() for face in SCENE.faces]))


@pytest.fixture
def embedded(monkeypatch):
    """The embedded world itself, whose faces and face models are real."""
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    monkeypatch.setattr(load, "PACK", PACK)
    monkeypatch.setattr(quality, "POOR", POOR)
