# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Errors that a user can act on; everything else is a bug and keeps its traceback.

Each message is one line: what is wrong, what was got, what to do. The classes are also the builtin errors
that their names suggest, so callers may catch `ValueError`, `FileNotFoundError`, `OSError` or `ImportError`.
"""


class UserError(ValueError):
    """An argument or a file that the user gave is wrong."""


class MissingFile(UserError, FileNotFoundError):
    """A file that the user named, or that has to be fetched first, is not there."""


class CannotWrite(UserError, OSError):
    """The place that the output should go to cannot be written."""


class MissingExtra(UserError, ImportError):
    """An optional package is absent, or another package took its name; the message gives the cure."""


def name_first(problems: list[str], most: int = 3) -> str:
    """Join the first few of a list of problems for one line, and count the rest."""
    more = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return "; ".join(problems[:most]) + more
