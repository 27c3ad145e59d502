# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PyTorch's files since 1.6, and TorchScript archives: zip archives whose members are stored as they are.

    <root>/data.pkl     the saved object; tensors name their storages
    <root>/data/<key>   the numbers of a storage
    <root>/byteorder    "little" (newer files)
    <root>/code/..., <root>/constants.pkl   only in TorchScript; not read, and code may be compressed

Members are mapped, not copied. Nothing is ever unpacked: a compressed member that is needed is refused.
"""

from __future__ import annotations

import re
import struct
import zipfile

from ppstyleclip.formats.pickle_values import Budget, Global, Instance, RefusedPickle, plain, said
from ppstyleclip.formats.pickles import Reader, run_pickle
from ppstyleclip.formats.torch_modules import script_module
from ppstyleclip.formats.torch_tensors import known_storage
from ppstyleclip.formats.zip_directory import check_directory

_LOCAL = struct.Struct("<4s22xHH")  # signature, lengths of the name and of what follows it
_NOT_A_ZIP = (
    zipfile.BadZipFile,
    NotImplementedError,
    struct.error,
    OSError,
    EOFError,
    OverflowError,
    IndexError,
    ValueError,
)


def read_torch_zip(data, names: dict, budget: Budget):
    """Read a PyTorch or TorchScript archive; arguments, result and errors as read_torch_legacy.

    Args:
        data: an mmap of the file; arrays are views of it.
    """
    members = members_of(data)
    roots = [name[: -len("/data.pkl")] for name in members if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(roots) != 1:
        raise RefusedPickle(f"it is a zip archive with {len(roots)} data.pkl in it, not one of PyTorch's")
    root = roots[0]
    storages: dict = {}
    if f"{root}/byteorder" in members and member_bytes(data, members, f"{root}/byteorder") != b"little":
        raise RefusedPickle("it was written on a big-endian machine")

    def persistent(identity):
        key, storage = known_storage(storages, identity)
        if storage.values is None:
            start, size = _place(data, members, f"{root}/data/{key}")
            if size != storage.nbytes:
                raise ValueError(f"storage {said(key)} is of another size than its tensors say")
            storage.find(data, start, budget)
        return storage

    if f"{root}/constants.pkl" in members:
        names = _ScriptNames(names, budget)
    return plain(
        run_pickle(Reader(member_bytes(data, members, f"{root}/data.pkl")), names, budget, persistent)
    )


class _ScriptNames(dict):
    """The known names, and any class below `__torch__`: TorchScript names them after the user's own code."""

    def __init__(self, names, budget):
        super().__init__(names)
        self.budget = budget
        for word in (
            "build_intlist",
            "build_doublelist",
            "build_boollist",
            "build_tensorlist",
            "restore_type_tag",
        ):
            self["torch.jit._pickle", word] = Global(f"torch.jit._pickle.{word}", _container)

    def __missing__(self, key):
        module, name = key
        if module != "__torch__" and not module.startswith("__torch__."):
            raise KeyError(key)
        self.budget.spend(len(module) + len(name))
        full = f"{module}.{name}"
        return Global(said(full), new=lambda: Instance(script_module(full, self.budget), {}))


def _container(items, type_tag=""):
    if type(items) not in (list, dict):
        raise RefusedPickle("it builds a list or dict of something else")
    return items


def member_bytes(data, members, name) -> bytes:
    """Return the bytes of a member, which has to be stored as it is."""
    start, size = _place(data, members, name)
    return data[start : start + size]


def members_of(data) -> dict:
    """List the members of an archive, {name: what its directory says}."""
    check_directory(data)
    try:
        infos = zipfile.ZipFile(data).infolist()
    except _NOT_A_ZIP as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"it is cut off or damaged: {reason}") from None
    members = {}
    for info in infos:
        name = info.orig_filename
        if name.endswith("/"):  # a folder
            continue
        if name in members:
            raise RefusedPickle(f"it has two members of the name {said(name)}")
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise RefusedPickle(f"its member {said(name)} has a path that leads elsewhere")
        members[name] = info
    return members


def _place(data, members, name) -> tuple:
    """Where a member lies: (start, size)."""
    if name not in members:
        raise ValueError(f"it lacks the member {said(name)}")
    name, info = said(name), members[name]
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
        raise RefusedPickle(f"its member {name} is compressed or encrypted; write it without")
    head = data[info.header_offset : info.header_offset + _LOCAL.size] if info.header_offset >= 0 else b""
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
        raise ValueError(f"its member {name} is not where the archive says")
    start = info.header_offset + _LOCAL.size + sum(_LOCAL.unpack(head)[1:])
    if start + info.file_size > len(data):
        raise ValueError(f"it is cut off: member {name} ends behind the file's end")
    return start, info.file_size
