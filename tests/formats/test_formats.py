# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Readers of Paddle's files: what paddle.save really writes comes back, and other kinds say what they are."""

import io
import pickle
import re
import zipfile
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from collections import OrderedDict
from pathlib import Path

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.formats import load_arrays, load_latent, load_weights, sniff

ROOT = Path(__file__).resolve().parents[2]
REAL_STATS = ROOT.parent / "shared" / "data" / "stylegan2-ffhq-config-f-styleclip-stats.pdparams"
RNG = np.random.RandomState(0)
ARRAY = RNG.randn(3, 4).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pdparams"


def same(ours, theirs):
    assert isinstance(ours, np.ndarray)
    theirs = np.asarray(theirs)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and (ours == theirs).all()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_state_dict(path, protocol):
    layer = paddle.nn.Sequential(paddle.nn.Linear(3, 4), paddle.nn.BatchNorm2D(4))
    state = layer.state_dict()
    paddle.save(state, str(path), protocol=protocol)
    ours = load_arrays(path)[0]
    assert list(ours) == list(state)  # the table of parameter names is gone
    for key, value in state.items():
        same(ours[key], value.numpy())


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_containers_tensors_and_plain_values(path, protocol):
    mean = [paddle.randn([n]) for n in (4, 2, 3)]
    saved = {
        "mean": mean,
        "std": [paddle.ones([2])],
        "opts": {"lr": 0.1, "name": "ö", "on": None},
        "pair": ("name", 3),
        "array": np.arange(6).reshape(2, 3),
    }
    paddle.save(saved, str(path), protocol=protocol)
    ours = load_arrays(path)[0]
    assert ours["opts"] == saved["opts"] and ours["pair"] == ("name", 3)
    same(ours["array"], saved["array"])
    for one, other in zip(ours["mean"], mean):
        same(one, other.numpy())


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "int32", "uint8", "bool"])
def test_one_tensor_of_each_type(path, protocol, dtype):
    tensor = paddle.to_tensor(np.array([[0, 1], [2, 3]])).astype(dtype)
    paddle.save(tensor, str(path), protocol=protocol)
    same(load_arrays(path)[0], tensor.numpy())


def test_a_list_of_tensors_saved_into_memory(path):
    styles, memory = [paddle.randn([1, n]) for n in (4, 2)], io.BytesIO()
    paddle.save(styles, memory)
    path.write_bytes(memory.getvalue())
    for ours, theirs in zip(load_arrays(path)[0], styles):
        same(ours, theirs.numpy())


def test_the_same_tensor_twice(path):
    tensor = paddle.randn([5])
    paddle.save([tensor, tensor, [tensor]], str(path))
    ours = load_arrays(path)[0]
    same(ours[1], tensor.numpy())
    same(ours[2][0], tensor.numpy())


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3), np.float32),
        np.array(3.5),
        np.asfortranarray(ARRAY),
        ARRAY.astype(">f4"),
        np.arange(4, dtype=">i8"),
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_every_layout(path, array, protocol):
    path.write_bytes(pickle.dumps({"a": array, "b": [array, np.float32(2.5)]}, protocol=protocol))
    ours = load_arrays(path)[0]
    assert (ours["a"] == array).all() and ours["a"].shape == array.shape and ours["b"][1] == np.float32(2.5)
    assert ours["a"].dtype == array.dtype.newbyteorder("<")


def test_names_of_the_other_numpy(path):
    modern = b"numpy._core.multiarray" in pickle.dumps(ARRAY, 2)
    old, new = (b"cnumpy._core.", b"cnumpy.core.") if modern else (b"cnumpy.core.", b"cnumpy._core.")
    data = pickle.dumps({"a": ARRAY}, 2)
    assert old in data
    path.write_bytes(data.replace(old, new))
    same(load_arrays(path)[0]["a"], ARRAY)


def test_written_by_python_2(path):
    # Protocol 2 with byte strings, as Python 2 writes an array's bytes; hand-assembled.
    raw = np.array([1.5, -2.25, 200.0], "<f4").tobytes()
    path.write_bytes(
        b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U" + bytes([len(raw)]) + raw + b"tbs."
    )
    same(load_arrays(path)[0]["a"], np.array([1.5, -2.25, 200.0], np.float32))


def test_sliced_parameters_are_joined(path):
    # As paddle.save of protocol 2 and 3 cuts arrays over 4 GB; here cut by hand.
    flat, info = ARRAY.reshape(-1), {"OriginShape": (3, 4), "slices": ["w@@.0", "w@@.1"]}
    path.write_bytes(
        pickle.dumps(
            {
                "w@@.0": flat[:7],
                "w@@.1": flat[7:],
                "b": ARRAY,
                "UnpackBigParamInfor@@": {"w": info},
                "StructuredToParameterName@@": {"w": "p0", "b": "p1"},
            },
            2,
        )
    )
    ours = load_arrays(path)[0]
    assert set(ours) == {"w", "b"}
    same(ours["w"], ARRAY)


def test_static_graph_tensors_are_taken_apart_not_evaluated(path):
    class Static:
        def __reduce__(self):
            return eval, ("data", {"data": ARRAY})

    for protocol in (2, 4):
        path.write_bytes(pickle.dumps([Static()], protocol))
        same(load_arrays(path)[0][0], ARRAY)


def test_ordered_dicts_come_back_as_dicts(path):
    path.write_bytes(pickle.dumps({"state": OrderedDict(a=ARRAY, b=ARRAY)}, 4))
    assert list(load_arrays(path)[0]["state"]) == ["a", "b"]


@pytest.mark.skipif(not REAL_STATS.exists(), reason="PaddleGAN's own statistics file is not at hand")
def test_the_statistics_file_that_paddlegan_published():
    """Least, mean and largest of each of 26 layers against the listing beside the file."""
    listing = (REAL_STATS.parents[1] / "facts" / "formats.md").read_text(encoding="utf-8")
    three = r" (-?[0-9.]+) / (-?[0-9.]+) / (-?[0-9.]+) \|"
    rows = re.findall(r"^\| (\d+)(?: rgb)? \| (\d+) \|" + three + three, listing, re.MULTILINE)
    stats = load_arrays(REAL_STATS)[0]
    assert set(stats) == {"mean", "std"} and [int(row[0]) for row in rows] == list(range(26))
    for k, width, *values in rows:
        layers = [stats[word][int(k)] for word in ("mean", "std")]
        assert all(layer.shape == (int(width),) and layer.dtype == np.float32 for layer in layers)
        found = [f(layer) for layer in layers for f in (np.min, np.mean, np.max)]
        np.testing.assert_allclose(found, [float(value) for value in values], atol=5.1e-5)


# ---- kinds of files


def test_sniff(tmp_path):
    def write(name, data):
        (tmp_path / name).write_bytes(data)
        return sniff(tmp_path / name)

    memory = io.BytesIO()
    np.save(memory, ARRAY)
    assert write("a.pdparams", memory.getvalue()) == "npy"
    assert write("b", pickle.dumps({}, 4)) == "pickle"
    with zipfile.ZipFile(tmp_path / "c", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    assert sniff(tmp_path / "c") == "zip"
    assert write("d", bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")) == "torch-legacy"
    write_safetensors(tmp_path / "e", {"a": ARRAY})
    assert sniff(tmp_path / "e") == "safetensors"
    assert write("f", b"\n<!DOCTYPE html>") == "html"
    assert write("g", b"\0" * 257 + b"ustar") == "tar"
    assert write("h", b"") == write("i", b"hello, this is text") == "unknown"
    with pytest.raises(MissingFile):
        sniff(tmp_path / "absent")


def test_other_kinds_say_what_they_are(tmp_path, path):
    path.write_bytes(b"PK\x03\x04 and more")
    for read in (load_arrays, load_weights, load_latent):
        with pytest.raises(UserError, match="weights.pdparams begins as a zip.*PyTorch"):
            read(path)
    with pytest.raises(FileNotFoundError):
        load_arrays(tmp_path / "absent")


def test_load_weights_wants_named_arrays(tmp_path, path):
    paddle.save({"a": paddle.ones([2])}, str(path))
    weights, metadata = load_weights(path)
    assert list(weights) == ["a"] and metadata == {}
    write_safetensors(tmp_path / "s", {"a": ARRAY}, {"k": "v"})
    assert load_weights(tmp_path / "s")[1] == {"k": "v"}
    paddle.save([paddle.ones([2])], str(path))
    with pytest.raises(UserError, match="no named weights"):
        load_weights(path)
    paddle.save({"a": paddle.ones([2]), "opts": {"x": 1}}, str(path))
    with pytest.raises(UserError, match="'opts' is dict"):
        load_weights(path)


def test_a_safetensors_header_may_begin_like_a_pickle(tmp_path):
    for length in (0x0280, 0x0380, 0x0480, 0x0580):
        text = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
        header = text + b" " * (length - len(text) - 1) + b"}"
        path = tmp_path / "a.safetensors"
        path.write_bytes(length.to_bytes(8, "little") + header + bytes(4))
        assert sniff(path) == "safetensors"
        assert read_safetensors(path)[0]["a"].tolist() == [0.0]
