# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What no route sees: keys, rates, sizes, kinds, hosts, origins; and paths that lead nowhere."""

from __future__ import annotations

import io
import json
import logging
import socket
import struct
import time
import zlib

import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")

from PIL import Image  # noqa: E402
from server_world import PATIENCE, picture_file, raw, serving  # noqa: E402

from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.server.guard import Rates  # noqa: E402
from ppstyleclip.server.keys import holder_of, new_key, parse_key_lines  # noqa: E402
from ppstyleclip.server.pictures import PictureStore, TooManyPixels  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402


def photo(data):
    """A form's file."""
    return {"photo": ("a.png", data, "image/png")}


def test_a_body_above_the_limit_is_413_with_and_without_a_length(tmp_path):
    with serving(tmp_path, upload_megabytes=0.1) as served:
        wish, large = {"target": "happy face"}, photo(b"\x89PNG\r\n\x1a\n" + b"a" * 400_000)
        assert served.client.post("/v1/jobs", data=wish, files=large).status_code == 413
        start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        parts = (part for part in (start, *[b"a" * 10_000] * 40))  # what is no multipart would be a 400
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        assert served.client.post("/v1/jobs", content=parts, headers=kind).status_code == 413
        # A length that is a lie, and one that is no number.
        head = "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999999\r\n\r\n"
        assert raw(served, head.encode()).startswith(b"HTTP/1.1 413")
        head = "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n"
        assert raw(served, head.encode()).startswith(b"HTTP/1.1 400")
        assert served.work.ran == [] and list(served.service.store.uploads.iterdir()) == []


def test_a_slow_upload_is_ended(tmp_path):
    with serving(tmp_path, upload_seconds=0.5) as served:
        head = (
            "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            "Content-Length: 100\r\n\r\n{"
        )
        assert raw(served, head.encode()).startswith(b"HTTP/1.1 408")


def test_other_kinds_of_body_and_picture_are_415(served):
    wish = {"target": "happy face"}
    gif = io.BytesIO()
    Image.new("RGB", (32, 32)).save(gif, "GIF")
    for data in (
        b"",
        b"PK\x03\x04" + b"\0" * 50,
        b"%PDF-1.7",
        b"<svg/>",
        gif.getvalue(),
        b"II*\0" + b"\0" * 50,
    ):
        assert served.client.post("/v1/jobs", data=wish, files=photo(data)).status_code == 415, data[:9]
    for kind in ("text/xml", "application/octet-stream", ""):
        answer = served.client.post("/v1/jobs", content=b"<a/>", headers={"Content-Type": kind})
        assert answer.status_code == 415
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert served.client.post("/v1/jobs", content=zlib.compress(b"{}"), headers=packed).status_code == 415


def chunk(name, data):
    """One of a PNG's chunks."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width, height, packed=b""):
    """A PNG that says how many pixels it has and holds hardly any."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + packed
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_bombs_are_refused_before_they_are_decoded(served):
    wish, begin = {"target": "happy face"}, time.monotonic()
    large = served.client.post("/v1/jobs", data=wish, files=photo(bomb(60_000, 60_000)))
    assert large.status_code == 413 and "megapixels" in large.json()["detail"]
    less = served.client.post("/v1/jobs", data=wish, files=photo(bomb(8_000, 8_000)))
    assert less.status_code == 413 and "8000x8000" in less.json()["detail"]
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 60_000_000))
    cut = picture_file(200, 200, "JPEG")[:600]
    scans = b"\xff\xd8" + b"\xff\xda" * 100
    for data in (bomb(64, 64, text), bomb(4000, 4000), bomb(2, 2), cut, scans):
        answer = served.client.post("/v1/jobs", data=wish, files=photo(data))
        assert answer.status_code == 422 and str(served.settings.data) not in answer.text
    assert time.monotonic() - begin < PATIENCE and served.work.ran == []
    assert list(served.service.store.uploads.iterdir()) == []


def test_what_a_photo_says_of_its_place_and_time_is_gone_at_once(tmp_path):
    store = PictureStore(tmp_path, 25)
    exif = Image.Exif()
    exif[0x010F] = "a secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    marked = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(marked, "JPEG", exif=exif, comment=b"a secret comment")
    assert b"secret" in marked.getvalue()
    store.take_upload("0" * 32, marked.getvalue())
    (kept,) = store.uploads.iterdir()
    assert b"secret" not in kept.read_bytes() and b"eXIf" not in kept.read_bytes()
    assert store.load_upload("0" * 32).shape == (30, 40, 3)
    with pytest.raises(TooManyPixels):
        PictureStore(tmp_path, 0.001).take_upload("1" * 32, picture_file(100, 100))
    for name in ("../../x", "", "a" * 31, "A" * 32):
        with pytest.raises(UserError):
            store.path(name)


PLACES = [
    "/etc/passwd", "//etc/passwd", "../../etc/passwd", "./../jobs.sqlite3", "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd", "images/styled/../../jobs.sqlite3", "styled/..%5c..%5cjobs.sqlite3",
    "./images/real/1.jpg", "styled/%00.png", "styled/" + "0" * 32 + ".png", "styled/" + "0" * 32 + ".png%00",
    "C:\\windows\\win.ini", "file:///etc/passwd", "styled/" + "f" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_path_leads_nowhere(asked, place):
    for route in ("image", "images", "v1/jobs"):
        answer = raw(
            asked, f"GET /{route}/{place} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")) and b"root:" not in answer


def test_keys(tmp_path):
    key, line = new_key("alice")
    other, other_line = new_key("bob")
    with serving(tmp_path, api_keys=f"{line},{other_line}") as served:
        assert served.client.get("/healthz").status_code == 200
        for path in ("/v1/models", "/mappers", "/metrics", "/images/x"):
            refused = served.client.get(path)
            assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        assert served.client.get("/mappers", headers={"X-API-Key": "wrong"}).status_code == 401
        alice, bob = {"Authorization": f"Bearer {key}"}, {"X-API-Key": other}
        job = served.client.post("/v1/jobs", json={"seed": 1, "target": "happy face"}, headers=alice).json()[
            "id"
        ]
        assert served.client.get(f"/v1/jobs/{job}", headers=alice).status_code == 200
        assert served.client.get(f"/v1/jobs/{job}", headers=bob).status_code == 404
        assert served.client.delete(f"/v1/jobs/{job}", headers=bob).status_code == 404
        assert key not in repr(served.settings) and served.client.get("/ws/socket.io/").status_code == 401


def test_keys_are_kept_as_digests():
    key, line = new_key("alice")
    digests = parse_key_lines([line])
    assert holder_of(key, digests) == "alice" and key not in line
    for wrong in (None, "", key[:-1], key + "a", "a" * 10_000, "\ud800"):
        assert holder_of(wrong, digests) is None
    for lines in (["alice"], ["a b:" + "0" * 64], [line, line]):
        with pytest.raises(ValueError):
            parse_key_lines(lines)


def test_rates():
    now = [0.0]
    rates = Rates(60, clock=lambda: now[0])
    assert all(rates.wait("a") == 0 for _ in range(60))
    assert 0 < rates.wait("a") <= 1 and rates.wait("b") == 0
    now[0] = 1.0
    assert rates.wait("a") == 0 and rates.wait("a") > 0


def test_too_many_requests_are_429(tmp_path):
    with serving(tmp_path, jobs_per_minute=2) as served:
        wish = {"seed": 1, "target": "happy face"}
        answers = [served.client.post("/v1/jobs", json=wish) for _ in range(3)]
        assert [one.status_code for one in answers] == [202, 202, 429]
        assert int(answers[2].headers["retry-after"]) >= 1


def test_pages_of_other_origins_may_not_use_the_server_unless_they_are_listed(tmp_path):
    wish = {"seed": 1, "target": "happy face"}
    with serving(tmp_path, cors="https://own.example") as served:
        foreign, own = {"Origin": "https://foreign.example"}, {"Origin": "https://own.example"}
        assert served.client.post("/v1/jobs", json=wish, headers=foreign).status_code == 403
        answer = served.client.post("/v1/jobs", json=wish, headers=own)
        assert answer.status_code == 202
        assert answer.headers["access-control-allow-origin"] == "https://own.example"
        assert "access-control-allow-credentials" not in answer.headers
        assert "access-control-allow-origin" not in served.client.get("/mappers", headers=foreign).headers
        for host in ("evil.example", "127.0.0.1.evil.example:80"):  # a name that was turned to this machine
            assert served.client.get("/mappers", headers={"Host": host}).status_code == 421
        page = served.client.get("/ws/socket.io/?EIO=4&transport=polling", headers=foreign)
        assert page.status_code == 400


def test_no_picture_and_no_words_stand_in_the_log(served, caplog):
    with caplog.at_level(logging.DEBUG, logger="ppstyleclip.server"):
        served.ended(served.send(target="crash"))
        served.client.post("/edit", params={"prompt": "my secret wish"}, files={"image": picture_file()})
    from ppstyleclip.server.logs import JsonFormatter

    lines = [
        JsonFormatter().format(record) for record in caplog.records if record.name == "ppstyleclip.server"
    ]
    assert len(lines) > 4 and all(json.loads(line)["event"] for line in lines)
    assert not any("secret" in line or "crash" in line or "127.0.0.1" in line for line in lines)


def test_many_idle_connections_do_not_stop_the_others(served):
    port = int(served.url.rpartition(":")[2])
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    try:
        for line in idle:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert served.client.get("/healthz").status_code == 200
    finally:
        for line in idle:
            line.close()


def test_settings_come_from_the_command_the_environment_and_a_file(tmp_path, monkeypatch):
    file = tmp_path / "server.yaml"
    file.write_text("queue_size: 3\nmegapixels: 4\ncors: [https://a.example]\n")
    monkeypatch.setenv("PPSTYLECLIP_SERVER_MEGAPIXELS", "5")
    found = load_settings(file, port=0)
    assert (found.queue_size, found.megapixels, found.port, found.cors) == (3, 5.0, 0, ("https://a.example",))
    for text, words in (
        ("queue_siz: 3", "queue_siz"),
        ("queue_size: -1", "queue_size"),
        ("- 3", "named settings"),
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=words):
            load_settings(file)
    file.write_text("cors: ['*']")
    with pytest.raises(UserError, match="origin"):
        load_settings(file)
