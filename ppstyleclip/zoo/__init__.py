# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Models by name: generator, statistics, relevance and CLIP as one bundle, from our files or PaddleGAN's.

Each name is imported when it is first asked for: published files can be looked at and fetched without Paddle.
"""

from importlib import import_module

_HOMES = {
    "bundle": ("Bundle", "Deferred", "EditDefaults"),
    "registry": ("fetch_published", "known_models"),
    "encoders": ("Encoder", "load_encoder", "save_encoder"),
    "crops": ("load_crop", "save_crop"),
    "clips": ("clip_fingerprint", "load_clip", "load_published_clip", "save_clip"),
    "directions": (
        "read_relevance",
        "read_stats",
        "read_styles",
        "save_relevance",
        "save_stats",
        "save_styles",
    ),
    "downloads.cache": ("fetch",),
    "generators": ("generator_fingerprint", "load_generator", "save_generator"),
    "identities": ("load_identity", "save_identity"),
    "load": ("known_clips", "load_bundle", "load_pack"),
    "mappers": ("TrainedMapper", "load_mapper", "save_mapper"),
    "pack": ("save_latents", "save_pack"),
    "perceptual": ("has_lpips", "load_lpips", "load_vgg"),
    "published_mappers": ("find_mapper", "published_names"),
    "words": ("seed000_words",),
    "stored_directions": ("choose_direction", "open_directions", "save_directions"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
