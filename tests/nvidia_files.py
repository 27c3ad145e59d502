# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Writers of NVIDIA's network pickles, made by hand: no line of NVIDIA's code is in them.

    save_nvidia(path, {"G_ema": {"mapping": {"fc0": {"weight": array, "bias": array}, "w_avg": array}, ...}})
    save_nvidia(path, {"G_ema": nested({"mapping.fc0.weight": array, ...})})

A nested dict of arrays is a network: dicts are parts, arrays are parameters, or buffers where NVIDIA's are.
"""

from __future__ import annotations

import re

import numpy as np
from torch_files import (
    Call,
    Name,
    Object,
    _as_view,
    _Pickler,
    ordered_dict,
    parameter,
    pickled,
    storage_bytes,
)

CANARY = "raise SystemExit('module_src was run')"  # in place of the source text that real files carry
BUFFERS = (
    "w_avg resample_filter noise_const magnitude_ema up_filter down_filter freqs phases transform "
    "Hz_geom Hz_fbank"
).split()
_CLASSES = (  # a part's name, its class
    (r"", "Generator"),
    (r"mapping", "MappingNetwork"),
    (r"synthesis", "SynthesisNetwork"),
    (r"b\d+", "SynthesisBlock"),
    (r"conv\d|L\d+_\d+_\d+", "SynthesisLayer"),
    (r"torgb", "ToRGBLayer"),
    (r"fc\d+|affine|embed", "FullyConnectedLayer"),
    (r"input", "SynthesisInput"),
)


def nested(state: dict) -> dict:
    """Turn {'mapping.fc0.weight': array} into {'mapping': {'fc0': {'weight': array}}}."""
    tree = {}
    for name, array in state.items():
        *parts, last = name.split(".")
        here = tree
        for part in parts:
            here = here.setdefault(part, {})
        here[last] = array
    return tree


def save_nvidia(path, networks: dict, *, protocol=4, init_kwargs=None, **others) -> None:
    """What NVIDIA's PyTorch training writes: networks under their names, and other plain values.

    Args:
        networks: {'G_ema': nested dict of arrays, ...}.
        init_kwargs: {'': {...}, 'synthesis': {...}}, by a part's full name, of each network.
    """
    value = {name: network(tree, init_kwargs=init_kwargs) for name, tree in networks.items()}
    with open(path, "wb") as file:
        file.write(pickled({**others, **value}, protocol, _NvidiaPickler))


def network(tree: dict, *, class_name=None, init_kwargs=None, path="") -> Call:
    """A nested dict of arrays as a persistent object."""
    tensors = {name: Tensor(value) for name, value in tree.items() if not isinstance(value, dict)}
    parts = {
        name: network(value, init_kwargs=init_kwargs, path=f"{path}.{name}".strip("."))
        for name, value in tree.items()
        if isinstance(value, dict)
    }
    state = {
        "training": False,
        "_parameters": ordered_dict(
            {name: parameter(tensor) for name, tensor in tensors.items() if name not in BUFFERS}
        ),
        "_buffers": ordered_dict(
            {"unused": None, **{name: tensor for name, tensor in tensors.items() if name in BUFFERS}}
        ),
        "_modules": ordered_dict(parts),
        "_non_persistent_buffers_set": set(),
        "_init_args": (),
        "_init_kwargs": easy_dict((init_kwargs or {}).get(path, {})),
        "in_size": np.array([4, 4]),  # StyleGAN3 keeps such attributes
        "gain": np.float64(1.5),
    }
    return persistent(class_name or _class_of(path.rsplit(".", 1)[-1]), state)


def persistent(class_name: str, state: dict) -> Call:
    """An object as NVIDIA's persistence pickles it."""
    return Call(
        Name("torch_utils.persistence", "_reconstruct_persistent_obj"),
        ({"type": "class", "version": 6, "module_src": CANARY, "class_name": class_name, "state": state},),
    )


def easy_dict(items: dict) -> Object:
    """NVIDIA's dict whose items are attributes."""
    return Object(Name("dnnlib.util", "EasyDict"), items=items)


def _class_of(part) -> str:
    return next((kind for pattern, kind in _CLASSES if re.fullmatch(pattern, part)), "OtherLayer")


class Tensor:
    """An array to be written as a tensor; bare arrays stay NumPy's in these files."""

    def __init__(self, array):
        self.array = np.asarray(array)


class _NvidiaPickler(_Pickler):
    dispatch = _Pickler.dispatch.copy()

    def save_tensor(self, tensor):
        view = _as_view(tensor.array)
        storage = Call(Name("torch.storage", "_load_from_bytes"), (storage_bytes(view.values),))
        self.save_call(
            Call(
                Name("torch._utils", "_rebuild_tensor_v2"),
                (
                    storage,
                    view.offset,
                    tuple(view.size),
                    tuple(view.stride),
                    False,
                    Call(Name("collections", "OrderedDict")),
                ),
            )
        )

    dispatch[Tensor] = save_tensor


def save_nvidia_tensorflow(path, variables: dict, components: dict | None = None, *, protocol=4) -> None:
    """What NVIDIA's TensorFlow training writes: (G, D, Gs), here three times the same network.

    Args:
        variables: {'dlatent_avg': array, ...}.
        components: {'synthesis': {'4x4/Const/const': array, ...}, ...}.
    """
    parts = {name: _tensorflow(name, arrays, {}) for name, arrays in (components or {}).items()}
    one = _tensorflow("Gs", variables, parts)
    with open(path, "wb") as file:
        file.write(pickled((one, one, one), protocol))


def _tensorflow(name, variables, components) -> Object:
    return Object(
        Name("dnnlib.tflib.network", "Network"),
        {
            "version": 5,
            "name": name,
            "static_kwargs": easy_dict({"resolution": 8}),
            "components": components,
            "build_module_src": CANARY,
            "build_func_name": "G_main",
            "variables": list(variables.items()),
        },
    )
