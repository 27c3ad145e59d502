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

from ppstyleclip.cli.argument_types import Whole
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.cli.serve import OPTIONS, check_extra
from ppstyleclip.errors import MissingExtra
from ppstyleclip.threads import import_paddle


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    add = parser.add_argument
    add("--host", help="address to listen on (default: 127.0.0.1, this machine alone)")
    add("--port", type=Whole(0, 65535), help="port to listen on; 0 takes a free one (default: 8000)")
    add("--config", metavar="YAML", help="file of settings, as of `ppstyleclip serve`")
    add("--data", metavar="DIR", help="folder of the server's journal and results")
    add("--model_type", help="known model (default: the embedded face world)")
    add("--bundle", metavar="DIR", help="folder of a model of your own, in place of --model_type")
    add("--mappers", metavar="DIR", help="folder with more mappers, NAME.safetensors")
    add("--root_path", metavar="PATH", help="path below which a proxy shows the studio")
    add("--lang", choices=("en", "zh"), help="language of the page that is opened (default: the browser's)")
    add("--open", action="store_true", help="open the page in this machine's browser")
    add("--cpu", action="store_true", default=None, help="use the CPU even where there is a GPU")
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
    from ppstyleclip.server.settings import load_settings

    given = {name: getattr(args, name) for name in OPTIONS if name not in ("queue", "shared")}
    settings = load_settings(args.config, **given)
    paddle = import_paddle()
    if settings.cpu:
        paddle.set_device("cpu")

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
