# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Every encoder that can be converted can be loaded and asked; and a new kind takes one file."""

import numpy as np
import paddle
import pytest
from foreign_weights import SMALL, drawn, flat, rosinality
from tiny_encoder import LEVELS
from tiny_world import STYLE_DIM, save_tiny_pack, tiny_generator
from torch_files import save_torch_zip
from toy_encoder import ColourEncoder

from ppstyleclip.cli.main import run_command
from ppstyleclip.convert import encoders
from ppstyleclip.convert.networks import encoder_parameters
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.methods.inversion.encoder import invert
from ppstyleclip.models.encoders import PUBLISHED, build_encoder, published, register_encoder
from ppstyleclip.zoo import Encoder, generator_fingerprint, load_encoder, load_pack, save_encoder
from ppstyleclip.zoo.pack import ENCODER

DIM = 16  # of w, where the published encoders have 512
CASES = [(name, 3) for name in PUBLISHED] + [(name, 6) for name in PUBLISHED if "LastLayer" not in name]
PIXELS = np.random.RandomState(0).randint(0, 256, (3, 16, 16, 3)).astype(np.uint8)


@pytest.fixture
def narrow(tmp_path, monkeypatch):
    """The published encoders with few channels, in an empty folder."""
    defaults = {**published._DEFAULTS, "widths": (4, 6, 8, 10), "input_size": 64}
    monkeypatch.setattr(published, "_DEFAULTS", defaults)
    monkeypatch.setattr(encoders, "_WIDTH", DIM)
    monkeypatch.chdir(tmp_path)


def checkpoint(name, channels) -> dict:
    """What pSp, e4e and ReStyle save, with weights that tell encoders apart."""
    generator = {**SMALL, "style_dim": DIM}
    config = {"encoder_type": name, "num_styles": LEVELS, "input_channels": channels, "style_dim": DIM}
    state = flat(encoder_parameters(config), "encoder.")
    random = np.random.RandomState(1)
    for key, value in state.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and "running" not in key:
            state[key] = (0.3 * random.standard_normal(value.shape)).astype(np.float32)
    state.update({f"decoder.{key}": value for key, value in rosinality(generator).items()})
    return {"state_dict": state, "opts": {"encoder_type": name}, "latent_avg": drawn((LEVELS, DIM))}


@paddle.no_grad()
def latents(path) -> np.ndarray:
    """What the encoder of a file finds for two pictures."""
    encoder, generator = load_encoder(path)
    network = encoder.network
    images = paddle.to_tensor(np.random.RandomState(2).uniform(-1, 1, (2, 3, 64, 64)).astype(np.float32))

    def draw(w_plus):
        return generator.synthesis_from_styles(generator.style_affine(w_plus))

    return invert(network, images, latent_avg=encoder.latent_avg, draw=draw).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name, channels", CASES)
def test_it_is_loaded_as_it_is_and_converted(name, channels, narrow):
    save_torch_zip("theirs.pt", checkpoint(name, channels))
    found = latents("theirs.pt")
    assert found.shape == (2, LEVELS, DIM) and np.isfinite(found).all()
    assert np.abs(found[0] - found[1]).max() > 1e-6
    for target in ("ours.safetensors", "ours.pdparams"):
        assert run_command("convert", ["theirs.pt", target]) == 0
        np.testing.assert_array_equal(latents(target), found)
    if PUBLISHED[name].heads == "w" and channels == 3:
        steps = found - drawn((LEVELS, DIM))
        np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-5)


def test_a_converted_file_is_not_believed_what_it_says_of_itself(narrow):
    save_torch_zip("theirs.pt", checkpoint("GradualStyleEncoder", 3))
    assert run_command("convert", ["theirs.pt", "ours.safetensors"]) == 0
    state, metadata = read_safetensors("ours.safetensors")
    for config, words in [
        ('{"encoder_type": "BackboneEncoder"}', "state BackboneEncoder, but its tensors"),
        ('{"encoder_type": ["x"]}', "encoder_type of no name"),
        ("[1]", "config is .1.; allowed: named values"),
        ("{", "config cannot be read"),
    ]:
        write_safetensors("spoilt.safetensors", state, {**metadata, "config": config})
        with pytest.raises(UserError, match=f"spoilt.safetensors.*{words}"):
            load_encoder("spoilt.safetensors")


# ---- the recipe "add an encoder" (tests/toy_encoder.py)


def test_an_encoder_of_a_new_kind_is_built_saved_loaded_and_asked(tmp_path):
    paddle.seed(7)
    config = {"encoder_type": "ColourEncoder", "num_styles": LEVELS, "style_dim": STYLE_DIM, "input_size": 8}
    network = build_encoder(config)
    network.eval()
    mean = drawn((1, STYLE_DIM))
    save_tiny_pack(tmp_path)
    save_encoder(
        tmp_path / ENCODER, Encoder(network, mean), generator=generator_fingerprint(tiny_generator())
    )
    editor = Editor(load_pack(tmp_path))
    assert isinstance(editor.bundle.encoder.network, ColourEncoder)
    w_plus = editor.invert(PIXELS)
    colours = PIXELS.reshape(3, -1, 3).mean(axis=1) / 127.5 - 1
    wanted = mean + colours @ network.colour.weight.numpy() + network.colour.bias.numpy()
    np.testing.assert_allclose(w_plus, np.repeat(wanted[:, None], LEVELS, axis=1), atol=1e-5)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="'ColourEncoder' is registered already"):
        register_encoder("ColourEncoder")(lambda config: None)
    with pytest.raises(ValueError, match="unknown encoder_type 'Other'; known: .*ColourEncoder"):
        build_encoder({"encoder_type": "Other"})
