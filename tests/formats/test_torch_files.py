# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PyTorch's and NVIDIA's files, as torch_files and nvidia_files write them, and genuine ones of PyTorch."""

import json
import pickle
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import numpy as np
import pytest
from nvidia_files import CANARY, easy_dict, nested, save_nvidia, save_nvidia_tensorflow
from torch_files import (
    Call,
    Layer,
    Name,
    Object,
    View,
    bfloat16,
    channels_last,
    ordered_dict,
    parameter,
    save_torch_legacy,
    save_torch_zip,
    save_torchscript,
    whole,
)

from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors
from ppstyleclip.formats import SavedModule, load_arrays, load_latent, load_weights, sniff

ORACLES = Path(__file__).parents[1] / "oracles"
RNG = np.random.RandomState(0)
KERNEL = RNG.randn(2, 3, 2, 4).astype(np.float32)
WRITERS = {
    "zip": save_torch_zip,
    "legacy": save_torch_legacy,
    "python 2": lambda path, value: save_torch_legacy(path, value, python2=True),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.xyz"  # told by its content


@pytest.fixture(params=WRITERS)
def save(request):
    return WRITERS[request.param]


def same(ours, theirs):
    assert isinstance(ours, np.ndarray)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and (ours == theirs).all()


def test_a_state_dict_with_options(path, save):
    state = ordered_dict(
        {"conv.weight": KERNEL, "conv.bias": parameter(KERNEL[0, 0, 0])}, metadata={"": {"version": 1}}
    )
    opts = {"lr": 0.1, "steps": [1, 2], "on": None}
    save(path, {"state_dict": state, "latent_avg": np.float64(2), "opts": opts})
    ours, metadata = load_arrays(path)
    assert list(ours) == ["state_dict", "latent_avg", "opts"] and metadata == {}
    assert type(ours["state_dict"]) is dict and list(ours["state_dict"]) == ["conv.weight", "conv.bias"]
    same(ours["state_dict"]["conv.weight"], KERNEL)
    same(ours["state_dict"]["conv.bias"], KERNEL[0, 0, 0])
    assert ours["opts"] == opts and ours["latent_avg"] == 2


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1", "?"])
def test_every_type(path, save, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    save(path, [array, array[:0], array[1, 2:].reshape(())])
    ours = load_arrays(path)[0]
    for one, other in zip(ours, (array, array[:0], array[1, 2:].reshape(()))):
        same(one, other)


def test_bfloat16_becomes_float32(path, save):
    exact = np.array([[1.5, -2.25], [0.0, 256.0]], np.float32)
    save(path, {"w": bfloat16(exact), "again": bfloat16(exact)})
    same(load_arrays(path)[0]["w"], exact)
    save(path, bfloat16(np.array([np.pi, np.inf], np.float32)))
    same(load_arrays(path)[0], np.array([3.140625, np.inf], np.float32))


def test_strides_are_honoured(path, save):
    flat = np.arange(24, dtype=np.float32)
    views = {
        "all": View(flat, 0, (24,), (1,)),
        "from 5": View(flat, 5, (2, 3), (6, 2)),
        "columns": View(flat, 0, (4, 6), (1, 4)),
        "same number": View(flat, 3, (2, 2), (0, 0)),
        "scalar": View(flat, 23, (), ()),
    }
    save(path, {**views, "kernel": channels_last(KERNEL)})
    ours = load_arrays(path)[0]
    same(ours["from 5"], np.array([[5, 7, 9], [11, 13, 15]], np.float32))
    same(ours["columns"], flat.reshape(6, 4).T)
    same(ours["same number"], np.full((2, 2), 3, np.float32))
    same(ours["scalar"], np.array(23, np.float32))
    same(ours["kernel"], KERNEL)
    assert np.shares_memory(ours["all"], ours["columns"]), "views of one storage share it"


def test_a_storage_of_which_little_is_used(path, save):
    save(path, View(np.arange(1000, dtype=np.float32), 990, (2, 5), (5, 1)))
    same(load_arrays(path)[0], np.arange(990, 1000, dtype=np.float32).reshape(2, 5))


def test_objects_beside_the_weights(path):
    device = Call(Name("torch", "device"), ("cuda", 0))
    namespace = Object(Name("argparse", "Namespace"), {"size": 256, "device": device})
    save_torch_zip(
        path,
        {
            "args": namespace,
            "easy": easy_dict({"a": 1}),
            "cpu": Call(Name("torch", "device"), ("cpu",)),
            "size": Call(Name("torch", "Size"), ((2, 3),)),
            "type": Name("torch", "float16"),
            "dir": Call(Name("pathlib", "PosixPath"), ("/", "a", "b")),
            "here": Call(Name("pathlib", "Path")),
            "file": Call(Name("pathlib._local", "PurePosixPath"), ("a", "b.pt")),
            "disk": Call(Name("pathlib", "WindowsPath"), ("C:\\", "a", "b")),
            "set": Call(Name("__builtin__", "set"), ([1, "x"],)),
        },
    )
    assert load_arrays(path)[0] == {
        "args": {"size": 256, "device": "cuda:0"},
        "easy": {"a": 1},
        "cpu": "cpu",
        "size": (2, 3),
        "type": "torch.float16",
        "dir": "/a/b",
        "here": ".",
        "file": "a/b.pt",
        "disk": "C:\\a\\b",
        "set": {1, "x"},
    }


def test_newer_protocols_and_roots(path):
    for protocol in (2, 3, 4, 5):
        save_torch_zip(path, {"a": KERNEL}, root=f"name {protocol}", protocol=protocol)
        same(load_weights(path)[0]["a"], KERNEL)
        save_torch_legacy(path, {"a": KERNEL}, protocol=protocol)
        assert sniff(path) == "torch-legacy"
        same(load_weights(path)[0]["a"], KERNEL)


def test_unaligned_numbers_come_aligned(path):
    save_torch_legacy(path, [np.ones(3, np.uint8), KERNEL])
    assert load_arrays(path)[0][1].flags.aligned


# ---- whole networks


def mapper():
    """A whole mapper, as a StyleCLIP for StyleGAN3 pickles it."""
    rng = np.random.RandomState(1)
    layers = {
        str(k): Layer("src.mapper.layer.MapperLayer", {"weight": rng.randn(4, 4), "bias": rng.randn(4)})
        for k in (1, 2)
    }
    sequence = Layer(
        "torch.nn.modules.container.Sequential",
        children={"0": Layer("src.mapper.layers_group.PixelNorm"), **layers},
    )
    group = Layer("src.mapper.layers_group.LayersGroup", children={"mapper": sequence})
    return Layer(
        "src.mapper.mapper.LatentMapper",
        buffers={"scale": np.array(0.1), "none": None},
        children={"coarse_mapper": group},
        attributes={"levels": [5, 3, 8]},
    )


def test_a_network_pickled_whole(path, save):
    save(path, whole(mapper()))
    ours = load_arrays(path)[0]
    assert isinstance(ours, SavedModule) and ours.class_name == "src.mapper.mapper.LatentMapper"
    names = [f"coarse_mapper.mapper.{k}.{word}" for k in (1, 2) for word in ("weight", "bias")]
    assert list(ours.state()) == ["scale", *names]
    assert ours.attributes == {"training": False, "levels": [5, 3, 8]}
    layer = mapper().children["coarse_mapper"].children["mapper"].children["2"]
    same(ours.state()["coarse_mapper.mapper.2.weight"], layer.parameters["weight"])
    with pytest.raises(UserError, match="no named weights"):
        load_weights(path)


def test_a_network_of_an_unknown_class_is_named(path):
    save_torch_zip(path, whole(Layer("my.own.Network", {"w": KERNEL})))
    with pytest.raises(UserError, match=r"my\.own\.Network"):
        load_arrays(path)


def test_torchscript(path):
    module = {
        "conv1": {"weight": KERNEL.astype(np.float16)},
        "blocks": {"0": {"bias": KERNEL[0]}},
        "input_resolution": np.array(224),
        "heads": 8,
    }
    save_torchscript(path, module)
    ours = load_arrays(path)[0]
    assert ours.class_name.startswith("__torch__.models.___torch_mangle_")
    assert ours.children["conv1"].class_name.endswith(".conv1")
    assert ours.attributes == {"training": True, "heads": 8}
    state = ours.state()
    assert set(state) == {"conv1.weight", "blocks.0.bias", "input_resolution"}
    same(state["conv1.weight"], module["conv1"]["weight"])


def test_names_below_torch_are_only_for_torchscript(path):
    save_torch_zip(path, Object(Name("__torch__", "Model"), {"w": KERNEL}))
    with pytest.raises(UserError, match=r"__torch__\.Model"):
        load_arrays(path)


# ---- NVIDIA

STATE = {
    "mapping.fc0.weight": RNG.randn(4, 4).astype(np.float32),
    "mapping.w_avg": np.ones(4, np.float32),
    "synthesis.b4.conv1.weight": channels_last(KERNEL),
    "synthesis.b4.conv1.noise_const": KERNEL[0, 0],
    "synthesis.b4.conv1.noise_strength": np.array(0.5, np.float32),
    "synthesis.L0_36_512.magnitude_ema": np.array(2, np.float32),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nvidia_networks(path, protocol):
    kwargs = {"": {"z_dim": 4, "synthesis_kwargs": {"conv_clamp": 256}}}
    save_nvidia(
        path,
        {"G": {"other": {"w": KERNEL}}, "G_ema": nested(STATE)},
        protocol=protocol,
        init_kwargs=kwargs,
        training_set_kwargs=easy_dict({"resolution": 8}),
    )
    ours = load_arrays(path)[0]
    assert set(ours) == {"G", "G_ema", "training_set_kwargs"}
    assert ours["training_set_kwargs"] == {"resolution": 8}
    network, state = ours["G_ema"], ours["G_ema"].state()
    assert network.class_name == "Generator" and network.attributes["init_kwargs"] == kwargs[""]
    assert network.children["synthesis"].children["b4"].class_name == "SynthesisBlock"
    assert list(network.children["mapping"].buffers) == ["w_avg"]
    assert ours["G"].children["other"].class_name == "OtherLayer", "unknown classes are held as well"
    assert set(state) == set(STATE)
    for name, array in STATE.items():
        same(state[name], array)
    assert CANARY in path.read_bytes().decode("latin1")


def test_nvidia_tensorflow_networks(path):
    parts = {"synthesis": {"4x4/Const/const": KERNEL, "noise0": np.float32(1)}}
    save_nvidia_tensorflow(path, {"lod": np.float32(0), "dlatent_avg": KERNEL[0, 0, 0]}, parts)
    ours = load_arrays(path)[0]
    assert len(ours) == 3 and all(isinstance(network, SavedModule) for network in ours)
    assert set(ours[2].parameters) == {"lod", "dlatent_avg"} and ours[2].attributes["name"] == "Gs"
    same(ours[2].children["synthesis"].parameters["4x4/Const/const"], KERNEL)
    assert "build_module_src" not in ours[2].attributes


def test_a_state_without_end_is_refused():
    module = SavedModule("M", {"w": KERNEL}, {}, {}, {})
    for _ in range(60):
        module = SavedModule("M", {}, {}, {"a": module, "b": module}, {})
    with pytest.raises(UserError, match="no end"):
        module.state()


def test_two_arrays_of_one_name_are_refused():
    inner = SavedModule("M", {"b": KERNEL}, {}, {}, {})
    with pytest.raises(UserError, match="a.b"):
        SavedModule("M", {"a.b": KERNEL}, {}, {"a": inner}, {}).state()


# ---- other kinds


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_official_statistics_and_styles(path, protocol):
    mean, names = [RNG.randn(n).astype(np.float32) for n in (4, 2)], ["G_synthesis_1/4x4/Conv/mod", "b"]
    path.write_bytes(pickle.dumps([mean, mean], protocol))
    same(load_arrays(path)[0][1][1], mean[1])
    path.write_bytes(pickle.dumps([names, mean], protocol))
    ours = load_arrays(path)[0]
    assert ours[0] == names
    same(ours[1][0], mean[0])


def write_safetensors_by_hand(path, header: dict, data: bytes):
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_bfloat16_in_safetensors(path):
    values = np.array([1.5, -2.25], np.float32)
    data = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    write_safetensors_by_hand(path, {"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, data)
    same(read_safetensors(path)[0]["w"], values)


LATENTS = RNG.randn(5, 6, 8).astype(np.float32)


@pytest.mark.parametrize(
    "value, index",
    [
        (LATENTS, 3),
        (LATENTS[3], 0),
        (list(LATENTS), 3),
        ([item[None] for item in LATENTS], 3),
        ({"latents": LATENTS, "n": 5}, 3),
        (bfloat16(LATENTS), 3),
        (View(LATENTS.reshape(-1), 144, (6, 8), (8, 1)), 0),
    ],
)
def test_latents_from_pytorch(path, save, value, index):
    save(path, value)
    w_plus = load_latent(path, index=index)
    assert w_plus.shape == (1, 6, 8) and w_plus.dtype == np.float32
    np.testing.assert_allclose(w_plus[0], LATENTS[3], rtol=1e-2)


@pytest.mark.parametrize(
    "value",
    [
        [LATENTS[0], LATENTS[1, :3]],
        [LATENTS[0], 3],
        [],
        [LATENTS[0, :1], LATENTS[1, :1]],
        [LATENTS[:, :, None, :, None]],
        [LATENTS[0, :, :0]],
        [LATENTS.astype(np.int64)],
    ],
)
def test_lists_that_are_no_latents(path, value):
    save_torch_zip(path, value)
    with pytest.raises(UserError, match="list of"):
        load_latent(path)


# ---- genuine files


@pytest.mark.parametrize("kind", ["zip", "legacy", "torchscript"])
def test_genuine_files_of_pytorch(kind):
    # Written by PyTorch 2.13, make_torch_files.py; the .npz holds what PyTorch itself reads from them.
    ours = load_arrays(ORACLES / f"torch_{kind}.pt")[0]
    ours = ours.state() if isinstance(ours, SavedModule) else ours["state_dict"]
    with np.load(ORACLES / "torch_files.npz", allow_pickle=False) as known:
        names = [name.split("/", 1)[1] for name in known if name.startswith(f"{kind}/")]
        assert set(ours) == set(names) and len(names) >= 5
        for name in names:
            same(ours[name], known[f"{kind}/{name}"])
