# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Several files written together: all old or all new, wherever it fails, and no drafts."""

import errno
import os

import pytest

from ppstyleclip import drafts
from ppstyleclip.drafts import (
    all_or_nothing,
    atomic_path,
    check_target,
    check_writable,
    sweep_drafts,
    write_atomic,
)
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import check_file, check_folder, read_file

NAMES = ["a.png", "b.npy", "below/c.pd", "d.csv"]


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def write_new(folder):
    with all_or_nothing():
        for name in NAMES:
            write_atomic(folder / name, b"new " + name.encode())


@pytest.fixture
def folder(tmp_path):
    """Old files of all names but the last."""
    for name in NAMES[:-1]:
        write_atomic(tmp_path / name, b"old " + name.encode())
    return tmp_path


def test_all_files_take_their_names_at_the_end(folder):
    old = contents(folder)
    with all_or_nothing():
        write_atomic(folder / "a.png", b"first")
        write_atomic(folder / "a.png", b"second")
        seen = {name: data for name, data in contents(folder).items() if name in old}
        assert seen == old
    assert contents(folder) == {**old, "a.png": b"second"}
    write_new(folder)
    assert contents(folder) == {name: b"new " + name.encode() for name in NAMES}


@pytest.mark.parametrize("function", ["open", "replace", "link"])
@pytest.mark.parametrize("number", range(4))
def test_a_disk_that_is_full_at_any_step_leaves_all_as_it_was(folder, monkeypatch, function, number):
    old, calls = contents(folder), []
    place = drafts if function == "open" else os
    real = open if function == "open" else getattr(os, function)

    def full(*args, **options):
        calls.append(args)
        if len(calls) == number + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **options)

    monkeypatch.setattr(place, function, full, raising=False)
    with pytest.raises(CannotWrite, match="No space left"):
        write_new(folder)
    monkeypatch.undo()
    assert contents(folder) == old


def test_what_fails_inside_leaves_all_as_it_was(folder):
    old = contents(folder)
    with pytest.raises(KeyboardInterrupt), all_or_nothing():
        write_atomic(folder / "a.png", b"new")
        raise KeyboardInterrupt
    assert contents(folder) == old


def test_a_block_inside_another_is_part_of_it(folder):
    old = contents(folder)
    with pytest.raises(RuntimeError), all_or_nothing():
        write_new(folder)
        assert contents(folder).items() >= old.items()
        raise RuntimeError
    assert contents(folder) == old


def test_a_disk_without_hard_links_takes_the_files_all_the_same(folder, monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    write_new(folder)
    assert contents(folder) == {name: b"new " + name.encode() for name in NAMES}


def test_a_folder_in_the_place_of_one_file_is_told_before_any_is_written(folder):
    (folder / "d.csv").mkdir()
    old = contents(folder)
    with pytest.raises(CannotWrite, match="d.csv: it is a folder"):
        write_new(folder)
    assert contents(folder) == old


def test_a_writer_that_takes_names_only(tmp_path):
    with atomic_path(tmp_path / "x.mp4", ".mp4") as draft:
        assert draft.parent == tmp_path and draft.suffix == ".mp4"
        draft.write_bytes(b"film")
        sweep_drafts(tmp_path)  # of a process that runs
        assert draft.exists()
    assert contents(tmp_path) == {"x.mp4": b"film"}


@pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")
def test_a_limit_on_the_size_of_files_leaves_all_as_it_was(folder):
    import resource
    import signal

    old, limits = contents(folder), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    try:
        with pytest.raises(CannotWrite, match="too large"), all_or_nothing():
            write_atomic(folder / "a.png", b"new")
            write_atomic(folder / "b.npy", bytes(2**17))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert contents(folder) == old


# ---- names


def test_long_names_of_wide_letters_are_written(tmp_path):
    name = "脸" * 84
    write_atomic(tmp_path / name, b"data")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "y/" + "x" * 300])
def test_impossible_names_are_told_in_one_line(tmp_path, name):
    for attempt in (check_writable, check_target, lambda path: write_atomic(path, b"")):
        with pytest.raises(CannotWrite, match="cannot write"):
            attempt(tmp_path / name)
    for attempt in (check_file, check_folder):
        with pytest.raises(UserError):
            attempt(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
def test_pipes_and_devices_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "pipe", "is a pipe"), ("/dev/zero", "is a device")):
        with pytest.raises(UserError, match=words):
            read_file(path)
        with pytest.raises(CannotWrite, match=words):
            check_target(path)


def test_a_file_that_is_read_whole_has_a_limit(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert read_file(tmp_path / "x", most=5) == b"12345"
    with pytest.raises(UserError, match="more than 4 bytes"):
        read_file(tmp_path / "x", most=4)
