# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile values in the configs of networks: one line each, before any network is built."""

import pytest
from hostile_values import DEEP, NO_COUNT, NO_FLAG, NO_LINE, NO_LIST, NO_NUMBER, cases, changed, refused

from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.clip import CLIP_CONFIGS, build_clip
from ppstyleclip.models.configs import IdentityConfig
from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.models.families import build_generator
from ppstyleclip.models.layout import StyleLayout
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.schema import from_value

NO_OPTIONAL = [value for value in NO_COUNT if value is not None]
NO_COUNTS = [
    *NO_LIST,
    [3],
    [3, 4, 5],
    [3] * 5,
    [3, 3, 3, "3"],
    [3, 3, 3, 0],
    [3, 3, 3, 10**9],
    [[3]] * 4,
    DEEP,
]
HUGE = 10**12


def read_identity(config):
    return from_value(IdentityConfig, config, "f", field="config")


SCHEMAS = {
    "layout": (
        StyleLayout.from_config,
        {"names": ["a", "b"], "channels": [3, 2], "editable": [True, False]},
        {
            "names": [*NO_LIST, [], ["a"], ["a", 3], ["a", None], ["a"] * 3, DEEP],
            "channels": [*NO_LIST, [], [3], [3, 0], [3, -1], [3, HUGE], [3, 1.5], [3, "2"], [3, None], DEEP],
            "editable": [*NO_LIST, [], [True], [True, 0], [True, "no"], [True, None]],
            "more": [1],
        },
    ),
    "mapper": (
        build_mapper,
        {
            "mapper_type": "LevelsMapper",
            "style_dim": 4,
            "levels": [1, 1, 1],
            "coarse": True,
            "mode": "Mapper",
        },
        {
            "mapper_type": ["Other", *NO_LINE],
            "mode": ["Other", *NO_LINE],
            "style_dim": [0, 2**16 + 1, HUGE, *NO_COUNT],
            "levels": [*NO_LIST, [], [1, 1], [1] * 4, [0, 1, 1], [1, 1, "1"], [1, 1, HUGE], [1, 1, None]],
            "coarse": NO_FLAG,
            "more": [1, None],
        },
    ),
    "conditioned": (
        build_mapper,
        {
            "mapper_type": "ConditionedMapper",
            "style_dim": 4,
            "text_dim": 3,
            "layers": 2,
            "width": 4,
            "depth": 1,
        },
        {
            "text_dim": [0, *NO_COUNT],
            "layers": [0, 1001, HUGE, *NO_COUNT],
            "width": [0, HUGE, *NO_COUNT],
            "depth": [0, HUGE, *NO_COUNT],
            "mode": ["Mapper_sum"],
        },
    ),
    "styles": (
        build_mapper,
        {"mapper_type": "FullStyleSpaceMapper", "style_dims": [3, 2]},
        {"style_dims": [*NO_LIST, [], [3, 0], [3, HUGE], [3, "2"], [3] * 1001, [[3]], DEEP, None]},
    ),
    "some styles": (
        build_mapper,
        {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": [3, 2], "idle": [0]},
        {"idle": [3, "0", {"a": 0}, [-1], [HUGE], ["0"], [0.5], [[0]], DEEP, [0] * 1001]},
    ),
    "encoder": (
        build_encoder,
        {
            "encoder_type": "GradualStyleEncoder",
            "num_styles": 4,
            "input_size": 32,
            "style_dim": 4,
            "widths": [2, 2, 2, 2],
            "depths": [1, 1, 1, 1],
        },
        {
            "encoder_type": ["Other", *NO_LINE],
            "num_styles": [0, HUGE, *NO_OPTIONAL],
            "input_size": [0, 16, 33, HUGE, 2**900, *NO_OPTIONAL],
            "input_channels": [0, HUGE, *NO_OPTIONAL],
            "style_dim": [0, HUGE, *NO_OPTIONAL],
            "output_size": [64, 0, "64", HUGE],
            "widths": NO_COUNTS,
            "depths": NO_COUNTS,
            "more": [1],
        },
    ),
    "identity": (
        read_identity,
        {"widths": [2, 2, 2, 2], "depths": [1, 1, 1, 1], "face_size": 16, "dim": 4},
        {
            "widths": NO_COUNTS,
            "depths": NO_COUNTS,
            "face_size": [0, HUGE, *NO_COUNT],
            "dim": [0, HUGE, *NO_COUNT],
            "more": [1],
        },
    ),
    "clip": (
        build_clip,
        {**CLIP_CONFIGS["ViT_B_32"], "vocabulary": ["a"]},
        {
            "name": NO_LINE,
            "embed_dim": [0, HUGE, *NO_COUNT],
            "image_size": [0, 225, HUGE, *NO_COUNT],
            "vision_layers": [
                0,
                257,
                HUGE,
                [1],
                [1] * 5,
                [1, 1, 1, 0],
                [1, 1, 1, HUGE],
                "2",
                None,
                True,
                DEEP,
            ],
            "vision_width": [0, 65, HUGE, *NO_COUNT],
            "vision_patch_size": [0, 3, HUGE, "8", 8.0, [8]],
            "context_length": [0, 1025, HUGE, *NO_COUNT],
            "vocab_size": [0, 49409, HUGE, *NO_COUNT],
            "transformer_width": [0, HUGE, *NO_COUNT],
            "transformer_heads": [0, 3, HUGE, *NO_COUNT],
            "transformer_layers": [0, 257, HUGE, *NO_COUNT],
            "vocabulary": [*NO_LIST, [3], [None], [["a"]], ["a\nb"], ["a"] * 50_001],
            "more": [1],
        },
    ),
    "stylegan3": (
        build_generator,
        {
            "family": "stylegan3",
            "size": 16,
            "style_dim": 4,
            "configuration": "T",
            "n_mlp": 1,
            "lr_mlp": 0.01,
            "channels": [2] * 14 + [3],
        },
        {
            "size": [0, 8, 48, 2048, HUGE, *NO_COUNT],
            "style_dim": [0, HUGE, *NO_COUNT],
            "configuration": ["S", "t", *NO_LINE],
            "n_mlp": [1001, HUGE, *NO_COUNT],
            "lr_mlp": [0, -1, 1e9, *[value for value in NO_NUMBER if value is not None]],
            "channels": [
                *NO_LIST,
                [],
                [3] * 14,
                [2] * 15,
                [0] * 14 + [3],
                [HUGE] * 14 + [3],
                ["2"] * 15,
                DEEP,
            ],
            "more": [1],
        },
    ),
    "generator": (
        build_generator,
        {"size": 8, "style_dim": 4, "n_mlp": 1, "channels": {"4": 2, "8": 2}, "blur_kernel": [1, 2, 1]},
        {
            "family": ["other", *NO_LINE[:3]],
            "size": [0, 4, 9, 2048, HUGE, *NO_COUNT],
            "style_dim": [0, HUGE, *NO_COUNT],
            "n_mlp": [1001, HUGE, *NO_COUNT],
            "channel_multiplier": [0, -1, 1e9, *[value for value in NO_NUMBER if value is not None]],
            "blur_kernel": [*NO_LIST, [], [1.0] * 33, [1.0] * 30_000, ["1"], [None], [1e300], DEEP],
            "lr_mlp": [0, -1, 1e9, *[value for value in NO_NUMBER if value is not None]],
            "is_concat": [True, 1, "no"],
            "channels": [
                3,
                "a",
                [],
                {},
                {"x": 3},
                {"4": 0},
                {"4": "2"},
                {"4": HUGE},
                {"4": {"8": 2}},
                {"3": 2},
            ],
            "more": [1],
        },
    ),
}


def all_cases():
    return [
        pytest.param(kind, *case.values, id=f"{kind}-{case.id}")
        for kind, (_, _, table) in SCHEMAS.items()
        for case in cases(table)
    ]


@pytest.mark.parametrize("kind, field, value", all_cases())
def test_a_hostile_value_is_one_line(kind, field, value):
    build, valid, _ = SCHEMAS[kind]
    refused(build, changed(valid, field, value))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_valid_value_is_taken(kind):
    build, valid, _ = SCHEMAS[kind]
    assert kind == "clip" or build(valid) is not None
    for value in (None, [], "x", 3, DEEP):
        refused(build, value)


def test_an_identity_networks_own_config_is_taken():
    config = IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6).config()
    assert IRSE50(**vars(read_identity(config))).config() == config
