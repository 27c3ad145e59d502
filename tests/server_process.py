# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A server as a process of its own, to be killed: `python server_process.py DATA PACE [NAME=VALUE ...]`.

Its jobs take PACE seconds a step; each one that is begun is a line of DATA/begun.
"""

from __future__ import annotations

import sys
from pathlib import Path

from server_world import FakeModel, Work, no_warming

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


if __name__ == "__main__":
    data, pace, *more = sys.argv[1:]
    work = NotedWork(pace=float(pace))
    work.folder = Path(data)
    own = load_settings(data=data, **{"port": 0, **dict(pair.split("=") for pair in more)})
    service = Service(own, load=lambda _: FakeModel(), run=work.run, warm=no_warming)  # type: ignore[arg-type,return-value]
    serve(own, service=service, announce=lambda address: print(address, flush=True))
