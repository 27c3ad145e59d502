# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile, damaged and cut-off pickles: each ends in one clear line; no code is run, nothing blows up."""

import os
import pickle
import pickletools
import struct
import time
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_arrays, pickle_values
from ppstyleclip.formats.pickle_values import MAX_DEPTH, Budget, RefusedPickle
from ppstyleclip.formats.pickled_arrays import numpy_names
from ppstyleclip.formats.pickles import Reader, read_pickle

ARRAY = np.random.RandomState(0).randn(3, 4).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pdparams"


def refused(path, match):
    with pytest.raises(UserError, match=match) as error:
        load_arrays(path)
    message = str(error.value)
    assert "\n" not in message and path.name in message and len(message) < 500
    return message


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call

    def __str__(self):  # a test's name, the same in every process
        return f"call of {self.call[0].__name__}"


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_code_is_not_run_but_named(path, protocol, tmp_path):
    path.write_bytes(b"\x80\x02" + pickle.dumps([1, Calls(os.system, f"touch {tmp_path}/hacked")], protocol))
    assert "system" in refused(path, r"(posix|nt)\.system.*nothing was run")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    "value, words",
    [
        (Calls(eval, "data", {"data": ARRAY, "__builtins__": {}}), "eval"),
        (Calls(eval, "open('x')", {"data": ARRAY}), "eval"),
        (Calls(eval, "1"), "damaged"),
        (Calls(exec, "import os"), r"exec"),
        (Calls(getattr, ARRAY, "tofile"), r"getattr"),
        (Calls(tuple, [1, 2]), r"builtins\.tuple"),
        (Calls(print, "x"), r"print"),
        (np.array([{}], dtype=object), "numbers|NumPy"),
        (np.array(["text"]), "only numbers"),
        (np.zeros(2, [("a", "f4")]), "only numbers"),
        (np.datetime64("2020-01-01"), "only numbers"),
        (np.ndarray, "numpy.ndarray as a value"),
        (tuple, "builtins.tuple as a value"),
        ({(1, 2): 3}, "a tuple is a key"),
        ({2**70: 3}, "is a key"),
        ({1.5: 2}, "is a key"),
        (1 + 2j, "complex"),
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_weights_have_no_need_of(path, value, words, protocol):
    path.write_bytes(pickle.dumps({"w": value, "b": ARRAY}, protocol))
    refused(path, words)


def hostile():
    """Hand-made opcode sequences, with a word that the message must hold."""
    array = pickle.dumps(ARRAY, 4)
    head = b"\x80\x04"
    yield "eval under a stacked name", head + b"\x8c\x08builtins\x8c\x04exec\x93.", r"builtins\.exec"
    yield "old name of eval", b"\x80\x02c__builtin__\nexec\n.", r"__builtin__\.exec"
    yield "dotted name", head + b"\x8c\x05numpy\x8c\x0dndarray.dumps\x93.", r"ndarray\.dumps"
    yield "name that is no text", head + b"K\x01K\x02\x93.", "damaged|asks for"
    yield "state of a list", head + b"]}b.", "state"
    yield "state of an array twice", array[:-1] + b"}b.", "state"
    yield "call of a text", head + b"\x8c\x01x)R.", "not a name"
    yield "call with a list", head + b"cnumpy\ndtype\n]R.", "not a name"
    yield "new object", head + b"cnumpy\ndtype\n)\x81.", "NEWOBJ"
    yield "persistent id", head + b"K\x01Q.", "BINPERSID"
    yield "extension", head + b"\x82\x01.", "EXT1"
    yield "out-of-band buffer", b"\x80\x05\x97.", "NEXT_BUFFER"
    yield "instance", b"\x80\x02(ios\nsystem\n.", "INST"
    yield "itself in a list", head + b"]\x94h\x00a.", "holds itself"
    yield "deep nesting", head + b"]" * (MAX_DEPTH + 2) + b"a" * (MAX_DEPTH + 1) + b".", "deep"
    yield "empty stack", head + b".", "damaged"
    yield "append to nothing", head + b"K\x01a.", "damaged"
    yield "append to a text", head + b"\x8c\x01xK\x01a.", "no list"
    yield "items of a list", head + b"]K\x01K\x02s.", "no dict"
    yield "half an item", head + b"}(K\x01u.", "no dict"
    yield "mark without a start", head + b"t.", "damaged"
    yield "past a mark", head + b"](0a.", "damaged"
    yield "unknown memo", head + b"h\x07.", "damaged"
    yield "unknown opcode", head + b"\xff.", "damaged"
    yield "8 GB of bytes claimed", head + b"\x8e" + struct.pack("<Q", 2**33) + b"abc.", "damaged"
    yield "2**63 bytes claimed", head + b"\x8e" + struct.pack("<Q", 2**63) + b"abc.", "damaged"
    yield "memo at 2**32", head + b"K\x01r\xff\xff\xff\xff0K\x02j\xff\xff\xff\xff", "cut off"
    yield "escape in a name", b"\x80\x02cos\nsys\\>tem\n.", "backslash"
    yield "number without an end", b"\x80\x02I" + b"9" * 100_000 + b"\n.", "line"
    scalar, unbuilt = b"cnumpy.core.multiarray\nscalar\n", b"cnumpy.core.multiarray\n_reconstruct\n"
    yield "array without a type", head + scalar + b"cnumpy\ndtype\n\x8c\x02f4\x85RC\x04abcd\x86R.", "no type"
    yield "unfinished array", head + unbuilt + b"cnumpy\nndarray\nK\x00\x85C\x01b\x87R.", "unfinished"


@pytest.mark.parametrize("data, words", [case[1:] for case in hostile()], ids=[case[0] for case in hostile()])
def test_hand_made_attacks(path, data, words):
    path.write_bytes(data)
    refused(path, words)


def edited(array, old, new):
    """The pickle of an array with some of its bytes replaced."""
    data = pickle.dumps(array, 2)
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.mark.parametrize(
    "old, new, words",
    [
        (b"K\x07K\x09", b"K\x07K\x0a", "shape"),
        (b"K\x07K\x09", b"J\xff\xff\xff\xffK\x09", "impossible"),
        (b"K\x07K\x09", b"\x8a\x09" + b"\xff" * 8 + b"\x00K\x09", "impossible"),
        (b"latin1", b"utf-16", "latin1"),
        (b"cnumpy\nndarray", b"cnumpy\ndtype", "foreign class"),
    ],
)
def test_arrays_that_lie(path, old, new, words):
    path.write_bytes(edited(np.zeros((7, 9), np.int8), old, new))
    refused(path, words)


def test_one_text_cannot_be_unpacked_over_and_over(path):
    text = b"X" + struct.pack("<I", 100_000) + b"a" * 100_000
    call = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
    path.write_bytes(b"\x80\x02](" + text + b"q\x00" + call * 1000 + b"e.")
    refused(path, "more bytes than the file")


def test_shared_lists_do_not_grow_exponentially(path):
    # 60 levels of [x, x]: 2**60 leaves if they were copied one by one.
    data, levels = b"\x80\x02](K\x01e", 60
    for k in range(levels):
        data += b"q" + bytes([k]) + b"](h" + bytes([k]) + b"h" + bytes([k]) + b"e"
    path.write_bytes(data + b".")
    began = time.perf_counter()
    value = load_arrays(path)[0]
    assert time.perf_counter() - began < 5 and value[0] is value[1]


def test_too_many_steps(path, monkeypatch):
    monkeypatch.setattr(pickle_values, "MAX_STEPS", 1000)
    path.write_bytes(b"\x80\x02" + b"]0" * 600 + b"N.")
    refused(path, "steps")


@pytest.mark.parametrize("protocol", [2, 4])
def test_cut_off_anywhere(path, protocol):
    paddle.save({"a": paddle.randn([3, 4]), "b": [paddle.ones([2])]}, str(path), protocol=protocol)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        refused(path, "whole|kind")


def test_any_damaged_byte_ends_in_a_value_or_one_line(path):
    data = bytearray(pickle.dumps({"a": ARRAY, "b": [1.5, "x", None, (2, True)]}, 4))
    rng = np.random.RandomState(1)
    for _ in range(3000):
        damaged = bytearray(data)
        for position in rng.randint(2, len(data), rng.randint(1, 4)):
            damaged[position] = rng.randint(256)
        try:
            budget = Budget(len(damaged))
            read_pickle(Reader(bytes(damaged)), numpy_names(budget), budget)
        except ValueError as error:
            assert "\n" not in str(error)


def test_every_opcode_is_known_or_refused_by_name():
    for opcode in pickletools.opcodes:
        with pytest.raises(ValueError):
            read_pickle(Reader(b"\x80\x02" + opcode.code.encode("latin1")), {}, Budget(0))


def test_refusal_is_a_value_error():
    assert issubclass(RefusedPickle, ValueError)
    with pytest.raises(RefusedPickle, match="os.system"):
        read_pickle(Reader(b"\x80\x02cos\nsystem\n."), {}, Budget(0))


@pytest.mark.parametrize(
    "info",
    [
        {"OriginShape": (3, 5), "slices": ["w@@.0", "w@@.1"]},
        {"slices": []},
        3,
        {"OriginShape": (3, 4), "slices": ["w@@.0", "w@@.9"]},
        {"OriginShape": (2**70, 4), "slices": ["w@@.0"]},
        {"OriginShape": (3, 4), "slices": ["w@@.0", "w@@.0"]},
    ],
)
def test_damaged_slices(path, info):
    flat = ARRAY.reshape(-1)
    slices = {"w@@.0": flat[:7], "w@@.1": flat[7:]}
    path.write_bytes(pickle.dumps({**slices, "UnpackBigParamInfor@@": {"w": info}}, 2))
    refused(path, "slice")
