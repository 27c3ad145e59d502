# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Digests: what was fetched once stays what it was; reading a file again only where it may have changed."""

import hashlib
import json
import os
import threading
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.zoo.downloads import checksums
from ppstyleclip.zoo.downloads.checksums import checksums_path, is_verified, read_checksums, remember, verify


def sha(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache, with one file in it."""
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "x.bin").write_bytes(b"first")
    return tmp_path / "cache"


@pytest.fixture
def read(monkeypatch):
    """Names of the files whose digest was computed."""
    names, compute = [], checksums.compute_sha256
    monkeypatch.setattr(
        checksums, "compute_sha256", lambda path: names.append(Path(path).name) or compute(path)
    )
    return names


def pinned(path, data):
    """What a download leaves: a file whose digest is kept."""
    path.write_bytes(data)
    remember(path, sha(data), pinned_as=path.name)


def test_a_pinned_file_stays_what_it_was(cache):
    pinned(cache / "x.bin", b"first")
    verify(cache / "x.bin", "x.bin")
    assert read_checksums() == {"x.bin": sha(b"first")}
    (cache / "x.bin").write_bytes(b"second")
    both = f"{sha(b'second')}, expected {sha(b'first')}"
    with pytest.raises(UserError, match=f"is not the file.*{both}; delete it.*or.*entry 'x.bin'") as error:
        verify(cache / "x.bin", "x.bin")
    assert "\n" not in str(error.value)
    assert str(cache / "x.bin") in str(error.value) and str(checksums_path()) in str(error.value)


def test_deleting_the_entry_accepts_the_new_one(cache):
    pinned(cache / "x.bin", b"first")
    (cache / "x.bin").write_bytes(b"second")
    content = json.loads(checksums_path().read_text())
    del content["pinned"]["x.bin"]
    checksums_path().write_text(json.dumps(content))
    verify(cache / "x.bin", "x.bin")
    assert read_checksums() == {}


def test_a_published_digest_holds_and_is_not_pinned(cache):
    verify(cache / "x.bin", "x.bin", sha(b"first"))
    assert read_checksums() == {}
    with pytest.raises(UserError, match=f"expected {sha(b'other')}; delete it, and it is fetched again$"):
        verify(cache / "x.bin", "x.bin", sha(b"other"))


def test_the_first_digits_of_a_digest_do_not_replace_the_pin(cache):
    pinned(cache / "x.bin", b"first")
    verify(cache / "x.bin", "x.bin", sha(b"first")[:8])
    with pytest.raises(UserError, match="expected 01234567"):
        verify(cache / "x.bin", "x.bin", "01234567")
    (cache / "x.bin").write_bytes(b"second")
    with pytest.raises(UserError, match=f"expected {sha(b'first')}"):
        verify(cache / "x.bin", "x.bin", sha(b"second")[:8])


def test_a_file_is_read_again_only_where_it_may_have_changed(cache, read):
    pinned(cache / "x.bin", b"first")
    verify(cache / "x.bin", "x.bin")
    assert read == [] and is_verified(cache / "x.bin")
    state = (cache / "x.bin").stat()
    os.utime(cache / "x.bin", ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert not is_verified(cache / "x.bin")
    verify(cache / "x.bin", "x.bin")
    verify(cache / "x.bin", "x.bin")
    assert read == ["x.bin"]


def test_what_was_not_downloaded_here_is_compared_not_pinned(cache, tmp_path, read):
    theirs = tmp_path / "x.bin"
    theirs.write_bytes(b"theirs")
    verify(theirs, "x.bin")
    verify(cache / "x.bin", "x.bin")
    assert read == [] and not checksums_path().exists()
    pinned(cache / "x.bin", b"first")
    with pytest.raises(UserError, match=f"{theirs} is not the file"):
        verify(theirs, "x.bin")
    theirs.write_bytes(b"first")
    read.clear()
    verify(theirs, "x.bin")
    verify(theirs, "x.bin")
    assert read == ["x.bin"]


def test_a_cache_that_cannot_be_written_is_read_each_time(cache, read, monkeypatch):
    def refuse(path, data):
        raise checksums.CannotWrite("read-only")

    monkeypatch.setattr(checksums, "write_atomic", refuse)
    verify(cache / "x.bin", "x.bin", sha(b"first"))
    verify(cache / "x.bin", "x.bin", sha(b"first"))
    assert read == ["x.bin"] * 2 and not checksums_path().exists()
    with pytest.raises(UserError, match="expected"):
        verify(cache / "x.bin", "x.bin", sha(b"other"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache(cache):
    cache.chmod(0o555)
    try:
        verify(cache / "x.bin", "x.bin", sha(b"first"))
    finally:
        cache.chmod(0o755)
    assert not checksums_path().exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"pinned": {}, "checked": {"a": {}}}',
        "\udcff",
        '{"pinned": {"x.bin": 3}, "checked": {}}',
        '{"pinned": {"x.bin": ""}, "checked": {}}',
    ],
)
def test_a_damaged_lock_file_is_one_line(cache, text):
    checksums_path().write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match="zoo.lock.json is damaged; delete it"):
        verify(cache / "x.bin", "x.bin")


def test_pins_of_many_at_once_are_all_kept(cache):
    names = [f"{i}.bin" for i in range(16)]
    threads = [threading.Thread(target=pinned, args=(cache / name, name.encode())) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_checksums() == {name: sha(name.encode()) for name in names}
    assert sorted(p.name for p in cache.iterdir()) == sorted([*names, "x.bin", "zoo.lock.json"])
