# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A Redis and its workers, and gunicorn, as processes of their own on free ports of 127.0.0.1."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from nursery import TESTS, Child, Nursery, environment
from server_world import PATIENCE, wait_ready

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed; apt-get install redis-server"
)


@contextlib.contextmanager
def gunicorn(folder: Path, app: str, **settings: object) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    """gunicorn with the documents' settings, and a client for it, once it is ready."""
    names = {f"PPSTYLECLIP_SERVER_{name.upper()}": str(value) for name, value in settings.items()}
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    config = TESTS.parent / "applications" / "server" / "gunicorn.conf.py"
    command = [sys.executable, "-m", "gunicorn", "-c", str(config), "-b", f"127.0.0.1:{port}", app]
    own = environment(**names, PPSTYLECLIP_SERVER_DATA=str(folder / "data"))
    with open(folder / "log", "ab") as log, subprocess.Popen(command, stderr=log, env=own) as running:
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False
            ) as client:
                wait_ready(client)
                yield running, client
        finally:
            running.terminate()  # its worker would outlive a kill
            running.wait(PATIENCE)


class RedisServer:
    """A redis-server of its own, which keeps nothing unless it is told to.

    Args:
        folder: of its files.
        keeps: whether it remembers over a restart.
    """

    def __init__(self, folder: Path, *, keeps: bool = False) -> None:
        self.folder, self.keeps = folder, keeps
        folder.mkdir(exist_ok=True)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "daemonize": "no"}
        options["appendonly"] = "yes" if self.keeps else "no"
        command = ["redis-server"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(b"PING\r\n")
                if line.recv(10).startswith(b"+PONG"):
                    return
            time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()


class Workers:
    """Worker processes of one queue, whose jobs take `pace` seconds a step."""

    def __init__(self, nursery: Nursery, folder: Path, pace: float, *more: str) -> None:
        self._nursery, self.folder, self.pace, self.more = nursery, folder, pace, more
        self.running: list[Child] = []

    def start(self) -> Child:
        """Start one, and wait until it takes jobs."""
        one = self._nursery.start("worker", self.folder / "worker-log", self.folder, self.pace, *self.more)
        self.running.append(one)
        return one

    def kill(self) -> None:
        """Kill them all."""
        for one in self.running:
            one.kill()
        self.running.clear()
