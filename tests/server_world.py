# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A server that runs for tests: real sockets and threads, and work that a test can hold, fail or count."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.app import create_app
from ppstyleclip.server.schemas import MapperEntry, ModelEntry
from ppstyleclip.server.service import Service
from ppstyleclip.server.settings import ServerSettings, load_settings
from ppstyleclip.server.work import Made

PATIENCE = 60.0  # seconds that a test waits for what should come at once


@dataclass
class Work:
    """What jobs do here: a record each `pace` seconds, and none while it is held.

    Attributes:
        pace: seconds a step.
        ran: targets of the jobs that were begun, in their order.
    """

    pace: float = 0.0
    ran: list[str] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.free.set()

    def run(self, model: Any, request: Any, photo: Any) -> Iterator[Record[Made]]:
        """Stand in for work.run_request."""
        self.ran.append(request.target or request.mapper)
        if request.target == "fail":
            raise UserError("no face was found in /srv/secret/photo.png; use another photo")
        if request.target == "lack":
            raise MissingFile("marks.dat is not on this machine; put it at /srv/secret/marks.dat")
        if request.target == "crash":
            raise RuntimeError("secret words of a bug")
        steps = request.steps or 3
        stage = "optimising" if request.method == "optimise" else "pictures"
        for step in range(1, steps + 1):
            time.sleep(self.pace)
            while not self.free.is_set():
                yield Record(step - 1, steps, stage)
                time.sleep(0.02)
            made = None
            if step == steps:
                shade = np.full([8, 8, 3], (request.seed or 0) % 256, np.uint8)
                pictures = {"edited": shade if photo is None else photo, "before": shade}
                made = Made(
                    pictures if photo is None else {**pictures, "after": shade}, {"method": request.method}
                )
            yield Record(step, steps, stage, made)


@dataclass
class FakeModel:
    """What stands in for Model."""

    mappers: dict[str, str] = field(default_factory=lambda: {"beard": "none"})
    finder: Any = "finder"
    no_photos: str = ""
    align: str = "face"
    takes_photos: bool = True
    has_identity: bool = False
    editor: Any = field(
        default_factory=lambda: SimpleNamespace(
            bundle=SimpleNamespace(name="fake", fingerprints={}, clip=None, identity=None)
        )
    )

    def chain(self, name: str, text: str | None, strength: float) -> list:
        """Refuse unknown mappers, as Model does."""
        if name not in self.mappers:
            raise UserError(f"there is no mapper of this name; there are: {', '.join(self.mappers)}")
        return []

    def entry(self) -> ModelEntry:
        """As Model's."""
        return ModelEntry(
            name="fake", size=8, methods=["direction"], clip="fake", defaults={}, fingerprints={},
            takes_photos=True, auto=False,
        )  # fmt: skip

    def mapper_entries(self) -> list[MapperEntry]:
        """As Model's."""
        return [MapperEntry(name=name, texts=[], takes_text=kind) for name, kind in self.mappers.items()]

    def regions(self) -> list[str]:
        """As Model's."""
        return ["mouth", "hair", "auto"]


@dataclass
class Served:
    """A running server.

    Attributes:
        url: its address.
        work: what its jobs do.
        client: for requests.
        service, app, settings: behind it.
    """

    url: str
    work: Work
    client: httpx.Client
    service: Service
    app: Any
    settings: ServerSettings

    def send(self, **wish: Any) -> str:
        """Send a job, with steps an optimisation; its id."""
        usual = {"seed": 1, "target": "happy face", "method": "optimise" if "steps" in wish else "direction"}
        answer = self.client.post("/v1/jobs", json={**usual, **wish})
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def status(self, job: str, wait: float = 0) -> dict[str, Any]:
        """How a job stands."""
        answer = self.client.get(f"/v1/jobs/{job}", params={"wait": wait})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ended(self, job: str) -> dict[str, Any]:
        """How a job has ended."""
        return self.until(job, "done", "failed", "cancelled", "expired")

    def until(self, job: str, *states: str) -> dict[str, Any]:
        """Wait until a job is in one of some states."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now = self.status(job)
            if now["state"] in states:
                return now
            time.sleep(0.02)
        raise AssertionError(f"it is {now['state']}, not {states}")


def no_warming(model: Any, everything: bool) -> Iterator[Record[Any]]:
    """Stand in for work.warm_methods."""
    yield from ()


@contextlib.contextmanager
def serving(
    folder: Path, *, work: Work | None = None, load: Any = lambda _: FakeModel(), **settings: Any
) -> Iterator[Served]:
    """Run a server in a thread on a free port of 127.0.0.1."""
    work = Work() if work is None else work
    own = load_settings(data=folder, port=0, **{"drain_seconds": 0.0, **settings})
    service = Service(own, load=load, run=work.run, warm=no_warming)  # type: ignore[arg-type,return-value]
    app = create_app(own, service)
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1, ws_max_size=65_536
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False, verify=False) as client:
            wait_ready(client)
            yield Served(url, work, client, service, app, own)
    finally:
        work.free.set()
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()


def wait_ready(client: httpx.Client) -> None:
    """Wait until a server says that it is ready."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the server is not ready")


def raw(served: Served, data: bytes) -> bytes:
    """What a server answers to bytes that are sent as they stand."""
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))) as line:
        line.settimeout(PATIENCE)
        line.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(65_536):
                answer += part
        return answer


def picture_file(width: int = 32, height: int = 24, kind: str = "PNG", **options: Any) -> bytes:
    """A small picture's file."""
    colours = np.arange(width * height * 3, dtype=np.uint32).reshape(height, width, 3) % 251
    memory = io.BytesIO()
    Image.fromarray(colours.astype(np.uint8)).save(memory, kind, **options)
    return memory.getvalue()
