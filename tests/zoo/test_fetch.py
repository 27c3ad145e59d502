# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fetching from a server on this machine: the right file in the cache, or one clear line, nothing wrong."""

import bz2
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import pytest
from weights_server import DATA, OTHER, running_server

from ppstyleclip.errors import CannotWrite, MissingFile, UserError
from ppstyleclip.zoo import fetch
from ppstyleclip.zoo.downloads import cache as download
from ppstyleclip.zoo.downloads import http as transfer
from ppstyleclip.zoo.downloads.cache import cache_folders

ROOT = Path(__file__).resolve().parents[2]
SHA = hashlib.sha256(DATA).hexdigest()
LOCK = "zoo.lock.json"


@pytest.fixture
def server():
    with running_server() as state:
        yield state


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home, an empty cache, an empty current folder, no pauses, no proxies."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PPSTYLECLIP_OFFLINE", raising=False)
    monkeypatch.delenv("PPSTYLECLIP_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0)
    return tmp_path / "home"


def left_behind(tmp_path):
    return sorted(name for _, _, names in os.walk(tmp_path) for name in names)


def one_line(error):
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    return str(error.value)


def started(code, **options):
    """A Python process of its own that has imported what `code` needs from here."""
    preface = (
        "from ppstyleclip.zoo import fetch\nfrom ppstyleclip.cli.run import run_cli\n"
        "from ppstyleclip.locks import exclusive\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", preface + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


# ---- whole files


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"chunked": True},
        {"statuses": (503, 0)},
        {"statuses": (500, 429, 0)},
        {"cuts": (1000, None)},
        {"cuts": (0, None)},
        {"bodies": (b"", DATA)},
        {"bodies": (b"<html>please wait</html>", DATA)},
        {"chunked": True, "cuts": (1000, None)},
        {"etag": True, "ranges": True},
    ],
)
def test_the_file_arrives_whole(server, home, way, capsys):
    path = fetch(server.serve(**way), "x.bin", licence="free as air")
    assert path == cache_folders()[0] / "x.bin" and path.read_bytes() == DATA
    assert left_behind(home.parent) == ["x.bin", LOCK]
    said = capsys.readouterr().err
    assert "768k" in said and said.count("x.bin: licence: free as air\n") == 1


def test_a_redirect_is_followed(server):
    server.serve("there")
    assert fetch(server.serve(goes_to="/there"), "x.bin").read_bytes() == DATA


def test_without_a_length_a_cut_could_not_be_seen(server, home):
    url = server.serve(length=False)
    with pytest.raises(MissingFile, match="does not say how long"):
        fetch(url, "x.bin")
    assert left_behind(home.parent) == [] and len(server.asked) == 1
    assert fetch(url, "x.bin", sha256=SHA).read_bytes() == DATA
    server.serve("cut", length=False, cuts=(1000,))
    with pytest.raises(UserError, match=SHA):
        fetch(f"{server.address}/cut", "y.bin", sha256=SHA)
    assert "y.bin" not in left_behind(home.parent)


@pytest.mark.parametrize(
    "way, words, requests",
    [
        ({"statuses": (404,)}, "404", 1),
        ({"statuses": (500,)}, "500", 3),
        ({"bodies": (b"<html>please log in</html>",)}, "web page", 3),
        ({"cuts": (1000,)}, "1000 of 768000 bytes", 3),
        ({"bodies": (b"",)}, "0 of", 3),
        ({"chunked": True, "cuts": (1000,)}, "broke", 3),
        ({"encoding": "gzip"}, "compressed form", 1),
        ({"goes_to": "/x.bin"}, "without end", None),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing(server, home, way, words, requests):
    url = server.serve(**way)
    with pytest.raises(MissingFile, match=words) as error:
        fetch(url, "x.bin")
    assert url in one_line(error) and str(cache_folders()[0] / "x.bin") in one_line(error)
    assert requests is None or len(server.asked) == requests
    assert left_behind(home.parent) == []


def test_no_server(home):
    with pytest.raises(MissingFile, match="no connection"):
        fetch("http://127.0.0.1:9/x", "x.bin")
    assert left_behind(home.parent) == []


def test_a_server_that_falls_silent(server, home, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    url = server.serve(gate=threading.Event())
    with pytest.raises(MissingFile, match="broke: .*timed out"):
        fetch(url, "x.bin")
    assert left_behind(home.parent) == [] and len(server.asked) == 3


def test_pauses_grow_and_begin_anew_after_progress(server, monkeypatch):
    pauses = []
    monkeypatch.setattr(download, "PAUSE", 2)
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    with pytest.raises(MissingFile):
        fetch(server.serve(statuses=(503,)), "x.bin")
    fetch(
        server.serve(
            "y", statuses=(503, 503, 0, 503, 0), cuts=(None, None, 400_000, None), etag=True, ranges=True
        ),
        "y.bin",
    )
    assert pauses == [2, 4] + [2, 4, 2, 4]


# ---- parts of files


def test_a_cut_is_continued(server, home):
    path = fetch(server.serve(cuts=(300_000, 300_000, None), etag=True, ranges=True), "x.bin")
    assert path.read_bytes() == DATA and server.ranges() == [None, "bytes=300000-", "bytes=600000-"]
    assert left_behind(home.parent) == ["x.bin", LOCK]


def test_many_cuts_are_no_reason_to_give_up(server):
    body = DATA * 2  # 1,536,000 bytes
    url = server.serve(bodies=(body,), cuts=(262_144,), etag=True, ranges=True)
    assert fetch(url, "x.bin").read_bytes() == body and len(server.asked) == 6


def test_the_next_run_goes_on_where_a_failed_one_ended(server, home):
    url = server.serve(cuts=(300_000, 0, 0), statuses=(0, 503), etag=True, ranges=True)
    with pytest.raises(MissingFile, match="503"):
        fetch(url, "x.bin")
    assert left_behind(home.parent) == [".x.bin.part", ".x.bin.part.json"]
    server.serve(etag=True, ranges=True)
    server.asked.clear()
    assert fetch(url, "x.bin").read_bytes() == DATA
    assert server.ranges() == ["bytes=300000-"] and left_behind(home.parent) == ["x.bin", LOCK]


@pytest.mark.parametrize(
    "way, requests",
    [
        ({"etag": True}, 2),  # it ignores Range
        ({"etag": True, "ranges": True, "bodies": (OTHER, DATA)}, 2),  # changed meanwhile; If-Range tells
        ({"etag": True, "ranges": True, "bodies": (OTHER, DATA), "ignores_if_range": True}, 3),
        ({"ranges": True, "bodies": (OTHER, DATA)}, 2),  # it names no version: nothing to go on with
        ({"etag": True, "ranges": True, "shift": 10}, 3),
        ({"etag": True, "ranges": True, "refuses_ranges": True}, 3),
    ],
)
def test_what_cannot_be_continued_begins_anew(server, home, way, requests):
    path = fetch(server.serve(cuts=(300_000, None), **way), "x.bin")
    assert path.read_bytes() == DATA and len(server.asked) == requests
    assert left_behind(home.parent) == ["x.bin", LOCK]


def test_a_part_of_a_file_of_another_length_is_refused(server):
    way = {"bodies": (OTHER[:-9], DATA), "cuts": (300_000, None), "ranges": True}
    assert fetch(server.serve(**way), "x.bin", sha256=SHA).read_bytes() == DATA
    assert len(server.asked) == 3 and server.ranges()[1] == "bytes=300000-"


def test_parts_that_do_not_fit_together_begin_anew(server):
    # No version, so that only the digest, known beforehand, can tell.
    way = {"bodies": (OTHER, DATA), "cuts": (300_000, None), "ranges": True}
    assert fetch(server.serve(**way), "x.bin", sha256=SHA).read_bytes() == DATA
    assert server.ranges() == [None, "bytes=300000-", None]


@pytest.mark.parametrize(
    "note",
    [
        b"{",
        b"[]",
        b'{"url": 3}',
        b'{"url": "elsewhere", "total": 9, "version": ""}',
        b'{"url": "URL", "total": 768000}',
        b'{"url": "URL", "version": "", "total": "9"}',
    ],
)
def test_a_partial_file_of_unknown_origin_is_not_used(server, home, note):
    url, cache = server.serve(etag=True, ranges=True), cache_folders()[0]
    cache.mkdir()
    (cache / ".x.bin.part").write_bytes(b"abc")
    (cache / ".x.bin.part.json").write_bytes(note.replace(b"URL", url.encode()))
    assert fetch(url, "x.bin").read_bytes() == DATA and server.ranges() == [None]


# ---- digests


def test_a_corrupt_file_is_refused_with_both_digests(server, home):
    with pytest.raises(UserError, match=f"{hashlib.sha256(OTHER).hexdigest()}, expected {SHA}") as error:
        fetch(server.serve(bodies=(OTHER,)), "x.bin", sha256=SHA)
    assert server.address in one_line(error) and len(server.asked) == 1
    assert left_behind(home.parent) == []


def test_the_first_digits_of_a_digest_are_compared(server):
    assert fetch(server.serve(), "x.bin", sha256=SHA[:8]).read_bytes() == DATA
    with pytest.raises(UserError, match="expected 0123"):
        fetch(server.serve("y"), "y.bin", sha256="0123")


def test_what_was_fetched_first_is_what_is_fetched_ever_after(server, home):
    path = fetch(server.serve(bodies=(DATA, OTHER)), "x.bin")
    assert json.loads((path.parent / LOCK).read_text())["pinned"] == {"x.bin": SHA}
    path.unlink()
    with pytest.raises(UserError, match=f"expected {SHA}.*delete the entry 'x.bin' in .*{LOCK}") as error:
        fetch(f"{server.address}/x.bin", "x.bin")
    assert one_line(error) and left_behind(home.parent) == [LOCK]


def test_bz2_is_unpacked_and_its_content_verified(server, home):
    url = server.serve("d.dat.bz2", bodies=(bz2.compress(DATA),))
    assert fetch(url, "d.dat", sha256=SHA).read_bytes() == DATA
    assert left_behind(home.parent) == ["d.dat", LOCK]
    with pytest.raises(UserError, match=SHA):
        fetch(server.serve("e.dat.bz2", bodies=(bz2.compress(OTHER),)), "e.dat", sha256=SHA)
    assert fetch(url, "whole.bz2").read_bytes() == bz2.compress(DATA)


@pytest.mark.parametrize("body", [DATA, bz2.compress(DATA)[:-20]])
def test_damaged_bz2(server, home, body):
    with pytest.raises(MissingFile, match="cannot be unpacked.*unpack it and put it at"):
        fetch(server.serve("d.dat.bz2", bodies=(body,)), "d.dat")
    assert left_behind(home.parent) == []


def test_a_bz2_that_unpacks_without_end(server, home, monkeypatch):
    monkeypatch.setattr(download, "_UNPACKED_LIMIT", 2 << 20)
    with pytest.raises(MissingFile, match="unpacks to more"):
        fetch(server.serve("d.dat.bz2", bodies=(bz2.compress(bytes(5 << 20)),)), "d.dat")
    assert left_behind(home.parent) == []


# ---- processes


def test_of_two_processes_one_downloads(server, home):
    gate = threading.Event()
    call = f"print(fetch({server.serve(gate=gate)!r}, 'x.bin'))"
    first = started(call)
    assert server.arrived.wait(30)
    second = started(call)
    assert "another process fetches it" in second.stderr.readline()
    gate.set()
    for process in (first, second):
        said, complaint = process.communicate(timeout=30)
        assert process.returncode == 0, complaint
        assert Path(said.strip()).read_bytes() == DATA
    assert server.asked == [("/x.bin", None)] and left_behind(home.parent) == ["x.bin", LOCK]


def test_the_lock_of_a_killed_process_is_free(server, home, monkeypatch):
    cache_folders()[0].mkdir()
    holder = started(
        f"with exclusive({str(cache_folders()[0] / '.x.bin.lock')!r}):\n"
        "    print('held', flush=True)\n    input()",
        stdin=subprocess.PIPE,
    )
    assert holder.stdout.readline() == "held\n"
    waits, paths = threading.Event(), []
    monkeypatch.setattr(download, "_say", lambda line: waits.set())
    url = server.serve()
    thread = threading.Thread(target=lambda: paths.append(fetch(url, "x.bin")))
    thread.start()
    assert waits.wait(30) and not paths and server.asked == []
    holder.kill()
    holder.communicate(timeout=30)
    thread.join(30)
    assert paths[0].read_bytes() == DATA and left_behind(home.parent) == ["x.bin", LOCK]


# ---- disks


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_full_disk_is_one_line(server, home):
    url = server.serve(etag=True, ranges=True)
    limited = started(
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        f"raise SystemExit(run_cli(lambda: print(fetch({url!r}, 'x.bin'))))"
    )
    said, complaint = limited.communicate(timeout=30)
    assert limited.returncode == 2 and said == ""
    assert [line for line in complaint.splitlines() if line.startswith("error: cannot write")]
    assert "Traceback" not in complaint and left_behind(home.parent) == [".x.bin.part", ".x.bin.part.json"]
    assert fetch(url, "x.bin").read_bytes() == DATA  # the rest, once there is room
    assert server.ranges() == [None, "bytes=300000-"]


def test_room_is_asked_for_before(server, home, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 500_000))
    with pytest.raises(CannotWrite, match="0.8 MB are needed, 0.5 MB are free.*PPSTYLECLIP_HOME") as error:
        fetch(server.serve(), "x.bin")
    assert one_line(error) and left_behind(home.parent) == []


def test_a_disk_that_fills_while_unpacking(server, home, monkeypatch):
    def full(part, target):
        raise CannotWrite("cannot write: No space left on device")

    url = server.serve("d.dat.bz2", bodies=(bz2.compress(DATA),), etag=True)
    monkeypatch.setattr(download, "_unpack", full)
    with pytest.raises(CannotWrite):
        fetch(url, "d.dat")
    monkeypatch.undo()
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(home.parent / "cache"))
    monkeypatch.delenv("PPSTYLECLIP_OFFLINE", raising=False)
    assert fetch(url, "d.dat").read_bytes() == DATA and len(server.asked) == 1


def test_a_cache_that_cannot_be_written(server, home):
    (home.parent / "cache").write_text("in the way")
    with pytest.raises(CannotWrite, match="cannot write"):
        fetch(server.serve(), "x.bin")
    assert server.asked == []


# ---- what is there, offline, mirrors


def test_offline_names_file_address_and_place(monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    with pytest.raises(MissingFile) as error:
        fetch("https://example.com/x.bin", "x.bin")
    place = str(cache_folders()[0] / "x.bin")
    for words in ("x.bin is not", "PPSTYLECLIP_OFFLINE", "download https://example.com/x.bin", place):
        assert words in one_line(error)


def test_a_file_that_only_people_can_fetch(monkeypatch):
    with pytest.raises(MissingFile, match="no program.*download https://example.com/folder and put it at"):
        fetch("", "x.bin", page="https://example.com/folder")


def test_what_is_there_is_not_fetched_again(server, monkeypatch):
    fetch(server.serve(), "x.bin")
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    assert fetch(f"{server.address}/x.bin", "x.bin").read_bytes() == DATA
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "folder, path",
    [
        ("home/.cache/ppgan", ""),
        ("home/.cache/paddle/hapi/weights", ""),
        ("here/pretrained_models", "pretrained_models"),
        ("here/other", os.pathsep.join(["absent", "other"])),
        ("home/mine", "~/mine"),
    ],
)
def test_the_caches_of_others_are_found_again(home, folder, path, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    monkeypatch.setenv("PPSTYLECLIP_PATH", path)
    old = home.parent / folder / "x.bin"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"theirs")
    assert fetch("https://example.com/x.bin", "x.bin").samefile(old)
    assert left_behind(home.parent) == ["x.bin"]  # it is not ours to pin
    ours = cache_folders()[0] / "x.bin"
    ours.parent.mkdir()
    ours.write_bytes(b"ours")
    assert fetch("https://example.com/x.bin", "x.bin") == ours


def test_the_current_folder_is_not_searched(server, home, monkeypatch, capsys):
    near = home.parent / "here" / "pretrained_models" / "x.bin"
    near.parent.mkdir()
    near.write_bytes(b"anybody's")
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    with pytest.raises(MissingFile, match="or set PPSTYLECLIP_PATH=pretrained_models to use the one"):
        fetch("https://example.com/x.bin", "x.bin")
    monkeypatch.delenv("PPSTYLECLIP_OFFLINE")
    assert fetch(server.serve(), "x.bin").read_bytes() == DATA
    assert "x.bin: the one in pretrained_models is not searched for" in capsys.readouterr().err


def test_the_cache_is_in_the_home_folder_unless_told(home, monkeypatch):
    monkeypatch.delenv("PPSTYLECLIP_HOME")
    assert cache_folders()[:2] == [home / ".cache" / "ppstyleclip", home / ".cache" / "ppgan"]


def test_a_mirror_takes_the_place_of_every_address(server, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", f"{server.address}/some/where/")
    server.serve("some/where/x.bin")
    server.serve("some/where/d.dat.bz2", bodies=(bz2.compress(DATA),))
    server.serve("some/where/y.bin", bodies=(OTHER,))
    assert fetch("https://example.com/a/b?c=d", "x.bin").read_bytes() == DATA
    assert fetch("https://example.com/other.dat.bz2", "d.dat").read_bytes() == DATA
    assert fetch("", "y.bin").read_bytes() == OTHER  # also what no program can fetch elsewhere
    with pytest.raises(MissingFile, match="404"):
        fetch("https://example.com/z", "z.bin")


def test_a_folder_as_mirror(home, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", home.parent.as_uri())
    (home.parent / "x.bin").write_bytes(DATA)
    assert fetch("https://example.com/a", "x.bin").read_bytes() == DATA
    with pytest.raises(MissingFile, match="could not be fetched"):
        fetch("https://example.com/a", "y.bin")


def test_a_mirror_that_is_none(monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", "mirror.example.com")
    with pytest.raises(UserError, match="PPSTYLECLIP_MIRROR is 'mirror.example.com'"):
        fetch("https://example.com/a", "x.bin")
