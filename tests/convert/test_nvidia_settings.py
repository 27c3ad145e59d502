# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile settings in a pickled network of NVIDIA's: one line, whatever a pickle holds."""

from types import SimpleNamespace

import pytest
from hostile_values import DEEP, NO_LINE, NO_NUMBER, cases, refused

from ppstyleclip.convert.nvidia_settings import read_settings

BAD = {
    "lr_mlp": [0, -1, *(value for value in NO_NUMBER if value is not None), DEEP],
    "conv_clamp": [-1, *(value for value in NO_NUMBER if value is not None), DEEP],
    "activation_0": [*NO_LINE, {}, DEEP],
    "activation_1": [*NO_LINE, {}, DEEP],
}


def module(children=None, **attributes):
    return SimpleNamespace(children=children or {}, attributes=attributes)


def network(lr_mlp=0.01, conv_clamp=256, activation_0="lrelu", activation_1="lrelu"):
    layer = module(bias_gain=lr_mlp, activation=activation_0)
    block = module({"conv1": module(conv_clamp=conv_clamp, activation=activation_1)})
    return module({"mapping": module({"fc0": layer}), "synthesis": module({"b4": block})})


@pytest.mark.parametrize("field, value", cases(BAD))
def test_a_hostile_setting_is_one_line(field, value):
    assert "this NVIDIA network" in refused(read_settings, network(**{field: value}), field=field)


def test_settings_are_read():
    assert read_settings(network()) == {"lr_mlp": 0.01, "conv_clamp": 256.0, "activations": {"lrelu"}}
    assert read_settings(module()) == {"lr_mlp": None, "conv_clamp": None, "activations": {"lrelu"}}
