# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A server as a process of its own, for the commands that load and attack one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import httpx
except ImportError:  # --help answers without it
    httpx = None  # type: ignore[assignment]


TESTS = Path(__file__).parents[1] / "tests"


@contextlib.contextmanager
def started(
    folder: Path | None = None, *, watch: Path | None = None, stand_in: bool = False, **settings: object
) -> Iterator[tuple[str, Path, subprocess.Popen]]:
    """Start `ppstyleclip serve` on a free port; ends it with SIGTERM.

    Args:
        folder: of its data, which stays; None: one of its own, which goes with it.
        watch: file into which watched_server.py notes what the server does.
        stand_in: its jobs draw nothing, as in the tests: what is left are queue, journal and files.
        settings: of the server, as in its documents.
    Yields:
        (address, its folder of data, the process).
    """
    if httpx is None:
        raise SystemExit("this needs httpx; do: pip install httpx")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    with tempfile.TemporaryDirectory() as own:
        data = Path(own) / "data" if folder is None else folder
        names = {f"PPSTYLECLIP_SERVER_{name.upper()}": str(value) for name, value in settings.items()}
        begin = ["-m", "ppstyleclip", "serve"]
        if watch is not None:
            begin, names["WATCH"] = [str(Path(__file__).with_name("watched_server.py"))], str(watch)
        command = [sys.executable, *begin, "--port", "0", "--data", str(data)]
        if stand_in:
            data.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, str(TESTS / "server_process.py"), str(data), "0.02"]
        with open(Path(own) / "log", "w") as log:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **names}
            )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().rpartition(" ")[2].strip()
            wait_ready(address, process)
            yield address, data, process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(120)
            process.kill()


class Supervised:
    """A process that is killed and started again, with one log for all of its lives.

    Args:
        command: what is run.
        log: file of what it says on stderr.
        settings: of the server, as in its documents.
    """

    def __init__(self, command: list[str], log: Path, settings: dict[str, object] | None = None) -> None:
        names = {f"PPSTYLECLIP_SERVER_{name.upper()}": str(value) for name, value in (settings or {}).items()}
        self.command, self.log, self._environment = command, log, {**os.environ, **names}
        self._process: subprocess.Popen | None = None
        log.touch()

    @classmethod
    def of_ppstyleclip(cls, words: list[str], log: Path, settings: dict[str, object]) -> Supervised:
        """A command of this package."""
        return cls([sys.executable, "-m", "ppstyleclip", *words], log, settings)

    def start(self) -> None:
        """Start it; it may need a while until it is ready."""
        with open(self.log, "ab") as log:
            log.write(b'{"event": "starts"}\n')
            log.flush()
            self._process = subprocess.Popen(
                self.command, stdout=subprocess.DEVNULL, stderr=log, env=self._environment
            )

    def kill(self) -> None:
        """End it by SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_ready(address: str, process: subprocess.Popen | None = None) -> None:
    """Wait until a server is ready; ends the command where it has ended."""
    while process is None or process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.5)
    raise SystemExit("the server has ended before it was ready")


def figure(address: str, name: str) -> int:
    """A figure of a server's /metrics, summed over its labels."""
    lines = httpx.get(f"{address}/metrics", trust_env=False, timeout=60).text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def resident_bytes(address: str) -> int:
    """Memory of a server's process, as its figures say."""
    return figure(address, "process_resident_memory_bytes")
