# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mappers for the 16 layers of a StyleGAN3 and for its styles: their levels, and what they leave alone."""

import numpy as np
import paddle
import pytest
from stylegan3_world import STYLE_DIM, tiny_stylegan3
from tiny_world import live_in, tiny_clip, tiny_generator

from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper import MapperConfig, TrainingConfig, text_set, train_mapper
from ppstyleclip.methods.mapper.train_mapper import build_training
from ppstyleclip.methods.optimization import ObjectiveConfig
from ppstyleclip.models.mappers import LEVELS_16, build_mapper
from ppstyleclip.pipelines.presets import read_training_preset
from ppstyleclip.progress import last

ONE = text_set(["happy face"])


def config_for(generator, **mapper):
    return build_training(generator, ONE, TrainingConfig(MapperConfig(**mapper))).network_config


def test_levels_follow_the_family():
    assert config_for(tiny_stylegan3())["levels"] == list(LEVELS_16) == [5, 3, 8]
    assert config_for(tiny_generator())["levels"] == [2, 2, 2]


def test_a_mapper_of_styles_leaves_alone_what_is_not_editable():
    generator = tiny_stylegan3()
    config = config_for(generator, space="s")
    assert config["idle"] == [0, 15] and config["style_dims"] == list(generator.layout.channels)
    mapper = build_mapper(config)
    step = mapper(paddle.ones([2, generator.layout.size])).numpy()
    moved = np.zeros(generator.layout.size, bool)
    moved[generator.layout.editable_index] = True
    assert not step[:, ~moved].any() and step[:, moved].any(axis=0).mean() > 0.9
    assert "idle" not in config_for(tiny_generator(), space="s")  # as files have it that are there already
    assert "idle" not in config_for(generator, space="s", mapper_type="FullStyleSpaceMapper")


def test_only_the_mapper_without_to_rgb_knows_idle_styles():
    with pytest.raises(UserError, match="FullStyleSpaceMapper does not know idle"):
        build_mapper({"mapper_type": "FullStyleSpaceMapper", "style_dims": [3, 3], "idle": [0]})


def test_the_preset_of_seed_004_adds_the_whole_step():
    config, _ = read_training_preset("seed004")
    assert config.mapper.scale == 1.0 and config_for(tiny_stylegan3(), scale=1.0)["levels"] == [5, 3, 8]


@pytest.mark.slow
def test_training_moves_a_mapper_of_16_layers(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)
    generator, clip = tiny_stylegan3(), tiny_clip()
    z = np.random.RandomState(3).standard_normal((4, STYLE_DIM)).astype(np.float32)
    with paddle.no_grad():
        latents = generator.get_latents(paddle.to_tensor(z))
    objective = ObjectiveConfig(weights={"clip": 1.0, "l2": 0.3}, l2_reduction="mean")
    mapper = MapperConfig(scale=1.0)
    config = TrainingConfig(mapper, objective, steps=2, batch_size=2, validate_every=2)
    features = np.random.RandomState(7).standard_normal((1, clip.dim)).astype(np.float32)
    record = last(train_mapper(generator, clip, latents.numpy(), ONE, config, features=features))
    step = record.value.network(latents).numpy()
    assert step.shape == tuple(latents.shape) and np.abs(step).max() > 0
