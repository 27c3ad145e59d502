# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How every command ends: 0 when done, 2 and one line on stderr for bad input, a traceback only for a bug.

Use at the bottom of a tool:

    if __name__ == "__main__":
        raise SystemExit(run_cli(main))
"""

from __future__ import annotations

import errno
import sys
import warnings

from ppstyleclip.cli.streams import drop_output, end_output, lenient_streams
from ppstyleclip.errors import UserError, one_line

BAD_INPUT = 2
INTERRUPTED = 130
CLOSED_PIPE = 141  # what a shell says of a command whose reader, such as `head`, has left
# What the machine refuses and the user can cure: permissions, a full or read-only disk, a file for a folder.
_REFUSALS = frozenset(
    getattr(errno, name)
    for name in (
        "EACCES EPERM ENOSPC EROFS EDQUOT ENOTDIR EISDIR ENAMETOOLONG ELOOP EFBIG EIO ENODEV ENXIO EBUSY "
        "EMFILE ENFILE ENOMEM ESTALE"
    ).split()
    if hasattr(errno, name)
)
_NO_MEMORY = "there is not enough memory for this; use smaller pictures or networks, or fewer at once"


def run_cli(main, *args) -> int:
    """Run `main(*args)` and turn what a user can cure into one line on stderr.

    Args:
        main: the command; may return None (done) or an exit code.
        args: handed on to it.
    Returns:
        0 or what `main` returned; 2 after a UserError, a refusal of the machine (disk, permissions) or want
        of memory; 130 after Ctrl-C; 141 where the reader of the output has left. Any other exception is a bug
        and leaves with its traceback.
    """
    with lenient_streams():
        return _run(main, *args)


def _run(main, *args) -> int:
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _one_line_warning
            code = main(*args) or 0
            end_output()
            return code
    except UserError as error:
        return _complain(str(error))
    except MemoryError:
        return _complain(_NO_MEMORY)
    except BrokenPipeError:
        drop_output()
        return CLOSED_PIPE
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f" '{error.filename}'" if error.filename else ""
        return _complain(f"cannot use{where or ' a file'}: {error.strerror}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _complain(message: str) -> int:
    print(f"error: {one_line(message)}", file=sys.stderr)
    return BAD_INPUT


def _one_line_warning(message, category, filename, lineno, file=None, line=None):
    print(f"warning: {one_line(message)}", file=file or sys.stderr)
