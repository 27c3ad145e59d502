# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One process at a time, by a lock that the system drops when its holder ends, even when it is killed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from ppstyleclip.files import named_refusal

_POLL = 0.2  # seconds between two tries where the system cannot wait for a lock itself


@contextlib.contextmanager
def exclusive(path, on_wait=None):
    """Hold a lock file while the block runs; wait where another process, or thread, holds it.

    Args:
        path: the lock file; it is made, and removed afterwards. Its folder is made if need be.
        on_wait: called once, without arguments, before waiting.
    Raises:
        CannotWrite: the file cannot be made. A file system that knows no locks is no error: there the block
            runs unguarded.
    """
    path = Path(path)
    with named_refusal(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _acquire(path, on_wait)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows does not remove an open file
            path.unlink()  # while it is held, so that nobody else's is removed
        file.close()


def _acquire(path: Path, on_wait):
    while True:
        file = open(path, "ab")
        if not _lock(file, wait=False):
            if on_wait is not None:
                on_wait()
            on_wait = None
            _lock(file, wait=True)
        if _is_still(file, path):
            return file
        file.close()  # its holder has removed it; whoever comes now makes another


def _is_still(file, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(file, *, wait: bool) -> bool:
    """Lock an open file; False where another one holds it and `wait` is not set."""
    try:
        import fcntl
    except ImportError:
        return _lock_on_windows(file, wait)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return True  # some network file systems have no locks
    return True


def _lock_on_windows(file, wait: bool) -> bool:
    import msvcrt

    while True:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows has them
            return True
        except OSError:
            if not wait:
                return False
            time.sleep(_POLL)
