# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A server and a worker as processes of their own, for nursery_process.py, gunicorn and the benchmarks.

    python server_process.py DATA PACE [NAME=VALUE ...]     a server; each step of its jobs takes PACE seconds

Each job that is begun is a line of the file `begun` in their folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from server_world import FakeModel, Work, no_warming

from ppstyleclip.server.app import create_app
from ppstyleclip.server.serve import serve
from ppstyleclip.server.service import Service
from ppstyleclip.server.settings import load_settings


class NotedWork(Work):
    """Work that notes on disk which jobs were begun."""

    folder: Path

    def run(self, model, request, photo):
        """As Work.run."""
        with open(self.folder / "begun", "a") as file:
            file.write(f"{request.target}\n")
        yield from super().run(model, request, photo)


def create():
    """An application for gunicorn; its settings are in the environment."""
    return create_app(own := load_settings(), make_service(own, 0.0))


def make_work(settings, pace):
    """Work that takes `pace` seconds a step."""
    work = NotedWork(pace=pace)
    work.folder = settings.data
    return work


def make_service(settings, pace):
    """A service that does it."""
    run = make_work(settings, pace).run
    return Service(settings, load=lambda _: FakeModel(), run=run, warm=no_warming)


def run_server(args, announce):
    """Serve until a signal comes; its jobs take args[1] seconds a step."""
    folder, pace, *more = args
    own = load_settings(data=folder, **{"port": 0, **dict(pair.split("=", 1) for pair in more)})
    serve(own, service=make_service(own, float(pace)), announce=announce)


def run_worker(args, announce):
    """Do the jobs of a queue until a signal comes."""
    from ppstyleclip.server.redis_worker import serve_queue

    folder, pace, *more = args
    own = load_settings(data=folder, **dict(pair.split("=", 1) for pair in more))
    serve_queue(
        own,
        load=lambda _: FakeModel(),
        run=make_work(own, float(pace)).run,
        warm=no_warming,
        announce=announce,
    )


if __name__ == "__main__":
    run_server(sys.argv[1:], lambda address: print(address, flush=True))
