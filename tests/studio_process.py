# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A studio as a process, behind a proxy that shows it below a path; and what it takes to look at it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "/faces"
PATIENCE = 240.0


@contextlib.contextmanager
def studio(folder: Path) -> Iterator[str]:
    """Run a studio of the embedded model, and a proxy that takes PREFIX off; yields the proxy's address."""
    command = [sys.executable, "-m", "ppstyleclip", "studio", "--port", "0", "--data", str(folder / "data")]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PPSTYLECLIP_HOME": os.environ.get("PPSTYLECLIP_HOME", str(folder / "home")),
        "PPSTYLECLIP_OFFLINE": "1",
        "PPSTYLECLIP_SERVER_WARM": "draw",
        "PPSTYLECLIP_SERVER_ROOT_PATH": PREFIX,
    }
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert PREFIX in line, (folder / "log").read_text()
            address = line.rpartition(" ")[2].partition(PREFIX)[0]
            with _proxy(address) as outside:
                _wait_ready(outside + PREFIX)
                yield outside + PREFIX
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            process.stdout.close()


def _wait_ready(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if httpx.get(address + "/readyz", timeout=PATIENCE, trust_env=False).status_code == 200:
            return
        time.sleep(0.3)
    raise AssertionError("the studio is not ready")


@contextlib.contextmanager
def _proxy(address: str) -> Iterator[str]:
    """A reverse proxy that shows an address below PREFIX, and nothing elsewhere."""
    client = httpx.AsyncClient(base_url=address, timeout=PATIENCE, trust_env=False)

    async def forward(request: Request) -> Response:
        path = request.url.path
        if not path.startswith(PREFIX + "/"):
            return PlainTextResponse("not here", status_code=404)
        url = httpx.URL(path=path[len(PREFIX) :], query=request.url.query.encode())
        body = await request.body()
        sent = client.build_request(request.method, url, headers=request.headers.raw, content=body)
        answer = await client.send(sent, stream=True)
        made = StreamingResponse(answer.aiter_raw(), answer.status_code, background=None)
        made.raw_headers = [(name.lower(), value) for name, value in answer.headers.raw]
        return made

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    routes = [Route("/{path:path}", forward, methods=["GET", "POST"])]
    app = Starlette(routes=routes, lifespan=life)
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server, listener = uvicorn.Server(config), config.bind_socket()
    listener.listen()  # who asks before the thread is there waits for it
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
