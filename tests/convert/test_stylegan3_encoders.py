# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""ReStyle's encoders for StyleGAN3, in the form in which stylegan3-editing saves them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign_weights import assert_same_state, drawn, encoder_checkpoint
from stylegan3_files import as_nvidia_saves
from stylegan3_world import CHANNELS, tiny_stylegan3
from torch_files import Call, Name, save_torch_zip

from ppstyleclip.cli.main import run_command
from ppstyleclip.convert import convert, recognise
from ppstyleclip.convert.encoders import Structure, network_config
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_metadata
from ppstyleclip.zoo import load_bundle
from ppstyleclip.zoo.converted import save_converted
from ppstyleclip.zoo.encoders import has_encoder

NAMES = ["BackboneEncoder", "ProgressiveBackboneEncoder"]
NETWORK = tiny_stylegan3(style_dim=512)
DECODER = as_nvidia_saves(NETWORK)
MOVED = np.tile(np.float32([[0, -1, 9], [1, 0, 9], [0, 0, 1]]), [2, 1, 1])  # as its last batch left it


def checkpoint(name="BackboneEncoder", styles=16, trunk="irse50", **decoder):
    """With the options of its training, paths among them, and the canvas where its last batch left it."""
    weights = {**DECODER, "synthesis.input.transform": MOVED, **decoder}
    weights = {key: value for key, value in weights.items() if value is not None}
    content = encoder_checkpoint(Structure(trunk, "flat", 6, styles), name, decoder=weights)
    generator = Call(Name("pathlib", "PosixPath"), ("pretrained_models", "sg3-r-ffhq-1024.pt"))
    content["opts"] |= {"stylegan_weights": generator, "input_nc": 6, "n_iters_per_batch": 3}
    return {**content, "global_step": 7, "best_val_loss": None}


@pytest.mark.parametrize("name", NAMES)
def test_what_it_is_is_read_off_the_file(name):
    found = recognise(checkpoint(name))
    assert found.kind == "restyle" and found.description == (
        f"ReStyle encoder ({name}, 16 styles) with its StyleGAN3-R generator (NVIDIA's), 16 px, "
        f"{CHANNELS[0]} to {CHANNELS[0]} channels, mapping of 2 layers, w of 512"
    )
    made = found.convert()
    assert network_config(made.config) == {
        "encoder_type": name,
        "num_styles": 16,
        "input_channels": 6,
        "style_dim": 512,
    }
    np.testing.assert_array_equal(made.extras["latent_avg"], DECODER["mapping.w_avg"][None])
    assert made.ignored["decoder.synthesis.input.transform"].startswith("the canvas's transform")
    decoder = {key[8:]: value for key, value in made.state.items() if key.startswith("decoder.")}
    assert_same_state(decoder, convert(DECODER).state)


def test_without_a_mean_latent_the_generators_own_counts():
    content = checkpoint()
    del content["latent_avg"]
    made = convert(content)
    np.testing.assert_array_equal(made.extras["latent_avg"], DECODER["mapping.w_avg"][None])
    assert not made.notes


@pytest.mark.parametrize(
    "content, words",
    [
        (lambda: checkpoint(styles=18), "makes 18 styles of 512, its generator takes 16"),
        (lambda: checkpoint(**as_nvidia_saves(tiny_stylegan3(style_dim=24))), "takes 16 of 24"),
        (lambda: checkpoint(**{"synthesis.more": drawn(3)}), "synthesis.more is unknown"),
        (lambda: checkpoint(**{"mapping.fc1.bias": None}), "fc1.bias is missing"),
        (lambda: checkpoint(**{f"synthesis.L3_36_{CHANNELS[3]}.weight": None}), "has 14 layers"),
        (lambda: {**checkpoint(), "latent_avg": drawn((18, 512))}, r"latent_avg is \[18, 512\]"),
    ],
)
def test_what_does_not_fit_is_one_line(content, words):
    with pytest.raises(UserError, match=words) as error:
        convert(content())
    assert "\n" not in str(error.value)


def test_paddlegan_has_no_such_encoder(tmp_path):
    with pytest.raises(UserError, match="PaddleGAN has no 'stylegan3' generator"):
        save_converted(tmp_path / "e.pdparams", convert(checkpoint()), name="e", about={})
    assert not (tmp_path / "e.pdparams").exists()


@pytest.mark.slow
def test_the_file_and_what_convert_makes_of_it_invert_alike(tmp_path, capsys, monkeypatch):
    """Of its true width, but with ResNet-34 in place of IR-SE50: half a gigabyte less."""
    monkeypatch.chdir(tmp_path)
    content = checkpoint("ResNetProgressiveBackboneEncoder", trunk="resnet34")
    content["state_dict"] = {
        key: value * np.float32(0.01) if key.startswith("encoder.") else value
        for key, value in content["state_dict"].items()
    }
    save_torch_zip("restyle.pt", content)
    assert has_encoder("restyle.pt")
    assert run_command("convert", ["restyle.pt", "ours.safetensors"]) == 0
    said = capsys.readouterr().out
    assert "restyle.pt: ReStyle encoder (ResNetProgressiveBackboneEncoder, 16 styles)" in said
    assert json.loads(read_metadata("ours.safetensors")["config"])["generator"]["family"] == "stylegan3"
    pixels = np.random.RandomState(0).randint(0, 256, (1, 16, 16, 3)).astype(np.uint8)
    left, right = (inverted(path, pixels) for path in ("restyle.pt", "ours.safetensors"))
    assert left.shape == (1, 16, 512) and np.isfinite(left).all()
    np.testing.assert_array_equal(left, right)
    assert np.abs(left - DECODER["mapping.w_avg"]).max() > 1e-3


def inverted(path, pixels):
    """By the model that a file is by itself."""
    editor = Editor(load_bundle(weight_path=path, size=16))
    assert editor.bundle.generator.config() == NETWORK.config()
    return editor.invert(pixels)
