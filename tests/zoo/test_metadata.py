# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile metadata in files of every kind: one line, whatever stands in them."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hostile_values import (
    DEEP,
    NO_COUNT,
    NO_LINE,
    NO_LIST,
    NO_MARK,
    NO_NAME,
    NO_NAMED,
    NO_NUMBER,
    cases,
    changed,
    refused,
)
from tiny_encoder import tiny_encoder
from tiny_world import tiny_clip, tiny_generator

from ppstyleclip.files import fingerprint, read_safetensors, write_safetensors
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.zoo import (
    EditDefaults,
    TrainedMapper,
    load_clip,
    load_encoder,
    load_generator,
    load_identity,
    load_mapper,
    read_relevance,
    read_stats,
    save_clip,
    save_encoder,
    save_generator,
    save_identity,
    save_mapper,
    save_relevance,
    save_stats,
)
from ppstyleclip.zoo.metadata import MapperMetadata, MeasuredMetadata, NetworkMetadata, read_own

TEXT = [value for value in NO_NAME if isinstance(value, str) and "\ud800" not in value]
LINES = [value for value in NO_LINE if isinstance(value, str) and "\ud800" not in value]
MARKS = [value for value in NO_MARK if isinstance(value, str)]
JSON = ["", "{", "[" * 100_000, "9" * 5000, "NaN", "1e999", '{"a": 1, "a": 2}', '"\\ud800"', "x" * 1_100_000]
NO_MAPPER_TEXTS = [*NO_LIST, [3], [None], [["a"]], ["a\nb"], ["x" * 1001], ["a"] * 1001, DEEP]
KINDS = {
    "network": (
        NetworkMetadata,
        {"kind": "ppstyleclip generator", "name": "a", "fingerprint": "1" * 16, "config": {"size": 8}},
        {
            "name": TEXT,
            "kind": [f"ppstyleclip {text}" for text in LINES],
            "fingerprint": MARKS,
            "generator": MARKS,
            "tuned_from": MARKS,
            "config": [*NO_NAMED, None, DEEP, {str(k): k for k in range(101)}],
        },
    ),
    "mapper": (
        MapperMetadata,
        {
            "kind": "ppstyleclip mapper",
            "config": {"mapper_type": "SingleMapper"},
            "mapper": {
                "scale": 0.1,
                "space": "w_plus",
                "texts": ["happy"],
                "embed": "none",
                "made_for": {"generator": "1" * 16, "generator_sample": [0.5] * 8},
                "prompts": [],
            },
        },
        {
            "mapper": [*NO_NAMED, {}, DEEP],
            "mapper.scale": [1e9, -1e9, *NO_NUMBER],
            "mapper.space": ["z", "", 3, None, ["s"]],
            "mapper.embed": ["all", "", 3, None, ["clip"]],
            "mapper.texts": NO_MAPPER_TEXTS,
            "mapper.prompts": NO_MAPPER_TEXTS,
            "mapper.made_for": [*NO_NAMED, None, DEEP],
            "mapper.made_for.generator": NO_MARK,
            "mapper.made_for.clip": NO_MARK,
            "mapper.made_for.generator_sample": [*NO_LIST, [], [0.5] * 9, ["a"] * 8, [None] * 8, [DEEP] * 8],
        },
    ),
    "measured": (
        MeasuredMetadata,
        {
            "kind": "ppstyleclip relevance",
            "count": 3,
            "made_with": {"alpha": 5.0, "channels": 3},
            "defaults": asdict(EditDefaults()),
            "layout": {"names": ["a"], "channels": [3], "editable": [True]},
        },
        {
            "name": TEXT,
            "generator": MARKS,
            "clip": MARKS,
            "clip_name": LINES,
            "count": [-1, 1.5, None, True, [3], {}, 10**18],
            "made_with": [*NO_NAMED, None, DEEP],
            "made_with.alpha": [0, -1, 1e9, *NO_NUMBER],
            "made_with.channels": [value for value in NO_COUNT if value is not None],
            "made_with.num_images": [-1, 1.5, "3", True],
            "made_with.stop_at": [-1, 1.5, "3", True],
            "layout": [*NO_NAMED, {}, DEEP],
            "layout.channels": [*NO_LIST, [], [0], [-1], [10**9], ["3"], [3, 3]],
            "defaults": [*NO_NAMED, {"more": 1}, DEEP],
            "defaults.alpha": [1e9, *NO_NUMBER],
            "defaults.beta": [-1, 1e9, *NO_NUMBER],
            "defaults.unit": ["sigmas", "", 3, None, ["sigma"]],
            "defaults.templates": ["mine", "", 3, None, []],
            "defaults.pull": [-0.1, 1.1, *NO_NUMBER],
            "defaults.truncation": [-0.1, 1.1, *NO_NUMBER],
            "defaults.within": [-0.1, 1001, *NO_NUMBER],
        },
    ),
}


def as_metadata(values: dict) -> dict:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def all_cases():
    return [
        pytest.param(kind, *case.values, id=f"{kind}-{case.id}")
        for kind, (_, _, table) in KINDS.items()
        for case in cases(table)
    ]


@pytest.mark.parametrize("kind, field, value", all_cases())
def test_a_hostile_value_is_one_line(kind, field, value):
    schema, valid, _ = KINDS[kind]
    own = {name: value for name, value in valid.items()}
    own.setdefault(field, None)
    metadata = as_metadata(changed(own, field, value))
    line = refused(read_own, schema, metadata, "f.safetensors", field=field.partition(".")[0])
    assert line.startswith("f.safetensors is damaged: ")


@pytest.mark.parametrize("text", JSON)
@pytest.mark.parametrize(
    "kind, field", [("network", "config"), ("mapper", "mapper"), ("measured", "defaults")]
)
def test_what_is_no_json_is_one_line(kind, field, text):
    schema, valid, _ = KINDS[kind]
    refused(read_own, schema, {**as_metadata(valid), field: text}, "f.safetensors", field=field)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_valid_is_read_and_what_others_wrote_counts_for_nothing(kind):
    schema, valid, _ = KINDS[kind]
    assert read_own(schema, as_metadata(valid), "f").kind == valid["kind"]
    foreign = {name: "/../x\x1b" for name in valid if name != "kind"}
    assert (
        read_own(schema, foreign, "f") == read_own(schema, {**foreign, "kind": "of others"}, "f") == schema()
    )


# ---- the same in whole files, through the loaders


def small_mapper(path, **parts):
    config = {"mapper_type": "SingleMapper", "style_dim": 4}
    save_mapper(path, TrainedMapper(build_mapper(config), config, **parts))


LAYOUT = tiny_generator().layout
ROWS = np.eye(LAYOUT.num_editable, 16, dtype=np.float32)
FILES = {
    "generator": (lambda path: save_generator(path, tiny_generator(), name="tiny"), load_generator),
    "clip": (lambda path: save_clip(path, tiny_clip()), load_clip),
    "encoder": (lambda path: save_encoder(path, tiny_encoder(), generator="1" * 16), load_encoder),
    "identity": (
        lambda path: save_identity(path, IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6)),
        load_identity,
    ),
    "mapper": (small_mapper, load_mapper),
    "statistics": (
        lambda path: save_stats(path, EMPTY, generator="1" * 16),
        lambda path: read_stats(path, LAYOUT, name="tiny"),
    ),
    "relevance": (
        lambda path: save_relevance(path, ROWS, generator="1" * 16, clip="2" * 16, clip_name="portrait"),
        lambda path: read_relevance(path, LAYOUT, name="tiny"),
    ),
}


EMPTY = StyleStats(*2 * (np.ones(LAYOUT.size, np.float32),), 3)  # statistics of the tiny generator


CHANGES = [
    ("generator", {"name": "/../../victim"}),
    ("generator", {"name": "\x1b[2Jwrote x"}),
    ("generator", {"config": "[]"}),
    ("generator", {"config": "{}"}),
    ("generator", {"config": '{"family": ["stylegan2"]}'}),
    ("generator", {"config": '{"family": "/../x\\u001b"}'}),
    ("generator", {"config": '{"lr_mlp": 1e999}'}),
    ("generator", {"config": '{"lr_mlp": "0.01"}'}),
    ("clip", {"config": "[]"}),
    ("clip", {"config": "{}"}),
    ("clip", {"name": "a/b", "config": "3"}),
    ("clip", {"fingerprint": "0" * 16}),
    ("encoder", {"config": "{}"}),
    ("encoder", {"fingerprint": ""}),
    ("encoder", {"generator": "\x1b[31m"}),
    ("identity", {"config": "null"}),
    ("identity", {"fingerprint": "x" * 2_000_000}),
    ("mapper", {"mapper": "{}"}),
    ("mapper", {"mapper": "[" * 50_000}),
    ("mapper", {"config": '{"mapper_type": "SingleMapper", "style_dim": 20000}'}),
    ("statistics", {"count": "many"}),
    ("statistics", {"count": "9" * 5000}),
    ("statistics", {"name": "../x"}),
    ("relevance", {"made_with": '{"alpha": "5"}'}),
    ("relevance", {"made_with": "[1]"}),
    ("relevance", {"name": "a/../../b"}),
    ("relevance", {"clip_name": "a\nwrote b"}),
]


@pytest.mark.parametrize("kind, change", CHANGES)
def test_a_hostile_file_is_one_line(kind, change, tmp_path):
    save, load = FILES[kind]
    path = tmp_path / "f.safetensors"
    save(path)
    load(path)
    tensors, metadata = read_safetensors(path)
    write_safetensors(path, tensors, {**metadata, **change})
    assert str(path) in refused(load, path)


@pytest.mark.parametrize(
    "words, said, why",
    [
        (np.zeros([2, 4], np.float32), {"embed": "table"}, "vectors of its texts"),
        (np.zeros([4], np.float32), {"embed": "table"}, "vectors of its texts"),
        (np.zeros([1, 4], np.int64), {"embed": "table"}, "vectors of its texts"),
        (None, {"embed": "table"}, "says of none what it is"),
        (None, {"embed": "clip", "texts": []}, "says of none what it is"),
        (None, {"prompts": ["a", "b"]}, "1 texts and 2 prompts"),
    ],
)
def test_texts_and_their_vectors_go_together(words, said, why, tmp_path):
    path = tmp_path / "m.safetensors"
    small_mapper(path, texts=("happy",))
    tensors, metadata = read_safetensors(path)
    if words is not None:
        tensors["words"] = words
    metadata["mapper"] = json.dumps({**json.loads(metadata["mapper"]), **said})
    metadata["fingerprint"] = fingerprint(tensors)
    write_safetensors(path, tensors, metadata)
    assert why in refused(load_mapper, path)


def test_a_name_that_is_no_name_is_not_written(tmp_path):
    refused(lambda: save_generator(tmp_path / "g.safetensors", tiny_generator(), name="/../x"), field="name")
    assert not list(tmp_path.iterdir())
