# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a model's name, or the paths of its parts, to a bundle."""
from __future__ import annotations

from pathlib import Path

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import read_metadata
from ppstyleclip.formats import sniff
from ppstyleclip.models.clip import CLIP_CONFIGS
from ppstyleclip.stylespace import build_layout
from ppstyleclip.zoo.bundle import EXTRACT, GETF, Bundle, Deferred, EditDefaults
from ppstyleclip.zoo.catalogue import EMBEDDED, check_model_type, fetch_published, known_models, model_entry
from ppstyleclip.zoo.clips import clip_fingerprint, load_clip, load_published_clip
from ppstyleclip.zoo.directions import check_made_for, read_relevance, read_stats
from ppstyleclip.zoo.generators import generator_fingerprint, load_generator
from ppstyleclip.zoo.pack import DIRECTIONS, GENERATOR, load_pack, load_pack_clip

PACK = Path(__file__).parents[1] / "toonface" / "pack"
DEFAULT_CLIP = "ViT_B_32"


def load_bundle(model_type: str | None = None, *, weight_path=None, direction_path=None, stat_path=None,
                clip=None, size=None, style_dim=None, n_mlp=None, channel_multiplier=None) -> Bundle:
    """Load a model by name, or one of the user's own; all but the generator is loaded when it is asked for.

    Args:
        model_type: a name of known_models(); None is the embedded one, or with weight_path none at all.
        weight_path: weights of the generator instead of the model's own.
        direction_path: relevance instead of the model's own.
        stat_path: statistics instead of the model's own.
        clip: name of the CLIP ("toonface", ViT_B_32, RN50, RN101, RN50x4), path of one (see load_clip), or a
            ClipModel; None takes the one that the relevance file states, or the model's own.
        size, style_dim, n_mlp, channel_multiplier: None, or what the weights must agree with.
    Raises:
        UserError: unknown name, a flag that the weights contradict, or parts that do not belong together.
        MissingFile: a file is not there, or cannot be fetched.
    """
    flags = {"size": size, "style_dim": style_dim, "n_mlp": n_mlp, "channel_multiplier": channel_multiplier}
    if model_type is not None:
        check_model_type(model_type)
    if weight_path is not None:
        bundle = _own_generator(weight_path, model_type, flags)
    elif model_type in (None, EMBEDDED):
        bundle = _embedded(flags)
    else:
        path = fetch_published(model_entry(model_type)["generator"])
        bundle = _bundle(model_type, load_generator(path, flags)[0], model_entry(model_type))
    return _with_paths(bundle, direction_path, stat_path, clip)


def _embedded(flags) -> Bundle:
    if not (PACK / GENERATOR).is_file():
        others = ", ".join(name for name in known_models() if name != EMBEDDED)
        raise MissingFile(f"the embedded model is not installed ({PACK / GENERATOR} is missing); "
                          f"install ppstyleclip again, or name another model: {others}")
    return load_pack(PACK, flags)


def _own_generator(weight_path, model_type, flags) -> Bundle:
    generator, metadata = load_generator(weight_path, flags)
    if model_type in (None, EMBEDDED):
        name = metadata.get("name") or Path(weight_path).stem
        bundle = _bundle(name, generator, {})
        return bundle if model_type is None else _with_embedded_parts(bundle)
    return _bundle(model_type, generator, model_entry(model_type))


def _with_embedded_parts(bundle: Bundle) -> Bundle:
    path, layout = PACK / DIRECTIONS, bundle.layout
    known = {"name": bundle.name, "generator": bundle.fingerprints["generator"]}
    return bundle.with_parts(stats=Deferred(lambda: read_stats(path, layout, **known)),
                             relevance=Deferred(lambda: read_relevance(path, layout, **known)[0]),
                             clip=Deferred(lambda: load_pack_clip(PACK, EMBEDDED)),
                             defaults=_embedded({}).defaults)


def _bundle(name, generator, entry) -> Bundle:
    layout = build_layout(generator)
    fingerprints = {"generator": generator_fingerprint(generator)}

    def part(word, read, maker, option):
        if word not in entry:
            return Deferred(lambda: _absent(word, name, maker, option))
        return Deferred(lambda: read(fetch_published(entry[word]), layout, name=name))

    return Bundle(
        name=name, generator=generator, layout=layout,
        stats=part("stats", read_stats, GETF, "--stat_path"),
        relevance=part("relevance", lambda *a, **k: read_relevance(*a, **k)[0], EXTRACT, "--direction_path"),
        clip=Deferred(lambda: load_published_clip(entry.get("clip", DEFAULT_CLIP))),
        defaults=EditDefaults(**entry.get("defaults", {})), fingerprints=fingerprints)


def _absent(word, name, maker, option):
    raise UserError(f"there is no {word} file for generator '{name}'; make one with: {maker} and give it "
                    f"with {option}")


def _with_paths(bundle: Bundle, direction_path, stat_path, clip) -> Bundle:
    layout, parts = bundle.layout, {}
    known = {"name": bundle.name, "generator": bundle.fingerprints["generator"]}
    if stat_path is not None:
        parts["stats"] = read_stats(stat_path, layout, **known)
    if direction_path is not None:
        parts["relevance"], parts["strength"] = read_relevance(direction_path, layout, **known)
        clip = clip or _stated(direction_path).get("clip_name")
    if isinstance(clip, str):
        parts["clip"] = Deferred(lambda: _clip_for(clip, direction_path, bundle.name))
    elif clip is not None:
        parts["clip"] = clip
    return bundle.with_parts(**parts) if parts else bundle


def _clip_for(clip, direction_path, name):
    if clip == EMBEDDED:
        model = load_pack_clip(PACK, EMBEDDED)
    elif clip in CLIP_CONFIGS:
        model = load_published_clip(clip)
    elif Path(clip).is_file():
        model = load_clip(clip)[0]
    else:
        raise UserError(f"unknown CLIP '{clip}'; known: {', '.join((EMBEDDED, *CLIP_CONFIGS))}")
    stated = _stated(direction_path)
    if stated.get("clip"):
        check_made_for(stated, direction_path, name=name, clip=clip_fingerprint(model))
    return model


def _stated(path) -> dict:
    return read_metadata(path) if path is not None and sniff(path) == "safetensors" else {}
