# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents from files: one or a bank, whole or refused in one line."""

import pickle
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import numpy as np
import paddle
import pytest
from torch_files import save_torch_zip

from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.formats import load_bank, load_directions, load_latent

# StyleCLIP's own 68 latents, where they lie beside the checkout
REAL_LATENTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "ffhq-w_plus.npy"
ARRAY = np.ones((3, 4), np.float32)
LATENTS = np.random.RandomState(0).randn(5, 6, 8).astype(np.float32)


@pytest.mark.parametrize(
    "array, index",
    [
        (LATENTS[0], 0),
        (LATENTS[:1], 0),
        (LATENTS, 0),
        (LATENTS, 4),
        (LATENTS.astype(np.float64), 2),
        (LATENTS.astype(">f4"), 1),
    ],
)
def test_latent_from_npy(tmp_path, array, index):
    np.save(tmp_path / "w.npy", array)
    w_plus = load_latent(tmp_path / "w.npy", index=index)
    assert w_plus.shape == (1, 6, 8) and w_plus.dtype == np.float32 and w_plus.flags.writeable
    assert (w_plus[0] == LATENTS[index]).all()


def test_latent_from_safetensors_and_paddle(tmp_path):
    path = tmp_path / "w.pdparams"
    write_safetensors(tmp_path / "bank", {"w_plus": LATENTS, "other": ARRAY})
    write_safetensors(tmp_path / "only", {"x": LATENTS[3]})
    paddle.save(paddle.to_tensor(LATENTS), str(path))
    assert (load_latent(tmp_path / "bank", index=3) == load_latent(tmp_path / "only")).all()
    assert (load_latent(path, index=3) == load_latent(tmp_path / "only")).all()


@pytest.mark.parametrize(
    "array, words",
    [
        (np.zeros(0, np.float32), r"shape \[0\]"),
        (np.float32(3), r"shape \[\]"),
        (np.zeros((2, 2, 2, 2), np.float32), "shape"),
        (np.zeros((2, 1, 2, 2, 2), np.float32), "shape"),
        (np.zeros((6, 8), np.int32), "int32"),
        (np.zeros((0, 6, 8), np.float32), "shape"),
        (np.full((6, 8), np.nan, np.float32), "not finite"),
        (np.full((6, 8), 1e300), "not finite"),
        (np.array([["text"]]), "<U4"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_what_is_no_latent(tmp_path, array, words):
    np.save(tmp_path / "w.npy", array)
    with pytest.raises(UserError, match=words) as error:
        load_latent(tmp_path / "w.npy")
    assert "w.npy" in str(error.value) and "\n" not in str(error.value)


def test_latents_that_are_not_there(tmp_path):
    np.save(tmp_path / "w.npy", LATENTS)
    for index in (-1, 5):
        with pytest.raises(UserError, match=f"no latent {index}: it holds 5"):
            load_latent(tmp_path / "w.npy", index=index)
    with pytest.raises(FileNotFoundError):
        load_latent(tmp_path / "absent.npy")
    write_safetensors(tmp_path / "two", {"a": ARRAY, "b": ARRAY})
    with pytest.raises(UserError, match="w_plus"):
        load_latent(tmp_path / "two")


def test_files_that_are_no_latent(tmp_path):
    path = tmp_path / "dst.editing.pd"
    (tmp_path / "text.npy").write_text("not an array, just words")
    with pytest.raises(UserError, match="no kind that is known"):
        load_latent(tmp_path / "text.npy")
    paddle.save([paddle.ones([1, 4]), paddle.ones([1, 2])], str(path))
    with pytest.raises(UserError, match="list of 2 .styles"):
        load_latent(path)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="a list of 1"):
        load_latent(tmp_path / "objects.npy")


def test_npy_cut_off_or_lying_about_its_size(tmp_path):
    np.save(tmp_path / "whole.npy", LATENTS)
    data = (tmp_path / "whole.npy").read_bytes()
    for length in range(0, len(data), 37):
        (tmp_path / "cut.npy").write_bytes(data[:length])
        with pytest.raises(UserError) as error:
            load_latent(tmp_path / "cut.npy")
        assert "\n" not in str(error.value)
    (tmp_path / "cut.npy").write_bytes(data.replace(b"(5, 6, 8)", b"(99, 6,8)"))
    with pytest.raises(UserError):
        load_latent(tmp_path / "cut.npy")


@pytest.mark.skipif(not REAL_LATENTS.exists(), reason="StyleCLIP's own latents are not beside the checkout")
def test_the_latents_that_styleclip_published():
    w_plus = load_latent(REAL_LATENTS, index=67)
    assert w_plus.shape == (1, 18, 512)
    with pytest.raises(UserError, match="it holds 68"):
        load_latent(REAL_LATENTS, index=68)


# ---- what other inversion tools write; structures as their code has them


def save_projector(path):
    """NVIDIA's projector.py: projected_w.npz."""
    np.savez(path / "projected_w.npz", w=LATENTS[:1])
    return path / "projected_w.npz", LATENTS[:1]


def save_restyle(path):
    """ReStyle's inference_iterative.py: a pickled dict, for each picture a list of its steps."""
    steps = {f"face_{k}.jpg": [LATENTS[k] - 1, LATENTS[k] - 0.5, LATENTS[k]] for k in range(5)}
    np.save(path / "latents.npy", steps, allow_pickle=True)
    return path / "latents.npy", LATENTS


def save_restyle_stacked(path):
    """The same, with the steps of a picture as one array."""
    np.save(path / "latents.npy", {f"{k}.png": np.stack([LATENTS[0], LATENTS[k]]) for k in range(5)})
    return path / "latents.npy", LATENTS


def save_hyperstyle(path):
    """HyperStyle's inference.py: a pickled dict, for each picture its latent."""
    np.save(path / "latents.npy", {f"face_{k}.JPG": LATENTS[k] for k in range(5)})
    return path / "latents.npy", LATENTS


def save_rosinality(path):
    """rosinality's projector.py --w_plus: a dict by picture, with the picture and its noises beside."""
    entry = {"img": np.zeros((3, 8, 8), np.float32), "noise": [np.zeros((1, 1, 4, 4), np.float32)]}
    save_torch_zip(path / "face.pt", {f"in/{k}.png": {**entry, "latent": LATENTS[k]} for k in range(5)})
    return path / "face.pt", LATENTS


def save_rosinality_w(path):
    """The same without --w_plus: one w `[D]`."""
    save_torch_zip(path / "face.pt", {"face.png": {"img": ARRAY, "latent": LATENTS[0, 0], "noise": []}})
    return path / "face.pt", LATENTS[:1, :1]


def save_w(path):
    np.save(path / "w.npy", LATENTS[0, 0])
    return path / "w.npy", LATENTS[:1, :1]


def save_w_row(path):
    np.save(path / "w.npy", LATENTS[0, :1])
    return path / "w.npy", LATENTS[:1, :1]


def save_with_an_axis_too_many(path):
    save_torch_zip(path / "bank.pt", LATENTS[:, None])
    return path / "bank.pt", LATENTS


WRITERS = (
    save_projector,
    save_restyle,
    save_restyle_stacked,
    save_hyperstyle,
    save_rosinality,
    save_rosinality_w,
    save_w,
    save_w_row,
    save_with_an_axis_too_many,
)


@pytest.mark.parametrize("save", WRITERS)
def test_latents_of_other_tools(tmp_path, save):
    path, wanted = save(tmp_path)
    np.testing.assert_array_equal(load_bank(path), wanted)
    for index, one in enumerate(wanted):
        np.testing.assert_array_equal(load_latent(path, index=index), one[None])
    with pytest.raises(UserError, match=f"it holds {len(wanted)}, counted from 0"):
        load_latent(path, index=len(wanted))


@pytest.mark.parametrize(
    "content, words",
    [
        ({"age": ARRAY, "smile": ARRAY}, "holds no array 'w_plus'"),  # directions are no latents
        ({"a.png": ARRAY, "b.png": "text"}, "holds no array 'w_plus'"),
        ({"a.png": {"latent": ARRAY}, "b.png": {"noise": ARRAY}}, "holds no array 'w_plus'"),
        ({"a.png": ARRAY, "b.png": np.ones((3, 4), int)}, "int64 of shape"),
        ({"w": ARRAY, "latent": ARRAY}, "holds no array 'w_plus'"),
        ({}, "holds no array 'w_plus'"),
        ({"a.png": [], "b.png": ARRAY}, "a list of 0"),
        ({"a.png": {"latent": ["text"]}, "b.png": {"latent": ARRAY}}, "a list of 1"),
    ],
)
def test_dicts_that_hold_no_latents(tmp_path, content, words):
    np.save(tmp_path / "latents.npy", content, allow_pickle=True)
    for read in (load_latent, load_bank):
        with pytest.raises(UserError, match=words) as error:
            read(tmp_path / "latents.npy")
        assert "latents.npy" in str(error.value) and "\n" not in str(error.value)


def test_a_bank_of_latents_of_several_generators_is_refused(tmp_path):
    np.save(tmp_path / "latents.npy", {"a.png": LATENTS[0], "b.png": LATENTS[1, :4]})
    assert load_latent(tmp_path / "latents.npy", index=1).shape == (1, 4, 8)
    with pytest.raises(UserError, match="several shapes"):
        load_bank(tmp_path / "latents.npy")


# ---- directions


@pytest.mark.parametrize(
    "stored, shape",
    [
        (LATENTS[0], (6, 8)),
        (LATENTS[:1], (6, 8)),
        (LATENTS[0, 0], (1, 8)),
        (LATENTS[0, :1], (1, 8)),
        (LATENTS[0].astype(np.float64), (6, 8)),
    ],
)
def test_directions_by_name_and_a_single_one(tmp_path, stored, shape):
    paddle.save({"age": paddle.to_tensor(stored), "yaw": paddle.ones([8])}, str(tmp_path / "d.pdparams"))
    write_safetensors(tmp_path / "d.safetensors", {"age": stored, "yaw": np.ones(8, np.float32)})
    np.save(tmp_path / "age.npy", stored)
    for name in ("d.pdparams", "d.safetensors", "age.npy"):
        directions = load_directions(tmp_path / name)
        assert list(directions) == ["age", "yaw"][: 1 if name == "age.npy" else 2]
        assert directions["age"].shape == shape and directions["age"].dtype == stored.dtype
        np.testing.assert_array_equal(directions["age"].reshape(-1), stored.reshape(-1))


@pytest.mark.parametrize(
    "content, words",
    [
        ({}, "holds no directions"),
        ({"age": ARRAY, "note": "text"}, "'note' is no array"),
        ({"age": np.zeros((2, 3), np.int64)}, "'age' is int64 of shape"),
        ([ARRAY, ARRAY], "'d' is no array"),
        ({"age": LATENTS}, r"shape \[5, 6, 8\]"),
        ({"age": np.zeros((0, 8), np.float32)}, r"shape \[0, 8\]"),
        ({"age": np.full((6, 8), np.nan, np.float32)}, "'age' holds values that are not finite"),
    ],
)
def test_what_holds_no_directions(tmp_path, content, words):
    with open(tmp_path / "d.pdparams", "wb") as file:
        pickle.dump(content, file)
    with pytest.raises(UserError, match=words) as error:
        load_directions(tmp_path / "d.pdparams")
    assert "d.pdparams" in str(error.value) and "\n" not in str(error.value)
