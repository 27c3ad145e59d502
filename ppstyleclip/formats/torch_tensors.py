# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PyTorch tensors inside pickles: views, with strides, of storages that lie elsewhere in the file.

A pickle names a storage by a persistent id, ('storage', type, key, place, count), and makes a tensor of it
with an offset, a size and strides, all counted in elements. Every view is checked against its storage before
it is made. bfloat16, which NumPy lacks, becomes float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ppstyleclip.formats.pickle_values import Budget, Global, Instance, RefusedPickle

MAX_DIMS = 32
_CODES = {
    "Float": "<f4",
    "Double": "<f8",
    "Half": "<f2",
    "BFloat16": "<u2",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}
_KINDS = {f"torch.{name}Storage": np.dtype(code) for name, code in _CODES.items()}
_DTYPES = (
    "float32 float64 float16 bfloat16 float double half int64 int32 int16 int8 uint8 long int short "
    "bool complex64 complex128"
).split()


@dataclass
class Storage:
    """A flat array of numbers that tensors are views of.

    Attributes:
        kind: its class, such as "torch.FloatStorage".
        count: elements.
        values: `[count]`; None until the place in the file is known.
    """

    kind: str
    count: int
    values: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in the file."""
        return self.count * _KINDS[self.kind].itemsize

    def find(self, data, start: int, budget: Budget) -> None:
        """Map the storage onto `nbytes` bytes of the file, from `start`; copied where they lie unaligned.

        Raises:
            ValueError: the file ends before.
        """
        if start < 0 or start + self.nbytes > len(data):
            raise ValueError("it is cut off: a tensor's numbers lie behind its end")
        dtype = _KINDS[self.kind]
        values = np.frombuffer(data, dtype, self.count, start) if self.count else np.zeros(0, dtype)
        if not values.flags.aligned:
            budget.spend(self.nbytes)
            values = values.copy()
        self.values = values

    def widen(self, budget: Budget) -> np.ndarray:
        """The numbers in a type that NumPy has; paid for where they had to be copied."""
        assert self.values is not None  # a storage without numbers makes no tensor
        if self.kind == "torch.BFloat16Storage" and self.values.dtype != np.float32:
            budget.spend(2 * self.nbytes)
            self.values = (self.values.astype(np.uint32) << 16).view(np.float32)
        return self.values


def storage_names() -> dict:
    """The names of storage classes; they may be mentioned, not called."""
    return {tuple(kind.split(".")): Global(kind) for kind in _KINDS}


def known_storage(storages: dict, identity) -> tuple:
    """The storage that a persistent id names; a new one is added to `storages`, `{key: Storage}`.

    Returns:
        (key, Storage); values None where they are still to be found.
    Raises:
        RefusedPickle: it is no id that PyTorch writes.
        ValueError: its count is impossible, or it contradicts an earlier id of the same key.
    """
    key, storage = _parse_identity(identity)
    known = storages.setdefault(key, storage)
    if (known.kind, known.count) != (storage.kind, storage.count):
        raise ValueError("two storages have the same key")
    return key, known


def _parse_identity(identity) -> tuple:
    if type(identity) is not tuple or len(identity) not in (5, 6) or identity[0] != "storage":
        raise RefusedPickle("it has a persistent id that is not a storage's")
    _, kind, key, _, count = identity[:5]
    if not isinstance(kind, Global) or kind.name not in _KINDS or type(key) is not str:
        raise RefusedPickle("it has a storage of no known type")
    if identity[5:] not in ((), (None,)):
        raise RefusedPickle("it has storages that are views of others, as only very old PyTorch wrote")
    if not _is_count(count):
        raise ValueError("a storage has an impossible number of elements")
    return key, Storage(kind.name, count)


def tensor_names(budget: Budget) -> dict:
    """The names that tensors, types, devices and sizes mention, each with a builder.

    `budget` pays for each tensor as if it were copied: a handful of numbers cannot claim to fill memory.
    """

    def tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
        if not isinstance(storage, Storage) or metadata:
            raise RefusedPickle("it builds a tensor otherwise than PyTorch does")
        return Instance(lambda _: _view(storage, offset, size, stride, budget))

    def parameter(data, *_):
        if not isinstance(data, Instance):
            raise RefusedPickle("it builds a parameter of something that is no tensor")
        return data

    def device(kind, index=None):
        if type(kind) is not str or len(kind) > 32 or index is not None and not _is_count(index):
            raise RefusedPickle("it names a device otherwise than PyTorch does")
        return kind if index is None else f"{kind}:{index}"

    def size(sides=()):
        if type(sides) is not tuple:
            raise RefusedPickle("it builds a torch.Size of something that is no tuple")
        return sides

    names: dict = {("torch", name): f"torch.{name}" for name in _DTYPES}
    names["torch", "device"] = Global("torch.device", device)
    names["torch", "Size"] = Global("torch.Size", size)
    for word, build in (
        ("tensor", tensor),
        ("tensor_v2", tensor),
        ("parameter", parameter),
        ("parameter_with_state", parameter),
    ):
        names["torch._utils", f"_rebuild_{word}"] = Global(f"torch._utils._rebuild_{word}", build)
    return {**names, **storage_names()}


def _is_count(value) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _view(storage, offset, size, stride, budget) -> np.ndarray:
    if type(size) is not tuple or type(stride) is not tuple or not len(size) == len(stride) <= MAX_DIMS:
        raise ValueError("a tensor has no size, or other strides than sides")
    if not all(map(_is_count, (offset, *size, *stride))):
        raise ValueError("a tensor has an impossible offset, size or stride")
    if storage.values is None:
        raise ValueError("a tensor's storage is not in the file")
    budget.spend(math.prod(size) * storage.widen(budget).itemsize)
    if 0 in size:
        return np.zeros(size, storage.values.dtype)
    last = offset + sum((side - 1) * step for side, step in zip(size, stride))
    if last >= storage.count:
        raise ValueError(
            f"a tensor of size {list(size[:6])} and strides {list(stride[:6])} from {offset} "
            f"reaches beyond its storage of {storage.count} elements"
        )
    steps = [step * storage.values.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage.values[offset:], size, steps, writeable=False)
