# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Writers of PyTorch's files that need no PyTorch: what torch.save (new, old) and TorchScript's save write.

    save_torch_zip(path, {"state_dict": {"weight": array}, "opts": {...}})
    save_torch_legacy(path, ..., python2=True)
    save_torchscript(path, {"conv1": {"weight": array}, "input_resolution": np.array(8)})

Arrays are written as tensors; one that is dense but permuted in memory (`channels_last`) keeps its strides.
Other tensors: bfloat16, View. Names, calls and objects of classes: Name, Call, Object.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {
    "f4": "Float",
    "f8": "Double",
    "f2": "Half",
    "i8": "Long",
    "i4": "Int",
    "i2": "Short",
    "i1": "Char",
    "u1": "Byte",
    "b1": "Bool",
}


@dataclass(frozen=True)
class Name:
    """A global name, written as it is; need not exist."""

    module: str
    name: str


@dataclass(frozen=True, eq=False)
class Call:
    """What calling `function` with `arguments` gives (REDUCE); `state` is set on it (BUILD)."""

    function: Name
    arguments: tuple = ()
    state: Any = None


@dataclass(frozen=True, eq=False)
class Object:
    """An empty object of a class (NEWOBJ), with items and a state."""

    kind: Name
    state: Any = None
    items: dict | None = None


@dataclass(frozen=True, eq=False)
class View:
    """A tensor as PyTorch pickles it: `values` is the flat storage, the rest counts elements."""

    values: Any
    offset: int
    size: tuple
    stride: tuple
    kind: str | None = None  # of the storage; None follows from the values' type


def bfloat16(array) -> View:
    """A float32 array as a bfloat16 tensor; its lower 16 bits are lost."""
    high = np.asarray(array, np.float32).view(np.uint32) >> 16
    return View(high.astype("<u2").reshape(-1), 0, high.shape, _strides(high), "BFloat16")


def channels_last(array):
    """The same array, laid out in memory as a channels_last tensor is."""
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def _strides(array) -> tuple:
    return tuple(step // array.itemsize for step in array.strides)


def _as_view(array) -> View:
    order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    if not array.transpose(order).flags.c_contiguous:
        array, order = np.ascontiguousarray(array), range(array.ndim)
    return View(array.transpose(order).reshape(-1), 0, array.shape, _strides(array))


class _Pickler(pickle._Pickler):
    """Python's own pickler, for names that cannot be imported; arrays stay NumPy's."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_name(self, name):
        self.write(b"c" + name.module.encode() + b"\n" + name.name.encode() + b"\n")
        self.memoize(name)

    def save_call(self, call):
        self.save(call.function)
        self.save(call.arguments)
        self.write(pickle.REDUCE)
        self._finish(call, call.state)

    def save_object(self, value):
        self.save(value.kind)
        self.save(())
        self.write(pickle.NEWOBJ)
        self._finish(value, value.state, value.items)

    def _finish(self, value, state, items=None):
        self.memoize(value)
        if items:
            self.write(pickle.MARK)
            for key, item in items.items():
                self.save(key)
                self.save(item)
            self.write(pickle.SETITEMS)
        if state is not None:
            self.save(state)
            self.write(pickle.BUILD)

    dispatch[Name], dispatch[Call], dispatch[Object] = save_name, save_call, save_object


@dataclass(frozen=True, eq=False)
class _Storage:
    identity: tuple


class _TensorPickler(_Pickler):
    """Writes arrays as tensors, their storages as persistent ids, which it collects."""

    dispatch = _Pickler.dispatch.copy()
    python2 = False

    def __init__(self, file, protocol, id_tail=()):
        super().__init__(file, protocol)
        self.id_tail, self.storages = id_tail, {}  # key -> flat array

    def persistent_id(self, obj):
        return obj.identity if isinstance(obj, _Storage) else None

    def save_array(self, array):
        self.save_view(_as_view(array))
        self.memoize(array)

    def save_view(self, view):
        name = view.kind or _STORAGES[view.values.dtype.str[1:]]
        known = [key for key, values in self.storages.items() if values is view.values]
        key = known[0] if known else str(len(self.storages))
        self.storages[key] = view.values
        identity = ("storage", Name("torch", f"{name}Storage"), key, "cpu", len(view.values), *self.id_tail)
        hooks = None if self.python2 else Call(Name("collections", "OrderedDict"))
        arguments = (_Storage(identity), view.offset, tuple(view.size), tuple(view.stride), False, hooks)
        self.save_call(Call(Name("torch._utils", "_rebuild_tensor_v2"), arguments))

    dispatch[np.ndarray], dispatch[View] = save_array, save_view


class _Python2Pickler(_TensorPickler):
    """Writes texts as Python 2's byte strings."""

    dispatch = _TensorPickler.dispatch.copy()
    python2 = True

    def save_str(self, text):
        raw = text.encode("latin1")
        short = len(raw) < 256
        self.write((b"U" + bytes([len(raw)]) if short else b"T" + struct.pack("<i", len(raw))) + raw)
        self.memoize(text)

    dispatch[str] = save_str


def ordered_dict(pairs, metadata=None) -> Call:
    """An OrderedDict as state_dict() makes it; `metadata` becomes its attribute `_metadata`."""
    state = None if metadata is None else {"_metadata": metadata}
    return Call(Name("collections", "OrderedDict"), ([list(pair) for pair in dict(pairs).items()],), state)


def parameter(array) -> Call:
    """An array as a torch.nn.Parameter."""
    hooks = Call(Name("collections", "OrderedDict"))
    return Call(Name("torch._utils", "_rebuild_parameter"), (array, True, hooks))


def pickled(value, protocol=2, pickler=_Pickler) -> bytes:
    """A pickle with Names, Calls and Objects in it; arrays stay NumPy's."""
    file = io.BytesIO()
    pickler(file, protocol).dump(value)
    return file.getvalue()


def save_torch_zip(path, value, *, root="archive", protocol=2, extra=()) -> None:
    """What torch.save has written since 1.6; `extra` are further members, (name, bytes)."""
    file = io.BytesIO()
    pickler = _TensorPickler(file, protocol)
    pickler.dump(value)
    members = [("data.pkl", file.getvalue()), ("byteorder", b"little"), *extra]
    members += [(f"data/{key}", _raw(values)) for key, values in pickler.storages.items()]
    members.append(("version", b"3\n"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(f"{root}/{name}"), data)  # the same bytes each time


def save_torch_legacy(path, value, *, protocol=2, python2=False) -> None:
    """What torch.save wrote before 1.6, with Python 2's strings if so wanted."""
    with open(path, "wb") as file:
        file.write(legacy_bytes(value, protocol=protocol, python2=python2))


def legacy_bytes(value, *, protocol=2, python2=False) -> bytes:
    """The bytes of save_torch_legacy."""
    sizes = {"little_endian": True, "protocol_version": 1001, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    file = io.BytesIO()
    for head in (LEGACY_MAGIC, 1001, sizes):
        pickle.dump(head, file, protocol)
    pickler = (_Python2Pickler if python2 else _TensorPickler)(file, protocol, (None,))
    pickler.dump(value)
    _write_storages(file, pickler.storages, protocol)
    return file.getvalue()


def storage_bytes(values, kind=None) -> bytes:
    """A single storage as an old file, as plain pickles carry it within `_load_from_bytes`."""
    values = np.asarray(values).reshape(-1)
    file = io.BytesIO()
    for head in (LEGACY_MAGIC, 1001, {"little_endian": True}):
        pickle.dump(head, file, 2)
    name = Name("torch", f"{kind or _STORAGES[values.dtype.str[1:]]}Storage")
    _TensorPickler(file, 2).dump(_Storage(("storage", name, "0", "cpu", len(values), None)))
    _write_storages(file, {"0": values}, 2)
    return file.getvalue()


def _write_storages(file, storages, protocol):
    pickle.dump(list(storages), file, protocol)
    for values in storages.values():
        file.write(struct.pack("<q", len(values)) + _raw(values))


def _raw(values) -> bytes:
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def save_torchscript(path, module: dict, *, name="Model") -> None:
    """A TorchScript archive: dicts become objects of classes below `__torch__`, arrays tensors."""
    code = f"class {name}(Module):\n  pass\n".encode()
    save_torch_zip(
        path,
        _script_object(module, name),
        root="model",
        extra=[("constants.pkl", pickled((), 2)), (f"code/__torch__/{name}.py", code)],
    )


def _script_object(module, name) -> Object:
    state = {"training": True, "_is_full_backward_hook": None}
    for word, value in module.items():
        state[word] = _script_object(value, word) if isinstance(value, dict) else value
    return Object(Name(f"__torch__.models.___torch_mangle_{len(state)}", name), state)


@dataclass(frozen=True)
class Layer:
    """A torch.nn.Module of a class, to be pickled whole."""

    class_name: str
    parameters: dict = field(default_factory=dict)
    buffers: dict = field(default_factory=dict)
    children: dict = field(default_factory=dict)
    attributes: dict = field(default_factory=dict)


def whole(layer: Layer) -> Object:
    """A Layer, and those within it, as torch.save pickles a network that is saved whole."""
    state = {
        "training": False,
        "_backward_hooks": ordered_dict({}),
        "_non_persistent_buffers_set": set(),
        "_parameters": {name: parameter(array) for name, array in layer.parameters.items()},
        "_buffers": dict(layer.buffers),
        "_modules": ordered_dict({name: whole(child) for name, child in layer.children.items()}),
        **layer.attributes,
    }
    return Object(Name(*layer.class_name.rsplit(".", 1)), state)
