# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile weight files, made by hand: each case is (name, bytes, a pattern that the refusal must match)."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import numpy as np
from nvidia_files import persistent
from torch_files import LEGACY_MAGIC, Call, Name, Object, View, legacy_bytes, pickled, save_torch_zip

FLAT = np.arange(12, dtype=np.float32)
RAN = "CODE WAS RUN"


# ---- ways to carry a pickle


def plain(payload: bytes) -> bytes:
    """A pickle by itself, as Paddle, NumPy and NVIDIA write them; protocol 4, whatever the payload has."""
    return b"\x80\x04" + payload


def archive(payload: bytes, script=False) -> bytes:
    """A zip archive of PyTorch's, or TorchScript's, around a pickle."""
    members = {"a/data.pkl": b"\x80\x02" + payload, "a/byteorder": b"little", "a/data/0": FLAT.tobytes()}
    return zipped({**members, "a/constants.pkl": b"\x80\x02)."} if script else members)


def torchscript(payload: bytes) -> bytes:
    """A TorchScript archive around a pickle."""
    return archive(payload, script=True)


def legacy(payload: bytes, keys=None, magic=LEGACY_MAGIC, version=1001, machine=None) -> bytes:
    """An old PyTorch file around a pickle."""
    heads = (magic, version, {"little_endian": True} if machine is None else machine)
    keys, data = [] if keys is None else keys, b"".join(pickle.dumps(head, 2) for head in heads)
    return data + b"\x80\x02" + payload + pickle.dumps(keys, 2)


def nested(payload: bytes) -> bytes:
    """A pickle with an old PyTorch file around another pickle in it, as in NVIDIA's."""
    raw = legacy(payload)
    return plain(b"ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(raw)) + raw + b"\x85R.")


def npy_of_objects(payload: bytes) -> bytes:
    """A `.npy` file of Python objects around a pickle."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\x80\x04" + payload


def within_a_network(payload: bytes) -> bytes:
    """A pickle with NVIDIA's description of a network, the payload within its state."""
    words = text("type") + text("class") + text("class_name") + text("G") + text("state") + b"}" + text("w")
    head = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n}("
    return plain(head + words + payload.rstrip(b".") + b"su\x85R.")


def text(word: str) -> bytes:
    """The opcode that pushes a text."""
    return b"X" + struct.pack("<I", len(word)) + word.encode()


CARRIERS = {
    "plain": plain,
    "zip": archive,
    "torchscript": torchscript,
    "legacy": legacy,
    "nested": nested,
    "nvidia": within_a_network,
    "npy": npy_of_objects,
}


def zipped(members, compression=zipfile.ZIP_STORED) -> bytes:
    """A zip archive of {name: bytes}, or of pairs."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", compression) as target:
        for name, data in members.items() if isinstance(members, dict) else members:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            target.writestr(info, data)
    return memory.getvalue()


# ---- pickles that ask for code


def code_cases():
    """Payloads that would run code if a Python unpickler read them; for every carrier."""
    said = text(RAN)
    run = said + b"\x85R"  # call what is on the stack with that text
    namespace = b"cargparse\nNamespace\n"
    yield "os.system", b"cos\nsystem\n" + run + b".", r"os\.system"
    yield "posix.system", b"cposix\nsystem\n" + run + b".", r"posix\.system"
    yield "subprocess.Popen", b"csubprocess\nPopen\n" + run + b".", r"subprocess\.Popen"
    yield "builtins.exec", b"cbuiltins\nexec\n" + run + b".", r"builtins\.exec"
    yield "builtins.eval", b"cbuiltins\neval\n" + run + b".", "eval|damaged"
    yield "eval with a scope", (b"c__builtin__\neval\n" + said + b"}X\x04\x00\x00\x00dataNs\x86R."), "eval"
    yield "builtins.getattr", b"cbuiltins\ngetattr\ncos\nsystem\n" + said + b"\x86R.", r"getattr"
    yield "builtins.__import__", b"cbuiltins\n__import__\nX\x02\x00\x00\x00os\x85R.", "__import__"
    yield "apply", b"c__builtin__\napply\n" + run + b".", "apply"
    yield "compile", b"cbuiltins\ncompile\n" + run + b".", "compile"
    yield "open for writing", b"cbuiltins\nopen\n" + said + b"X\x01\x00\x00\x00w\x86R.", "open"
    yield "instance", b"(" + said + b"ios\nsystem\n.", "INST"
    yield "object", b"(cos\nsystem\n" + said + b"o.", r"os\.system|OBJ"
    yield "object of a known name", b"(" + namespace + said + b"o.", "OBJ"
    yield "new object of an unknown class", b"csubprocess\nPopen\n" + said + b"\x85\x81.", "Popen"
    yield "new object with arguments", namespace + said + b"\x85\x81.", "NEWOBJ"
    yield "new object with keywords", namespace + b")}\x92.", "NEWOBJ_EX"
    yield "new object of a function", b"ctorch._utils\n_rebuild_tensor_v2\n)\x81.", "NEWOBJ"
    for code, name in ((b"\x82\x01", "EXT1"), (b"\x83\x01\x00", "EXT2"), (b"\x84\x01\x00\x00\x00", "EXT4")):
        yield name, code + run + b".", name
    yield "state of a name", b"ccollections\nOrderedDict\n}X\x05\x00\x00\x00buildNsb.", "state"
    yield "state of a function", b"ctorch._utils\n_rebuild_tensor_v2\n}" + said + b"Nsb.", "state"
    yield (
        "__setstate__ set by a state",
        (namespace + b")\x81}" + text("__setstate__") + b"cos\nsystem\nsb" + said + b"b."),
        r"os\.system",
    )
    yield "state twice", namespace + b")\x81}" + text("a") + b"Nsb}" + text("b") + b"Nsb.", "state"
    yield "state that is a text", namespace + b")\x81" + said + b"b.", "state"
    yield "dotted name", text("torch") + text("os.system") + b"\x93" + run + b".", r"torch\.os\.system"
    yield "name of numbers", b"K\x01K\x02\x93.", "asks for|damaged"
    yield "call of a text", said + b")R.", "not a name"
    yield "call of a known class", namespace + b")R.", "calls argparse"
    yield "call of a storage", b"ctorch\nFloatStorage\nK\x05\x85R.", "calls torch"
    yield "partial", b"cfunctools\npartial\ncos\nsystem\n" + said + b"\x86R.", "partial"
    yield "attrgetter", b"coperator\nattrgetter\nX\x06\x00\x00\x00system\x85R.", "attrgetter"
    yield "pickle within", b"cpickle\nloads\nC\x01.\x85R.", r"pickle\.loads"
    yield "torch.load", b"ctorch.serialization\nload\n" + run + b".", r"serialization\.load"
    yield "numpy.load", b"cnumpy\nload\n" + run + b".", r"numpy\.load"
    yield "runstring", b"cnumpy.testing._private.utils\nrunstring\n" + run + b".", "runstring"
    yield "import_module", b"cimportlib\nimport_module\n" + run + b".", "import_module"
    yield "library", b"cctypes\nCDLL\n" + run + b".", "CDLL"
    yield "reconstructor", b"ccopyreg\n_reconstructor\ncos\nsystem\n\x85R.", "_reconstructor"
    yield "class of this product", b"cppstyleclip.files\nwrite_atomic\n" + run + b".", "write_atomic"
    yield "name left as a value", b"ccollections\nOrderedDict\n.", "as a value|something else"
    yield "text persistent id", b"Pcos.system\n.", "PERSID"
    yield "itself in a list", b"]q\x00h\x00a.", "holds itself|something else"
    yield "itself in a dict", b"}q\x00K\x01h\x00s.", "holds itself|something else"
    yield "itself in its state", namespace + b")\x81q\x00}" + text("a") + b"h\x00sb.", "itself|else|asks"
    yield "deep lists", b"]" * 3000 + b"a" * 2999 + b".", "deep|something else"
    yield "deep tuples", b")" + b"\x85" * 20_000 + b".", "deep|something else"
    half = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R."
    yield "half of an array", half, "unfinished|something else|asks"
    yield "bytes of a claimed length", b"\x8e" + struct.pack("<Q", 2**40) + b"abc", "cut off|damaged"
    yield "number of a claimed length", b"\x8b\xff\xff\xff\x7f\x01.", "cut off|damaged"
    yield "number of negative length", b"\x8b\xff\xff\xff\xff\x01.", "damaged"
    yield "a tuple as a key", b"})K\x01s.", "is a key"
    storage = text("storage") + b"ctorch\nFloatStorage\n" + text("9") + text("cpu") + b"K\x0cN"
    yield "storage of no file", b"(" + storage + b"tQ.", "BINPERSID|lacks|list of storages"


# ---- tensors that lie


def _zip(value) -> bytes:
    memory = io.BytesIO()
    save_torch_zip(memory, value)
    return memory.getvalue()


TENSOR_CARRIERS = {
    "zip": _zip,
    "legacy": legacy_bytes,
    "python 2": lambda value: legacy_bytes(value, python2=True),
}
_BUILD, _PARAMETER = Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_parameter")
_LINEAR = Name("torch.nn.modules.linear", "Linear")
_PERSISTENT = Name("torch_utils.persistence", "_reconstruct_persistent_obj")


def tensor_cases():
    """Values whose tensors do not fit their storages; for every carrier of tensors."""
    huge = 2**63 - 1
    views = {
        "one too far": (1, (12,), (1,)),
        "far offset": (13, (1,), (1,)),
        "offset at the end": (12, (), ()),
        "wide strides": (0, (3, 4), (5, 1)),
        "huge stride": (0, (2,), (huge,)),
        "huge offset": (huge, (1,), (1,)),
        "negative offset": (-1, (2,), (1,)),
        "negative size": (0, (-2, -2), (2, 1)),
        "negative stride": (11, (12,), (-1,)),
        "sizes that overflow to few": (0, (2**32, 2**32, 3), (0, 0, 1)),
        "sizes that overflow to none": (0, (2**62, 2**62, 4), (0, 0, 0)),
        "strides that overflow": (0, (2**31, 2), (2**33, 2**63 - 1)),
        "expanded a million times": (0, (2**20, 12), (0, 1)),
        "expanded to a petabyte": (0, (2**48,), (0,)),
        "more strides than sides": (0, (12,), (1, 1)),
        "more sides than strides": (0, (3, 4), (1,)),
        "40 axes": (0, (1,) * 40, (1,) * 40),
        "sizes of True": (0, (True, 12), (12, 1)),
        "a side of 2**64": (0, (2**64,), (1,)),
        "an empty side and a huge one": (0, (0, huge, huge), (1, 1, 1)),
        "a float side": (0, (12.0,), (1,)),
        "a text as an offset": ("0", (12,), (1,)),
    }
    for name, (offset, size, stride) in views.items():
        yield name, View(FLAT, offset, size, stride), "tensor|more bytes|impossible|damaged"
    yield "tensor of a tensor", Call(_BUILD, (FLAT, 0, (12,), (1,), False, None)), "otherwise"
    yield "tensor of a text", Call(_BUILD, ("storage", 0, (1,), (1,), False, None)), "otherwise"
    yield "tensor of too little", Call(_BUILD, (1,)), "damaged"
    yield "conjugated", Call(_BUILD, (FLAT, 0, (1,), (1,), False, None, {"conj": True})), "otherwise"
    yield "complex numbers", View(FLAT, 0, (6,), (1,), "ComplexFloat"), "ComplexFloatStorage"
    yield "quantised", Call(Name("torch._utils", "_rebuild_qtensor"), (FLAT,)), "_rebuild_qtensor"
    yield "parameter of a text", Call(_PARAMETER, ("x", True, None)), "no tensor"
    yield "wider than there is", View(FLAT[:3], 0, (3,), (1,), "Double"), "size|cut off|damaged|begin"
    yield "hooks", Call(_BUILD, (FLAT, 0, (1,), (1,), False, Name("os", "system"))), r"os\.system"
    yield "parts that are no parts", Object(_LINEAR, {"_parameters": [1]}), "damaged"
    yield "a part without a name", Object(_LINEAR, {3: 4}), "no name"
    yield "an array as a part", Object(_LINEAR, {"_modules": {"a": FLAT}}), "damaged"
    yield "size of a list", Call(Name("torch", "Size"), ([1, 2],)), "no tuple"
    yield "device of a number", Call(Name("torch", "device"), (3,)), "device"
    yield "path of numbers", Call(Name("pathlib", "PosixPath"), (3, 4)), "damaged"
    yield "dict of a number", Call(Name("collections", "OrderedDict"), (3,)), "no list of pairs"
    yield "dict of broken pairs", Call(Name("collections", "OrderedDict"), ([[1, 2, 3]],)), "damaged"
    yield "set of lists", Call(Name("__builtin__", "set"), ([[1]],)), "is a key"


def identity_cases():
    """Persistent ids that no PyTorch wrote, as opcodes; for zip archives and old files."""

    def one(*parts):
        return b"(" + b"".join(parts) + b"tQ."

    word, kind, place, good = text("storage"), b"ctorch\nFloatStorage\n", text("cpu"), b"K\x0c"
    huge = b"\x8a\x08" + b"\xff" * 7 + b"\x7f"
    yield "no tuple", text("storage") + b"Q.", "persistent id"
    yield "another word", one(text("reduce"), kind, text("0"), place, good), "persistent id"
    yield "too short", one(word, kind), "persistent id"
    yield "type by a text", one(word, text("FloatStorage"), text("0"), place, good), "no known type"
    yield "type that is none", one(word, b"ctorch\nSize\n", text("0"), place, good), "no known type"
    yield "key by a number", one(word, kind, b"K\x00", place, good), "no known type"
    yield "view of a storage", one(word, kind, text("0"), place, good, b"K\x00"), "views of others"
    yield "negative count", one(word, kind, text("0"), place, b"J\xff\xff\xff\xff"), "impossible number"
    yield "huge count", one(word, kind, text("0"), place, huge), "size|list of storages"
    more = b"\x8a\x09" + bytes(8) + b"\x40"
    yield "2**70 elements", one(word, kind, text("0"), place, more), "impossible number"
    yield "path as a key", one(word, kind, text("../../etc/passwd"), place, good), "lacks|list of storages"
    yield (
        "two types of one key",
        b"("
        + one(word, kind, text("0"), place, good)[:-1]
        + (one(word, b"ctorch\nIntStorage\n", text("0"), place, good)[:-1])
        + b"t.",
        "same key",
    )
    yield "storage left bare", one(word, kind, text("0"), place, good), "as a value|list of storages"


# ---- damaged and hostile containers


def archive_cases():
    """Zip archives."""
    good = _zip({"w": FLAT})
    members = _members(good)
    tensor = members["archive/data.pkl"]

    def with_member(name, data):
        return zipped({**members, name: data})

    yield "no archive behind its start", b"PK\x03\x04" + bytes(100), "cut off or damaged"
    yield "empty archive", b"PK\x05\x06" + bytes(18), "no kind"
    yield "no data.pkl", zipped({"archive/version": b"3"}), "not one of PyTorch"
    yield "array of NumPy, cut off", zipped({"w.npy": b"\x93NUMPY"}), "is not whole: its header is cut off"
    yield "arrays of NumPy and a text", zipped({"w.npy": b"\x93NUMPY", "a.txt": b"x"}), "not one of PyTorch"
    yield "two roots", with_member("other/data.pkl", tensor), "not one of PyTorch"
    yield "path upwards", with_member("../../evil", b"x"), "leads elsewhere"
    yield "path upwards within", with_member("archive/../data.pkl", b"x"), "leads elsewhere"
    yield "absolute path", with_member("/etc/passwd", b"x"), "leads elsewhere"
    yield "path of Windows", with_member("archive\\data", b"x"), "leads elsewhere"
    yield "path with a drive", with_member("C:/data.pkl", b"x"), "leads elsewhere"
    yield "big-endian", with_member("archive/byteorder", b"big"), "big-endian"
    yield "long byteorder", with_member("archive/byteorder", b"little" * 9), "big-endian"
    yield "a storage is missing", zipped({k: v for k, v in members.items() if k != "archive/data/0"}), "lacks"
    yield "a storage is short", with_member("archive/data/0", bytes(44)), "another size"
    yield "a storage is long", with_member("archive/data/0", bytes(52)), "another size"
    yield "a storage is compressed", _one_compressed(members, "archive/data/0", bytes(48)), "compressed"
    yield "a bomb as data.pkl", _one_compressed(members, "archive/data.pkl", b"N" * 10_000_000), "compressed"
    yield "a bomb as a storage", _one_compressed(members, "archive/data/0", bytes(50_000_000)), "compressed"
    yield "two members of one name", _doubled(members, "archive/data/0"), "two members"
    yield "encrypted", _central(good, 8, "<H", 1), "encrypted|cut off"
    yield "longer than the file", _central(good, 20, "<II", 2**31, 2**31), "cut off|another size"
    yield "sizes that differ", _central(good, 20, "<II", 10, 1000), "compressed|cut off"
    yield "far offset", _central(good, 42, "<I", 2**31), "not where|cut off"
    yield "offset into a member", _central(good, 42, "<I", 40), "not where|cut off"
    most = 2**32 - 1
    yield (
        "a 64-bit directory that lies",
        _end(good, 12, "<II", most, most),
        "is refused: it is a zip archive of 4",
    )
    yield "a directory before the file", _end(good, 12, "<II", 100_000, 0), "cut off or damaged"


def _members(data) -> dict:
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {info.filename: source.read(info) for info in source.infolist()}


def _one_compressed(members, name, data) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as target:
        for member, content in {**members, name: data}.items():
            kind = zipfile.ZIP_DEFLATED if member == name else zipfile.ZIP_STORED
            target.writestr(member, content, compress_type=kind)
    return memory.getvalue()


def _doubled(members, name) -> bytes:
    """Two members of one name; zipfile itself would warn."""
    other = name[:-1] + "@"
    return zipped([*members.items(), (other, members[name])]).replace(other.encode(), name.encode())


def _central(data, offset, code, *values) -> bytes:
    """Edit a field of the first entry (data.pkl) in the central directory."""
    place = data.index(b"PK\x01\x02") + offset
    return data[:place] + struct.pack(code, *values) + data[place + struct.calcsize(code) :]


def _end(data, offset, code, *values) -> bytes:
    """Edit a field of the end of the central directory."""
    place = data.rindex(b"PK\x05\x06") + offset
    return data[:place] + struct.pack(code, *values) + data[place + struct.calcsize(code) :]


def legacy_cases():
    """Old PyTorch files, and those within pickles."""
    good = legacy_bytes({"w": FLAT})
    storage, count = pickle.dumps(["0"], 2), struct.pack("<q", 12)
    assert good.count(storage) == 1 and good.count(count + FLAT.tobytes()) == 1
    yield "another version", legacy(b"N.", version=1002), "does not begin"
    yield "big-endian", legacy(b"N.", machine={"little_endian": False}), "big-endian"
    yield "machine by a list", legacy(b"N.", machine=[1]), "big-endian"
    yield "keys by a dict", legacy(b"N.", keys={}), "list of storages"
    yield "keys by numbers", legacy(b"N.", keys=[1]), "list of storages"
    yield "keys of nothing", legacy(b"N.", keys=["7"]), "list of storages"
    yield "keys forgotten", good.replace(storage, pickle.dumps([], 2)), "list of storages"
    yield "a key twice", good.replace(storage, pickle.dumps(["0", "0"], 2)), "list of storages"
    yield "a count that differs", good.replace(count, struct.pack("<q", 11)), "another length"
    yield "a negative count", good.replace(count, struct.pack("<q", -1)), "another length"
    yield "a huge count", good.replace(count, struct.pack("<q", 2**62)), "another length"
    yield "cut off in its numbers", good[:-1], "cut off"
    yield "nested in itself", nested(b"ctorch.storage\n_load_from_bytes\nC\x00\x85R."), "_load_from_bytes"
    yield "nested text", plain(b"ctorch.storage\n_load_from_bytes\nX\x01\x00\x00\x00a\x85R."), "otherwise"
    yield "nested nothing", plain(b"ctorch.storage\n_load_from_bytes\nC\x00\x85R."), "cut off"
    yield "nested number", nested(b"K\x01."), "something else"
    module = b"(X\x06\x00\x00\x00modulecos\nsystem\nX\x01\x00\x00\x00xX\x01\x00\x00\x00ytQ)\x81."
    yield "a class with its source", legacy(module), r"os\.system"
    text = b"(X\x06\x00\x00\x00moduleX\x01\x00\x00\x00zX\x01\x00\x00\x00xX\x01\x00\x00\x00ytQ)\x81."
    yield "a class that is a text", legacy(text), "NEWOBJ"


def nvidia_cases():
    """NVIDIA's networks."""

    def described(**changes):
        known = {"type": "class", "version": 6, "module_src": "x", "class_name": "G", "state": {}}
        return pickled(Call(_PERSISTENT, ({**known, **changes},)))

    network = Name("dnnlib.tflib.network", "Network")
    yield "no class", described(type="function"), "otherwise"
    yield "type by a list", described(type=["class"]), "otherwise"
    yield "class by a number", described(class_name=3), "otherwise"
    yield "state by a list", described(state=[1]), "no attributes"
    yield "no state", described(state=None), "no attributes"
    yield "parameters by a list", described(state={"_parameters": [1]}), "damaged"
    yield "a text as a parameter", described(state={"_parameters": {"w": "x"}}), "damaged"
    yield "a dict as a part", described(state={"_modules": {"w": {}}}), "damaged"
    yield "no description", pickled(Call(_PERSISTENT, (3,))), "no dict"
    yield "system within", pickled(persistent("G", {"f": Name("os", "system")})), r"os\.system"
    yield "TensorFlow: variables by a text", pickled(Object(network, {"variables": "x"})), "damaged"
    yield "TensorFlow: variables that are no pairs", pickled(Object(network, {"variables": [1]})), "damaged"
    yield "TensorFlow: variables of texts", pickled(Object(network, {"variables": [("a", "b")]})), "damaged"
    yield "TensorFlow: parts by a list", pickled(Object(network, {"components": [1]})), "damaged"
    yield "TensorFlow: numbers as parts", pickled(Object(network, {"components": {"a": 1}})), "damaged"


def numpy_cases():
    """Arrays in pickles and in .npy files."""
    for name, array in (
        ("texts", np.array(["a"])),
        ("records", np.zeros(2, [("a", "f4"), ("b", object)])),
        ("dates", np.array(["2020-01-01"], "datetime64[D]")),
        ("complex", np.zeros(2, complex)),
    ):
        yield f"pickled {name}", pickle.dumps({"w": array}, 2), "only numbers"
        yield f".npy of {name}", _npy(array), "not numbers|damaged"
    yield "pickled objects", pickle.dumps({"w": np.array([{}], dtype=object)}, 2), "only numbers"
    yield ".npy of a table of objects", _npy(np.array([[{}, {}]], dtype=object)), "a table of objects"
    two = np.array([{}, {}], dtype=object)
    row = _npy(two).partition(b"\x80")[0] + pickle.dumps(two, 4)  # NumPy's own protocol differs by version
    yield ".npy of more objects than it has", row.replace(b"K\x02\x85", b"K\x03\x85"), "a table of objects"
    yield ".npy of an object that is no list", row.replace(b"]\x94(}\x94}\x94e", b"N"), "a table of objects"
    yield ".npy of objects, cut off", row[:-8], "damaged|cut off"
    good = _npy(FLAT)
    yield ".npy longer than its file", good.replace(b"(12,)", b"(13,)"), "cut off"
    yield ".npy of a negative side", good.replace(b"(12,)", b"(-2,)"), "damaged"
    huge = good.replace(b"(12,), }" + b" " * 17, b"(9223372036854775807,), }")
    yield ".npy of a huge side", huge, "impossible"
    yield ".npy of code", good.replace(b"(12,)", b"f(1,)"), "damaged"
    yield ".npy with a huge header", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{", "header"
    yield ".npy with no header", b"\x93NUMPY", "header"
    yield ".npy with nested parentheses", b"\x93NUMPY\x01\x00\xff\x0f" + b"(" * 4095, "damaged"
    yield ".npy of spaces", b"\x93NUMPY\x01\x00\xff\x0f{'descr':" + b" " * 4086, "damaged"
    yield ".npy of commas", b"\x93NUMPY\x01\x00\xff\x0f{'descr':" + b" ,'" * 1362, "damaged"
    yield "protocol 5 with a buffer outside", b"\x80\x05\x97.", "NEXT_BUFFER"


def _npy(array) -> bytes:
    memory = io.BytesIO()
    np.save(memory, array, allow_pickle=True)
    return memory.getvalue()


def safetensors_cases():
    """Headers of safetensors files that lie."""
    entry = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}

    def file(header):
        raw = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(raw)) + raw + bytes(12)

    def changed(**changes):
        return file({"w": {**entry, **changes}})

    yield "longer than its file", changed(shape=[4], data_offsets=[0, 16]), "cut off"
    yield "place and shape differ", changed(shape=[2]), "does not fit"
    yield "ends before it begins", changed(data_offsets=[12, 0]), "does not fit"
    yield "negative place", changed(data_offsets=[-12, 0]), "impossible"
    yield "negative sides", changed(shape=[-1, -3]), "impossible"
    yield "sides that overflow", changed(shape=[2**32, 2**32, 3]), "does not fit"
    yield "side of a float", changed(shape=[3.0]), "impossible"
    yield "side of True", changed(shape=[True, 3]), "impossible"
    yield "unknown type", changed(dtype="OBJECT"), "OBJECT"
    yield "type by a list", changed(dtype=["F32"]), "not a readable"
    yield "arrays that overlap", file({f"w{k}": entry for k in range(99)}), "overlap"
    twice = ",".join(['"w":' + json.dumps(entry)] * 2)
    yield "one name twice", file(b"{" + twice.encode() + b"}"), "twice"
    yield "metadata of numbers", file({"__metadata__": {"a": 3}, "w": entry}), "metadata"
    yield "metadata by a list", file({"__metadata__": [1], "w": entry}), "not a readable"
    yield "entry by a list", file({"w": [1]}), "not a readable"
    yield "header without an end", struct.pack("<Q", 2**31) + b"{", "cut off"
    yield "deep header", file(b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "not a readable"
    yield "number of a million digits", file(b'{"w":' + b"9" * 1_000_000 + b"}"), "impossible number"
    yield "not a number", file(b'{"w": NaN}'), "not a readable"
    yield "half a header", file(b'{"w": '), "not a readable"


# ---- bombs: small files that would unfold to much


def bomb_cases():
    """Files that reuse what they remember; each is refused, or read in bounded time and memory."""
    numbers = [b"M" + struct.pack("<H", k) for k in range(5000)]
    pairs = b"](" + b"".join(number + b"N\x86" for number in numbers) + b"eq\x00"
    call = b"ccollections\nOrderedDict\nh\x00\x85R"
    yield "one list, many dicts", plain(b"](" + pairs + call * 1500 + b"e.")
    items = b"](" + b"".join(numbers) + b"eq\x00"
    yield "one list, many sets", plain(b"](" + items + b"c__builtin__\nset\nh\x00\x85R" * 5000 + b"e.")
    words = text("a" * 20_000) + b"q\x00"
    yield "one text, many paths", plain(b"](" + words + b"cpathlib\nPath\nh\x00h\x00\x86R" * 5000 + b"e.")
    encode = b"c_codecs\nencode\nh\x00" + text("latin1") + b"\x86R"
    yield "one text, many arrays of bytes", plain(b"](" + words + encode * 5000 + b"e.")
    state = b"}(" + b"".join(text(str(k)) + b"N" for k in range(5000)) + b"uq\x00"
    new = b"ctorch.nn.modules.linear\nLinear\n)\x81h\x00b"
    yield "one state, many networks", plain(b"](" + state + new * 2000 + b"e.")
    yield "one state, many scripts", torchscript(b"](" + state + b"c__torch__\nM\n)\x81h\x00b" * 2000 + b"e.")
    laughs = (
        b"]("
        + text("lol")
        + b"eq\x00"
        + b"".join(
            b"](" + b"h" + bytes([k]) * 1 + (b"h" + bytes([k])) * 9 + b"eq" + bytes([k + 1])
            for k in range(60)
        )
    )
    yield "a billion laughs", plain(laughs + b".")
    raw = legacy_bytes(FLAT)
    bare = b"ctorch.storage\n_load_from_bytes\nh\x00\x85R0"
    known = b"B" + struct.pack("<I", len(raw)) + raw + b"q\x00"
    yield "one nested file, read many times", plain(known + bare * 20_000 + b".")
    yield "empty lists and nothing else", plain(b"(" + b"]" * 15_000 + b"t.")
    yield "empty dicts and nothing else", plain(b"(" + b"}" * 15_000 + b"t.")
    names = b"".join(b"q" + bytes([k % 256]) for k in range(50_000))
    yield "one list, many names", plain(b"]" + names + b".")
    yield "one storage, many wide tensors", _zip([View(FLAT, 0, (1000, 12), (0, 1)) for _ in range(500)])
    members = _members(_zip(FLAT))
    yield "an archive of 4,000 members", zipped({**members, **{f"archive/{k}": b"" for k in range(4_000)}})
    yield "a header of 100,000 names", struct.pack("<Q", 700_000) + b"{" + b'"a":{},' * 100_000
