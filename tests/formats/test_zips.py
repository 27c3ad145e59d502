# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NumPy's .npz: what np.savez writes is read, and nothing in it is unpickled or unpacked."""

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_arrays, load_latent

FACE = np.random.RandomState(0).randn(6, 12).astype(np.float32)


def test_all_arrays_come_by_their_names(tmp_path):
    np.savez(tmp_path / "two.npz", a=FACE, b=np.arange(3, dtype=np.int64))
    arrays, metadata = load_arrays(tmp_path / "two.npz")
    assert set(arrays) == {"a", "b"} and metadata == {}
    np.testing.assert_array_equal(arrays["a"], FACE)
    np.testing.assert_array_equal(arrays["b"], [0, 1, 2])


def test_a_latent_is_the_only_array_or_the_one_of_that_name(tmp_path):
    np.savez(tmp_path / "one.npz", FACE)
    np.savez(tmp_path / "named.npz", w_plus=FACE[None], seed=np.zeros(1))
    for name in ("one", "named"):
        np.testing.assert_array_equal(load_latent(tmp_path / f"{name}.npz"), FACE[None])


@pytest.mark.parametrize(
    "save, words",
    [
        (lambda path: np.savez_compressed(path, FACE), "is refused: its member .* is compressed"),
        (lambda path: np.savez(path, np.array([[print]], object)), "is refused: it asks for .*print"),
        (lambda path: np.savez(path), "of no kind that is known"),
    ],
)
def test_what_would_have_to_be_unpacked_or_run_is_refused(tmp_path, save, words):
    save(tmp_path / "odd.npz")
    with pytest.raises(UserError, match=words):
        load_latent(tmp_path / "odd.npz")


def test_an_archive_that_is_cut_off_is_told(tmp_path):
    np.savez(tmp_path / "face.npz", FACE)
    whole = (tmp_path / "face.npz").read_bytes()
    (tmp_path / "face.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="is not whole"):
        load_arrays(tmp_path / "face.npz")
