# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files: whole or not at all, one clear line on refusal, the same bytes for the same content."""

import builtins
import hashlib
import os
import sys

import numpy as np
import pytest

from ppstyleclip import files
from ppstyleclip.errors import CannotWrite, MissingExtra, MissingFile, UserError
from ppstyleclip.files import (
    atomic_file,
    check_file,
    check_writable,
    fingerprint,
    load_pixels,
    read_metadata,
    read_safetensors,
    save_png,
    write_atomic,
    write_safetensors,
)

TENSORS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array([1, -2], np.int32),
    "scalar": np.array(2.5, np.float16),
}


def one_line(error):
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    return str(error.value)


def test_write_atomic_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "x.bin"
    write_atomic(path, b"first")
    write_atomic(str(path), b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["x.bin"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.bin"
    write_atomic(path, b"old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x.bin"]


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(CannotWrite) as error:
        write_atomic(tmp_path / "x.bin", b"data")
    assert "x.bin" in one_line(error) and "No space left" in one_line(error)
    assert os.listdir(tmp_path) == []


def test_new_files_have_the_usual_permissions(tmp_path):
    write_atomic(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("inside", ["", "deeper/still"])
def test_a_folder_below_a_file_cannot_be_written(tmp_path, inside):
    (tmp_path / "file").write_text("in the way")
    for attempt in (check_writable, lambda folder: write_atomic(folder / "x", b"")):
        with pytest.raises(CannotWrite) as error:
            attempt(tmp_path / "file" / inside)
        assert "cannot write" in one_line(error) and "file" in one_line(error)
    with pytest.raises(OSError):
        check_writable(tmp_path / "file")


def test_check_writable_leaves_nothing_behind(tmp_path, monkeypatch):
    assert check_writable(tmp_path / "new" / "folder") == tmp_path / "new" / "folder"
    monkeypatch.chdir(tmp_path)
    check_writable("output_dir")
    assert os.listdir(tmp_path) == []


def test_pictures_go_round(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (5, 7, 3), np.uint8)
    save_png(tmp_path / "p.png", pixels)
    save_png(tmp_path / "q.png", pixels)
    assert (load_pixels(tmp_path / "p.png") == pixels).all()
    assert (tmp_path / "p.png").read_bytes() == (tmp_path / "q.png").read_bytes()


def test_png_is_rgb_as_others_read_it(tmp_path):
    image = pytest.importorskip("PIL.Image")
    save_png(tmp_path / "red.png", np.full((2, 2, 3), (255, 0, 10), np.uint8))
    with image.open(tmp_path / "red.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 0, 10)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 2, 3)),
        np.zeros((2, 2), np.uint8),
        np.zeros((0, 2, 3), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
    ],
)
def test_only_rgb_bytes_are_a_picture(tmp_path, pixels):
    with pytest.raises(UserError, match="uint8"):
        save_png(tmp_path / "p.png", pixels)
    assert os.listdir(tmp_path) == []


def test_unreadable_pictures(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    save_png(tmp_path / "p.png", np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "cut.png").write_bytes((tmp_path / "p.png").read_bytes()[:30])
    for name in ("text.png", "empty.png", "cut.png"):
        with pytest.raises(UserError) as error:
            load_pixels(tmp_path / name)
        assert name in one_line(error) and "not a picture" in one_line(error)
    with pytest.raises(FileNotFoundError):
        load_pixels(tmp_path / "absent.png")


def test_opencv_without_libgl_names_the_cure(monkeypatch):
    real = builtins.__import__

    def broken(name, *args, **kwargs):
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file:\nNo such file or directory")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(MissingExtra) as error:
        files.import_cv2()
    assert "libGL" in one_line(error) and "opencv-python-headless" in one_line(error)


def test_check_file(tmp_path):
    with pytest.raises(MissingFile, match="no file"):
        check_file(tmp_path / "absent")
    with pytest.raises(MissingFile, match="folder"):
        check_file(tmp_path)
    (tmp_path / "x").write_text("")
    assert check_file(str(tmp_path / "x")) == tmp_path / "x"


def test_safetensors_go_round_with_metadata(tmp_path):
    path, metadata = tmp_path / "t.safetensors", {f"key {k}": f"wört {k}" for k in range(9)}
    write_safetensors(path, TENSORS, metadata)
    tensors, read = read_safetensors(path)
    assert read == metadata == read_metadata(path)
    assert set(tensors) == set(TENSORS)
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype and tensors[name].shape == value.shape
        assert (tensors[name] == value).all()


def test_safetensors_bytes_are_always_the_same(tmp_path):
    metadata = {f"key {k}": str(k) for k in range(9)}
    backwards = {name: TENSORS[name] for name in reversed(list(TENSORS))}
    write_safetensors(tmp_path / "1", TENSORS, metadata)
    for _ in range(5):
        write_safetensors(tmp_path / "2", backwards, metadata)
        assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_safetensors_of_a_view_keeps_what_is_seen(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_safetensors(tmp_path / "t", {"t": array.T[::2]})
    assert (read_safetensors(tmp_path / "t")[0]["t"] == array.T[::2]).all()


def test_broken_safetensors_are_one_line(tmp_path):
    write_safetensors(tmp_path / "whole", TENSORS, {"a": "b"})
    data = (tmp_path / "whole").read_bytes()
    for cut in (0, 4, 8, 30, len(data) - 1):
        (tmp_path / "cut").write_bytes(data[:cut])
        with pytest.raises(UserError) as error:
            read_safetensors(tmp_path / "cut")
        assert "cut is not a readable safetensors file" in one_line(error)
    with pytest.raises(UserError, match="text"):
        write_safetensors(tmp_path / "t", TENSORS, {"number": 3})


def test_fingerprint_tells_content_not_storage():
    mark = fingerprint(TENSORS)
    assert len(mark) == 16 and int(mark, 16) >= 0
    columns = {name: np.asarray(TENSORS[name], order="F") for name in reversed(list(TENSORS))}
    assert mark == fingerprint(columns)
    assert mark == fingerprint({**TENSORS, "b": TENSORS["b"].astype(">f4")})


@pytest.mark.parametrize(
    "other",
    [
        {**TENSORS, "b": TENSORS["b"] + 1},
        {**TENSORS, "b": TENSORS["b"].reshape(3, 2)},
        {**TENSORS, "b": TENSORS["b"].astype(np.float64)},
        {"a": TENSORS["a"]},
        {("c" if name == "b" else name): value for name, value in TENSORS.items()},
    ],
)
def test_fingerprint_changes_with_value_shape_type_and_name(other):
    assert fingerprint(other) != fingerprint(TENSORS)


def test_fingerprint_is_sha256_of_what_its_docstring_says():
    data = b"a\0<f4\0[2]\0" + np.array([1, 2], "<f4").tobytes() + b"e\0<i4\0[0, 3]\0"
    arrays = {"e": np.zeros((0, 3), np.int32), "a": np.array([1, 2], np.float32)}
    assert fingerprint(arrays) == hashlib.sha256(data).hexdigest()[:16]
