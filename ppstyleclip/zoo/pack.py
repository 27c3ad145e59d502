# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A whole model in one folder of safetensors, each with its config and fingerprints inside.

    generator.safetensors     weights; config, name, fingerprint
    clip.safetensors          weights, used token rows; config, vocabulary, fingerprint
    directions.safetensors    mean, std, relevance, strength (s_base); defaults, fingerprints of the two above
    latents.safetensors       w_plus of a few faces; fingerprint of the generator
"""
from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import read_metadata, read_safetensors, write_safetensors
from ppstyleclip.stylespace import build_layout
from ppstyleclip.zoo.bundle import Bundle, Deferred, EditDefaults
from ppstyleclip.zoo.clips import load_clip, save_clip
from ppstyleclip.zoo.directions import check_made_for, read_relevance, read_stats
from ppstyleclip.zoo.generators import generator_fingerprint, load_generator, save_generator

GENERATOR, CLIP, DIRECTIONS, LATENTS = (f"{part}.safetensors" for part in
                                        ("generator", "clip", "directions", "latents"))


def save_pack(folder, *, generator, clip, stats, relevance, strength=None, latents=None, s_base=None,
              defaults: EditDefaults | None = None, vocabulary=None, half: bool = False,
              name: str = "toonface") -> dict:
    """Write a model as a folder that load_pack reads.

    Args:
        folder: where; made if need be.
        generator, clip: the networks.
        stats: StyleStats `[S]`.
        relevance, strength: `[E, D]` and `[E]`.
        latents: `[N, L, D]` w_plus of a few faces.
        s_base: `[N, S]` the styles on which relevance was measured.
        defaults: EditDefaults.
        vocabulary: words that the CLIP knows; None keeps the model's own.
        half: store both networks as float16; statistics and relevance stay float32.
        name: the model's name.
    Returns:
        the fingerprints `{"generator": ..., "clip": ...}` of what load_pack will read back.
    """
    folder = Path(folder)
    marks = {"generator": save_generator(folder / GENERATOR, generator, name=name, half=half),
             "clip": save_clip(folder / CLIP, clip, vocabulary=vocabulary, half=half)}
    arrays = {"mean": stats.mean, "std": stats.std, "relevance": relevance, "strength": strength,
              "s_base": s_base}
    write_safetensors(folder / DIRECTIONS, _float32(arrays),
                      {"kind": "ppstyleclip directions", **marks, "clip_name": clip.name,
                       "count": str(stats.count), "defaults": json.dumps(asdict(defaults or EditDefaults()))})
    if latents is not None:
        write_safetensors(folder / LATENTS, _float32({"w_plus": latents}),
                          {"kind": "ppstyleclip latents", "generator": marks["generator"]})
    return marks


def _float32(arrays: dict) -> dict:
    return {word: np.asarray(value, np.float32) for word, value in arrays.items() if value is not None}


def load_pack(folder, flags: dict | None = None) -> Bundle:
    """Load a model from its folder: the generator at once, everything else when it is asked for.

    Args:
        folder: what save_pack wrote.
        flags: size flags that the user gave, as in load_generator.
    Raises:
        MissingFile: there is no generator in the folder.
        UserError: a file is damaged, or was made for another generator or CLIP (for Deferred parts: later).
    """
    folder = Path(folder)
    generator, metadata = load_generator(folder / GENERATOR, flags)
    name, mark = metadata.get("name", folder.name), generator_fingerprint(generator)
    if metadata.get("fingerprint", mark) != mark:
        raise UserError(f"{folder / GENERATOR} is damaged: it was written as {metadata['fingerprint']} "
                        f"and reads as {mark}")
    layout, directions = build_layout(generator), folder / DIRECTIONS
    known = {"name": name, "generator": mark}
    stated = _stated(directions)
    relevance_and_strength = lru_cache(maxsize=1)(lambda: read_relevance(directions, layout, **known))
    return Bundle(
        name=name, generator=generator, layout=layout,
        stats=Deferred(lambda: read_stats(directions, layout, **known)),
        relevance=Deferred(lambda: relevance_and_strength()[0]),
        strength=Deferred(lambda: relevance_and_strength()[1]),
        clip=Deferred(lambda: load_pack_clip(folder, name)),
        defaults=EditDefaults(**json.loads(stated.get("defaults", "{}"))),
        fingerprints={"generator": mark, **{word: stated[word] for word in ("clip",) if word in stated}},
        s_base=Deferred(lambda: read_safetensors(directions)[0].get("s_base")),
        latents=Deferred(lambda: _latents(folder / LATENTS, name, mark)))


def load_pack_clip(folder, name: str):
    """Load the CLIP of a pack, and refuse one for which its directions were not made."""
    clip, mark = load_clip(Path(folder) / CLIP)
    directions = Path(folder) / DIRECTIONS
    check_made_for(_stated(directions), directions, name=name, clip=mark)
    return clip


def _stated(path) -> dict:
    try:
        return read_metadata(path)
    except MissingFile:  # said when something in the file is asked for
        return {}


def _latents(path, name, mark):
    arrays, metadata = read_safetensors(path)
    check_made_for(metadata, path, name=name, generator=mark)
    return arrays["w_plus"]
