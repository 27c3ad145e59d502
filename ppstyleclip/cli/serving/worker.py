# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Do the jobs of a server elsewhere: a worker of its queue in Redis, with the model loaded once.

Needs the extras: pip install "ppstyleclip[server,redis]". Server and workers have the same version, model and
mappers, and see the same folder. A worker that is killed loses nothing: its job is done by another one.

    ppstyleclip worker --queue redis://192.0.2.1:6379/0 --shared /srv/faces
    ppstyleclip worker --config server.yaml
"""

from __future__ import annotations

import argparse

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.cli.serving.serve import (
    MODEL_OPTIONS,
    QUEUE_OPTIONS,
    add_model_options,
    add_queue_options,
    import_paddle_for,
    read_settings,
)
from ppstyleclip.errors import UserError


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("--config", metavar="YAML", help="file of settings, that of the server")
    add_queue_options(parser)
    add_model_options(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Work until a signal comes."""
    settings = read_settings(args, (*QUEUE_OPTIONS, *MODEL_OPTIONS))
    if settings.queue is None:
        raise UserError("a worker needs the queue of its server: --queue redis://HOST:PORT/NUMBER")
    import_paddle_for(settings)

    from ppstyleclip.server.redis_worker import serve_queue

    serve_queue(settings, announce=lambda name: print(f"working as {name}", flush=True))
