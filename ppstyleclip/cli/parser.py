# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The parser of every command; it needs nothing but the standard library."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from ppstyleclip.errors import UserError


class CommandParser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong with a command, as all else that a user can cure."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UserError: always.
        """
        raise UserError(f"{message}; see {self.prog} --help")


def documented_parser(doc: str | None, **options: Any) -> CommandParser:
    """Make a parser whose help is a tool's docstring: one paragraph above the arguments, the rest below.

    Args:
        doc: the docstring; None under `python -OO`, which removes them.
        options: more of argparse's.
    """
    summary, _, examples = (doc or "").partition("\n\n")
    return CommandParser(
        description=summary,
        epilog=options.pop("epilog", examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **options,
    )
