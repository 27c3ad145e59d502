# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NVIDIA's network pickles, which carry the source text of their classes; the text is dropped, never run.

PyTorch ones (StyleGAN2-ADA, StyleGAN3) rebuild each network from a description: its class's name, its
module's source and its attributes. TensorFlow ones (StyleGAN2) hold Network objects with lists of named
arrays.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.formats.pickle_values import Budget, Global, Instance, RefusedPickle
from ppstyleclip.formats.torch_modules import SavedModule, torch_module

_NETWORK = "dnnlib.tflib.network.Network"
_KEPT = ("name", "static_kwargs", "build_func_name", "version")


def nvidia_names(budget: Budget) -> dict:
    """The names of NVIDIA's networks, each with a builder; they become SavedModules."""

    def reconstruct(description):
        if type(description) is not dict:
            raise RefusedPickle("it describes a network by something that is no dict")
        return Instance(lambda known: _persistent_module(known, budget), description)

    name = "torch_utils.persistence._reconstruct_persistent_obj"
    return {
        tuple(name.rsplit(".", 1)): Global(name, reconstruct),
        tuple(_NETWORK.rsplit(".", 1)): Global(
            _NETWORK, new=lambda: Instance(lambda state: _tensorflow_network(state, budget), {})
        ),
    }


def _persistent_module(description, budget) -> SavedModule:
    kind, class_name = description.get("type"), description.get("class_name")
    if type(kind) is not str or kind != "class" or type(class_name) is not str:
        raise ValueError("a network is described otherwise than NVIDIA's code does")
    return torch_module(class_name, description.get("state"), budget)


def _tensorflow_network(state, budget) -> SavedModule:
    variables, components = state.get("variables", []), state.get("components", {})
    if type(variables) is not list or type(components) is not dict:
        raise ValueError("a network's variables or components are damaged")
    budget.spend_items(len(variables) + len(components))
    parts_are_known = all(isinstance(part, SavedModule) for part in components.values())
    if not parts_are_known or not all(map(_is_variable, variables)):
        raise ValueError("a network's variables or components are damaged")
    arrays = {name: np.asarray(array) for name, array in variables}
    attributes = {name: state[name] for name in _KEPT if name in state}
    return SavedModule(_NETWORK, arrays, {}, dict(components), attributes)


def _is_variable(pair) -> bool:
    return (
        type(pair) is tuple
        and len(pair) == 2
        and type(pair[0]) is str
        and isinstance(pair[1], (np.ndarray, np.generic))
    )
