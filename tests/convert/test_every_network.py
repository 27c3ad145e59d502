# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the converters expect of each network is what the built network has: names, shapes and order."""

import threading

import numpy as np
import paddle
import paddle.nn as nn
import pytest
from edges import edges, slow

from ppstyleclip.convert import networks
from ppstyleclip.models.arcface import IRSE50, ResNetFace18
from ppstyleclip.models.clip import build_clip
from ppstyleclip.models.clip_parameters import clip_parameters
from ppstyleclip.models.encoders import PUBLISHED, build_encoder
from ppstyleclip.models.lpips import LPIPS, VGG16
from ppstyleclip.models.mappers import MAPPER_MODES, MAPPER_TYPES, build_mapper
from ppstyleclip.models.parameters import describe_network, parameter_specs
from ppstyleclip.models.stylegan2 import StyleGANv2Generator

GENERATORS = [
    {"size": 8, "style_dim": 4, "n_mlp": 0, "channels": {4: 3, 8: 2}},
    {"size": 16, "style_dim": 6, "n_mlp": 2, "channels": {4: 6, 8: 6, 16: 4}},
    {"size": 64, "style_dim": 12, "n_mlp": 8, "channels": {4: 6, 8: 6, 16: 5, 32: 4, 64: 4}},
]
SMALL_ENCODER = {"style_dim": 12, "input_size": 64, "widths": (4, 6, 8, 10), "depths": (1, 2, 1, 2)}
MAPPERS = [
    {"mapper_type": "LevelsMapper", "style_dim": 8, "text_dim": 8, "mode": mode, "medium": False}
    for mode in MAPPER_MODES
]
MAPPERS += [
    {"mapper_type": kind, "style_dims": [4, 4, 5, 5, 5]} for kind in MAPPER_TYPES if "StyleSpace" in kind
]
MAPPERS += [
    {"mapper_type": "SingleMapper", "style_dim": 8},
    {"mapper_type": "ConditionedMapper", "style_dim": 8, "text_dim": 6, "layers": 3, "width": 4, "depth": 2},
]
CLIP = {
    "name": "small",
    "embed_dim": 16,
    "image_size": 64,
    "vision_layers": 2,
    "vision_width": 64,
    "vision_patch_size": 8,
    "context_length": 9,
    "vocab_size": 50,
    "transformer_width": 12,
    "transformer_heads": 2,
    "transformer_layers": 2,
}
CLIPS = [
    CLIP,
    {**CLIP, "vision_layers": 1, "transformer_layers": 1, "image_size": 16, "transformer_width": 16},
    {**CLIP, "vision_layers": (1, 2, 1, 1), "vision_width": 32, "vision_patch_size": None},
    {**CLIP, "vision_layers": (2, 1, 1, 2), "vision_width": 64, "vision_patch_size": None, "embed_dim": 8},
]


def held(specs) -> list:
    """Names, shapes and layout, in their order."""
    return [(key, spec.shape, spec.torch_key, spec.is_linear) for key, spec in specs.items()]


@pytest.mark.parametrize("config", GENERATORS)
def test_generators(config):
    names = ("size", "style_dim", "n_mlp")
    built = StyleGANv2Generator(*(config[name] for name in names), channels=config["channels"])
    assert held(networks.generator_parameters(config)) == held(parameter_specs(built))


@pytest.mark.parametrize("name", edges(PUBLISHED))
@pytest.mark.parametrize("more", [{"num_styles": 4}, {"output_size": 64, "input_channels": 6}])
def test_encoders(name, more):
    config = {**SMALL_ENCODER, **more, "encoder_type": name}
    assert held(networks.encoder_parameters(config)) == held(parameter_specs(build_encoder(config)))


@pytest.mark.parametrize("config", MAPPERS)
def test_mappers(config):
    assert held(networks.mapper_parameters(config)) == held(parameter_specs(build_mapper(config)))


@pytest.mark.parametrize("config", CLIPS)
def test_clips(config):
    """paddleclip's network is described by hand (models/clip_parameters.py), in another order."""
    assert sorted(held(clip_parameters(config))) == sorted(held(parameter_specs(build_clip(config).net)))


@pytest.mark.parametrize(
    "parameters, build",
    [
        slow((networks.irse50_parameters, IRSE50)),
        (networks.arcface_parameters, ResNetFace18),
        slow((networks.vgg16_parameters, VGG16)),
        (networks.lpips_head_parameters, lambda: LPIPS().lins),
    ],
)
def test_networks_of_one_form(parameters, build):
    assert held(parameters()) == held(parameter_specs(build()))


# ---- describing a network


def test_a_description_takes_no_memory_and_no_random_number():
    paddle.seed(3)
    wanted = paddle.randn([4]).numpy()
    paddle.seed(3)
    specs = describe_network(lambda: build_mapper({"mapper_type": "SingleMapper", "style_dim": 60_000}))
    describe_network(lambda: StyleGANv2Generator(16, 6, 1, channels={4: 6, 8: 6, 16: 4}))
    assert specs["mapping.mapping.1.weight"].shape == (60_000, 60_000)  # 14 GB
    np.testing.assert_array_equal(paddle.randn([4]).numpy(), wanted)


def test_a_network_without_end_is_no_description():
    config = {"mapper_type": "ConditionedMapper", "depth": 1000}
    with pytest.raises(ValueError, match="more than 50 arrays"):
        describe_network(lambda: build_mapper(config), most=50)
    with pytest.raises(ValueError, match="cannot be made"):
        describe_network(lambda: nn.Linear(2**40, 2))
    assert np.abs(nn.Linear(2, 3).weight.numpy()).max() > 0  # layers are made as ever again


def test_other_threads_make_layers_with_values_meanwhile():
    begun, done, made = threading.Event(), threading.Event(), []

    def build_here():
        begun.set()
        assert done.wait(30)
        return nn.Linear(5, 5)

    def build_there():
        assert begun.wait(30)
        made.append(nn.Linear(3, 4).weight.numpy())
        done.set()

    thread = threading.Thread(target=build_there)
    thread.start()
    specs = describe_network(build_here)
    thread.join()
    assert np.abs(made[0]).max() > 0 and specs["weight"].shape == (5, 5)
