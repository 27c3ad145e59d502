# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A server on this machine that serves one body well or badly, and remembers what it was asked for."""

import contextlib
import hashlib
import http.server
import threading
from dataclasses import dataclass, field

DATA = bytes(range(256)) * 3000
OTHER = bytes(reversed(DATA))


@dataclass
class Way:
    """How one path is served; a tuple counts requests, its last item holds for all that follow.

    Attributes:
        bodies: what is served.
        statuses: 0 to serve, otherwise the error that is sent instead.
        cuts: bytes after which the connection is dropped, or None.
        etag, ranges, length: whether versions are named, parts are served, the length is stated.
        ignores_if_range, refuses_ranges: serves parts of a changed file; answers 416 to who asks for one.
        shift: by how much a part begins later than was asked for.
        chunked: served in pieces of stated length (HTTP/1.1).
        encoding: a Content-Encoding that is stated.
        goes_to: a redirect.
        gate: waited for after the first bytes.
    """

    bodies: tuple = (DATA,)
    statuses: tuple = (0,)
    cuts: tuple = (None,)
    etag: bool = False
    ranges: bool = False
    ignores_if_range: bool = False
    refuses_ranges: bool = False
    shift: int = 0
    length: bool = True
    chunked: bool = False
    encoding: str = ""
    goes_to: str = ""
    gate: threading.Event = None


@dataclass
class WeightsServer:
    """`ways` by path; `asked` lists (path, Range header or None) of every request."""

    address: str = ""
    ways: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def serve(self, path="x.bin", **way) -> str:
        """Serve something at a path from now on; returns its address."""
        self.ways[f"/{path}"] = Way(**way)
        return f"{self.address}/{path}"

    def ranges(self) -> list:
        """The Range header of each request."""
        return [asked for _, asked in self.asked]


def version_of(body) -> str:
    """The ETag of a body."""
    return f'"{hashlib.sha1(body).hexdigest()}"'


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        state = self.server.state
        count = sum(path == self.path for path, _ in state.asked)
        state.asked.append((self.path, self.headers.get("Range")))
        way = state.ways.get(self.path, Way(statuses=(404,)))
        turns = (way.statuses, way.bodies, way.cuts)
        status, body, cut = (items[min(count, len(items) - 1)] for items in turns)
        self.close_connection = True
        if way.refuses_ranges and self.headers.get("Range"):
            status = 416
        if status:
            return self.send_error(status)
        if way.goes_to:
            self.send_response(302)
            self.send_header("Location", way.goes_to)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        part = self._start_answer(way, body)
        first = part[:1000]
        with contextlib.suppress(OSError):
            self._send(way, first if cut is None else first[:cut])
            state.arrived.set()
            if way.gate is not None:
                way.gate.wait(20)
            self._send(way, part[1000:cut], last=cut is None)

    def _start_answer(self, way, body):
        start, asked = 0, self.headers.get("Range")
        if asked and way.ranges:
            if way.ignores_if_range or self.headers.get("If-Range") in (None, version_of(body)):
                start = int(asked.removeprefix("bytes=").removesuffix("-")) + way.shift
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if way.etag:
            self.send_header("ETag", version_of(body))
        if way.encoding:
            self.send_header("Content-Encoding", way.encoding)
        if way.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif way.length:
            self.send_header("Content-Length", str(len(body) - start))
        self.send_header("Connection", "close")
        self.end_headers()
        return body[start:]

    def _send(self, way, data, last=False):
        if way.chunked:
            data = b"%x\r\n%s\r\n" % (len(data), data) if data else b""
            data += b"0\r\n\r\n" if last else b""
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def running_server():
    """A WeightsServer while the block runs."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.state = WeightsServer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.state
    finally:
        for way in server.state.ways.values():
            if way.gate is not None:
                way.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
