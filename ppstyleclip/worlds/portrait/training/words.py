# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write the pages of the documents that list the words of the portrait world, in both languages.

python -m ppstyleclip.worlds.portrait.training.words --docs docs
"""

from __future__ import annotations

from pathlib import Path

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.files import write_atomic
from ppstyleclip.worlds.portrait.captions.pages import FOLDERS, NAME, page
from ppstyleclip.worlds.portrait.captions.vocabulary import phrases


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--docs", default="docs", help="folder of the documents")
    args = parser.parse_args(argv)
    for language, folder in FOLDERS.items():
        path = Path(args.docs) / folder / NAME
        write_atomic(path, page(language).encode())
        print(f"{path}: {len(phrases(language))} words and phrases")


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
