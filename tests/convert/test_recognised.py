# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is recognised, what becomes of it, and that no key is passed over in silence."""

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

from ppstyleclip.convert import complete_relevance, convert, recognise
from ppstyleclip.convert.encoders import Structure
from ppstyleclip.convert.key_map import KeyMapping, map_state_dict, same, transposed
from ppstyleclip.convert.networks import irse50_parameters
from ppstyleclip.errors import UserError
from ppstyleclip.formats import SavedModule


def without_blurs(state):
    return {key: value for key, value in state.items() if ".blur." not in key}


# -- key maps


KEYS = [KeyMapping("a", (2, 3), "x", transposed), KeyMapping("b", (3,), "y", same)]
SOURCE = {"x": np.arange(6.0).reshape(3, 2), "y": np.ones(3, np.float16)}


def test_every_array_is_filled():
    state, left = map_state_dict(KEYS, {**SOURCE, "step": np.int64(3)}, [("step", "a counter")])
    assert (state["a"] == SOURCE["x"].T).all() and {v.dtype for v in state.values()} == {np.dtype("f4")}
    assert left == {"step": "a counter"}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"x": None}, "x is missing"),
        ({"z": np.ones(2)}, "z is unknown"),
        ({"y": np.ones(4)}, r"y is \[4\] instead of \[3\] \(as b\)"),
        ({"x": np.ones((2, 3))}, r"x is \[3, 2\] instead of \[2, 3\]"),
        ({"x": np.ones(())}, r"x is \[\] instead of"),
        ({"y": np.ones(3, int)}, "y holds int64 instead of floats"),
        ({f"z{k}": np.ones(2) for k in range(5)}, "z0 is unknown; z1 is unknown; z2 is unknown; and 2 more"),
    ],
)
def test_every_key_is_accounted_for(change, words):
    source = {key: value for key, value in {**SOURCE, **change}.items() if value is not None}
    with pytest.raises(UserError, match=words) as error:
        map_state_dict(KEYS, source)
    assert "\n" not in str(error.value)


# -- generators


def test_rosinality_and_paddlegan_are_the_same_generator():
    ours = convert(generator())
    theirs = convert({"g_ema": rosinality(), "latent_avg": drawn((1, 6))})
    assert_same_state(theirs.state, ours.state)
    assert_same_state(ours.state, without_blurs(generator()))
    assert ours.config == theirs.config == {**SMALL, "channel_multiplier": 2}
    assert theirs.extras["latent_avg"].shape == (6,)
    assert set(theirs.ignored) == {"convs.0.conv.blur.kernel", "convs.2.conv.blur.kernel"}


def test_a_training_checkpoint():
    content = {"g_ema": rosinality(), "g": {}, "d": {}, "g_optim": {}, "args": {"size": 16}, "ada_aug_p": 0.1}
    converted = convert(content)
    assert {"g", "d", "g_optim", "args", "ada_aug_p"} < set(converted.ignored)
    with pytest.raises(UserError, match="g_ema holds step"):
        convert({**content, "step": 3})


def test_a_bare_state_dict_is_told_by_the_side_that_is_w():
    assert_same_state(convert(rosinality()).state, convert(generator()).state)
    square = {**SMALL, "channels": {4: 6, 8: 6}, "size": 8}
    assert "PaddleGAN" in recognise(generator(square)).description
    assert "rosinality" in recognise(rosinality(square), "zip").description
    theirs = convert(rosinality(square), "torch-legacy")
    assert_same_state(theirs.state, convert(generator(square), "pickle").state)


def test_our_own_form_with_the_mean():
    converted = convert({**without_blurs(generator()), "latent_avg": drawn((6,))})
    assert_same_state(converted.state, without_blurs(generator()))
    assert (converted.extras["latent_avg"] == drawn((6,))).all() and not converted.ignored


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("convs.0.conv.blur.kernel", np.ones((4, 4), "f4"), "convs.0.conv.blur.kernel is not the filter"),
        ("to_rgbs.0.upsample.kernel", np.ones((3, 3), "f4"), "to_rgbs.0.upsample.kernel is not the filter"),
        ("noises.noise_1", drawn((1, 1, 4, 4)), r"noise_1 is \[1, 1, 4, 4\] instead of \[1, 1, 8, 8\]"),
        ("to_rgb1.bias", None, "to_rgb1.bias is missing"),
        ("to_rgb2.bias", drawn((1, 3, 1, 1)), "to_rgb2.bias is unknown"),
        ("latent_avg", drawn((7,)), r"latent_avg is \[7\]; the generator's w has 6"),
    ],
)
def test_damaged_generators(key, value, words):
    state = {**generator(), key: value}
    if value is None:
        del state[key]
    with pytest.raises(UserError, match=words):
        convert(state)


def test_nvidias_generator():
    state = nvidia()
    content = {"G": None, "D": None, "G_ema": nest(state), "augment_pipe": None, "training_set_kwargs": {}}
    converted = convert(content)
    assert converted.config == {**SMALL, "channel_multiplier": 2}
    assert list(converted.state) and set(converted.state) == set(without_blurs(generator()))
    made = converted.state
    np.testing.assert_array_equal(made["style.2.weight"], state["mapping.fc1.weight"].T)
    np.testing.assert_array_equal(made["convs.2.conv.weight"][0], state["synthesis.b16.conv0.weight"])
    np.testing.assert_array_equal(made["noises.noise_2"][0, 0], state["synthesis.b8.conv1.noise_const"])
    np.testing.assert_array_equal(made["to_rgbs.1.bias"].ravel(), state["synthesis.b16.torgb.bias"])
    np.testing.assert_array_equal(made["to_rgbs.0.upsample.kernel"], 4 * TAPS)
    np.testing.assert_array_equal(converted.extras["latent_avg"], state["mapping.w_avg"])
    assert set(content) - {"G_ema"} <= set(converted.ignored) and not converted.notes


def test_nvidias_settings_that_leave_no_shape():
    attributes = {"mapping.fc0": {"bias_gain": 0.1}, "synthesis.b4.conv1": {"conv_clamp": 256}}
    converted = convert({"G_ema": nest(nvidia(), attributes)})
    assert converted.config["lr_mlp"] == 0.1 and "256" in converted.notes[0]
    with pytest.raises(UserError, match="activation is 'relu'"):
        convert({"G_ema": nest(nvidia(), {"mapping.fc0": {"activation": "relu"}})})


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("mapping.embed.weight", drawn((6, 3)), "conditional"),
        ("synthesis.b8.skip.weight", drawn((6, 6, 1, 1)), "'resnet'"),
        ("synthesis.b4.torgb.weight", None, "'orig'"),
        ("synthesis.b8.conv0.bias", None, "synthesis.b8.conv0.bias is missing"),
        ("synthesis.b8.conv0.resample_filter", 4 * TAPS, "b8.conv0.resample_filter is not the filter"),
        ("mapping.fc0.weight", drawn((6, 7)), r"mapping.fc0.weight is \[7, 6\] instead of \[6, 6\]"),
        ("synthesis.b8.conv1.weight", None, r"blocks of \[4, 16\] px"),
        ("synthesis.b4.torgb.weight", drawn((1, 6, 1, 1)), r"instead of \[1, 3, 6, 1, 1\]"),
    ],
)
def test_other_networks_of_nvidias(key, value, words):
    state = {**nvidia(), key: value}
    if value is None:
        del state[key]
    with pytest.raises(UserError, match=words):
        convert({"G_ema": nest(state)})


# -- measurements


WIDTHS = [4, 4, 4, 3, 2]


def test_statistics():
    mean, std = [drawn((n,), n) for n in WIDTHS], [np.abs(drawn((n,), 9)) for n in WIDTHS]
    ours = convert({"mean": mean, "std": std})
    assert_same_state(ours.state, {"mean": np.concatenate(mean), "std": np.concatenate(std)})
    assert ours.config == {"channels": WIDTHS}
    for content in ([mean, std], (mean, std)):
        assert_same_state(convert(content).state, ours.state)
    assert convert(ours.state).config == {"channels": [sum(WIDTHS)]}
    with pytest.raises(UserError, match="the file is damaged"):
        convert([mean, std[:-1]])


def test_styles():
    parts = [drawn((7, n), n) for n in WIDTHS]
    names = [f"G_synthesis/layer{k}/add:0" for k in range(len(WIDTHS))]
    for content in ([names, parts], parts):
        converted = convert(content)
        assert converted.kind == "styles" and converted.config["channels"] == WIDTHS
        np.testing.assert_array_equal(converted.state["s"], np.concatenate(parts, axis=1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_relevance(dtype):
    rows = drawn((20, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[3] = 0
    converted = convert(rows.astype(dtype))
    assert converted.kind == "relevance" and converted.state["relevance"].dtype == np.float32
    np.testing.assert_allclose(converted.state["relevance"], rows, atol=1e-3)
    with pytest.raises(UserError, match=r"not recognised: an array \[20, 8\] of float32"):
        convert(rows + 1)  # a latent, perhaps: no rows of length 1


def test_relevance_of_the_first_layers_is_completed():
    rows = drawn((10, 3))
    whole, missing = complete_relevance(rows, [4, 6, 5, 2])
    assert missing == 2 and whole.shape == (17, 3)
    assert (whole[:10] == rows).all() and not whole[10:].any()
    for count in (9, 17, 18, 0):
        same_rows, missing = complete_relevance(drawn((count, 3)), [4, 6, 5, 2])
        assert missing == 0 and len(same_rows) == count


def test_editing_directions():
    content = {"age": drawn((18, 512)), "smile": drawn((1, 18, 512)).astype(np.float64), "own": drawn((512,))}
    state = convert(content).state
    assert {key: value.shape for key, value in state.items()} == {
        "age": (18, 512),
        "smile": (18, 512),
        "own": (1, 512),
    }
    with pytest.raises(UserError, match="direction 'own'"):
        convert({**content, "own": "x"})


# -- anything else


@pytest.mark.parametrize(
    "content, words",
    [
        ({"a": np.zeros(3), "b": 1}, "a dict with a, b"),
        ({}, "nothing in it"),
        ([1, 2, 3], "a list of 3"),
        (np.zeros((3, 17, 512), np.float32), r"an array \[3, 17, 512\]"),
        (3, "a int"),
        (None, "NoneType"),
        ({f"k{k}": 1 for k in range(9)}, "k0, k1, k2, k3, ... .9 in all"),
        ({3: 1}, "a dict with 3"),
        (SavedModule("torch.nn.Linear", {"w": np.zeros(2)}, {}, {}, {}), "a pickled torch.nn.Linear with w"),
    ],
)
def test_what_is_not_recognised(content, words):
    with pytest.raises(UserError, match=words) as error:
        recognise(content)
    assert "known are StyleGAN2 generators" in str(error.value) and "\n" not in str(error.value)


ODD = [
    None,
    "x",
    3,
    1.5,
    [],
    {},
    [[1], [1, 2]],
    np.float32(1),
    np.zeros(()),
    np.zeros(0),
    np.zeros((2, 0), "f4"),
    np.zeros(3, "U2"),
    np.zeros((2, 2), int),
    np.full((4, 4), np.nan, "f4"),
    drawn((2, 2, 2, 2, 2)),
]
WHOLE = {
    "generator": generator(),
    "rosinality": {"g_ema": rosinality(), "latent_avg": drawn((6,))},
    "nvidia": {"G_ema": nvidia()},
    "e4e": encoder_checkpoint(Structure("irse50", "gradual", 3, 6), "Encoder4Editing"),
    "mapper": mapper_checkpoint(["mapping"], [512] * 5),
    "irse50": flat(irse50_parameters()),
    "statistics": {"mean": [drawn((2,))], "std": [drawn((2,))]},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_odd_values_are_refused_in_one_line(name):
    """Every outcome is a conversion or a UserError, whatever stands in the place of an array."""
    random, refused = np.random.RandomState(7), 0
    for _ in range(150):
        content = {
            key: dict(value) if isinstance(value, dict) else value for key, value in WHOLE[name].items()
        }
        parts = [part for part in (content, *content.values()) if isinstance(part, dict) and part]
        part = parts[random.randint(len(parts))]
        key = list(part)[random.randint(len(part))]
        part[key] = ODD[random.randint(len(ODD))]
        if random.rand() < 0.1:
            part[3] = part.pop(key)
        try:
            convert(content)
        except UserError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 100 or name == "mapper"  # there most keys are the generator's, which is left out


@pytest.mark.parametrize("key", ["convs.{}.conv.weight", "style.{}.weight", "noises.noise_{}"])
def test_numbers_without_end_in_keys_are_refused_in_one_line(key):
    """Python itself refuses to read them as numbers."""
    state = {**generator(), key.format(5000 * "7"): drawn((2, 2))}
    with pytest.raises(UserError, match="is unknown|an even number"):
        convert(state)
