# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PyTorch's files from before 1.6, and the single storages in that form inside NVIDIA's pickles.

    pickle  magic number          pickle  the saved object
    pickle  1001                  pickle  [key, ...]
    pickle  {'little_endian': True, ...}  for each key: how many elements (int64), the elements

The tensors are told of before their numbers: storages are found once the list of keys has been read.
"""

from __future__ import annotations

from ppstyleclip.formats.pickle_values import Budget, Global, RefusedPickle, plain
from ppstyleclip.formats.pickles import Reader, read_pickle, run_pickle
from ppstyleclip.formats.torch_tensors import Storage, known_storage, storage_names

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001


def read_torch_legacy(data, names: dict, budget: Budget):
    """Read an old PyTorch file.

    Args:
        data: bytes, or an mmap of the file; arrays are views of it.
        names: what the saved object may mention.
    Returns:
        the saved object, tensors as arrays.
    Raises:
        RefusedPickle: it asks for something that weights have no need of.
        ValueError: it is cut off or damaged.
    """
    return plain(_read_object(data, names, budget))


def nested_names(budget: Budget) -> dict:
    """The name under which a plain pickle carries a storage: a whole old file, as bytes."""

    def load_from_bytes(raw):
        if type(raw) is not bytes:
            raise RefusedPickle("it calls torch.storage._load_from_bytes otherwise than PyTorch does")
        storage = _read_object(raw, storage_names(), budget)
        if not isinstance(storage, Storage):
            raise RefusedPickle("a storage within it holds something else")
        return storage

    return {("torch.storage", "_load_from_bytes"): Global("torch.storage._load_from_bytes", load_from_bytes)}


def _read_object(data, names, budget):
    reader, storages = Reader(data), {}

    def persistent(identity):
        if type(identity) is tuple and len(identity) == 4 and identity[0] == "module":
            return identity[1]  # a class, with the text of its source behind it
        return known_storage(storages, identity)[1]

    if read_pickle(reader, {}, budget) != _MAGIC or read_pickle(reader, {}, budget) != _VERSION:
        raise ValueError("it does not begin as PyTorch's files do")
    machine = read_pickle(reader, {}, budget)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise RefusedPickle("it was written on a big-endian machine")
    value = run_pickle(reader, names, budget, persistent)
    _find_storages(reader, storages, read_pickle(reader, {}, budget), budget)
    return value


def _find_storages(reader, storages, keys, budget):
    if not isinstance(keys, list) or any(type(key) is not str for key in keys):
        raise ValueError("its list of storages is damaged")
    if set(keys) != set(storages) or len(keys) != len(storages):
        raise ValueError("its list of storages is not that of its tensors")
    for key in keys:
        if int.from_bytes(reader.read(8), "little") != storages[key].count:
            raise ValueError("it is cut off, or a storage has another length than its tensors say")
        storages[key].find(reader.data, reader.position, budget)
        reader.position += storages[key].nbytes
