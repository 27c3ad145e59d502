# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""List what can be asked of a model: the words of its CLIP, in English and Chinese.

ppstyleclip words
ppstyleclip words hair
ppstyleclip words 眼镜 --json
ppstyleclip words --bundle my --clip chinese-clip/model.safetensors
"""

from __future__ import annotations

import argparse
import json

from ppstyleclip.cli.argument_types import words
from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, load_editor
from ppstyleclip.errors import UserError


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__ or "")
    parser.add_argument("word", nargs="?", type=words, help="list only what this word stands in")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add = add_model_arguments(parser, output_path=None)
    add("--clip", help="a CLIP by name or file, in place of the model's own")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Print a line for each attribute."""
    args.output_path = "."
    editor = load_editor(args, clip=args.clip)

    from ppstyleclip.worlds.words import known_words

    known = known_words(editor.bundle.clip)
    if args.word is not None:
        known = known.find(args.word)
        if not known.rows:
            raise UserError(f"nothing here is called {args.word!r}; leave it out to see all")
    if args.json:
        rows = [{"name": name, "en": english, "zh": chinese} for name, english, chinese in known.rows]
        print(json.dumps({"about": known.about, "words": rows}, ensure_ascii=False))
        return
    print(known.about)
    for name, english, chinese in known.rows:
        print(f"{name}: " + " | ".join(", ".join(side) for side in (english, chinese) if side))
