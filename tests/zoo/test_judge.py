# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A first download is judged by size and kind before it is kept; and only https is followed."""

import bz2
import hashlib
import json
import os
import pickle
import urllib.request
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import numpy as np
import pytest
from torch_files import save_torch_legacy, save_torch_zip
from weights_server import DATA, running_server

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.zoo import fetch
from ppstyleclip.zoo.downloads import cache as download
from ppstyleclip.zoo.downloads.checksums import checksums_path, read_checksums
from ppstyleclip.zoo.downloads.http import Failed, _HttpsStaysHttps
from ppstyleclip.zoo.downloads.judge import MOST, Expected, check_kind, check_size, expected_of
from ppstyleclip.zoo.registry import fetch_published, read_registry

STATS = "stylegan2-ffhq-config-f-styleclip-stats.pdparams"  # 76 kB, of no published digest
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


@pytest.fixture
def server():
    with running_server() as state:
        yield state


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "cache"))
    for name in ("OFFLINE", "MIRROR", "PATH"):
        monkeypatch.delenv(f"PPSTYLECLIP_{name}", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0)
    return tmp_path / "cache"


def statistics(count=9088) -> bytes:
    """Statistics as PaddleGAN saves them, of about the size that its file has."""
    return pickle.dumps({"mean": [np.zeros(count, "f4")], "std": [np.ones(count, "f4")]}, protocol=4)


# -- sizes and kinds


@pytest.mark.parametrize(
    "words, least, most",
    [
        ("75,810 bytes", 75_810, 75_810),
        ("12 MB", 10_200_000, 13_800_000),
        ("about 605 MB", 423_500_000, 786_500_000),
        ("130 to 200 MB", 110_500_000, 230_000_000),
        ("12 MB or less", 1_200_000, 13_800_000),
        ("up to 605 MB", 60_500_000, 695_750_000),
        ("1.2 GB or more", 1_020_000_000, MOST),
        ("some hundred MB", 50_000_000, 2_000_000_000),
        ("size not stated", 1000, MOST),
    ],
)
def test_sizes_in_words(words, least, most):
    found = expected_of("x.npy", words)
    assert (found.least, found.most, found.kinds) == (least, most, ("npy",))


@pytest.mark.parametrize("words", ["", "large", "12", "12 stones", "about MB", "1 to MB"])
def test_words_that_are_no_size(words):
    with pytest.raises(UserError, match="no size that is understood"):
        expected_of("x.npy", words)


def test_the_whole_table_is_understood():
    for name, entry in read_registry()["files"].items():
        found = expected_of(name, entry["size"])
        assert 0 < found.least <= found.most <= MOST and found.kinds, name


def test_sizes_that_are_known_are_within_their_words():
    table = read_registry()["files"]
    for name, size in (
        (STATS, 75_810),  # ultranity's has the same form
        ("stylegan2-ffhq-config-f-styleclip-global-directions.pdparams", 6048 * 512 * 4 + 200),
        ("styleclip-ffhq-fs3.npy", 6048 * 512 * 4 + 128),
        ("styleclip-afhqcat-fs3.npy", 5376 * 512 * 2 + 128),
        ("stylegan2-ffhq-config-f.pdparams", 132_700_000),
        ("stylegan2-ffhq-config-f.pdparams", 200_000_000),  # protocol 2 takes 1.5 times the bytes
        ("ViT-B-32.pdparams", 605_000_000),
        ("lms.dat", 99_693_937),
        ("shape_predictor_68_face_landmarks.dat", 99_693_937),
        ("shape_predictor_5_face_landmarks.dat", 9_150_489),
        ("example_celebs.pt", 222_000),
    ):
        assert not check_size(size, expected_of(name, table[name]["size"])), name


@pytest.mark.parametrize(
    "name, write, is_right",
    [
        ("a.pt", lambda path: save_torch_zip(path, {"w": DATA_ARRAY}), True),
        ("a.pth", lambda path: save_torch_legacy(path, {"w": DATA_ARRAY}), True),
        ("a.npy", lambda path: np.save(path, DATA_ARRAY), True),
        ("a.pkl", lambda path: path.write_bytes(pickle.dumps([1], 2)), True),
        ("a.dat", lambda path: path.write_bytes(b"\x01\x01\x81\x88"), True),
        ("a.other", lambda path: path.write_bytes(b"anything"), True),
        ("a.pt", lambda path: path.write_bytes(bytes(5000)), False),
        ("a.pt", lambda path: path.write_bytes(pickle.dumps([1], 2)), False),
        ("a.npy", lambda path: path.write_bytes(b"<html>"), False),
        ("a.other", lambda path: path.write_bytes(LFS), False),
        ("a.other", lambda path: path.write_bytes(b"  <!doctype html>"), False),
        ("a.dat", lambda path: path.write_bytes(b"BZh91AY"), False),
        ("a.pdparams", lambda path: path.write_bytes(b""), False),
    ],
)
def test_kinds(tmp_path, name, write, is_right):
    write(tmp_path / name)
    said = check_kind(tmp_path / name, expected_of(name, "size not stated"))
    assert (said == "") is is_right, said


DATA_ARRAY = np.zeros(30, np.float32)


# -- downloads


def test_the_right_file_is_kept_and_pinned(server, cache, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", server.address)
    server.serve(STATS, bodies=(statistics(),))
    assert fetch_published(STATS).read_bytes() == statistics()
    assert read_checksums() == {STATS: hashlib.sha256(statistics()).hexdigest()}
    assert fetch_published(STATS) == cache / STATS and len(server.asked) == 1


@pytest.mark.parametrize(
    "body, words",
    [
        (bytes(5000), "it is of no kind that is known; a pickle"),
        (bytes(76_000), "it is of no kind that is known; a pickle"),
        (statistics(100), "bytes; 64,600 to 87,400 are expected"),
        (LFS, "it is a Git LFS pointer"),
        (b"\x93NUMPY" + bytes(76_000), "it is a NumPy array"),
        (b"PK\x03\x04" + bytes(76_000), "it is a zip archive"),
    ],
)
def test_another_file_is_neither_kept_nor_pinned(server, cache, monkeypatch, body, words):
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", server.address)
    server.serve(STATS, bodies=(body,))
    with pytest.raises(UserError, match=words) as error:
        fetch_published(STATS)
    assert "\n" not in str(error.value) and str(cache / STATS) in str(error.value)
    assert not checksums_path().exists() and not (cache / STATS).exists()
    assert [name for _, _, names in os.walk(cache) for name in names] == []
    server.serve(STATS, bodies=(statistics(),))
    assert fetch_published(STATS).read_bytes() == statistics()


@pytest.mark.parametrize("way", [{}, {"chunked": True}])
def test_a_file_without_end_is_broken_off(server, cache, monkeypatch, way):
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", server.address)
    server.serve(STATS, bodies=(statistics() + bytes(10_000_000),), **way)
    with pytest.raises(MissingFile, match="more than 87,400 bytes"):
        fetch_published(STATS)
    assert [name for _, _, names in os.walk(cache) for name in names] == []


def test_what_is_unpacked_is_judged(server, cache):
    expected = Expected(1000, 2000, ("dlib",))
    for body, words in ((b"\x01\x01" + bytes(5000), "5,002 bytes"), (bytes(1500), "of no kind")):
        server.serve("x.dat.bz2", bodies=(bz2.compress(body),))
        with pytest.raises(UserError, match=words):
            fetch(f"{server.address}/x.dat.bz2", "x.dat", expected=expected)
    server.serve("x.dat.bz2", bodies=(bz2.compress(b"\x01\x01" + bytes(1500)),))
    assert fetch(f"{server.address}/x.dat.bz2", "x.dat", expected=expected).stat().st_size == 1502


def test_where_the_digest_is_known_that_counts(server):
    expected = Expected(1, 2**40, ("dlib",))
    path = fetch(server.serve(), "x.bin", sha256=hashlib.sha256(DATA).hexdigest(), expected=expected)
    assert path.read_bytes() == DATA


def test_a_found_file_of_another_kind_is_refused(cache):
    cache.mkdir()
    (cache / STATS).write_bytes(LFS)
    with pytest.raises(UserError, match="Git LFS pointer.*; delete it, and it is fetched"):
        fetch_published(STATS)


# -- https


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com/x", "file:///etc/hosts", "x"])
def test_other_addresses_than_https_are_not_asked(url, cache):
    with pytest.raises(UserError, match="is not an https address"):
        fetch(url, "x.bin")
    assert not cache.exists()


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "gopher"])
def test_https_leads_to_nothing_else(scheme):
    request = urllib.request.Request("https://example.com/x")
    with pytest.raises(Failed, match=f"sends on to {scheme}://") as error:
        _HttpsStaysHttps().redirect_request(request, None, 302, "", {}, f"{scheme}://example.com/x")
    assert not error.value.again


def test_https_leads_to_https():
    request = urllib.request.Request("https://example.com/x")
    sent = _HttpsStaysHttps().redirect_request(request, None, 302, "", {}, "https://other.example.com/y")
    assert sent.full_url == "https://other.example.com/y"


@pytest.mark.parametrize("scheme", ["ftp", "file"])
def test_a_redirect_out_of_the_web_is_refused_at_once(server, scheme, cache):
    with pytest.raises(MissingFile, match="not https"):
        fetch(server.serve(goes_to=f"{scheme}:///etc/hosts"), "x.bin")
    assert len(server.asked) == 1 and not (cache / "x.bin").exists()


def test_dlibs_models_have_their_digests_and_come_over_https():
    files = read_registry()["files"]
    for count in (5, 68):
        entry = files[f"shape_predictor_{count}_face_landmarks.dat"]
        assert len(entry["sha256"]) == 64 and entry["url"].startswith("https://")
    assert json.dumps(files).count("http://") == 0
