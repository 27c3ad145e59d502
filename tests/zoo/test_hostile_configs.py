# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A config inside a file that asks for a larger network than the file holds is refused before it is built."""

import json
import time

import numpy as np
import paddle
import pytest
from edges import edges
from tiny_encoder import tiny_encoder
from tiny_world import tiny_clip, tiny_generator
from toy_family import ToyGenerator

from ppstyleclip.convert import Converted
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.models import state as loading
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.families import register_family
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.zoo import (
    TrainedMapper,
    load_clip,
    load_encoder,
    load_generator,
    load_identity,
    load_mapper,
    perceptual,
    save_clip,
    save_encoder,
    save_generator,
    save_identity,
    save_mapper,
)
from ppstyleclip.zoo.generators import (
    build_converted_generator,
    generator_fingerprint,
    generator_state,
)
from ppstyleclip.zoo.perceptual import load_vgg

resource = pytest.importorskip("resource", reason="only Unix says how much memory was held")
SINGLE = {"mapper_type": "SingleMapper", "style_dim": 4}
CONDITIONED = {"mapper_type": "ConditionedMapper", "style_dim": 4, "text_dim": 3, "width": 4, "layers": 2}


def save_small_mapper(path, config):
    save_mapper(path, TrainedMapper(build_mapper(config), config))


def tiny_stylegan3():
    return StyleGAN3Generator(16, 4, channels=[2] * 14 + [3])


FILES = {
    "mapper": (lambda path: save_small_mapper(path, SINGLE), load_mapper),
    "conditioned": (lambda path: save_small_mapper(path, CONDITIONED), load_mapper),
    "encoder": (lambda path: save_encoder(path, tiny_encoder(), generator="1" * 16), load_encoder),
    "identity": (
        lambda path: save_identity(path, IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6)),
        load_identity,
    ),
    "generator": (lambda path: save_generator(path, tiny_generator(), name="tiny"), load_generator),
    "clip": (lambda path: save_clip(path, tiny_clip()), load_clip),
    "stylegan3": (lambda path: save_generator(path, tiny_stylegan3(), name="waves"), load_generator),
    "toy": (lambda path: save_generator(path, ToyGenerator(), name="toy"), load_generator),
    "own loader": (lambda path: save_generator(path, OwnLoader(), name="own"), load_generator),
}
HUGE = 10**9
# What constructors draw without an initialiser, small beside the rest; it is not taken from what follows.
DRAWN_ANYWAY = {
    "clip": [(64,), (5, 64), (64, 16)],  # in paddleclip: class, places and projection of the eyes
    "stylegan3": [(2, 2), (2,)],  # frequencies and phases
    "toy": [(1, 1, 16, 16)],
    "own loader": [(1, 1, 16, 16)],
}


class OwnLoader(ToyGenerator):
    """A generator whose family loads its weights by a function of its own."""

    family = "own loader"

    def config(self):
        """See Generator."""
        return {**super().config(), "family": "own loader"}


register_family(
    "own loader",
    lambda config: OwnLoader(config["size"], config["style_dim"], config["widths"]),
    lambda generator, state: generator.set_state_dict(state),
)
CHANGES = [
    ("mapper", {"style_dim": 20_000}),
    ("mapper", {"style_dim": 10**30}),
    ("mapper", {"style_dim": "many"}),
    ("conditioned", {"depth": HUGE}),
    ("conditioned", {"layers": HUGE, "width": HUGE}),
    ("encoder", {"num_styles": HUGE}),
    ("encoder", {"widths": [HUGE] * 4}),
    ("encoder", {"depths": [1, 1, 1, HUGE]}),
    ("encoder", {"input_size": 2**900}),
    ("encoder", {"style_dim": 1e9}),
    ("encoder", {"encoder_type": {"a": 1}}),
    ("identity", {"face_size": 16 * HUGE}),
    ("identity", {"depths": [HUGE] * 4}),
    ("identity", {"widths": [100_000] * 4}),
    ("identity", {"dim": [3]}),
    ("clip", {"context_length": HUGE}),
    ("clip", {"vocab_size": HUGE}),
    ("clip", {"transformer_width": 10**6, "transformer_heads": 1}),
    ("clip", {"vision_layers": HUGE}),
    ("clip", {"transformer_layers": HUGE}),
    ("clip", {"vision_width": 64 * HUGE}),
    ("clip", {"image_size": 8 * HUGE}),
    ("clip", {"vision_layers": [1, 1, 1, HUGE]}),
    ("clip", {"vision_layers": "two"}),
    ("clip", {"transformer_heads": 0}),
    ("clip", {"vision_patch_size": "8"}),
    ("generator", {"blur_kernel": [1.0] * 30_000}),
    ("generator", {"blur_kernel": "wide"}),
    ("stylegan3", {"style_dim": 20_000}),
    ("stylegan3", {"channels": [60_000] * 14 + [3]}),
    ("stylegan3", {"size": HUGE}),
    ("stylegan3", {"configuration": ["R"]}),
    ("toy", {"style_dim": 20_000}),
    ("toy", {"widths": [60_000, 60_000]}),
    ("toy", {"widths": [HUGE, HUGE]}),
    ("toy", {"widths": "wide"}),
    ("toy", {"widths": []}),
    ("toy", {"widths": None}),
    ("toy", {"size": HUGE}),
    ("toy", {"size": 2**14}),
    ("toy", {"size": "16"}),
    ("toy", {"family": ["toy"]}),
    ("own loader", {"style_dim": 20_000}),
    ("own loader", {"widths": [60_000, 60_000]}),
    ("own loader", {"widths": [HUGE, 1]}),
]


def peak() -> int:
    """Megabytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.fixture
def built(monkeypatch):
    """The networks whose parameters get memory from now on."""
    layers, allocate = [], loading.allocate

    def counted(layer):
        layers.append(layer)
        allocate(layer)

    monkeypatch.setattr(loading, "allocate", counted)
    return layers


@pytest.fixture
def drawn(monkeypatch):
    """Shapes of the random numbers that are drawn from now on."""
    shapes = []

    def watch(name):
        draw = getattr(paddle._C_ops, name)

        def counted(shape, *arguments, **options):
            shapes.append(tuple(shape))
            return draw(shape, *arguments, **options)

        monkeypatch.setattr(paddle._C_ops, name, counted)

    watch("gaussian")
    watch("uniform")
    return shapes


@pytest.mark.parametrize("kind", FILES)
def test_what_is_loaded_is_not_drawn_before(kind, tmp_path, drawn):
    save, load = FILES[kind]
    path = tmp_path / f"{kind}.safetensors"
    save(path)
    assert drawn  # a network that is not loaded is
    drawn.clear()
    load(path)
    assert drawn == DRAWN_ANYWAY.get(kind, [])


def test_a_loader_of_its_own_that_leaves_a_parameter_out_is_an_error():
    generator = OwnLoader()
    state = generator_state(generator)
    found = build_converted_generator(Converted("generator", state, generator.config(), {}))
    assert generator_fingerprint(found) == generator_fingerprint(generator)
    del state["conv.weight"]
    with pytest.raises(UserError, match="this own loader generator: conv.weight is missing"):
        build_converted_generator(Converted("generator", state, generator.config(), {}))


@pytest.mark.parametrize("kind, change", edges(CHANGES, 20))
def test_it_is_one_line_and_no_memory(kind, change, tmp_path, built):
    save, load = FILES[kind]
    path = tmp_path / f"{kind}.safetensors"
    save(path)
    load(path)
    assert built  # a network that fits is built
    tensors, metadata = read_safetensors(path)
    config = {**json.loads(metadata["config"]), **change}
    write_safetensors(path, tensors, {**metadata, "config": json.dumps(config)})
    built.clear()
    before, begin = peak(), time.monotonic()
    with pytest.raises(UserError, match=str(path)) as caught:
        load(path)
    assert peak() - before < 100 and time.monotonic() - begin < 10
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600
    assert not built


# Networks of one size: weights of others are refused before their own are made.
FIXED = {
    "vgg16": (load_vgg, {"features.0.weight": [64, 3, 3, 3], "features.28.weight": [512, 512, 3, 3]}),
    "irse50": (load_identity, {"input_layer.0.weight": [64, 3, 3, 3], "output_layer.3.weight": [512, 9]}),
    "arcface": (load_identity, {"conv1.weight": [64, 1, 3, 3], "fc5.weight": [512, 512 * 64]}),
    "psp": (load_encoder, {"encoder.input_layer.0.weight": [64, 3, 3, 3], "decoder.conv1.bias": [3]}),
}


@pytest.mark.parametrize("kind", FIXED)
def test_a_network_of_one_size_is_not_built_for_other_weights(kind, tmp_path, built):
    load, shapes = FIXED[kind]
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, {key: np.zeros(shape, np.float32) for key, shape in shapes.items()})
    with pytest.raises(UserError, match=str(path)) as caught:
        load(path)
    assert str(caught.value).isprintable() and not built


def test_lpips_is_compared_before_it_is_built(monkeypatch, built):
    monkeypatch.setattr(perceptual, "read_as", lambda kind, path: (Converted(kind, {}, {}), {}))
    with pytest.raises(UserError, match="do not fit this LPIPS"):
        perceptual.load_lpips("vgg", "heads")
    with pytest.raises(UserError, match="do not fit this VGG-16"):
        perceptual.load_vgg("vgg")
    assert not built


def test_a_token_table_of_the_stored_width_is_not_spread_out_first(tmp_path):
    """One row of 60,000 numbers is 240 kB in the file, and 12 GB as a whole table."""
    path = tmp_path / "clip.safetensors"
    save_clip(path, tiny_clip())
    tensors, metadata = read_safetensors(path)
    tensors["token_embedding.weight"] = np.zeros((1, 60_000), np.float32)
    tensors["token_ids"] = np.zeros(1, np.int32)
    config = {**json.loads(metadata["config"]), "transformer_width": 60_000, "transformer_heads": 1}
    metadata = {key: value for key, value in metadata.items() if key != "fingerprint"}
    write_safetensors(path, tensors, {**metadata, "config": json.dumps(config)})
    before = peak()
    with pytest.raises(UserError, match="do not fit this CLIP"):
        load_clip(path)
    assert peak() - before < 200
