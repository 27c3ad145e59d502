# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mappers that other people trained: where they are, and what their files leave unsaid."""

from __future__ import annotations

import os
from pathlib import Path

from ppstyleclip.convert.mapper_texts import CLIP_TEXTS, TABLE_TEXTS
from ppstyleclip.convert.mappers import network_config
from ppstyleclip.errors import MissingFile, UserError, one_line, shown
from ppstyleclip.files import check_file
from ppstyleclip.zoo.named_files import published_name
from ppstyleclip.zoo.registry import fetch_published, read_registry
from ppstyleclip.zoo.words import seed000_words

_OFFICIAL = "styleclip-mapper-"  # how zoo.yaml calls StyleCLIP's own files
_SEED000 = "text2image-"  # and those of text2image_manipulation
# Its published modules: name in its README -> file without ".pt", data_mode, whether texts are CLIP's.
_MODULES = {
    "celeb_female": ("celeb_female_sum", "female", False),
    "celeb_male": ("celeb_male_sum", "male", False),
    "hair_sum": ("hairstyle_sum", "hair", False),
    "hair_cat": ("hairstyle_cat", "hair", False),
    "color_sum": ("color_sum", "color", False),
    "color_cat": ("color_cat", "color", False),
    "color_clip": ("color_clip", "color", True),
    "Disney_clip": ("Disney_clip_cat", "Disney", True),
    "hair_clip": ("hairstyle_clip_cat", "hair", True),
    "multi": ("multi_sum", "multi", False),
}
MAPPERS = "mappers"  # folder of a bundle with mappers of its own, NAME.safetensors
_BESIDE = "mapper_"  # or they lie beside the rest, mapper_NAME.safetensors, as in the embedded model


def published_names() -> dict:
    """Names of published mappers, `{name: name of the file in zoo.yaml}`: a user's word for `--modules`."""
    own = {name[len(_OFFICIAL) : -3]: name for name in read_registry()["files"] if name.startswith(_OFFICIAL)}
    return {**own, **{module: f"{_SEED000}{file}.pt" for module, (file, _, _) in _MODULES.items()}}


def bundle_mappers(folder) -> dict[str, Path]:
    """Mappers that lie in a bundle's folder, `{name: path}`; {} where there is no folder."""
    if not folder:
        return {}
    beside = {path.stem[len(_BESIDE) :]: path for path in Path(folder).glob(f"{_BESIDE}*.safetensors")}
    inside = {path.stem: path for path in Path(folder, MAPPERS).glob("*.safetensors")}
    return dict(sorted({**beside, **inside}.items()))


def find_mapper(name, bundle_folder=None) -> Path:
    """Turn what a user calls a mapper into the path of its file, fetched if need be.

    Args:
        name: a path; a name of bundle_mappers(); one of published_names(), or of its file, such as
            "color_sum.pt".
        bundle_folder: folder of a bundle; None for a model that has none.
    Raises:
        MissingFile: there is none of that name (lists those there are), or it cannot be fetched.
        UserError: what is there is no file.
    """
    if Path(name).is_file():
        return Path(name)
    own = bundle_mappers(bundle_folder)
    if str(name) in own:
        return own[str(name)]
    published = published_names()
    file = published.get(str(name)) or published_name(str(name))
    if file is not None:
        return fetch_published(file)
    if os.path.lexists(name):
        return check_file(name)  # which says what it is
    here = f"the bundle has {', '.join(own)}; " if own else ""
    raise MissingFile(
        f"there is no mapper '{name}'; {here}give a file, or a published one: {', '.join(published)}"
    )


def foreign_parts(converted, path) -> dict:
    """What a mapper of StyleCLIP, text2image_manipulation or styleclip-gan3 is, but for its weights.

    Which texts it takes is told by the options that its file carries or, for the published ones, by the name.

    Args:
        converted: Converted.
        path: where it came from.
    Returns:
        the arguments of TrainedMapper behind `network`.
    Raises:
        UserError: nothing says which texts it takes.
    """
    config = converted.config
    sample = config.get("generator_sample")
    return {
        "config": network_config(config),
        "scale": config["scale"],
        "space": "s" if config["type"] == "styles" else "w_plus",
        "made_for": {"generator_sample": sample} if sample else {},
        **_texts(config, converted.opts, Path(path).stem),
    }


def _texts(config, opts, stem) -> dict:
    """texts, prompts, words and embed of TrainedMapper."""
    stem = stem[len(_SEED000) :] if stem.startswith(_SEED000) else stem
    known = {module: choice for module, (_, *choice) in _MODULES.items()}
    known.update({file: choice for file, *choice in _MODULES.values()})
    takes_text = config["form"] != "plain" or "data_mode" in opts
    if not takes_text:
        description = config.get("description")
        return {
            "texts": (one_line(description, 200),) if isinstance(description, str) and description else ()
        }
    if "data_mode" in opts:
        mode, by_clip = opts["data_mode"], opts.get("text_embed_mode") == "clip_encoder"
    elif stem in known:
        mode, by_clip = known[stem]
    else:
        raise UserError(
            "this mapper takes texts, and its file does not say which (no data_mode); if it is "
            f"text2image_manipulation's, call it as they do: {', '.join(sorted(known))}"
        )
    known_texts = CLIP_TEXTS if by_clip else TABLE_TEXTS
    texts = known_texts.get(mode) if isinstance(mode, str) else None
    if texts is None:
        raise UserError(
            f"this mapper's data_mode is {shown(mode)}; known: {', '.join([*TABLE_TEXTS, 'Disney'])}"
        )
    return {
        "texts": tuple(texts),
        "prompts": tuple(texts.values()),
        "embed": "clip" if by_clip else "table",
        "words": None if by_clip else seed000_words(len(texts)),
    }
