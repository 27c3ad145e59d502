# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mappers of the tiny world, one of each kind, random but fixed."""

from __future__ import annotations

import numpy as np
import paddle
from tiny_world import STYLE_DIM

from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.zoo import TrainedMapper, load_pack, save_mapper

LEVELS = {"mapper_type": "LevelsMapper", "style_dim": STYLE_DIM, "levels": [2, 2, 2]}
HAIR, STYLES = ("long", "short", "curly"), np.random.RandomState(0).randn(3, STYLE_DIM).astype(np.float32)


def made(config, **parts):
    paddle.seed(5)
    network = build_mapper(config)
    network.eval()
    return TrainedMapper(network, config, **parts)


def save_mappers(pack):
    """A mapper of each kind, in the pack's own folder."""
    layout = load_pack(pack).generator.layout
    table = {"texts": HAIR, "words": STYLES, "embed": "table"}
    kinds = {
        "smile": made(LEVELS, texts=("happy face",)),
        "hair": made({**LEVELS, "mode": "Mapper_sum"}, **table),
        "multi": made({**LEVELS, "mode": "Mapper_multi"}, **table),
        "any": made(
            {**LEVELS, "mode": "Mapper_cat", "text_dim": 16},
            embed="clip",
            texts=("happy face",),
            words=np.ones([1, 16], np.float32),
        ),
        "style": made(
            {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": list(layout.channels)},
            space="s",
            texts=("sad face",),
        ),
        "wide": made({**LEVELS, "style_dim": 8}),
        "tall": made({**LEVELS, "levels": [4, 4, 10]}),
        "other": made(LEVELS, made_for={"generator": "f" * 16}),
        "narrow": made({"mapper_type": "FullStyleSpaceMapper", "style_dims": [3, 3]}, space="s"),
    }
    for name, mapper in kinds.items():
        save_mapper(pack / "mappers" / f"{name}.safetensors", mapper)
    return kinds
