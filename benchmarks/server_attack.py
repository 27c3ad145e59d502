#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Requests that a server should survive: paths, names, bombs, oversize and slow bodies, junk, many sockets.

Starts a server on this machine (or takes one by --url, which must be yours), attacks it by lists of its own
and, where schemathesis is installed (Python 3.11), by requests made from its OpenAPI description. A 5xx other
than 503, an answer with something of the server's files, or a server that does not answer afterwards is a
fault; exit code 1. So is what a server that was started here opens outside of its folders, runs or calls, as
watched_server.py notes it.

    pip install schemathesis
    python benchmarks/server_attack.py --examples 20000
    python benchmarks/server_attack.py --examples 300 --sockets 200
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import importlib.util
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from serving import figure, httpx, started, wait_ready
from watched_server import outside

UP = ("../", "..\\", "%2e%2e/", "..%2f", "%252e%252e%252f", "....//", "..;/", "%c0%ae%c0%ae/", "./../")
AIMS = ("etc/passwd", "jobs.sqlite3", "proc/self/environ", "windows/win.ini", "data/lock")
NAMES = (
    "evil",
    "../images/real/evil",
    "/etc/passwd",
    "a" * 5000,
    "\0",
    "beard.pt",
    "%00",
    "${jndi:x}",
    "'; --",
    "-rf",
    ".",
)
WORDS = ("a", "\x00", "\n", "‮", "\ud83d\ude00" * 200, "a" * 10_000, "<script>", "{{7*7}}", "$(id)", "%s%n")
SETTINGS = {
    "jobs_per_minute": 10**6, "requests_per_minute": 10**7, "queue_size": 10**5, "client_jobs": 10**5,
    "upload_seconds": 10, "wait_seconds": 0.2, "drain_seconds": 0, "warm": "draw", "keep_megabytes": 20,
}  # fmt: skip
LEAKS = re.compile(rb"root:.*:0:0|Traceback|SQLite format|PYTHON|site-packages|\.py\", line")


def paths() -> Iterator[str]:
    """Paths that lead out of every folder."""
    for route in ("image", "images", "images/styled", "v1/jobs", "ws/socket.io", "openapi.json", ""):
        for up in UP:
            for aim in AIMS:
                yield f"/{route}/{up * 6}{aim}"
        for aim in AIMS:
            yield f"/{route}//{aim}"
            yield f"/{route}/file:///{aim}"


def chunk(name: bytes, data: bytes) -> bytes:
    """One of a PNG's chunks."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bombs() -> dict[str, bytes]:
    """Files that are small and would become large."""
    start = b"\x89PNG\r\n\x1a\n"

    def head(width: int, height: int) -> bytes:
        return start + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))

    end = chunk(b"IEND", b"")
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 10**8, 9))
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a" * 10**8, 9))
    rows = zlib.compress(bytes(10**7), 9)
    return {
        "a PNG of 65,000 x 65,000": head(65_000, 65_000) + chunk(b"IDAT", rows) + end,
        "a PNG of 2**31 pixels a side": head(2**31 - 1, 2**31 - 1) + chunk(b"IDAT", rows) + end,
        "a PNG with a packed text": head(64, 64) + text + chunk(b"IDAT", rows) + end,
        "a PNG with a packed profile": head(64, 64) + profile + chunk(b"IDAT", rows) + end,
        "a PNG of 0 pixels": head(0, 0) + end,
        "a PNG of noise": start + random.Random(0).randbytes(100_000),
        "a JPEG of scans": b"\xff\xd8" + b"\xff\xda\0\x0c" * 10_000,
        "a JPEG of noise": b"\xff\xd8\xff" + random.Random(1).randbytes(100_000),
        "a WebP of noise": b"RIFF\xff\xff\0\0WEBPVP8L" + random.Random(2).randbytes(100_000),
        "a zip": b"PK\x03\x04" + bytes(1000),
        "a pickle": b"\x80\x02cos\nsystem\nq\x00X\x02\0\0\0idq\x01\x85q\x02R.",
        "nothing": b"",
    }


class Attack:
    """Counts answers, and notes what should not have come."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.port = int(url.rpartition(":")[2].partition("/")[0])
        self.host = url.partition("://")[2].rpartition(":")[0]
        self.statuses: Counter = Counter()
        self.faults: list[str] = []

    def note(self, what: str, answer: httpx.Response | bytes) -> None:
        """Judge one answer."""
        if isinstance(answer, bytes):
            match = re.match(rb"HTTP/1.1 (\d+)", answer)
            status, body = int(match[1]) if match else 0, answer
        else:
            status, body = answer.status_code, answer.content
        self.statuses[status] += 1
        if status >= 500 and status != 503:
            self.faults.append(f"{what}: status {status}")
        if LEAKS.search(body):
            self.faults.append(f"{what}: it shows something of the server's")

    def raw(self, data: bytes, seconds: float = 10.0) -> bytes:
        """What comes back for bytes as they are."""
        answer = b""
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), seconds) as line:
            line.sendall(data)
            while part := line.recv(65_536):
                answer += part
        return answer

    def of_paths(self) -> None:
        """Paths out of every folder, as bytes on the line."""
        for path in paths():
            request = f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n"
            self.note(path, self.raw(request.encode("latin-1")))

    def of_words(self, web: httpx.Client) -> None:
        """Names of mappers, forged sids, texts."""
        image = {"image": ("../../../evil.pt", bombs()["a pickle"])}
        for name in NAMES:
            self.note("mapper", web.post("/edit", params={"mapper": name, "sid": "1"}, files=image))
            self.note("sid", web.post("/edit", params={"prompt": "a", "sid": name}, files=image))
            self.note("job", web.get("/v1/jobs/" + name.replace("\0", "%00")))
            self.note("mapper", web.post("/v1/jobs", json={"seed": 1, "method": "mapper", "mapper": name}))
        for word in WORDS:
            text = word.encode("utf-16", "surrogatepass").decode("utf-16")
            self.note("text", web.post("/v1/jobs", json={"seed": 1, "target": text}))
            self.note("text", web.post("/v1/jobs", data={"seed": "1", "target": text}))
            self.note("prompt", web.post("/edit", params={"prompt": text}, files=image))

    def of_bodies(self, web: httpx.Client) -> None:
        """Bombs, oversize bodies with and without a length, and bodies that are no JSON."""
        for what, data in bombs().items():
            begin = time.monotonic()
            for path in ("/v1/jobs", "/edit?prompt=a"):
                name = "photo" if path == "/v1/jobs" else "image"
                self.note(what, web.post(path, data={"target": "a"}, files={name: ("a.png", data)}))
            if time.monotonic() - begin > 20:
                self.faults.append(f"{what}: it took {time.monotonic() - begin:.0f} s")
        kinds = (
            "application/json",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "text/plain",
            "",
        )
        bodies = (
            b"[" * 10**6,
            b'{"seed":' + b"9" * 10**5 + b"}",
            b"\xff\xfe",
            b"--x\r\n" * 10**4,
            b"{}",
            b"null",
        )
        for kind in kinds:
            for body in bodies:
                self.note("body", web.post("/v1/jobs", content=body, headers={"Content-Type": kind}))
        for _ in range(3):
            with contextlib.suppress(httpx.TransportError):
                parts = (bytes(65_536) for _ in range(1000))
                self.note("oversize", web.post("/v1/jobs", content=parts, headers={"Content-Type": kinds[0]}))
        packed = {"Content-Type": kinds[0], "Content-Encoding": "gzip"}
        self.note("packed", web.post("/v1/jobs", content=gzip.compress(bytes(10**8)), headers=packed))
        for length in ("99999999999", "-1", "1e9", "0x10", "1, 2", ""):
            head = f"POST /v1/jobs HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {length}\r\n\r\n"
            self.note("length", self.raw(head.encode()))

    def of_junk(self, count: int) -> None:
        """Bytes that are hardly HTTP."""
        chance = random.Random(3)
        starts = (b"GET / HTTP/1.1\r\n", b"POST /edit HTTP/1.1\r\n", b"", b"PRI * HTTP/2.0\r\n\r\n", b"GET /")
        for _ in range(count):
            line = chance.choice(starts) + chance.randbytes(chance.randrange(300)) + b"\r\n\r\n"
            self.note("junk", self.raw(line, 3.0))
        self.note("headers", self.raw(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n"))
        self.note("query", self.raw(b"POST /edit?" + b"a=b&" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))

    def of_wishes(self, web: httpx.Client) -> None:
        """Regions, recipes and numbers that cannot be, as JSON and as forms."""
        regions = ("/etc/passwd", "../../x.png", "mouth+" * 500, "auto+mouth", "mask.png", "", "MOUTH")
        recipes = (
            "!!python/object/apply:os.system [id]",
            "a: &a [x]\nb: [" + "*a, " * 5000 + "x]",
            "edits: [" + "{target: a}, " * 3000 + "]",
            "[" * 10_000,
            '{"edits": [{"target": "a", "region": "/etc/passwd"}]}',
            "edits:\n- target: a\n  alpha: .inf",
            "\0",
        )
        numbers = ("nan", "inf", "1e400", "-1e9", "0x10", "9" * 5000, "1_0", "auto auto", "")
        for field, values in (
            ("region", regions),
            ("recipe", recipes),
            ("alpha", numbers),
            ("seed", numbers),
        ):
            for value in values:
                wish = {"seed": "1", "target": "a"} if field != "recipe" else {"seed": "1"}
                begin = time.monotonic()
                self.note(field, web.post("/v1/jobs", data={**wish, field: value}))
                self.note(field, web.post("/v1/jobs", json={**wish, "seed": 1, field: value}))
                if time.monotonic() - begin > 20:
                    self.faults.append(f"{field} {value[:20]!r}: it took {time.monotonic() - begin:.0f} s")

    async def of_slow_uploads(self, count: int, seconds: float) -> None:
        """Bodies that arrive a byte at a time: each is ended by the server, while others are served.

        Args:
            count: of bodies at once.
            seconds: after which the server ends them.
        """
        head = f"POST /v1/jobs HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"

        async def one(number: int) -> bytes:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            length = "Content-Length: 100000" if number % 2 else "Transfer-Encoding: chunked"
            writer.write(f"{head}{length}\r\n\r\n".encode())
            answer, until = b"", time.monotonic() + 6 * seconds
            with contextlib.suppress(OSError):
                while not answer and time.monotonic() < until:
                    writer.write(b"[" if number % 2 else b"1\r\n[\r\n")
                    with contextlib.suppress(asyncio.TimeoutError):
                        answer = await asyncio.wait_for(reader.read(65_536), 0.5)
            writer.close()
            return answer

        for answer in await asyncio.gather(*(one(number) for number in range(count))):
            self.note("a slow upload", answer)
            if not answer.startswith(b"HTTP/1.1 4") and not answer.startswith(b"HTTP/1.1 503"):
                self.faults.append(f"a slow upload: it was not ended, {answer[:40]!r}")

    async def of_clients(self, count: int) -> None:
        """Socket.IO clients by WebSocket, all at once; each is let in, and others are served meanwhile."""
        head = (
            f"GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {self.host}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        hello = b"\x81\x82\0\0\0\0" + b"40"  # a masked text, which asks to be let in
        lines = []

        async def one() -> bool:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            lines.append(writer)
            try:
                writer.write(head.encode())
                await asyncio.wait_for(reader.readuntil(b'"sid"'), 60)  # of the transport
                writer.write(hello)
                await asyncio.wait_for(reader.readuntil(b'40{"sid"'), 60)  # of the client
            except (asyncio.TimeoutError, asyncio.IncompleteReadError, OSError):
                return False
            return True

        let_in = 0
        for first in range(0, count, 50):
            let_in += sum(await asyncio.gather(*(one() for _ in range(min(50, count - first)))))
        async with httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False) as web:
            for _ in range(20):
                self.note("beside the clients", await web.get("/healthz"))
        for writer in lines:
            writer.close()
        print(f"Socket.IO clients at once: {let_in} of {count} let in", flush=True)
        if let_in < count:
            self.faults.append(f"{count - let_in} of {count} Socket.IO clients were not let in")

    async def of_sockets(self, count: int) -> None:
        """Half-sent requests, Socket.IO clients and streams at once, while others are served."""
        lines = []
        for k in range(count):
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                path = ("/ws/socket.io/?EIO=4&transport=polling", "/v1/jobs", "/healthz")[k % 3]
                end = "\r\n" if k % 3 == 0 else ""
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n{end}".encode())
                lines.append(writer)
        async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as web:
            for _ in range(20):
                self.note("beside the sockets", await web.get("/healthz"))
        for writer in lines:
            writer.close()
        print(f"sockets held: {len(lines)}")


def of_the_description(url: str, examples: int) -> int:
    """Have schemathesis make requests of the OpenAPI description; its exit code, -1 without it."""
    program = shutil.which("schemathesis", path=os.path.dirname(sys.executable)) or shutil.which(
        "schemathesis"
    )
    if importlib.util.find_spec("schemathesis") is None or program is None:
        return -1
    options = ["--checks", "not_a_server_error", "--max-examples", str(examples), "--continue-on-failure"]
    options += ["--no-color", "--request-timeout", "120", "--workers", "1", "--generation-deterministic"]
    with tempfile.TemporaryDirectory() as folder:  # it writes a cache where it is called
        Path(folder, "schemathesis.toml").write_text(_EXPECTED)
        command = [program, "run", f"{url}/openapi.json", *options]
        return subprocess.run(command, cwd=folder).returncode


# 503 says that the queue is full or the model not there; all else from 500 on is a fault.
_EXPECTED = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]
"""


def main(argv: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="a running server of your own (default: one is started)")
    parser.add_argument(
        "--examples", type=int, default=1200, help="requests for each operation (default: 1200)"
    )
    parser.add_argument("--sockets", type=int, default=1000, help="held at once (default: 1000)")
    parser.add_argument("--junk", type=int, default=300, help="lines that are hardly HTTP (default: 300)")
    args = parser.parse_args(argv)
    if httpx is None:
        raise SystemExit("this needs httpx; do: pip install httpx")
    with contextlib.ExitStack() as stack:
        url, data, seen, begin = args.url, None, None, 0
        if url is None:
            seen = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "seen"
            url, data, _ = stack.enter_context(started(watch=seen, **SETTINGS))
            begin = seen.stat().st_size
        attack, before = Attack(url), figure(url, "ppstyleclip_answers_total")
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as web:
            attack.of_paths()
            attack.of_words(web)
            attack.of_wishes(web)
            attack.of_bodies(web)
        attack.of_junk(args.junk)
        if args.url is None:
            asyncio.run(attack.of_slow_uploads(20, SETTINGS["upload_seconds"]))
        asyncio.run(attack.of_sockets(args.sockets))
        asyncio.run(attack.of_clients(args.sockets))
        print(f"answers by status (0: the line was closed): {dict(sorted(attack.statuses.items()))}")
        print("\n".join(attack.faults[:50]) or "no fault so far", flush=True)
        by_lists = figure(url, "ppstyleclip_answers_total")
        code = of_the_description(url, args.examples)
        wait_ready(url)
        after = figure(url, "ppstyleclip_answers_total")
        print(f"requests answered: {by_lists - before} of lists, {after - by_lists} of the description")
        print(f"memory of the server: {figure(url, 'process_resident_memory_bytes') / 1e6:.0f} MB")
        done = httpx.post(f"{url}/v1/jobs", json={"seed": 1, "target": "happy face"}, trust_env=False)
        print(f"a job afterwards: status {done.status_code}")
        if seen is not None and data is not None:
            noted, strange = seen.read_bytes().count(b"\n", begin), Counter(outside(seen, begin, data))
            print(f"opened outside of its folders, run or called: {sum(strange.values())} of {noted} noted")
            print("\n".join(f"{count} x {what}" for what, count in strange.most_common(30)))
            attack.faults += list(strange) if noted else ["nothing was noted, so nothing was watched"]
    words = {-1: "not installed, left out", 0: "no fault"}
    print("schemathesis: " + words.get(code, f"faults, exit code {code}"))
    return int(bool(attack.faults) or code > 0)


if __name__ == "__main__":
    raise SystemExit(main())
