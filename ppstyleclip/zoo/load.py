# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a model's name, or the paths of its parts, to a bundle."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.errors import MissingFile, UserError, shown
from ppstyleclip.files import read_metadata, read_safetensors
from ppstyleclip.finite import check_finite
from ppstyleclip.formats import sniff
from ppstyleclip.inputs import as_path
from ppstyleclip.models.clip import CLIP_CONFIGS
from ppstyleclip.schema import name_of
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.bundle import EXTRACT, GETF, OWN_DEFAULTS, TUNED_FROM, Bundle, Deferred, EditDefaults
from ppstyleclip.zoo.clips import clip_fingerprint, load_clip, load_published_clip
from ppstyleclip.zoo.crops import load_crop
from ppstyleclip.zoo.directions import check_made_for, read_relevance, read_stats, read_styles
from ppstyleclip.zoo.downloads.cache import find
from ppstyleclip.zoo.encoders import find_encoder, has_encoder, load_encoder, load_named_encoder
from ppstyleclip.zoo.generators import check_flags, generator_fingerprint, load_generator
from ppstyleclip.zoo.identities import load_identity
from ppstyleclip.zoo.metadata import MeasuredMetadata, check_fingerprint, read_own
from ppstyleclip.zoo.pack import (
    CLIP,
    CROP,
    DETECTOR,
    ENCODER,
    GENERATOR,
    IDENTITY,
    LANDMARKS,
    LATENTS,
    RELEVANCE,
    STATISTICS,
    STYLES,
)
from ppstyleclip.zoo.registry import (
    EMBEDDED,
    check_model_type,
    embedded_pack,
    fetch_clip,
    fetch_published,
    known_models,
    model_entry,
    pack_of,
    refuse_former,
)
from ppstyleclip.zoo.stored_directions import DIRECTIONS, load_own_directions

DEFAULT_CLIP = "ViT_B_32"
DLIB_LANDMARKS, PADDLEGAN_LANDMARKS = "shape_predictor_68_face_landmarks.dat", "lms.dat"
_LANDMARK_PACKAGE = "face_recognition_models"


def load_bundle(
    model_type: str | None = None,
    *,
    bundle: str | Path | None = None,
    weight_path: str | Path | None = None,
    direction_path: str | Path | None = None,
    stat_path: str | Path | None = None,
    clip: Any = None,
    encoder: str | Path | None = None,
    size: int | None = None,
    style_dim: int | None = None,
    n_mlp: int | None = None,
    channel_multiplier: int | None = None,
) -> Bundle:
    """Load a model by name, or one of the user's own; all but the generator is loaded when it is asked for.

    Args:
        model_type: a name of known_models(); None is the embedded one, or with weight_path none at all.
        bundle: folder of a model of one's own (load_pack), in place of a name and weights.
        weight_path: weights of the generator instead of the model's own.
        direction_path: relevance instead of the model's own.
        stat_path: statistics instead of the model's own.
        clip: name of the CLIP ("portrait", ViT_B_32, RN50, RN101, RN50x4), path of one (see load_clip), or a
            ClipModel; None takes the one that the relevance file states, or the model's own.
        encoder: another encoder than the model's own: a name, such as "e4e" of the embedded model
            (encoder_NAME.safetensors in its folder), or a file.
        size, style_dim, n_mlp, channel_multiplier: None, or what the weights must agree with.
    Raises:
        UserError: unknown name, a flag that the weights contradict, or parts that do not belong together.
        MissingFile: a file is not there, or cannot be fetched.

    Examples:
        >>> from ppstyleclip.zoo import load_bundle
        >>> bundle = load_bundle()
        >>> bundle.name, bundle.layout.size, bundle.relevance.shape
        ('portrait', 2416, (1600, 128))
    """
    flags = {"size": size, "style_dim": style_dim, "n_mlp": n_mlp, "channel_multiplier": channel_multiplier}
    if model_type is not None:
        check_model_type(model_type)
    folder = bundle or (None if weight_path is not None and model_type is None else pack_of(model_type))
    encoder_path = None if encoder is None else find_encoder(encoder, folder)
    if bundle is not None:
        if model_type is not None or weight_path is not None:
            raise UserError(
                f"the bundle {bundle} has a generator of its own; leave out the model type and "
                "the weight path"
            )
        loaded = load_pack(bundle, flags)
    elif weight_path is not None:
        loaded = _own_generator(weight_path, model_type, flags)
    elif (embedded := pack_of(model_type)) is not None:
        loaded = _embedded(embedded, flags)
    else:
        loaded = _published(model_type, flags)
    return _with_paths(loaded, direction_path, stat_path, clip, encoder_path)


def _published(model_type, flags) -> Bundle:
    entry = model_entry(model_type)
    if "generator" in entry:
        return _bundle(model_type, load_generator(fetch_published(entry["generator"]), flags)[0], entry)
    encoder, generator = _encoder_with_generator(fetch_published(entry["encoder"]), flags)
    return _bundle(model_type, generator, entry).with_parts(encoder=encoder)


def _embedded(folder: Path, flags) -> Bundle:
    if not (folder / GENERATOR).is_file():
        others = ", ".join(name for name in known_models() if pack_of(name) != folder)
        raise MissingFile(
            f"the embedded model is not installed ({folder / GENERATOR} is missing); "
            f"install ppstyleclip again, or name another model: {others}"
        )
    bundle = load_pack(folder, flags)
    return bundle if folder == embedded_pack() else bundle.with_parts(**_world_parts())


def _world_parts() -> dict[str, Any]:
    """What embedded models of the same world share with the first, apart from CLIP, which relevance names."""
    folder = embedded_pack()
    return {
        "identity": Deferred(lambda: _if_there(folder / IDENTITY, load_identity)),
        "face_models": Deferred(lambda: _face_models(folder)),
        "crop": Deferred(lambda: _if_there(folder / CROP, load_crop)),
        "finds_own_faces": (folder / LANDMARKS).is_file(),
    }


def _own_generator(weight_path, model_type, flags) -> Bundle:
    encoder = None
    metadata: dict[str, str] = {}
    if has_encoder(weight_path):
        encoder, generator = _encoder_with_generator(weight_path, flags)
    else:
        generator, metadata = load_generator(weight_path, flags)
    embedded = pack_of(model_type)
    if embedded is not None:
        name = metadata.get("name") or name_of(weight_path)
        bundle = _bundle(name, generator, {}, metadata.get(TUNED_FROM))
        own = bundle.with_parts(defaults=OWN_DEFAULTS)
        bundle = own if model_type is None else _with_embedded_parts(bundle, embedded)
    else:
        bundle = _bundle(model_type, generator, model_entry(model_type))
    return bundle if encoder is None else bundle.with_parts(encoder=encoder)


def _encoder_with_generator(path, flags) -> tuple:
    encoder, generator = load_encoder(path)
    check_flags(generator.config(), flags, path)
    return encoder, generator


def _with_embedded_parts(bundle: Bundle, folder: Path) -> Bundle:
    layout = bundle.layout
    known = {"name": bundle.name, "generator": _measured(bundle)}
    return bundle.with_parts(
        stats=Deferred(lambda: read_stats(folder / STATISTICS, layout, **known)),
        relevance=Deferred(lambda: read_relevance(folder / RELEVANCE, layout, **known)),
        clip=Deferred(lambda: load_pack_clip(embedded_pack(), EMBEDDED)),
        defaults=load_pack(folder).defaults,
        **_world_parts(),
    )


def _bundle(name, generator, entry, tuned_from=None) -> Bundle:
    layout = generator.layout
    fingerprints = {"generator": generator_fingerprint(generator)}
    if tuned_from is not None:
        fingerprints[TUNED_FROM] = tuned_from

    def part(word, read, maker, option):
        if word not in entry:
            return Deferred(lambda: _absent(word, name, maker, option))
        return Deferred(
            lambda: read(fetch_published(entry[word]), layout, name=name),
            lambda: fetch_published(entry[word]),
        )

    return Bundle(
        name=name,
        generator=generator,
        layout=layout,
        stats=part("stats", read_stats, GETF, "--stat_path"),
        relevance=part("relevance", read_relevance, EXTRACT, "--direction_path"),
        clip=_published_clip(entry.get("clip", DEFAULT_CLIP)),
        encoder=Deferred(lambda: _published_encoder(entry), lambda: _fetch_encoder(entry)),
        face_models=Deferred(lambda: (people_landmarks(), None), people_landmarks),
        defaults=EditDefaults(**entry.get("defaults", {})),
        fingerprints=fingerprints,
    )


def _measured(bundle) -> str:
    """Fingerprint of the generator whose statistics and relevance hold: a tuned one has its origin's."""
    return bundle.fingerprints.get(TUNED_FROM, bundle.fingerprints["generator"])


def _published_clip(name: str) -> Deferred:
    return Deferred(lambda: load_published_clip(name), lambda: fetch_clip(name))


def _fetch_encoder(entry) -> None:
    if "encoder" in entry:
        fetch_published(entry["encoder"])


def _published_encoder(entry):
    return load_encoder(fetch_published(entry["encoder"]))[0] if "encoder" in entry else None


def _absent(word, name, maker, option):
    raise MissingFile(
        f"there is no {word} file for generator '{name}'; make one with: {maker} and give it with {option}"
    )


def _with_paths(bundle: Bundle, direction_path, stat_path, clip, encoder_path) -> Bundle:
    layout = bundle.layout
    parts: dict[str, Any] = {}
    known = {"name": bundle.name, "generator": _measured(bundle)}
    if encoder_path is not None:
        parts["encoder"] = Deferred(lambda: load_named_encoder(encoder_path, **known))
    if stat_path is not None:
        parts["stats"] = read_stats(stat_path, layout, **known)
    if direction_path is not None:
        parts["relevance"] = read_relevance(direction_path, layout, **known)
        stated = parts["relevance"].clip_name
        clip = clip or (check_clip_name(stated, direction_path) if stated else None)
    if bundle.defaults is OWN_DEFAULTS:
        parts["defaults"] = _unstated_defaults(direction_path, clip)
    if isinstance(clip, (str, os.PathLike)):
        clip = os.fspath(clip)
        parts["clip"] = Deferred(
            lambda: load_named_clip(clip, direction_path, bundle.name), lambda: _fetch_if_published(clip)
        )
    elif clip is not None:
        if not hasattr(clip, "encode_text"):
            raise UserError(f"a CLIP is a name, the path of a file or a ClipModel, got {shown(clip)}")
        parts["clip"] = clip
    return bundle.with_parts(**parts) if parts else bundle


def _unstated_defaults(direction_path, clip) -> EditDefaults:
    """What a generator that states none is edited with: PaddleGAN's by a matrix, else what suits the CLIP."""
    if direction_path is not None:
        return EditDefaults()
    if clip != EMBEDDED:
        return OWN_DEFAULTS
    measured = embedded_pack() / RELEVANCE
    embedded = read_own(MeasuredMetadata, stated_by(measured), measured).defaults
    if embedded is None:
        return OWN_DEFAULTS
    return replace(
        embedded, truncation=OWN_DEFAULTS.truncation, pull=0.0
    )  # which needs a population's pictures


@on_worker
def load_pack(folder: str | Path, flags: dict | None = None) -> Bundle:
    """Load a bundle from its folder: the generator at once, everything else when it is asked for.

    Args:
        folder: what save_pack wrote, or the commands of both stages with --bundle.
        flags: size flags that the user gave, as in load_generator.
    Raises:
        MissingFile: there is no generator in the folder.
        UserError: a file is damaged, or was made for another generator or CLIP (for Deferred parts: later).

    Examples:
        >>> from ppstyleclip.zoo import load_bundle, load_pack
        >>> from ppstyleclip.zoo.save import save_bundle
        >>> marks = save_bundle("my_model", load_bundle())
        >>> load_pack("my_model").generator.size
        256
    """
    folder = as_path(folder)
    if folder.is_dir() and not (folder / GENERATOR).is_file():
        raise MissingFile(
            f"the bundle {folder} has no {GENERATOR}; make it with: "
            f"ppstyleclip convert WEIGHTS {folder / GENERATOR}"
        )
    generator, metadata = load_generator(folder / GENERATOR, flags)
    name, mark = metadata.get("name") or name_of(folder), generator_fingerprint(generator)
    if "fingerprint" in metadata:
        check_fingerprint(metadata["fingerprint"], mark, folder / GENERATOR)
    layout, known = generator.layout, {"name": name, "generator": mark}
    stated = read_own(MeasuredMetadata, stated_by(folder / RELEVANCE), folder / RELEVANCE)
    return Bundle(
        name=name,
        generator=generator,
        layout=layout,
        stats=Deferred(lambda: read_stats(_made(folder / STATISTICS, GETF), layout, **known)),
        relevance=Deferred(lambda: read_relevance(_made(folder / RELEVANCE, EXTRACT), layout, **known)),
        clip=Deferred(lambda: load_pack_clip(folder, name), lambda: _fetch_pack_clip(folder)),
        defaults=stated.defaults or (EditDefaults() if (folder / RELEVANCE).is_file() else OWN_DEFAULTS),
        fingerprints={"generator": mark, **({"clip": stated.clip} if stated.clip else {})},
        s_base=Deferred(lambda: _if_there(folder / STYLES, lambda path: read_styles(path, layout, **known))),
        latents=Deferred(
            lambda: _if_there(folder / LATENTS, lambda path: _latents(path, generator.n_latent, **known))
        ),
        encoder=Deferred(lambda: _if_there(folder / ENCODER, lambda path: load_encoder(path, **known)[0])),
        identity=Deferred(lambda: _if_there(folder / IDENTITY, load_identity)),
        face_models=Deferred(lambda: _face_models(folder)),
        crop=Deferred(lambda: _if_there(folder / CROP, load_crop)),
        directions=Deferred(
            lambda: _if_there(folder / DIRECTIONS, lambda path: load_own_directions(path, **known))
        ),
        finds_own_faces=(folder / LANDMARKS).is_file(),
    )


def _face_models(folder) -> tuple:
    own = folder / LANDMARKS
    return (own, folder / DETECTOR) if own.is_file() else (people_landmarks(), None)


def people_landmarks() -> Path:
    """The 68-point landmark model of photographs: what is on this machine, else it is fetched.

    Before the net come the cache, PaddleGAN's copy, and the package face_recognition_models.
    """
    if find(DLIB_LANDMARKS) is None:
        if find(PADDLEGAN_LANDMARKS) is not None:
            return fetch_published(PADDLEGAN_LANDMARKS)
        packaged = _packaged_landmarks()
        if packaged is not None:
            return packaged
    return fetch_published(DLIB_LANDMARKS)


def _packaged_landmarks() -> Path | None:
    """The model in the package face_recognition_models; importing that would need an old setuptools."""
    found = importlib.util.find_spec(_LANDMARK_PACKAGE)
    folders = found.submodule_search_locations if found is not None else None
    paths = (Path(folder) / "models" / DLIB_LANDMARKS for folder in folders or ())
    return next((path for path in paths if path.is_file()), None)


def _made(path, maker) -> Path:
    if not path.is_file():
        raise MissingFile(
            f"the bundle {path.parent} has no {path.name} yet; make it with: {maker} --bundle {path.parent}"
        )
    return path


def _if_there(path, read):
    return read(path) if path.is_file() else None


def load_pack_clip(folder, name: str):
    """Load the CLIP of a bundle: its own, or the published one that its relevance names.

    Raises:
        UserError: it is another one than its relevance was made for.
    """
    own, relevance = Path(folder) / CLIP, Path(folder) / RELEVANCE
    if own.is_file():
        clip, mark = load_clip(own)
        check_made_for(stated_by(relevance), relevance, name=name, clip=mark)
        return clip
    return load_named_clip(_stated_clip(relevance), relevance, name)


def _stated_clip(relevance: Path) -> str:
    stated = read_own(MeasuredMetadata, stated_by(relevance), relevance)
    return check_clip_name(stated.clip_name or DEFAULT_CLIP, relevance)


def check_clip_name(clip: str, path) -> str:
    """Return the name of a CLIP that a file states; what is in a file is a name, and never a path."""
    if clip not in known_clips():
        raise UserError(
            f"{path} was measured with a CLIP called {shown(clip)}, which has no weights of its own here; "
            f"give the file of that CLIP with --clip, or one of {', '.join(known_clips())}"
        )
    return clip


def _fetch_pack_clip(folder) -> None:
    if not (Path(folder) / CLIP).is_file():
        _fetch_if_published(_stated_clip(Path(folder) / RELEVANCE))


def _fetch_if_published(clip: str) -> None:
    if clip in CLIP_CONFIGS:
        fetch_clip(clip)


def load_named_clip(clip: str, relevance_path, name: str):
    """Load a CLIP by name, and refuse another one than a relevance file states that it was made for.

    Args:
        clip: "portrait", one of paddleclip's names, or the path of a file, which only the user may give.
        relevance_path: a safetensors file that may state a CLIP, or None.
        name: the model's name, for the message.
    """
    refuse_former(clip)
    if clip == EMBEDDED:
        model = load_pack_clip(embedded_pack(), EMBEDDED)
    elif clip in CLIP_CONFIGS:
        model = load_published_clip(clip)
    elif Path(clip).is_file():
        model = load_clip(clip)[0]
    else:
        raise UserError(f"there is no CLIP '{clip}'; give a file, or a name: {', '.join(known_clips())}")
    stated = stated_by(relevance_path)
    if stated.get("clip"):
        check_made_for(stated, relevance_path, name=name, clip=clip_fingerprint(model))
    return model


def known_clips() -> tuple:
    """Names that load_named_clip knows."""
    return (EMBEDDED, *CLIP_CONFIGS)


def stated_by(path) -> dict:
    """The metadata of a safetensors file; empty where there is none."""
    if path is None or not Path(path).is_file() or sniff(path) != "safetensors":
        return {}
    return read_metadata(path)


def _latents(path, layers, **known):
    arrays, metadata = read_safetensors(path)
    check_made_for(metadata, path, **known)
    w_plus = arrays.get("w_plus", np.zeros(0))
    if w_plus.ndim != 3 or w_plus.dtype.kind != "f" or not len(w_plus):
        raise UserError(f"{path} holds no latents 'w_plus', finite floats [number, layers, width]")
    check_finite({"w_plus": w_plus}, path)
    if w_plus.shape[1] == 1:  # one w for all layers
        w_plus = np.repeat(w_plus, layers, axis=1)
    return w_plus.astype(np.float32)
