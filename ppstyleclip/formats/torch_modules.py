# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks that were pickled whole: what they hold, without the code that they were.

A torch.nn.Module is pickled as its class's name and its attributes; the arrays lie in `_parameters` and
`_buffers`, the parts in `_modules`. TorchScript keeps all three as plain attributes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.formats.pickle_values import Budget, Global, Instance, said

STATE_LETTERS = 2**24  # of all names in a state; a large network has 100,000
_KEPT = {"_init_args": "init_args", "_init_kwargs": "init_kwargs"}  # private, but how the network was built
# The classes that may be pickled whole in PyTorch's own way.
_TORCH_LAYERS = {
    "activation": "ReLU LeakyReLU PReLU ELU SELU SiLU GELU Sigmoid Tanh Softmax Softplus Hardtanh "
    "MultiheadAttention",
    "batchnorm": "BatchNorm1d BatchNorm2d",
    "container": "Sequential ModuleList ModuleDict ParameterList",
    "conv": "Conv1d Conv2d ConvTranspose2d",
    "dropout": "Dropout Dropout2d",
    "flatten": "Flatten",
    "instancenorm": "InstanceNorm2d",
    "linear": "Linear Identity NonDynamicallyQuantizableLinear",
    "normalization": "LayerNorm GroupNorm",
    "padding": "ZeroPad2d ReflectionPad2d ReplicationPad2d",
    "pooling": "MaxPool2d AvgPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d",
    "sparse": "Embedding",
    "upsampling": "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
}
_MAPPERS = {  # of a StyleCLIP for StyleGAN3 whose mappers were saved whole
    "src.mapper.mapper": "LatentMapper",
    "src.mapper.layers_group": "LayersGroup PixelNorm",
    "src.mapper.layer": "MapperLayer",
}


@dataclass(frozen=True, eq=False)
class SavedModule:
    """A network, or a part of one, as a file holds it.

    Attributes:
        class_name: as the file says, such as 'SynthesisNetwork' or 'src.mapper.mapper.LatentMapper'.
        parameters: `{name: array}`; all arrays, where the file does not tell parameters from buffers.
        buffers: `{name: array}`.
        children: `{name: SavedModule}`.
        attributes: `{name: value}`; NVIDIA's networks have 'init_kwargs'.
    """

    class_name: str
    parameters: dict
    buffers: dict
    children: dict
    attributes: dict

    def state(self) -> dict:
        """All parameters and buffers under their full names, such as 'mapping.fc0.weight'.

        Raises:
            UserError: two have the same name, or parts hold each other so often that it has no end.
        """
        found, letters = {}, 0
        for name, array in self._entries(""):
            letters += len(name) + 1
            if letters > STATE_LETTERS or array is not None and name in found:
                raise UserError(
                    f"a network of class {said(self.class_name)} has no end of arrays, or two "
                    f"that are called {said(name)}; the file is damaged"
                )
            if array is not None:
                found[name] = array
        return found

    def _entries(self, prefix):
        yield prefix, None  # a part without arrays counts as well
        for name, array in (*self.parameters.items(), *self.buffers.items()):
            yield prefix + name, array
        for name, child in self.children.items():
            yield from child._entries(f"{prefix}{name}.")


def module_names(budget: Budget) -> dict:
    """The classes of whole networks that may be pickled, each as an object that only keeps its state."""
    kinds = {f"torch.nn.modules.{module}": words for module, words in _TORCH_LAYERS.items()}
    kinds.update(_MAPPERS)
    return {
        (module, word): _module_class(f"{module}.{word}", budget)
        for module, words in kinds.items()
        for word in words.split()
    }


def _module_class(full, budget) -> Global:
    return Global(full, new=lambda: Instance(lambda state: torch_module(full, state, budget), {}))


def torch_module(class_name: str, state: dict, budget: Budget) -> SavedModule:
    """Make a SavedModule of the attributes of a torch.nn.Module.

    Raises:
        ValueError: they are not such a module's.
    """
    if type(state) is not dict:
        raise ValueError("a network has no attributes")
    attributes = {
        _KEPT.get(name, name): value
        for name, value in _with_texts(state, budget).items()
        if name in _KEPT or not name.startswith("_")
    }
    return SavedModule(
        class_name,
        _of_kind(state.get("_parameters"), np.ndarray, budget),
        _of_kind(state.get("_buffers"), np.ndarray, budget),
        _of_kind(state.get("_modules"), SavedModule, budget),
        attributes,
    )


def script_module(class_name: str, budget: Budget):
    """A function that makes a SavedModule of the attributes of a TorchScript object."""

    def finish(state):
        _with_texts(state, budget)
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        children = {name: value for name, value in state.items() if isinstance(value, SavedModule)}
        attributes = {
            name: value
            for name, value in state.items()
            if value is not None and name not in arrays and name not in children
        }
        return SavedModule(class_name, arrays, {}, children, attributes)

    return finish


def _of_kind(group, kind, budget) -> dict:
    group = {} if group is None else group
    if type(group) is not dict or any(not isinstance(value, (kind, type(None))) for value in group.values()):
        raise ValueError("a network's parameters, buffers or parts are damaged")
    return {name: value for name, value in _with_texts(group, budget).items() if value is not None}


def _with_texts(group, budget) -> dict:
    budget.spend_items(len(group))
    if any(type(name) is not str for name in group):
        raise ValueError("a part of a network has no name")
    return group
