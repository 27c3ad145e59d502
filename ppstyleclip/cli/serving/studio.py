# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The studio: edit faces by words in the browser. No picture leaves the machine that runs it.

Needs the extra: pip install "ppstyleclip[studio]". It is the server with a page on top: every setting of the
server's document holds here too.

    ppstyleclip studio
    ppstyleclip studio --host 0.0.0.0 --port 7860 --lang zh
    ppstyleclip studio --bundle my_model
"""

from __future__ import annotations

import argparse
import webbrowser

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.cli.serving.serve import (
    MODEL_OPTIONS,
    PLACE_OPTIONS,
    add_model_options,
    add_place_options,
    check_extra,
    import_paddle_for,
    read_settings,
)
from ppstyleclip.errors import MissingExtra


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    add_place_options(parser)
    add_model_options(parser)
    add = parser.add_argument
    add("--lang", choices=("en", "zh"), help="language of the page that is opened (default: the browser's)")
    add("--open", action="store_true", help="open the page in this machine's browser")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Serve the page until a signal comes."""
    check_extra()
    try:
        import gradio
    except ImportError as error:
        name = error.name or "gradio"
        raise MissingExtra(
            f'the studio needs {name}, which is not installed; do: pip install "ppstyleclip[studio]"'
        ) from None
    if int(gradio.__version__.partition(".")[0]) < 6:
        raise MissingExtra(
            f"the studio needs Gradio 6, and {gradio.__version__} is here; do: "
            'pip install -U "ppstyleclip[studio]"'
        )
    settings = read_settings(args, (*PLACE_OPTIONS, *MODEL_OPTIONS))
    import_paddle_for(settings)

    from ppstyleclip.server.model import load_model
    from ppstyleclip.server.serve import serve
    from ppstyleclip.studio.app import PLACE, Studio

    studio = Studio(settings, load_model(settings))
    page = f"{PLACE}/{args.lang}/" if args.lang else f"{PLACE}/"

    def announce(address: str) -> None:
        print(f"the studio is at {address}{page}", flush=True)
        if args.open:
            webbrowser.open(f"{address}{page}")

    serve(settings, service=studio.service, announce=announce, extend=studio.mount)
