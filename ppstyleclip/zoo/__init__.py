# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Models by name: generator, statistics, relevance and CLIP as one bundle, from our files or PaddleGAN's."""
from ppstyleclip.zoo.bundle import Bundle, Deferred, EditDefaults
from ppstyleclip.zoo.catalogue import known_models
from ppstyleclip.zoo.clips import clip_fingerprint, load_clip, load_published_clip, save_clip
from ppstyleclip.zoo.directions import read_relevance, read_stats, save_relevance, save_stats
from ppstyleclip.zoo.download import fetch
from ppstyleclip.zoo.generators import (
    generator_fingerprint,
    infer_generator_config,
    load_generator,
    save_generator,
)
from ppstyleclip.zoo.load import load_bundle
from ppstyleclip.zoo.pack import load_pack, save_pack
from ppstyleclip.zoo.words import seed000_words

__all__ = [
    "Bundle", "Deferred", "EditDefaults", "clip_fingerprint", "fetch", "generator_fingerprint",
    "infer_generator_config", "known_models", "load_bundle", "load_clip", "load_generator", "load_pack",
    "load_published_clip", "read_relevance", "read_stats", "save_clip", "save_generator", "save_pack",
    "save_relevance", "save_stats", "seed000_words",
]
