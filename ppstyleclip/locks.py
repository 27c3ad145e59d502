# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One process at a time, by a lock that the system drops when its holder ends, even when it is killed.

A lock file is removed by its last holder, so that another user of a shared folder can make one of his own:
nobody may open a file for writing that belongs to someone else. Where the file system knows no locks, as on
some network drives, nothing is guarded and nobody waits. The library filelock does neither: its files stay,
so that a second user is refused for good, and where a drive knows no locks it fails or, in its last version
for Python 3.9, waits for ever.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ppstyleclip.files import named_refusal

_POLL = 0.2  # seconds between two tries where the system cannot wait for a lock itself


class Lock:
    """A lock that is held.

    Attributes:
        is_real: False where the file system knows no locks, so that others may believe to hold it too.
    """

    def __init__(self, path: Path, file: IO[bytes], is_real: bool) -> None:
        self.path, self.is_real = path, is_real
        self._file = file

    def release(self, *, remove: bool = True) -> None:
        """Let others go on; `remove` says whether the lock file goes."""
        if not remove:
            self._file.close()
            return
        if os.name != "nt":
            with contextlib.suppress(OSError):
                self.path.unlink()  # while it is held, so that nobody else's is removed
        self._file.close()
        if os.name == "nt":  # which does not remove a file that anybody has open
            with contextlib.suppress(OSError):
                self.path.unlink()


@contextlib.contextmanager
def exclusive(path: str | Path, on_wait: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold a lock while the block runs; args and errors as in `acquire`."""
    lock = acquire(path, on_wait)
    try:
        yield
    finally:
        lock.release()


def acquire(path: str | Path, on_wait: Callable[[], object] | None = None) -> Lock:
    """Take a lock; wait where another process, or thread, holds it.

    Args:
        path: the lock file; it is made, and removed afterwards. Its folder is made if need be.
        on_wait: called once, without arguments, before waiting.
    Raises:
        CannotWrite: the file cannot be made. A file system that knows no locks is no error.
    """
    path = Path(path)
    with named_refusal(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _acquire(path, True, on_wait)
    assert lock is not None
    return lock


def try_acquire(path: str | Path) -> Lock | None:
    """Take a lock without waiting; None where another one holds it. Errors as in `acquire`."""
    with named_refusal(path):
        return _acquire(Path(path), False, None)


def _acquire(path: Path, wait: bool, on_wait: Callable[[], object] | None) -> Lock | None:
    while True:
        file = open(path, "ab")
        is_locked = _lock(file, wait=False)
        if is_locked is False:
            if not wait:
                file.close()
                return None
            if on_wait is not None:
                on_wait()
            on_wait = None
            is_locked = _lock(file, wait=True)
        if _is_still(file, path):
            return Lock(path, file, is_real=is_locked is True)
        file.close()  # its holder has removed it; whoever comes now makes another


def _is_still(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes], *, wait: bool) -> bool | None:
    """Lock an open file; False where another one holds it and `wait` is not set, None without locks."""
    try:
        import fcntl
    except ImportError:
        return _lock_on_windows(file, wait)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None  # some network file systems have no locks
    return True


def _lock_on_windows(file: IO[bytes], wait: bool) -> bool:
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
