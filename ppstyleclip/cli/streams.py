# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Standard output and error that never end a command: absent, closed, short of letters, left by its reader.

What a command prints comes after its work. Letters that the terminal cannot show are written as codes, and a
progress bar that nobody can see any more is no reason to stop. Only an output whose reader has left ends a
command, as a shell expects it; errors and bars that cannot be written are dropped.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


@contextlib.contextmanager
def lenient_streams() -> Iterator[None]:
    """Replace sys.stdout and sys.stderr inside the block by ones that can be written to."""
    _occupy_descriptors()
    before = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        sys.stdout = stack.enter_context(_able_stream(before[0]))
        sys.stderr = _Dropping(stack.enter_context(_able_stream(before[1])))  # type: ignore[assignment]
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def end_output() -> None:
    """Write what is left of sys.stdout.

    Raises:
        OSError: it cannot be written; it is dropped, so that Python does not complain when it ends.
    """
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()
        raise


def drop_output() -> None:
    """Send what is still in sys.stdout's buffer nowhere."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _occupy_descriptors() -> None:
    """Open 0, 1 and 2 where a caller closed them: the next file would get what libraries write there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)


@contextlib.contextmanager
def _able_stream(stream: TextIO | None) -> Iterator[TextIO]:
    """The stream, with codes for letters that it lacks; one that leads nowhere where there is none."""
    if stream is None or stream.closed:
        with open(os.devnull, "w", encoding="utf-8", errors="backslashreplace") as nowhere:
            yield nowhere
    elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")
        try:
            yield stream
        finally:
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="strict")
    else:
        yield stream


class _Dropping:
    """A stream that drops what cannot be written."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if it can be."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is left, if it can be."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
