# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders: the numbers of pSp's, e4e's and ReStyle's classes, their keys, and what is refused."""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from edges import edges
from oracles.seeded_weights import keyed_state, seeded_images

from ppstyleclip.models.encoders import PUBLISHED, build_encoder
from ppstyleclip.models.state import from_torch_state, load_state

ORACLES = Path(__file__).parents[1] / "oracles"
STORED = np.load(ORACLES / "encoders.npz", allow_pickle=False)
WIDTHS = (16, 32, 48, 64)
# case: (encoder_type, styles, input channels, height of the 256 wide input)
CASES = {
    "psp": ("GradualStyleEncoder", 18, 3, 256),
    "e4e": ("Encoder4Editing", 10, 3, 256),
    "restyle_fpn": ("GradualStyleEncoder", 8, 6, 256),
    "restyle_psp": ("BackboneEncoder", 4, 6, 256),
    "restyle_e4e": ("ProgressiveBackboneEncoder", 4, 6, 256),
    "resnet_fpn": ("ResNetGradualStyleEncoder", 8, 6, 256),
    "resnet_psp": ("ResNetBackboneEncoder", 3, 6, 192),
    "resnet_e4e": ("ResNetProgressiveBackboneEncoder", 3, 6, 256),
}
TINY = {
    "encoder_type": "GradualStyleEncoder",
    "output_size": 64,
    "style_dim": 12,
    "input_size": 64,
    "widths": (4, 6, 8, 10),
    "depths": (1, 1, 1, 1),
}


def shapes_of(case):
    return json.loads(bytes(STORED[f"{case}/shapes"]).decode())


@pytest.mark.parametrize("case", edges(CASES))
def test_encoder_says_what_the_peers_class_says(case):
    name, styles, channels, height = CASES[case]
    encoder = build_encoder(
        {
            "encoder_type": name,
            "num_styles": styles,
            "input_channels": channels,
            "style_dim": 64,
            "widths": WIDTHS,
        }
    )
    load_state(encoder, from_torch_state(encoder, keyed_state(shapes_of(case))), case)
    encoder.eval()
    with paddle.no_grad():
        codes = encoder(paddle.to_tensor(seeded_images(1, channels, height, 256))).numpy()
    expected = STORED[f"{case}/codes"]
    assert codes.shape == (1, styles, 64)
    assert expected.std() > 0.1
    np.testing.assert_allclose(codes[:, :, ::2], expected, rtol=0, atol=1e-4)


LAST_LAYER = {"w": "BackboneEncoderUsingLastLayerIntoW", "w_plus": "BackboneEncoderUsingLastLayerIntoWPlus"}


def test_every_published_encoder_is_compared_with_its_peer():
    assert {name for name, *_ in CASES.values()} | set(LAST_LAYER.values()) == set(PUBLISHED)


@pytest.mark.slow
@pytest.mark.parametrize("case, name", LAST_LAYER.items())
def test_last_layer_encoders_say_what_the_peers_classes_say(case, name):
    stored = np.load(ORACLES / "encoders_last_layer.npz", allow_pickle=False)
    encoder = build_encoder({"encoder_type": name, "num_styles": 4})
    state = keyed_state(json.loads(bytes(stored[f"{case}/shapes"]).decode()))
    load_state(encoder, from_torch_state(encoder, state), case)
    encoder.eval()
    with paddle.no_grad():
        codes = encoder(paddle.to_tensor(seeded_images(2, 3, 256, 256))).numpy()
    expected = stored[f"{case}/codes"].reshape(2, -1, 512)
    assert codes.shape == (2, 4, 512) and expected.std() > 0.1
    np.testing.assert_allclose(
        codes, np.broadcast_to(expected, codes.shape), rtol=0, atol=1e-5 * np.abs(expected).max()
    )


def test_weights_that_are_not_transposed_are_told_by_the_numbers():
    encoder = build_encoder(
        {
            "encoder_type": "BackboneEncoder",
            "num_styles": 4,
            "input_channels": 6,
            "style_dim": 64,
            "widths": WIDTHS,
        }
    )
    state = from_torch_state(encoder, keyed_state(shapes_of("restyle_psp")))
    state["styles.1.linear.weight"] = state["styles.1.linear.weight"].T
    load_state(encoder, state, "encoder")
    encoder.eval()
    with paddle.no_grad():
        codes = encoder(paddle.to_tensor(seeded_images(1, 6, 256, 256))).numpy()[:, :, ::2]
    wrong = np.abs(codes - STORED["restyle_psp/codes"]).max(axis=(0, 2)) > 1e-2
    assert wrong.tolist() == [False, True, False, False]


def test_full_encoder_has_paddlegans_keys():
    """As PaddleGAN's class saves them: 569 tensors, names of batch norm and PReLU in Paddle's way."""
    with paddle.LazyGuard():  # no memory for a quarter of a billion weights
        encoder = build_encoder({"encoder_type": "GradualStyleEncoder", "output_size": 1024})
    shapes = {key: list(value.shape) for key, value in encoder.state_dict().items()}
    assert len(shapes) == 569
    assert shapes["input_layer.0.weight"] == [64, 3, 3, 3]
    assert shapes["input_layer.1._variance"] == shapes["input_layer.2._weight"] == [64]
    assert shapes["body.23.res_layer.5.fc1.weight"] == [32, 512, 1, 1]
    assert shapes["body.3.shortcut_layer.1._mean"] == [128]
    assert [key for key in shapes if "shortcut_layer.0" in key] == [
        f"body.{n}.shortcut_layer.0.weight" for n in (3, 7, 21)
    ]
    assert shapes["styles.2.convs.6.weight"] == shapes["styles.17.convs.10.weight"] == [512, 512, 3, 3]
    assert "styles.2.convs.8.weight" not in shapes and "styles.6.convs.10.weight" not in shapes
    assert shapes["styles.0.linear.weight"] == [512, 512]
    assert shapes["latlayer1.weight"] == [512, 256, 1, 1] and shapes["latlayer2.weight"] == [512, 128, 1, 1]


@pytest.mark.parametrize("name", edges(PUBLISHED))
def test_tiny_encoder_learns(name):
    paddle.seed(0)
    encoder = build_encoder({**TINY, "encoder_type": name})
    assert build_encoder(json.loads(json.dumps(encoder.config()))).config() == encoder.config()
    images, goal = paddle.to_tensor(seeded_images(2, 3, 64, 64)), paddle.ones([2, 10, 12])
    optimizer = paddle.optimizer.Adam(1e-2, parameters=encoder.parameters())
    losses = []
    for _ in range(15 if "LastLayer" in name else 5):  # there one layer has to learn it all
        loss = ((encoder(images) - goal) ** 2).mean()
        loss.backward()
        idle = [
            key for key, value in encoder.named_parameters() if value.grad is None and not value.stop_gradient
        ]
        assert not idle, f"no gradient: {idle}"
        optimizer.step()
        optimizer.clear_grad()
        losses.append(float(loss))
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("size, styles", [(8, 4), (64, 10), (256, 14), (512, 16), (1024, 18)])
def test_number_of_styles_follows_from_the_generators_size(size, styles):
    config = {**TINY, "output_size": size, "encoder_type": "BackboneEncoder"}
    assert build_encoder(config).num_styles == styles


@pytest.mark.parametrize(
    "change, words",
    [
        ({"encoder_type": "Wonder"}, "known: "),
        ({"encoder_type": ["Wonder"]}, "unknown encoder_type"),
        ({"num_styles": 10}, "output_size or num_styles"),
        ({"output_size": None}, "output_size or num_styles"),
        ({"output_size": 100}, "output_size must be a power of two"),
        ({"input_size": 48}, "input_size must be a power of two"),
        ({"widths": (4, 6, 8)}, "config.widths is [4, 6, 8]; allowed: a list of 4"),
        ({"width": 3}, "config.width is unknown"),
    ],
)
def test_what_cannot_be_built_is_refused(change, words):
    with pytest.raises(ValueError) as error:
        build_encoder({**TINY, **change})
    assert words in str(error.value)


@pytest.mark.parametrize(
    "shape", [[1, 6, 64, 64], [1, 3, 32, 64], [1, 3, 128, 128], [1, 3, 60, 64], [3, 64, 64]]
)
def test_pictures_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \[N, 3, 64, 64\]"):
        build_encoder(TINY)(paddle.zeros(shape))


@pytest.mark.parametrize(
    "harm, words",
    [
        (lambda s: s.pop("latlayer1.bias"), "latlayer1.bias is missing"),
        (lambda s: s.update(extra=np.zeros(1, "float32")), "extra is unknown"),
        (
            lambda s: s.update({"latlayer1.bias": np.zeros(3, "float32")}),
            "latlayer1.bias is [3] instead of [10]",
        ),
        (lambda s: s.update({"latlayer1.bias": np.zeros(10, "int64")}), "latlayer1.bias holds int64"),
    ],
)
def test_weights_that_do_not_fit_are_named_and_nothing_is_loaded(harm, words):
    encoder = build_encoder(TINY)
    state = {key: value.numpy() + 1 for key, value in encoder.state_dict().items()}
    harm(state)
    before = encoder.latlayer2.bias.numpy()
    with pytest.raises(ValueError) as error:
        load_state(encoder, state, "pSp encoder")
    assert words in str(error.value) and "pSp encoder" in str(error.value)
    np.testing.assert_array_equal(encoder.latlayer2.bias.numpy(), before)


def test_half_precision_weights_load():
    encoder = build_encoder(TINY)
    state = {key: value.numpy().astype("float16") for key, value in encoder.state_dict().items()}
    load_state(encoder, state, "encoder")
    expected = state["latlayer1.weight"].astype("float32")
    np.testing.assert_array_equal(encoder.latlayer1.weight.numpy(), expected)
