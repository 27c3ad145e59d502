# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Servers and workers as processes of their own, to be killed; forked from one that has imported all."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from server_world import PATIENCE, wait_ready

TESTS = Path(__file__).resolve().parent


def environment(**more: str) -> dict[str, str]:
    """That of a process which imports the tests' modules and this package."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, **more}


class Nursery:
    """The process from which the others are forked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._numbers = folder, itertools.count()
        command = [sys.executable, str(TESTS / "nursery_process.py")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        assert self._process.stdout is not None and self._process.stdout.readline() == "ready\n"

    def ask(self, **wish: object) -> int | None:
        """What it answers."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, kind: str, log: Path, *args: object) -> Child:
        """Start a server or a worker, and wait until it is at work."""
        announced = self.folder / f"announced-{next(self._numbers)}"
        number = self.ask(kind=kind, args=[str(one) for one in args], log=str(log), announced=str(announced))
        assert number is not None
        child, end = Child(self, number), time.monotonic() + PATIENCE
        while not announced.exists():
            assert child.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        child.words = announced.read_text()
        return child

    def close(self) -> None:
        """End it and its children."""
        self._process.communicate()


class Child:
    """A process that was forked.

    Attributes:
        words: what it announced, a server's address.
    """

    words = ""

    def __init__(self, nursery: Nursery, number: int) -> None:
        self._nursery, self._number, self._code = nursery, number, None

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        if self._code is None:
            self._code = self._nursery.ask(wait=self._number)
        return self._code

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code, once it has ended."""
        end = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < end, "it does not end"
            time.sleep(0.02)
        assert self._code is not None
        return self._code

    def send_signal(self, one: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self._number, one)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)
        self.wait()


@contextlib.contextmanager
def process(nursery: Nursery, folder: Path, pace: float, *more: str) -> Iterator[tuple[Child, httpx.Client]]:
    """A server of the tests' own work, and a client for it, once it is ready."""
    folder.mkdir(exist_ok=True)
    running = nursery.start("server", folder / "log", folder, pace, *more)
    try:
        with httpx.Client(base_url=running.words, timeout=PATIENCE, trust_env=False, verify=False) as client:
            wait_ready(client)
            yield running, client
    finally:
        running.kill()


def send(client: httpx.Client, target: str, **wish: object) -> str:
    """Send a job, with steps an optimisation; its id."""
    usual = {"seed": 1, "target": target, "method": "optimise" if "steps" in wish else "direction"}
    answer = client.post("/v1/jobs", json={**usual, **wish})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def status(client: httpx.Client, job: str, wait: float = 20) -> dict:
    """A job's status once it has ended, or the wait is over."""
    return client.get(f"/v1/jobs/{job}", params={"wait": wait}).json()


def until(client: httpx.Client, job: str, *states: str) -> dict:
    """A job's status once it is in one of some states."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        now = status(client, job, 0)
        if now["state"] in states:
            return now
        time.sleep(0.02)
    raise AssertionError(f"it is {now['state']}, not {states}")


def begun(folder: Path) -> list[str]:
    """Targets of the jobs that were begun, in their order."""
    return (folder / "begun").read_text().splitlines()
