# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Generators whose files leave out what no training moves, wrap their keys, or are of another kind."""

import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import numpy as np
import pytest
from foreign_weights import (
    SMALL,
    TAPS,
    assert_same_state,
    drawn,
    encoder_checkpoint,
    flat,
    generator,
    mapper_checkpoint,
    nest,
    nvidia,
    rosinality,
)
from torch_files import save_torch_zip

from ppstyleclip.cli.main import run_command
from ppstyleclip.convert import convert, recognise
from ppstyleclip.convert.encoders import Structure
from ppstyleclip.convert.networks import arcface_parameters, irse50_parameters
from ppstyleclip.errors import UserError
from ppstyleclip.zoo import generator_fingerprint, load_generator

ENCODER = (Structure("irse50", "w", 3, 1), "BackboneEncoderUsingLastLayerIntoW")


def without(state, *words):
    """The keys that hold none of the words."""
    return {key: value for key, value in state.items() if not any(word in key for word in words)}


def wrapped(state, before=""):
    """The keys as DataParallel has them, below a first word where one is given."""
    return {
        f"{before}module.{key[len(before) :]}" if key.startswith(before) else key: value
        for key, value in state.items()
    }


# -- constants


@pytest.mark.parametrize(
    "content",
    [
        {"g_ema": without(rosinality(), "noises", "kernel"), "latent_avg": drawn((6,))},
        without(rosinality(), "noises", "kernel"),
        without(generator(), "noises", "kernel"),
    ],
)
def test_noises_and_filters_are_filled_in(content):
    made = convert(content)
    whole = convert(generator())
    assert list(made.state) == list(whole.state)
    assert made.config == whole.config == {**SMALL, "channel_multiplier": 2}
    for key, value in made.state.items():
        if key.endswith("kernel"):
            np.testing.assert_array_equal(value, 4 * TAPS)
        elif not key.startswith("noises."):
            np.testing.assert_array_equal(value, whole.state[key])
    noises = [value for key, value in made.state.items() if key.startswith("noises.")]
    assert [noise.shape for noise in noises] == [(1, 1, s, s) for s in (4, 8, 8, 16, 16)]
    assert 0.8 < np.concatenate([noise.reshape(-1) for noise in noises]).std() < 1.2
    assert len({float(noise.reshape(-1)[0]) for noise in noises}) == 5
    assert len(made.notes) == 1 and "no noise pictures" in made.notes[0] and not whole.notes


def test_all_forms_are_filled_alike():
    states = [convert(without(make(), "noises")).state for make in (generator, rosinality)]
    assert_same_state(states[0], states[1])
    theirs = convert(without(nvidia(), "noise_const", "resample_filter"))
    assert "no noise pictures" in theirs.notes[-1]
    whole = convert(nvidia()).state
    for key, value in theirs.state.items():
        np.testing.assert_array_equal(value, states[0][key] if key.startswith("noises.") else whole[key])


@pytest.mark.parametrize(
    "state, key",
    [(rosinality(), "noises.noise_2"), (nvidia(), "synthesis.b8.conv1.noise_const")],
)
def test_some_noises_of_several_are_a_cut(state, key):
    with pytest.raises(UserError, match=f"{key} is missing"):
        convert(without(state, key))


@pytest.mark.parametrize("key", ["to_rgbs.0.upsample.kernel", "convs.0.conv.blur.kernel"])
def test_filters_that_are_there_must_still_agree(key):
    with pytest.raises(UserError, match=f"{key} is not the filter"):
        convert({**without(rosinality(), "noises"), key: TAPS})


def test_generators_of_encoders_and_mappers_too():
    content = encoder_checkpoint(*ENCODER)
    content["state_dict"] = without(content["state_dict"], "decoder.noises", "kernel")
    made = convert(content)
    assert "decoder.noises.noise_0" in made.state and "no noise pictures" in made.notes[0]
    mapper = mapper_checkpoint(["mapping"], [512] * 5, decoder=without(rosinality(), "noises"))
    alone = convert(without(rosinality(), "noises"))
    assert convert(mapper).config["generator_sample"] == [
        float(f"{value:.6g}") for value in alone.state["input.input"].reshape(-1)[:8]
    ]


def test_the_command_says_what_was_drawn_and_both_ways_give_one_generator(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_torch_zip("ros.pt", {"g_ema": without(rosinality(), "noises", "kernel")})
    assert run_command("convert", ["ros.pt", "out.safetensors"]) == 0
    assert "it has no noise pictures" in capsys.readouterr().out
    marks = {generator_fingerprint(load_generator(name)[0]) for name in ("ros.pt", "out.safetensors")}
    assert len(marks) == 1


# -- `module.` before the keys


@pytest.mark.parametrize(
    "plain, content",
    [
        (generator(), wrapped(generator())),
        (rosinality(), {"g_ema": wrapped(rosinality())}),
        (rosinality(), {"g_ema": wrapped(wrapped(rosinality()))}),
        (nvidia(), wrapped(nvidia())),
        (nvidia(), {"G_ema": wrapped(nvidia())}),
        (flat(irse50_parameters()), wrapped(flat(irse50_parameters()))),
    ],
)
def test_keys_of_dataparallel(plain, content):
    assert_same_state(convert(content).state, convert(plain).state)


def test_keys_of_dataparallel_below_a_word():
    plain = encoder_checkpoint(*ENCODER)
    content = {**plain, "state_dict": wrapped(plain["state_dict"], "encoder.")}
    assert "encoder.module.linear.bias" in content["state_dict"]
    assert_same_state(convert(content).state, convert(plain).state)
    content["state_dict"] = wrapped(plain["state_dict"])
    assert_same_state(convert(content).state, convert(plain).state)


def test_arcface_with_and_without_it():
    with_it = flat(arcface_parameters(), "module.")
    assert recognise(with_it).kind == "arcface"
    without_it = {key[len("module.") :]: value for key, value in with_it.items()}
    assert_same_state(convert(with_it).state, convert(without_it).state)


def test_half_of_the_keys_wrapped_is_no_wrapper():
    state = rosinality()
    mixed = {f"module.{key}" if key.startswith("to_rgb") else key: value for key, value in state.items()}
    with pytest.raises(UserError, match="to_rgb1.bias is missing"):
        convert({"g_ema": mixed})


# -- conditional ones


@pytest.mark.parametrize(
    "content",
    [
        {**nvidia(), "mapping.embed.weight": drawn((6, 10)), "mapping.embed.bias": drawn((6,))},
        nest({**nvidia(), "mapping.embed.weight": drawn((6, 10))}),
        {"g_ema": {**rosinality(), "embed.weight": drawn((10, 6))}},
        {
            "g_ema": {
                **rosinality(),
                "class_embedding.weight": drawn((10, 6)),
                "style.1.weight": drawn((6, 12)),
            }
        },
        {**generator(), "style.label_embed.weight": drawn((10, 6))},
    ],
)
def test_conditional_generators_are_called_so(content):
    with pytest.raises(UserError, match="is conditional") as error:
        convert(content)
    assert "\n" not in str(error.value)
