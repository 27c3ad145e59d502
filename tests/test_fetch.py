# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fetching from a server on this machine: the right file in the cache, or one clear line and no file."""

import http.server
import os
import threading
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import pytest

from ppstyleclip.errors import CannotWrite, MissingFile
from ppstyleclip.zoo import fetch
from ppstyleclip.zoo.download import cache_folders

DATA = bytes(range(256)) * 3000


class Server(http.server.BaseHTTPRequestHandler):
    """Serves DATA in several ways; `asked` counts requests per path."""

    asked: dict = {}

    def do_GET(self):
        count = self.asked[self.path] = self.asked.get(self.path, 0) + 1
        if self.path == "/gone":
            return self.send_error(404)
        if self.path == "/busy-once" and count == 1:
            return self.send_error(503)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/whole")
            return self.end_headers()
        body = b"<html>please log in</html>" if self.path == "/page" else DATA
        body = b"" if self.path == "/empty" else body
        self.send_response(200)
        if self.path != "/no-length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = self.path == "/cut" or self.path == "/cut-once" and count == 1
        self.wfile.write(body[:1000] if cut else body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home, an empty cache, no pauses, no proxies."""
    Server.asked.clear()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PPSTYLECLIP_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("ppstyleclip.zoo.download.PAUSE", 0)
    return tmp_path / "home"


def left_behind(tmp_path):
    return [name for _, _, names in os.walk(tmp_path) for name in names]


@pytest.mark.parametrize("way", ["whole", "no-length", "redirect", "busy-once", "cut-once"])
def test_the_file_arrives_whole(address, home, way, capsys):
    path = fetch(f"{address}/{way}", "x.bin")
    assert path == cache_folders()[0] / "x.bin" and path.read_bytes() == DATA
    assert left_behind(home.parent) == ["x.bin"]
    assert "x.bin" in capsys.readouterr().err  # the progress bar


@pytest.mark.parametrize("way, words, requests", [
    ("gone", "404", 1), ("page", "web page", 3), ("cut", "1000 of 768000 bytes", 3), ("empty", "0 of", 3)])
def test_a_failure_is_one_line_and_leaves_nothing(address, home, way, words, requests):
    with pytest.raises(MissingFile, match=words) as error:
        fetch(f"{address}/{way}", "x.bin")
    assert "\n" not in str(error.value)
    assert f"{address}/{way}" in str(error.value) and str(cache_folders()[0] / "x.bin") in str(error.value)
    assert Server.asked[f"/{way}"] == requests
    assert left_behind(home.parent) == []


def test_no_server(home):
    with pytest.raises(MissingFile, match="no connection"):
        fetch("http://127.0.0.1:9/x", "x.bin")
    assert left_behind(home.parent) == []


def test_offline_names_file_address_and_place(home, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    with pytest.raises(MissingFile) as error:
        fetch("https://example.com/x.bin", "x.bin")
    place = str(cache_folders()[0] / "x.bin")
    for words in ("x.bin is not", "PPSTYLECLIP_OFFLINE", "download https://example.com/x.bin", place):
        assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_there_is_not_fetched_again(address, home, monkeypatch):
    fetch(f"{address}/whole", "x.bin")
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    assert fetch(f"{address}/whole", "x.bin").read_bytes() == DATA
    assert Server.asked == {"/whole": 1}


def test_paddlegans_cache_is_found_again(home, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    old = home / ".cache" / "ppgan" / "x.bin"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"theirs")
    assert fetch("https://example.com/x.bin", "x.bin") == old
    ours = cache_folders()[0] / "x.bin"
    ours.parent.mkdir()
    ours.write_bytes(b"ours")
    assert fetch("https://example.com/x.bin", "x.bin") == ours


def test_the_cache_is_in_the_home_folder_unless_told(home, monkeypatch):
    monkeypatch.delenv("PPSTYLECLIP_HOME")
    assert cache_folders() == [home / ".cache" / "ppstyleclip", home / ".cache" / "ppgan"]


def test_a_cache_that_cannot_be_written(address, home, monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(CannotWrite, match="cannot write"):
        fetch(f"{address}/whole", "x.bin")
    assert Server.asked == {}
