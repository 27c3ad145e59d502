# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fuzz targets of every schema and every reader, for hypothesis: what to draw, and what reads it.

A target is (strategy, read): `read` says "read" or "refused", and lets anything pass that is not a UserError
of one printable line. tests/fuzz/ tries a few examples of each, benchmarks/fuzz_readers.py as many as it is
told.
"""

from __future__ import annotations

import copy
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from fuzz_formats import damaged, seeds
from fuzz_formats import read as read_weights
from hostile_values import LAYOUT, MAPPER_PRESET, OPTIMIZE, RECIPE, RELEVANCE_JOB, STATISTICS_JOB
from hypothesis import strategies as st

from ppstyleclip.align.faces import read_landmarks
from ppstyleclip.card.model import Card
from ppstyleclip.convert import recognise
from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_arrays, load_bank, load_directions, sniff
from ppstyleclip.jobs.folder import read_job
from ppstyleclip.jobs.manifest import BlockMetadata
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.clip import CLIP_CONFIGS, _checked_config
from ppstyleclip.models.clip_parameters import clip_parameters
from ppstyleclip.models.configs import IdentityConfig
from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.models.families import build_generator
from ppstyleclip.models.layout import StyleLayout
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.models.parameters import describe_network
from ppstyleclip.pipelines.mapper_training import STATE_KIND, StateMetadata
from ppstyleclip.pipelines.presets import read_optimization_preset, read_training_preset
from ppstyleclip.pipelines.recipe_files import read_recipe
from ppstyleclip.schema import from_metadata, from_value, is_name, name_of, parse_json, parse_yaml
from ppstyleclip.zoo.downloads.checksums import Lock
from ppstyleclip.zoo.downloads.http import Note
from ppstyleclip.zoo.metadata import MapperMetadata, MeasuredMetadata, NetworkMetadata, read_own

SECONDS = 10  # that one example may take
MOST_ARRAYS = 3000  # of a described network, as for weights of a thousand arrays

# ---- plain values

_EDGES = [0, 1, -1, 2**16, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 10**19, 10**30, 1e-300, 1e300]
_WORDS = [
    "",
    ".",
    "..",
    "/../../victim",
    "a/b",
    "a\\b",
    "\x1b[2J",
    "a\nb",
    "\u202e",
    "\ud800",
    "nan",
    "x" * 2000,
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(_EDGES),
    st.sampled_from(_WORDS),
    st.text(max_size=20),
)
VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)


def _paths(value, way=()) -> list:
    """The places of everything within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(path for key, item in inner for path in _paths(item, (*way, key)))]


@st.composite
def variants(draw, valid):
    """A copy of a valid value with up to three changes: another value, a lost one, a new one, one twice."""
    value = copy.deepcopy(valid)
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(_paths(value))) or (None,)
        if last is None:
            continue
        place = value
        for key in way:
            place = place[key]
        change = draw(st.sampled_from(["other", "lost", "new", "twice", "other"]))
        if change == "other":
            place[last] = draw(VALUES)
        elif change == "lost":
            del place[last]
        elif isinstance(place, dict):
            place[draw(st.text(max_size=8)) if change == "new" else f"{last}2"] = draw(VALUES)
        else:
            place.insert(last, draw(VALUES) if change == "new" else copy.deepcopy(place[last]))
        if not isinstance(value, (dict, list)):
            break
    return value


def _is_line(error: UserError) -> bool:
    return str(error).isprintable() and len(str(error)) <= 2000


def judged(read):
    """`read(value)` as a target: "read", or "refused" for a UserError of one line."""

    def target(value) -> str:
        began = time.process_time()
        try:
            read(value)
            went = "read"
        except UserError as error:
            assert _is_line(error), repr(str(error))[:300]
            went = "refused"
        assert time.process_time() - began < SECONDS
        return went

    return target


def schema(valid, read) -> tuple:
    """A target of variants of a valid value."""
    return variants(valid), judged(read)


def as_file(write, read):
    """`read(path)` of a file that `write(value)` gives the bytes of."""

    def read_file(value):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "manifest.json")
            path.write_bytes(write(value))
            read(path)

    return read_file


def as_json(value) -> bytes:
    """JSON as Python writes it, with NaN, infinity and half letters where there are such."""
    return json.dumps(value).encode()


def as_yaml(value) -> bytes:
    """YAML of a value; half letters cannot be written."""
    return yaml.safe_dump(parse_like(value), allow_unicode=False).encode()


def parse_like(value):
    """A value without half letters."""
    return json.loads(json.dumps(value).replace("\\ud800", "?"))


def as_metadata(value) -> dict:
    """Named values as metadata hold them: texts as they are, the rest as JSON."""
    if not isinstance(value, dict):
        return {"kind": json.dumps(value)}
    return {name: item if isinstance(item, str) else json.dumps(item) for name, item in value.items()}


# ---- texts

_TEXTS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200),
    VALUES.map(as_json),
    st.text("[]{}:,\"'0123456789.eE+-naNIitrufls \n\\&*!<?|>%@#", max_size=120),
)


@st.composite
def cut_texts(draw):
    """JSON or YAML of a value, cut, doubled or with a piece of another within."""
    text, other = draw(VALUES.map(as_json)), draw(_TEXTS)
    other = other if isinstance(other, bytes) else other.encode("utf-8", "replace")
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.sampled_from([b"", other, text])) + text[place:]


def parsed(parse):
    """A target of a parser, whose refusals are ValueErrors of one line."""

    def target(text) -> str:
        try:
            json.dumps(parse(text), default=str, allow_nan=False)
            return "read"
        except ValueError as error:
            assert str(error).isprintable() and len(str(error)) < 500, repr(str(error))[:300]
            return "refused"

    return target


# ---- valid values

MEASURED = {
    "kind": "ppstyleclip relevance",
    "name": "tiny",
    "generator": "1" * 16,
    "count": 3,
    "clip_name": "portrait",
    "made_with": {"alpha": 5.0, "channels": 3, "stop_at": None},
    "defaults": {"alpha": 5.0, "beta": 0.12, "unit": "style", "templates": "paddlegan", "pull": 0.5},
    "layout": LAYOUT,
}
MAPPER = {
    "kind": "ppstyleclip mapper",
    "config": {"mapper_type": "SingleMapper"},
    "mapper": {
        "scale": 0.1,
        "space": "w_plus",
        "texts": ["happy"],
        "embed": "table",
        "made_for": {"generator": "1" * 16, "generator_sample": [0.5] * 8},
        "prompts": ["happy face"],
    },
}
CARD = {
    "format": 1,
    "model": "tiny",
    "edits": [
        {
            **{"neutral": "face", "target": "happy face", "alpha": 5.0, "beta": 0.1, "unit": "style"},
            **{"templates": "plain", "soft": 0.0, "pull": 0.5},
            "region": {"name": "mask", "share": 0.5, "mask": "1" * 16, "png": "iVBORw0KGgo="},
        }
    ],
    "alphas": [5.0],
    "source": {"kind": "seed", "seed": 5, "truncation": 0.7, "face": "1" * 16},
    "numbers": {
        **{"likeness": "clip", "inside": 0.1, "outside": 0.0, "region": "own", "along": 0.3},
        **{"across": 0.2, "changed": 0.1, "identity": 0.9},
    },
    "moved": {"channels": 3, "editable": 4, "layers": {"conv1": 3}},
    "verdict": "good",
    "reason": "fine",
    "seconds": 0.5,
    "fingerprints": {"generator": "1" * 16},
    "versions": {"paddle": "3"},
    "drawn": "eager",
    "before": "0" * 64,
    "after": "0" * 64,
}
CONFIGS = {
    "mapper": {"mapper_type": "LevelsMapper", "style_dim": 4, "levels": [1, 1, 1], "coarse": True},
    "conditioned": {"mapper_type": "ConditionedMapper", "text_dim": 3, "layers": 2, "width": 4, "depth": 1},
    "styles": {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": [3, 3, 2]},
    "encoder": {
        "encoder_type": "GradualStyleEncoder",
        "num_styles": 4,
        "input_size": 32,
        "style_dim": 4,
        "widths": [2, 2, 2, 2],
        "depths": [1, 1, 1, 1],
    },
    "last-layer": {"encoder_type": "BackboneEncoderUsingLastLayerIntoW", "output_size": 8, "style_dim": 4},
    "identity": {"widths": [2, 2, 2, 2], "depths": [1, 1, 1, 1], "face_size": 16, "dim": 4},
    "generator": {
        "family": "stylegan2",
        "size": 8,
        "style_dim": 4,
        "n_mlp": 1,
        "channels": {"4": 2, "8": 2},
        "blur_kernel": [1, 3, 3, 1],
        "lr_mlp": 0.01,
        "channel_multiplier": 2,
    },
    "clip": {**CLIP_CONFIGS["ViT_B_32"], "vocabulary": ["a", "face"]},
    "clip-resnet": {**CLIP_CONFIGS["RN50"], "vision_layers": [1, 1, 1, 1]},
}


def described(build):
    """Describe what a config builds, as loaders do before anything is built."""

    def read(config):
        try:
            describe_network(lambda: build(config), most=MOST_ARRAYS)
        except (ValueError, TypeError) as error:
            raise UserError(str(error)) from None

    return read


def build_identity(config):
    """An identity network as zoo.identities builds it."""
    return IRSE50(**vars(from_value(IdentityConfig, config, "f", field="config")))


def _regions(card):
    """The regions of a card, which may hold a mask."""
    for edit in card.edits:
        if edit.region is not None:
            edit.region.region()


def _describe_clip(config):
    clip_parameters(_checked_config(config))


BUILDERS = {
    "mapper": described(build_mapper),
    "conditioned": described(build_mapper),
    "styles": described(build_mapper),
    "encoder": described(build_encoder),
    "last-layer": described(build_encoder),
    "identity": described(build_identity),
    "generator": described(build_generator),
    "clip": _describe_clip,
    "clip-resnet": _describe_clip,
}


# ---- weight files, and what converts them


@st.composite
def weight_files(draw, kind):
    """A damaged copy of a small file of a kind of fuzz_formats."""
    rng = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    return damaged(_SEEDS[kind], list(_SEEDS.values()), rng)


_SEEDS = seeds()


def _read_weights(path) -> None:
    read_weights(path)
    for read in (load_bank, load_directions):
        try:
            read(path)
        except UserError as error:
            assert _is_line(error)
    content = load_arrays(path)[0]
    try:
        recognise(content, sniff(path)).convert()
    except UserError as error:
        assert _is_line(error)


@st.composite
def contents(draw):
    """What a file of known keys may hold: arrays of other shapes and types, lost, added, or no arrays."""
    state = dict(draw(st.sampled_from(_CONTENTS)))
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(sorted(state)))
        change = draw(st.sampled_from(["shape", "type", "lost", "new", "other"]))
        if change == "shape":
            state[key] = np.zeros(draw(st.lists(st.integers(0, 5), max_size=5)), np.float32)
        elif change == "type":
            code = draw(st.sampled_from(["f2", "f8", "i8", "u1", "?", "c8"]))
            state[key] = np.zeros(getattr(state[key], "shape", (2,)), code)
        elif change == "lost":
            del state[key]
        elif change == "new":
            state[draw(st.text(max_size=8)) or key + ".0"] = state[key]
        else:
            state[key] = draw(VALUES)
        if not state:
            break
    return draw(st.sampled_from([dict, _g_ema, _g_nvidia]))(state)


def _g_ema(state):
    return {"g_ema": state, "latent_avg": np.zeros(4, np.float32)}


def _g_nvidia(state):
    return {"G_ema": state}


def _zeros(shapes) -> dict:
    return {key: np.zeros(spec.shape, np.float32) for key, spec in shapes.items()}


def _known_contents() -> list:
    generator = describe_network(lambda: build_generator(CONFIGS["generator"]))
    own = describe_network(lambda: build_mapper(CONFIGS["mapper"]))
    mapper = {f"mapper.{key}": value for key, value in _zeros(own).items()}
    directions = {name: np.zeros([4, 4], np.float32) for name in ("age", "smile")}
    statistics = {"mean": [np.zeros(3, np.float32)] * 2, "std": [np.ones(3, np.float32)] * 2}
    return [_zeros(generator), {"state_dict": mapper, "opts": {}}, directions, statistics, mapper]


_CONTENTS = _known_contents()


def _convert(content) -> None:
    recognise(content, "zip").convert()


TARGETS = {
    "JSON": (_TEXTS | cut_texts(), parsed(parse_json)),
    "YAML": (_TEXTS | cut_texts(), parsed(parse_yaml)),
    "names": (st.text(max_size=120) | st.sampled_from(_WORDS), lambda text: "read" if _name(text) else ""),
    "layout": schema(LAYOUT, StyleLayout.from_config),
    "card": schema(CARD, lambda value: _regions(from_value(Card, value, "f"))),
    "network metadata": schema(
        {"kind": "ppstyleclip generator", "name": "a", "fingerprint": "1" * 16, "config": {"size": 8}},
        lambda value: read_own(NetworkMetadata, as_metadata(value), "f"),
    ),
    "mapper metadata": schema(MAPPER, lambda value: read_own(MapperMetadata, as_metadata(value), "f")),
    "measured metadata": schema(MEASURED, lambda value: read_own(MeasuredMetadata, as_metadata(value), "f")),
    "block metadata": schema(
        {"manifest": "0" * 64, "checksum": "1" * 16, "number": 3},
        lambda value: from_metadata(BlockMetadata, as_metadata(value), "f"),
    ),
    "training state": schema(
        {"kind": STATE_KIND, "training": {"steps": 3}, "seconds": 1.5},
        lambda value: from_metadata(StateMetadata, as_metadata(value), "f"),
    ),
    "relevance manifest": schema(
        {"format": 1, "job": RELEVANCE_JOB, "shard": "0/2"},
        as_file(as_json, lambda path: read_job(path.parent)),
    ),
    "statistics manifest": schema(
        {"format": 1, "job": STATISTICS_JOB, "shard": None},
        as_file(as_json, lambda path: read_job(path.parent)),
    ),
    "optimization preset": schema(
        OPTIMIZE, as_file(as_yaml, lambda path: read_optimization_preset(str(path)))
    ),
    "recipe": schema(RECIPE, as_file(as_yaml, read_recipe)),
    "mapper preset": schema(MAPPER_PRESET, as_file(as_yaml, lambda path: read_training_preset(str(path)))),
    "landmarks": schema([[k, k + 0.5] for k in range(68)], as_file(as_json, read_landmarks)),
    "lock file": schema(
        {"pinned": {"a": "0" * 64}, "checked": {"/a": {"size": 3, "changed": 4, "sha256": "1" * 64}}},
        lambda value: from_value(Lock, value, "f"),
    ),
    "download note": schema(
        {"url": "https://a/b", "total": 9, "version": '"x"'}, lambda value: from_value(Note, value, "f")
    ),
    **{f"{name} config": schema(CONFIGS[name], read) for name, read in BUILDERS.items()},
    "conversion": (contents(), judged(_convert)),
    **{f"{kind} file": (weight_files(kind), judged(as_file(bytes, _read_weights))) for kind in _SEEDS},
}


def _name(text) -> bool:
    """Whether a name made of any text is a name, and a path stays where it is put."""
    name = name_of(text.replace("\0", "") or "x")
    assert is_name(name)
    place = Path("/a/b", f"stylegan2-{text}-job")
    assert not is_name(text) or place.parent == Path("/a/b") and ".." not in place.parts
    return True
