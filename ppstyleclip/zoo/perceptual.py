# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""LPIPS and VGG-16 from their published files."""

from __future__ import annotations

from ppstyleclip.models.lpips import LPIPS, VGG16
from ppstyleclip.models.state import build_with_state
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.downloads.cache import find
from ppstyleclip.zoo.foreign import read_as
from ppstyleclip.zoo.registry import fetch_published

VGG_FILE, HEADS_FILE = "vgg16_official.pdparams", "lins_0.1_vgg.pdparams"


def load_vgg(path=None) -> VGG16:
    """Load VGG-16 without its classifier, in evaluation mode.

    Args:
        path: torchvision's file or Paddle's; None fetches PaddleGAN's.
    Raises:
        MissingFile: it cannot be fetched.
        UserError: it is another network.
    """
    return _built(VGG16, _features(path), "VGG-16")


def has_lpips() -> bool:
    """Whether the weights of LPIPS are on this machine."""
    return find(VGG_FILE) is not None and find(HEADS_FILE) is not None


def load_lpips(vgg_path=None, heads_path=None) -> LPIPS:
    """Load LPIPS v0.1, in evaluation mode; arguments and errors as load_vgg's."""
    heads = read_as("lpips", heads_path or fetch_published(HEADS_FILE))[0].state
    return _built(
        LPIPS,
        {
            **{f"vgg.{key}": value for key, value in _features(vgg_path).items()},
            **{f"lins.{key}": value for key, value in heads.items()},
        },
        "LPIPS",
    )


@on_worker
def _built(build, state, name):
    network = build_with_state(build, state, name)
    network.eval()
    return network


def _features(path) -> dict:
    state = read_as("vgg16", path or fetch_published(VGG_FILE))[0].state
    return {key: value for key, value in state.items() if not key.startswith("classifier.")}
