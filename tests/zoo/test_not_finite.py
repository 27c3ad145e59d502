# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks and measurements with NaN or infinity are refused, ours and foreign, and the array is named."""

import json
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import numpy as np
import paddle
import pytest
from foreign_weights import drawn, encoder_checkpoint, generator, mapper_checkpoint, nvidia, rosinality
from tiny_encoder import tiny_encoder
from tiny_files import write_pack
from tiny_world import tiny_clip, tiny_generator
from torch_files import save_torch_zip

from ppstyleclip.cli.main import run_command
from ppstyleclip.convert import convert
from ppstyleclip.convert.encoders import Structure
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.zoo import (
    TrainedMapper,
    load_clip,
    load_encoder,
    load_generator,
    load_identity,
    load_mapper,
    load_pack,
    save_clip,
    save_encoder,
    save_generator,
    save_identity,
    save_mapper,
)

SINGLE = {"mapper_type": "SingleMapper", "style_dim": 4}


def spoilt(network, bad):
    """The network with one number of its first parameter replaced, and that parameter's name."""
    name, parameter = next((k, v) for k, v in network.state_dict().items() if v.ndim > 1)
    values = parameter.numpy().copy()
    values.reshape(-1)[-1] = bad
    parameter.set_value(paddle.to_tensor(values))
    return network, name


def clip_with(bad):
    clip = tiny_clip()
    return clip, spoilt(clip.net, bad)[1]


def mapper_with(bad):
    network, name = spoilt(build_mapper(SINGLE), bad)
    return TrainedMapper(network, SINGLE), name


def encoder_with(bad):
    encoder = tiny_encoder()
    return encoder, spoilt(encoder.network, bad)[1]


OURS = {
    "generator": (
        lambda bad: spoilt(tiny_generator(), bad),
        lambda path, made: save_generator(path, made, name="tiny"),
        load_generator,
    ),
    "clip": (clip_with, save_clip, load_clip),
    "encoder": (encoder_with, lambda path, made: save_encoder(path, made, generator="1" * 16), load_encoder),
    "identity": (
        lambda bad: spoilt(IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6), bad),
        save_identity,
        load_identity,
    ),
    "mapper": (mapper_with, save_mapper, load_mapper),
}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", OURS)
def test_networks_of_ours(tmp_path, kind, bad):
    make, save, load = OURS[kind]
    made, name = make(bad)
    save(tmp_path / "x.safetensors", made)
    with pytest.raises(UserError, match=f"{name}.* holds NaN or infinity") as error:
        load(tmp_path / "x.safetensors")
    assert "\n" not in str(error.value)


FOREIGN = {
    "rosinality": ({"g_ema": rosinality()}, "g_ema", "conv1.activate.bias"),
    "paddlegan": (generator(), None, "style.1.weight"),
    "nvidia": (nvidia(), None, "synthesis.b8.conv0.weight"),
    "mean": ({"g_ema": rosinality(), "latent_avg": drawn((6,))}, None, "latent_avg"),
    "encoder": (
        encoder_checkpoint(Structure("irse50", "w", 3, 1), "BackboneEncoderUsingLastLayerIntoW"),
        "state_dict",
        "encoder.linear.bias",
    ),
    "mapper": (mapper_checkpoint(["mapping"], [512] * 5), "state_dict", "mapper.mapping.mapping.1.bias"),
    "statistics": ({"mean": drawn((3,)), "std": drawn((3,))}, None, "std"),
    "directions": ({"age": drawn((6, 12))}, None, "age"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files(kind):
    content, part, key = FOREIGN[kind]
    convert(content)
    inside = dict(content if part is None else content[part])
    inside[key] = inside[key].copy()
    inside[key].reshape(-1)[-1] = np.nan
    with pytest.raises(UserError, match="holds NaN or infinity") as error:
        convert(inside if part is None else {**content, part: inside})
    assert "\n" not in str(error.value)


def test_the_command_names_the_array(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    state = rosinality()
    state["conv1.activate.bias"] = np.full_like(state["conv1.activate.bias"], np.nan)
    save_torch_zip("nan.pt", {"g_ema": state})
    assert run_command("convert", ["nan.pt", "out.safetensors"]) == 2
    said = capsys.readouterr().err
    assert (
        said.startswith("error: nan.pt: conv1.activate.bias holds NaN or infinity") and said.count("\n") == 1
    )
    assert [path.name for path in tmp_path.iterdir()] == ["nan.pt"]
    with pytest.raises(UserError, match=r"^nan\.pt: .*conv1\.activate\.bias"):
        load_generator("nan.pt")


@pytest.mark.parametrize(
    "part, array, word",
    [("latents", "w_plus", "latents"), ("relevance", "strength", "relevance")],
)
def test_measurements_of_a_bundle(tmp_path, part, array, word):
    write_pack(tmp_path)
    path = tmp_path / f"{part}.safetensors"
    arrays, metadata = read_safetensors(path)
    arrays[array] = arrays[array].copy()
    arrays[array].reshape(-1)[0] = np.nan
    write_safetensors(path, arrays, metadata)
    bundle = load_pack(tmp_path)
    with pytest.raises(UserError, match=f"{part}.safetensors: {array} holds NaN"):
        getattr(bundle, word)


def test_words_and_means_beside_the_weights(tmp_path):
    words = np.full((2, 4), np.nan, np.float32)
    config = {**SINGLE, "mode": "Mapper_cat", "text_dim": 4}
    mapper = TrainedMapper(build_mapper(config), config, texts=("a", "b"), words=words, embed="table")
    save_mapper(tmp_path / "m.safetensors", mapper)
    with pytest.raises(UserError, match="m.safetensors: words holds NaN"):
        load_mapper(tmp_path / "m.safetensors")
    encoder = tiny_encoder()
    encoder.latent_avg[...] = np.inf
    save_encoder(tmp_path / "e.safetensors", encoder, generator="1" * 16)
    with pytest.raises(UserError, match="e.safetensors: latent_avg holds NaN"):
        load_encoder(tmp_path / "e.safetensors")
    assert json.loads(read_safetensors(tmp_path / "m.safetensors")[1]["mapper"])["texts"] == ["a", "b"]
