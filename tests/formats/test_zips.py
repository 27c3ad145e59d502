# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NumPy's .npz: what np.savez writes is read, and nothing in it is unpickled or unpacked."""

import struct
import zipfile

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


# ---- archives of millions of members


def crowded(count, *, says=None, comment=b"", hide=False):
    """An archive of `count` empty members of one name, as its large form is; it may say another number."""
    says = count if says is None else says
    entry = b"PK\1\2" + bytes(24) + struct.pack("<HHHHHLL", 1, 0, 0, 0, 0, 0, 0) + b"a"
    local = b"PK\3\4" + bytes(22) + struct.pack("<HH", 1, 0) + b"a"
    directory = entry * count
    place, end = len(local), len(local) + len(directory)
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, says, says, len(directory), place)
    where = 0 if hide else end  # zipfile looks in front of the locator whatever that says
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, where, 1)
    short = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment))
    return local + directory + large + locator + short + comment


@pytest.mark.parametrize(
    "count, options, words",
    [
        (150_000, {}, "archive of 150,000 members"),
        (150_000, {"comment": b"x" * 60_000}, "archive of 150,000 members"),
        (150_000, {"hide": True}, "archive of 150,000 members"),
        (800_000, {"says": 1}, "a directory of 37,600,000 bytes"),
    ],
)
def test_an_archive_of_too_many_members_is_refused_before_it_is_listed(
    tmp_path, monkeypatch, count, options, words
):
    (tmp_path / "many.pt").write_bytes(crowded(count, **options))
    monkeypatch.setattr(zipfile.ZipFile, "infolist", None)
    monkeypatch.setattr(zipfile.ZipFile, "__init__", None)
    with pytest.raises(UserError, match=words) as caught:
        load_arrays(tmp_path / "many.pt")
    assert "\n" not in str(caught.value)


def test_a_zip_of_no_end_or_a_strange_one_is_one_line(tmp_path):
    whole = crowded(3)
    for cut in range(1, 130):
        (tmp_path / "cut.pt").write_bytes(whole[:-cut])
        with pytest.raises(UserError):
            load_arrays(tmp_path / "cut.pt")


def test_an_archive_of_many_members_is_read(tmp_path):
    np.savez(tmp_path / "x.npz", **{f"a{k}": np.float32([k]) for k in range(300)})
    assert len(load_arrays(tmp_path / "x.npz")[0]) == 300


@pytest.mark.slow
def test_an_archive_of_the_large_form_is_read(tmp_path):
    np.savez(tmp_path / "x.npz", **{f"a{k}": np.float32([k]) for k in range(70_000)})
    assert len(load_arrays(tmp_path / "x.npz")[0]) == 70_000
