# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The one strict loader: all or nothing, and at most three problems in one line."""

import numpy as np
import paddle
import paddle.nn as nn
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.models.state import build_with_state, load_state

STATE = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.ones(3, np.float16)}


def test_floats_of_any_width_are_loaded():
    layer = nn.Linear(2, 3)
    load_state(layer, {**STATE, "StructuredToParameterName@@": {"weight": "linear_0.w_0"}}, "layer")
    np.testing.assert_array_equal(layer.weight.numpy(), STATE["weight"])
    assert layer.bias.numpy().dtype == np.float32


@pytest.mark.parametrize(
    "change, words",
    [
        ({"bias": None}, "do not fit this toy: bias is missing"),
        ({"more": np.ones(2)}, "more is unknown"),
        ({"weight": np.ones((3, 2))}, r"weight is \[3, 2\] instead of \[2, 3\]"),
        ({"bias": np.ones(3, int)}, "bias holds int64 instead of floats"),
        ({f"k{k}": np.ones(2) for k in range(5)}, "k0 is unknown; k1 is unknown; k2 is unknown; and 2 more"),
    ],
)
@pytest.mark.parametrize("is_built", [True, False])
def test_what_does_not_fit_is_named_and_nothing_is_loaded(change, words, is_built):
    layer = nn.Linear(2, 3)
    before = layer.weight.numpy()
    state = {key: value for key, value in {**STATE, **change}.items() if value is not None}
    with pytest.raises(UserError, match=words) as caught:
        if is_built:
            load_state(layer, state, "toy")
        else:
            build_with_state(lambda: nn.Linear(2, 3), state, "toy")
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(layer.weight.numpy(), before)


def test_a_network_that_is_loaded_is_as_one_that_was_drawn_before():
    """But for the numbers that were drawn; also what follows draws the same."""

    def build():
        return nn.Sequential(
            nn.Conv2D(3, 4, 3),
            nn.BatchNorm2D(4),
            nn.Linear(5, 5, weight_attr=paddle.ParamAttr(trainable=False)),
        )

    drawn = build()
    paddle.seed(3)
    wanted = paddle.randn([4]).numpy()
    paddle.seed(3)
    loaded = build_with_state(build, drawn.state_dict(), "toy")
    np.testing.assert_array_equal(paddle.randn([4]).numpy(), wanted)
    for (key, one), (other_key, other) in zip(drawn.named_parameters(), loaded.named_parameters()):
        assert key == other_key and str(one.place) == str(other.place) and one.dtype == other.dtype
        assert one.stop_gradient == other.stop_gradient and one.is_leaf and other.is_leaf
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    x = paddle.ones([2, 3, 7, 7])
    gradients = []
    for network in (drawn, loaded):
        network(x).sum().backward()
        gradients.append(network[0].weight.grad.numpy())
    np.testing.assert_array_equal(*gradients)


def test_constants_may_be_there_and_must_agree():
    layer, taps = nn.Linear(2, 3), np.float32([[1, 2], [2, 4]])
    constants = {"blur": taps, "other": taps}
    load_state(layer, STATE, "layer", constants=constants)
    load_state(layer, {**STATE, "blur": taps.astype("f8")}, "layer", constants=constants)
    with pytest.raises(UserError, match="blur is another filter"):
        load_state(layer, {**STATE, "blur": taps + 1}, "layer", constants=constants)
    with pytest.raises(UserError, match=r"blur is \[3\] instead of \[2, 2\]"):
        load_state(layer, {**STATE, "blur": np.ones(3)}, "layer", constants=constants)
