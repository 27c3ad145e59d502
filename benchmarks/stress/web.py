# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Work that comes as HTTP requests: Flask's own server, a new thread for each, and gunicorn's threads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask
from stress.tasks import TASKS, Task, random_generator
from werkzeug.serving import make_server

SECONDS = 300  # for an answer
PROCESSES = 2  # of gunicorn


def flask_app(task: Task) -> Flask:
    """An application that answers /K with what the task makes of face K."""
    app = Flask(__name__)
    app.add_url_rule("/<int:k>", "make", lambda k: task(k))
    return app


def gunicorn_app(name: str, size: int, folder: str) -> Flask:
    """The same for gunicorn, which imports it in its master process; the master has used Paddle then."""
    task = TASKS[name](random_generator(size))
    task.compile(Path(folder))
    return flask_app(task)


def from_flask(task: Task, count: int, width: int) -> list[str]:
    """Flask's development server in this process: a new thread for each request."""
    server = make_server("127.0.0.1", 0, flask_app(task), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        return ask_all(server.server_port, count, width)
    finally:
        server.shutdown()
        thread.join()


def from_gunicorn(name: str, size: int, folder: Path, count: int, width: int) -> list[str]:
    """Gunicorn with processes forked from a master that has loaded the networks, `width` threads in each."""
    port = free_port()
    call = f"stress.web:gunicorn_app({name!r}, {size}, {str(folder)!r})"
    options = [
        "--preload",
        "-k",
        "gthread",
        "--threads",
        str(width),
        "-w",
        str(PROCESSES),
        "-t",
        str(SECONDS),
    ]
    command = [sys.executable, "-m", "gunicorn", *options, "-b", f"127.0.0.1:{port}", "--log-level", "error"]
    server = subprocess.Popen(
        [*command, call], env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    )
    try:
        wait_for(port, server)
        return ask_all(port, count, width)
    finally:
        server.terminate()
        server.wait(60)


def ask_all(port: int, count: int, width: int) -> list[str]:
    """The answers to `count` requests, `width` at a time."""

    def ask(k: int) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{k}", timeout=SECONDS) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"
        except OSError as error:
            return f"{type(error).__name__}: {error}"

    with ThreadPoolExecutor(width) as pool:
        return list(pool.map(ask, range(count)))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port: int, server: subprocess.Popen) -> None:
    """Wait until a server takes connections."""
    end = time.time() + SECONDS
    while time.time() < end:
        if server.poll() is not None:
            raise RuntimeError(f"gunicorn ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("gunicorn does not answer")
