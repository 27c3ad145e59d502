# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The folder of compiled programs: the user's own, or a temporary one; and what killed processes left in it.

Whoever can write a program decides what is drawn, so a folder that another user owns or may write is not
used. It is made closed to others whatever the umask says. While a folder is being filled it is a draft, which
has a lock beside it: a draft whose lock is free belongs to a process that was killed, and is removed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from ppstyleclip.locks import acquire, exclusive, try_acquire

_ABANDONED_SECONDS = 86400.0  # after which a draft goes whose lock tells nothing
_DRAFT = re.compile(r"\.draft-\w+")
_PURPOSES = ("engine", "source")
_PRIVATE = re.compile(rf"ppstyleclip-({'|'.join(_PURPOSES)})-[0-9a-f]{{16}}")
_TRASH = ".trash-"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def refusal_of(path: Path) -> str:
    """Why a folder or file of the cache is not used; "" where it is the user's own, or not there.

    A link to a folder counts as that folder. What root owns is as good as the user's own. Windows, which has
    no such owners, refuses nothing.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path} cannot be read ({error.strerror or error})"
    if not hasattr(os, "getuid"):
        return ""
    if status.st_uid not in (os.geteuid(), 0):
        return f"{path} belongs to another user"
    if status.st_mode & _OTHERS_WRITE:
        return f"{path} can be written by other users (mode {stat.S_IMODE(status.st_mode):o}; delete it)"
    return ""


def make_folder(path: Path) -> str:
    """Make a folder that only its owner can enter, where it is missing; why it cannot be used, or ""."""
    try:
        _make_parents(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        with new_folder(path):
            pass
    except OSError as error:
        return f"{path} cannot be written ({error.strerror or _reason(error)})"
    return refusal_of(path)


def _reason(error: OSError) -> str:
    cause = error.__context__
    return cause.strerror or str(cause) if isinstance(cause, OSError) else str(error)


def _make_parents(path: Path) -> None:
    """As `mkdir(parents=True)`, but never writable by everybody."""
    if not path.is_dir():
        _make_parents(path.parent)
        path.mkdir(mode=0o775, exist_ok=True)


@contextlib.contextmanager
def new_folder(home: Path) -> Iterator[Path]:
    """A new, empty folder in `home`, deleted afterwards if it still has this name.

    Raises:
        CannotWrite, OSError: it cannot be made.
    """
    draft = home / f".draft-{secrets.token_hex(8)}"
    with exclusive(_lock_of(draft)):
        draft.mkdir(mode=0o700)
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def discard(path: Path) -> Path:
    """Free the name of a folder or file; gives the name that it has until `sweep` removes it.

    Raises:
        OSError: the folder that it lies in cannot be written.
    """
    trash = path.with_name(f"{_TRASH}{secrets.token_hex(8)}")
    os.rename(path, trash)
    return trash


def sweep(home: Path) -> None:
    """Remove what was discarded, and the drafts of killed processes; those at work stay."""
    for path in _children(home):
        if path.name.startswith(_TRASH):
            _remove(path)
        elif _DRAFT.fullmatch(path.name.removesuffix(".lock")):
            _remove_abandoned(path.with_name(path.name.removesuffix(".lock")))


def temporary_folder(reason: str) -> Path:
    """A private folder for programs in place of another one; a warning says so, once for each reason.

    Args:
        reason: why the folder that was asked for is not used.
    """
    _warn_once(f"{reason}: compiled programs are not kept; set PPSTYLECLIP_HOME to a folder of your own")
    return private_folder("engine")


@functools.cache
def _warn_once(line: str) -> None:
    warnings.warn(line, stacklevel=3)


def private_folder(purpose: str) -> Path:
    """A temporary folder of this process, which goes with it; those of killed processes are removed.

    Args:
        purpose: a word in its name, one of _PURPOSES; each has one folder.
    Raises:
        OSError: no temporary folder can be written.
    """
    return _private_folder(purpose, os.getpid())


@functools.cache
def _private_folder(purpose: str, owner: int) -> Path:
    parent = Path(tempfile.gettempdir())
    for path in _children(parent):
        if _PRIVATE.fullmatch(path.name.removesuffix(".lock")) and not refusal_of(path):
            _remove_abandoned(path.with_name(path.name.removesuffix(".lock")))
    folder = parent / f"ppstyleclip-{purpose}-{secrets.token_hex(8)}"
    lock = acquire(_lock_of(folder))
    folder.mkdir(mode=0o700)

    def delete() -> None:
        if os.getpid() == owner:  # not in a forked child
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()

    atexit.register(delete)
    return folder


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _children(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder)]
    except OSError:
        return []


def _remove_abandoned(draft: Path) -> None:
    """Remove a draft whose maker has ended: its lock is free, or, where no lock tells that, it is old."""
    with contextlib.suppress(OSError):
        if not _lock_of(draft).exists():
            if _is_old(draft):
                _remove(draft)
            return
        lock = try_acquire(_lock_of(draft))
        if lock is None:
            return  # its maker is at work
        try:
            if lock.is_real or _is_old(draft):
                _remove(draft)
        finally:
            lock.release(remove=not draft.exists())


def _is_old(path: Path) -> bool:
    return time.time() - os.lstat(path).st_mtime > _ABANDONED_SECONDS


def _remove(path: Path) -> None:
    """Remove a folder or a file, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
