# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit over HTTP: a server for photos and words, with a queue, events and results that expire.

Needs the extra: pip install "ppstyleclip[server]". Every setting of the documents' table may stand in the
environment, as PPSTYLECLIP_SERVER_NAME, or in a YAML file; what stands here comes first.

    ppstyleclip serve
    ppstyleclip serve --host 0.0.0.0 --port 8000 --config server.yaml
    ppstyleclip serve --queue redis://127.0.0.1:6379/0 --shared DIR    (`ppstyleclip worker` does its jobs)
    ppstyleclip serve --new_key alice
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ppstyleclip.cli.argument_types import Whole
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.threads import import_paddle

PLACE_OPTIONS = ("host", "port", "data", "root_path")
MODEL_OPTIONS = ("model_type", "bundle", "mappers", "align", "cpu")
QUEUE_OPTIONS = ("queue", "shared")
OPTIONS = (*PLACE_OPTIONS, *QUEUE_OPTIONS, *MODEL_OPTIONS)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    add_place_options(parser)
    add_queue_options(parser)
    add_model_options(parser)
    parser.add_argument(
        "--new_key", metavar="NAME", help="make an API key, show it and the setting for it, and end"
    )
    return parser.parse_args(argv)


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Add where a server listens and keeps its files."""
    add = parser.add_argument
    add("--host", help="address to listen on (default: 127.0.0.1, this machine alone)")
    add("--port", type=Whole(0, 65535), help="port to listen on; 0 takes a free one (default: 8000)")
    add("--config", metavar="YAML", help="file of settings")
    add("--data", metavar="DIR", help="folder of journal, uploads and results")
    add("--root_path", metavar="PATH", help="path below which a proxy shows the server")


def add_queue_options(parser: argparse.ArgumentParser) -> None:
    """Add what a server and its workers share."""
    add = parser.add_argument
    add("--queue", metavar="URL", help="redis://HOST:PORT/NUMBER, for workers in other processes")
    add("--shared", metavar="DIR", help="folder of pictures that server and workers see; needed with --queue")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add which model draws, and where."""
    add = parser.add_argument
    add("--model_type", help="known model (default: the embedded face world)")
    add("--bundle", metavar="DIR", help="folder of a model of your own, in place of --model_type")
    add("--mappers", metavar="DIR", help="folder with more mappers, NAME.safetensors")
    add(
        "--align",
        choices=("face", "none"),
        help="of photos; none for a generator of what is no face (cats, cars, churches): the square in the "
        "middle of the picture is taken, and nothing is looked for (default: face)",
    )
    add("--cpu", action="store_true", default=None, help="use the CPU even where there is a GPU")


def run(args: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    if args.new_key is not None:
        return _show_key(args.new_key)
    settings = read_settings(args, OPTIONS)
    import_paddle_for(settings)

    from ppstyleclip.server.serve import serve

    serve(settings, announce=lambda address: print(f"listening on {address}", flush=True))


def read_settings(args: argparse.Namespace, options: tuple[str, ...]) -> Any:
    """The settings of a command line, its file and the environment, once their packages are there.

    Raises:
        UserError, MissingExtra: as check_extra; a setting that cannot be.
    """
    check_extra()
    from ppstyleclip.server.settings import load_settings

    settings = load_settings(args.config, **{name: getattr(args, name) for name in options})
    if settings.queue is not None:
        _check_modules(("redis", "rq"), "a queue in Redis", "server,redis")
    return settings


def import_paddle_for(settings: Any) -> None:
    """Import Paddle first, before the parts that use it, and choose its device."""
    paddle = import_paddle()
    if settings.cpu:
        paddle.set_device("cpu")


def check_extra() -> None:
    """Refuse where the server's packages are not.

    Raises:
        UserError: Python is too old.
        MissingExtra: a package is absent.
    """
    if sys.version_info < (3, 10):
        raise UserError("the server needs Python 3.10 or later; everything else runs on this one")
    modules = ("fastapi", "socketio", "uvicorn", "pydantic_settings", "python_multipart")
    _check_modules(modules, "the server", "server")


def _check_modules(modules: tuple[str, ...], what: str, extras: str) -> None:
    for module in modules:
        try:
            __import__(module)
        except ImportError as error:
            name = error.name or module
            raise MissingExtra(
                f'{what} needs {name}, which is not installed; do: pip install "ppstyleclip[{extras}]"'
            ) from None


def _show_key(name: str) -> None:
    from ppstyleclip.server.keys import new_key

    try:
        key, line = new_key(name)
    except ValueError:
        raise UserError(
            f"a key's name has letters, digits, '.', '_' and '-', up to 40, got '{name}'"
        ) from None
    print(f"the key, for its user; it is shown this once: {key}")
    print(f"the setting, for the server (PPSTYLECLIP_SERVER_API_KEYS, or api_keys in its file): {line}")
