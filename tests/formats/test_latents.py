# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents from files: one or a bank, whole or refused in one line."""

import pickle
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import numpy as np
import paddle
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.formats import load_directions, load_latent

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
        (np.zeros(6, np.float32), r"shape \[6\]"),
        (np.zeros((2, 2, 2, 2), np.float32), "shape"),
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
    with pytest.raises(UserError, match="[Oo]bject"):
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
    ],
)
def test_what_holds_no_directions(tmp_path, content, words):
    with open(tmp_path / "d.pdparams", "wb") as file:
        pickle.dump(content, file)
    with pytest.raises(UserError, match=words) as error:
        load_directions(tmp_path / "d.pdparams")
    assert "d.pdparams" in str(error.value) and "\n" not in str(error.value)
