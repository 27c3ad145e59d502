# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How every command ends: 0 when done, 2 and one line on stderr for bad input, a traceback only for a bug.

Use at the bottom of a tool:

    if __name__ == "__main__":
        raise SystemExit(run_cli(main))
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import warnings

from ppstyleclip.errors import UserError, one_line

BAD_INPUT = 2
INTERRUPTED = 130
CLOSED_PIPE = 141  # what a shell says of a command whose reader, such as `head`, has left
# What the machine refuses and the user can cure: permissions, a full or read-only disk, a file for a folder.
_REFUSALS = frozenset(
    (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR)
)


def run_cli(main, *args) -> int:
    """Run `main(*args)` and turn what a user can cure into one line on stderr.

    Args:
        main: the command; may return None (done) or an exit code.
        args: handed on to it.
    Returns:
        0 or what `main` returned; 2 after a UserError or a refusal of the machine (disk, permissions);
        130 after Ctrl-C; 141 where the reader of the output has left. Any other exception is a bug and leaves
        with its traceback.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _one_line_warning
            code = main(*args) or 0
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except UserError as error:
        return _complain(str(error))
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f" '{error.filename}'" if error.filename else ""
        return _complain(f"cannot use{where or ' a file'}: {error.strerror}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _forget_stdout() -> None:
    """Send what is still buffered nowhere, so that Python does not complain about it when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str) -> int:
    print(f"error: {one_line(message)}", file=sys.stderr)
    return BAD_INPUT


def _one_line_warning(message, category, filename, lineno, file=None, line=None):
    print(f"warning: {one_line(message)}", file=file or sys.stderr)
