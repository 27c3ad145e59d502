# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIPs to and from files."""

from __future__ import annotations

import json

from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, read_metadata, read_safetensors, write_safetensors
from ppstyleclip.formats import load_weights, sniff
from ppstyleclip.models.clip import CLIP_CONFIGS, build_clip_with_state, clip_state
from ppstyleclip.models.configs import BERT
from ppstyleclip.schema import from_metadata
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.foreign import read_as
from ppstyleclip.zoo.generators import as_float32, stored
from ppstyleclip.zoo.metadata import NetworkMetadata, check_fingerprint
from ppstyleclip.zoo.registry import fetch_clip

CHINESE = "chinese-clip"  # what every converted Chinese-CLIP is called


def load_published_clip(name: str):
    """Load one of paddleclip's networks, in evaluation mode; fetches its weights if need be.

    Args:
        name: ViT_B_32, RN50, RN101 or RN50x4.
    Raises:
        UserError: unknown name, or weights that do not fit it.
        MissingFile: the weights cannot be fetched.
    """
    if name not in CLIP_CONFIGS:
        raise UserError(f"unknown CLIP '{name}'; known: {', '.join(CLIP_CONFIGS)}")
    path = fetch_clip(name)
    weights, _ = load_weights(path)
    return _built(CLIP_CONFIGS[name], weights, path)


@on_worker
def load_clip(path) -> tuple:
    """Load a CLIP that save_clip wrote, or OpenAI's or Hugging Face's file of one with a vision transformer.

    Returns:
        (ClipModel in evaluation mode, its fingerprint).
    Raises:
        MissingFile: there is no such file.
        UserError: it is damaged, or its weights are not those it was written with.
    """
    if sniff(path) != "safetensors" or "config" not in read_metadata(path):
        converted, _ = read_as("clip", path)
        clip = build_converted_clip(converted, path)
        return clip, clip_fingerprint(clip)
    weights, metadata = read_safetensors(path)
    own = from_metadata(NetworkMetadata, metadata, f"{path} is damaged")
    mark = fingerprint(as_float32(weights))
    if own.fingerprint is not None:  # the first files had none
        check_fingerprint(own.fingerprint, mark, path)
    return _built(own.config, weights, path), mark


def build_converted_clip(converted, path):
    """Build the network of a converted CLIP; it is called as paddleclip calls one of its structure."""
    config = converted.config
    if config.get("text") == BERT:
        return _built({**config, "name": CHINESE}, converted.state, path)
    names = [name for name, known in CLIP_CONFIGS.items() if {**known, **config} == known]
    return _built({**config, "name": names[0] if names else "custom"}, converted.state, path)


@on_worker
def _built(config, weights, path):
    try:
        return build_clip_with_state(config, weights)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


@on_worker
def clip_fingerprint(clip) -> str:
    """Name a CLIP by its weights; 16 hexadecimal digits."""
    return fingerprint(as_float32(clip_state(clip)))


@on_worker
def save_clip(path, clip, *, vocabulary=None, half: bool = False, about=None) -> str:
    """Write a CLIP as safetensors, config and vocabulary inside, without unused rows of the token table.

    Args:
        path: the file.
        clip: ClipModel.
        vocabulary: the words it was trained on; None keeps the model's own.
        half: store float16.
        about: `{name: text}` more metadata.
    Returns:
        the fingerprint of what load_clip will read back.
    """
    if vocabulary is not None:
        whole = clip_state(clip, range(clip.config()["vocab_size"]))
        clip = _built({**clip.config(), "vocabulary": sorted(set(vocabulary))}, whole, path)
    state = stored(clip_state(clip), half)
    mark = fingerprint(as_float32(state))
    write_safetensors(
        path,
        state,
        {
            **(about or {}),
            "kind": "ppstyleclip clip",
            "name": clip.name,
            "fingerprint": mark,
            "config": json.dumps(clip.config()),
        },
    )
    return mark
