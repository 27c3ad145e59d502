# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit over HTTP: a server for photos and words, with a queue, events and results that expire.

Needs the extra: pip install "ppstyleclip[server]". Every setting of the documents' table may stand in the
environment, as PPSTYLECLIP_SERVER_NAME, or in a YAML file; what stands here comes first.

    ppstyleclip serve
    ppstyleclip serve --host 0.0.0.0 --port 8000 --config server.yaml
    ppstyleclip serve --new_key alice
"""

from __future__ import annotations

import argparse
import sys

from ppstyleclip.cli.argument_types import Whole
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.threads import import_paddle

OPTIONS = ("host", "port", "data", "model_type", "bundle", "mappers", "root_path", "cpu")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    add = parser.add_argument
    add("--host", help="address to listen on (default: 127.0.0.1, this machine alone)")
    add("--port", type=Whole(0, 65535), help="port to listen on; 0 takes a free one (default: 8000)")
    add("--config", metavar="YAML", help="file of settings")
    add("--data", metavar="DIR", help="folder of journal, uploads and results")
    add("--model_type", help="known model (default: the embedded face world)")
    add("--bundle", metavar="DIR", help="folder of a model of your own, in place of --model_type")
    add("--mappers", metavar="DIR", help="folder with more mappers, NAME.safetensors")
    add("--root_path", metavar="PATH", help="path below which a proxy shows the server")
    add("--cpu", action="store_true", default=None, help="use the CPU even where there is a GPU")
    add("--new_key", metavar="NAME", help="make an API key, show it and the setting for it, and end")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    if args.new_key is not None:
        return _show_key(args.new_key)
    check_extra()
    from ppstyleclip.server.settings import load_settings

    settings = load_settings(args.config, **{name: getattr(args, name) for name in OPTIONS})
    paddle = import_paddle()
    if settings.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.server.serve import serve

    serve(settings, announce=lambda address: print(f"listening on {address}", flush=True))


def check_extra() -> None:
    """Refuse where the server's packages are not.

    Raises:
        UserError: Python is too old.
        MissingExtra: a package is absent.
    """
    if sys.version_info < (3, 10):
        raise UserError("the server needs Python 3.10 or later; everything else runs on this one")
    for module in ("fastapi", "socketio", "uvicorn", "pydantic_settings", "python_multipart"):
        try:
            __import__(module)
        except ImportError as error:
            name = error.name or module
            raise MissingExtra(
                f'the server needs {name}, which is not installed; do: pip install "ppstyleclip[server]"'
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
