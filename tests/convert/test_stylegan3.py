# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NVIDIA's StyleGAN3 networks: what is read, what becomes of it, and hostile ones, refused in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign_weights import assert_same_state, drawn, nest
from hostile_values import DEEP, NO_LINE, NO_NUMBER, cases, refused
from nvidia_files import CANARY, nested, save_nvidia
from stylegan3_files import nvidia_stylegan3
from torch_files import Call, Name, save_torch_zip

import ppstyleclip
from ppstyleclip.cli.main import run_command
from ppstyleclip.convert import convert, recognise
from ppstyleclip.convert.nvidia_settings import read_stylegan3_settings
from ppstyleclip.errors import UserError
from ppstyleclip.zoo.generators import load_generator

T, R = nvidia_stylegan3("T"), nvidia_stylegan3("R")
FIRST = "L0_36_24"


@pytest.mark.parametrize("state, configuration", [(T, "T"), (R, "R")])
def test_the_architecture_is_read_off_the_weights(state, configuration):
    found = recognise({"G": None, "D": None, "G_ema": nest(state), "augment_pipe": None})
    assert found.description == (
        f"StyleGAN3-{configuration} generator (NVIDIA's), 64 px, 24 to 16 channels, "
        "mapping of 2 layers, w of 24"
    )
    made = found.convert()
    assert made.config["configuration"] == configuration and made.config["channels"][-4:] == [20, 16, 16, 3]
    np.testing.assert_array_equal(made.extras["latent_avg"], T["mapping.w_avg"])
    np.testing.assert_array_equal(
        made.state["layers.3.affine.weight"], state["synthesis.L3_36_24.affine.weight"].T
    )
    assert made.ignored["G"].startswith("only G_ema")
    assert made.ignored["synthesis.L0_36_24.up_filter"] == "filters are computed"


def test_a_pickle_and_a_bare_state_dict_are_the_same_generator(tmp_path):
    save_nvidia(tmp_path / "t.pkl", {"G": nested({"w": drawn(3)}), "G_ema": nested(T)})
    turned = {**T, "synthesis.input.transform": np.float32([[[0, -1, 9], [1, 0, 9], [0, 0, 1]]])}
    save_torch_zip(tmp_path / "t.pt", turned)
    assert CANARY in (tmp_path / "t.pkl").read_bytes().decode("latin1")
    left, right = (ppstyleclip.load_generator(tmp_path / name) for name in ("t.pkl", "t.pt"))
    assert left.family == "stylegan3" and left.config() == right.config()
    assert_same_state(*({k: v.numpy() for k, v in one.state_dict().items()} for one in (left, right)))


def test_what_a_pickle_says_of_itself_is_read():
    said = {
        "mapping.fc0": {"bias_gain": 0.02, "activation": "lrelu"},
        f"synthesis.{FIRST}": {"conv_clamp": 256},
    }
    assert convert(nest(T, said)).config["lr_mlp"] == 0.02
    assert "lr_mlp" not in convert(T).config


def test_half_precision_weights_are_read():
    half = {key: value.astype(np.float16) for key, value in T.items() if not key.endswith("_filter")}
    assert {value.dtype for value in convert(half).state.values()} == {np.dtype("f4")}


# -- hostile ones

LAYER = f"synthesis.{FIRST}"
HOSTILE = {
    "a class": ({"mapping.embed.weight": drawn((24, 3))}, "conditional"),
    "no layer": ({f"{LAYER}.weight": None}, "has 14 layers"),
    "a layer more": ({"synthesis.L15_64_3.weight": drawn((3, 3, 1, 1))}, "has 16 layers"),
    "a layer far off": ({"synthesis.L999_64_3.weight": drawn((3, 3, 1, 1))}, "has 16 layers"),
    "no bias": ({f"{LAYER}.bias": None}, f"{FIRST}.bias is missing"),
    "an unknown key": ({"synthesis.more": drawn(3)}, "synthesis.more is unknown"),
    "a kernel of 5x5": ({f"{LAYER}.weight": drawn((24, 24, 5, 5))}, "no kernel of 1x1"),
    "a kernel without sides": ({f"{LAYER}.weight": drawn(24)}, "no kernel of 1x1"),
    "weights by a text": ({f"{LAYER}.weight": "x"}, "no kernel of 1x1"),
    "whole numbers": ({f"{LAYER}.bias": np.ones(24, int)}, "bias holds int64 instead of floats"),
    "a wider bias": ({f"{LAYER}.bias": drawn(25)}, r"bias is \[25\] instead of \[24\]"),
    "another filter": ({f"{LAYER}.up_filter": T[f"{LAYER}.up_filter"] * 1.01}, "up_filter is not the filter"),
    "a radial filter": ({f"{LAYER}.down_filter": drawn((12, 12))}, "down_filter is not the filter"),
    "a filter of ToRGB": (
        {"synthesis.L14_64_3.up_filter": drawn(12)},
        "L14_64_3.up_filter is not the filter",
    ),
    "no affine": ({"synthesis.input.affine.weight": None}, "style_dim"),
    "a huge w": ({"synthesis.input.affine.weight": np.broadcast_to(np.float32(0), (4, 10**6))}, "style_dim"),
    "an affine without sides": ({"synthesis.input.affine.weight": np.float32(1)}, "style_dim"),
    "magnitudes of a matrix": ({f"{LAYER}.magnitude_ema": drawn((2, 2))}, r"\[2, 2\] instead of \[1\]"),
    "NaN": ({f"{LAYER}.bias": np.full(24, np.nan, "f4")}, "NaN"),
    "a mean of another width": ({"mapping.w_avg": drawn(23)}, "w has 24 numbers"),
    "no second fc": ({"mapping.fc0.weight": None}, "fc"),
    "frequencies of three axes": ({"synthesis.input.freqs": drawn((24, 3))}, r"freqs is \[24, 3\]"),
}


@pytest.mark.parametrize("change, words", list(HOSTILE.values()), ids=list(HOSTILE))
def test_a_hostile_network_is_one_line(change, words):
    state = {key: value for key, value in {**T, **change}.items() if value is not None}
    with pytest.raises(UserError, match=words) as error:
        convert(state)
    assert "\n" not in str(error.value)


def renamed(old, new):
    return {key.replace(old, new): value for key, value in T.items()}


@pytest.mark.parametrize(
    "state, words",
    [
        (
            renamed("L3_36_24", "L3_52_24"),
            "other sides than a 64 px network of configuration T has: L3_52_24",
        ),
        (renamed("L14_64_3", "L14_48_3"), "size must be one of 16, 32"),
        (renamed("L14_64_3", "L14_99999_3"), "size"),
        (renamed("L14_64_3", "L14_64_0"), "channels"),
        (renamed("L14_64_3", "L14_64_4"), "the last of them 3"),
        (renamed("L5_52_24", "L5_52_99999"), "channels"),
        (renamed("L5_52_24", "L5_52_25"), "instead of"),
    ],
)
def test_names_that_lie_are_one_line(state, words):
    with pytest.raises(UserError, match=words) as error:
        convert(state)
    assert "\n" not in str(error.value)


def test_a_magnitude_of_nothing_is_refused(tmp_path):
    save_torch_zip(tmp_path / "t.pt", {**T, f"{LAYER}.magnitude_ema": np.float32(0)})
    with pytest.raises(UserError, match="magnitude_ema is not above 0"):
        load_generator(tmp_path / "t.pt")


def test_a_pickle_that_calls_is_refused(tmp_path):
    save_nvidia(tmp_path / "t.pkl", {"G_ema": nested(T)}, hook=Call(Name("os", "system"), ("true",)))
    with pytest.raises(UserError, match=r"os\.system.*nothing was run"):
        load_generator(tmp_path / "t.pkl")


NOT_256 = [0, -1, 255, 257, *(value for value in NO_NUMBER if value is not None), DEEP]
BAD_SETTINGS = {
    "lr_mlp": [0, -1, *(value for value in NO_NUMBER if value is not None), DEEP],
    "conv_clamp": NOT_256,
    "output_scale": [1, *NOT_256],
    "margin_size": [9, *NOT_256],
    "activation": ["relu", *NO_LINE, {}, DEEP],
}
PLACES = {
    "lr_mlp": ("mapping.fc0", "bias_gain"),
    "conv_clamp": (LAYER, "conv_clamp"),
    "output_scale": ("synthesis", "output_scale"),
    "margin_size": ("synthesis", "margin_size"),
    "activation": ("mapping.fc0", "activation"),
}


@pytest.mark.parametrize("field, value", cases(BAD_SETTINGS))
def test_a_hostile_setting_is_one_line(field, value):
    place, name = PLACES[field]
    network = nest(T, {place: {name: value}})
    assert "this StyleGAN3" in refused(read_stylegan3_settings, network, FIRST, field=field)


# -- by command


def test_convert_writes_it_and_draws_its_faces(tmp_path, capsys):
    save_nvidia(tmp_path / "t.pkl", {"G_ema": nested(T)})
    paths = [str(tmp_path / name) for name in ("t.pkl", "ours.safetensors", "theirs.pdparams")]
    assert run_command("convert", paths[:2]) == 0
    assert "StyleGAN3-T generator" in capsys.readouterr().out and (tmp_path / "ours.png").is_file()
    ours, metadata = load_generator(paths[1])
    assert ours.family == json.loads(metadata["config"])["family"] == "stylegan3"
    wanted = convert(T).state
    assert_same_state({key: value.numpy() for key, value in ours.state_dict().items()}, wanted)
    assert run_command("convert", [paths[0], paths[2]]) == 2
    assert "PaddleGAN has no 'stylegan3' generator" in capsys.readouterr().err
    assert not (tmp_path / "theirs.pdparams").exists()
