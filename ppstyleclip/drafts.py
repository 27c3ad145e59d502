# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files written whole or not at all, one by one or several together.

A file is written under another name in its own folder and then moved into place, so that no reader ever sees
half of it and a failed run leaves the old file as it was. Several files that belong together are written
inside `all_or_nothing`, and take their names together.
"""

from __future__ import annotations

import contextlib
import contextvars
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from ppstyleclip.errors import CannotWrite, UserError

_DRAFT = re.compile(r"\.(.+)\.(\d+)\.[0-9a-f]{8}\.tmp(?:\.\w+)?")  # name, process; of _draft_name
_SHOWN = 40  # letters of a file's name in its draft's: four bytes each at most, where 255 are allowed
_together: contextvars.ContextVar[dict[Path, Path] | None] = contextvars.ContextVar("together", default=None)


@contextlib.contextmanager
def atomic_file(path):
    """Open a binary file for writing that takes its name only when the block ends well.

    Args:
        path: where the file is to be; missing folders are made.
    Raises:
        CannotWrite: the folder or the file cannot be written. Whatever the block itself raises passes
            through. In each case nothing is left behind.
    """
    with atomic_path(path) as draft:
        with named_refusal(path):
            file = open(draft, "xb")
        try:
            yield file
        except BaseException:
            with contextlib.suppress(OSError):  # what is still to be written is of no use any more
                file.close()
            raise
        with named_refusal(path):
            file.close()


@contextlib.contextmanager
def atomic_path(path, suffix: str = "") -> Iterator[Path]:
    """Name a draft for a writer that takes names only; it takes the file's own when the block ends well.

    Args:
        path: where the file is to be; missing folders are made.
        suffix: how the draft's name has to end, such as ".mp4".
    Raises:
        CannotWrite: as atomic_file; a folder is there.
    """
    path, together = Path(path), _together.get()
    draft = path.parent / _draft_name(path, suffix)
    try:
        with named_refusal(path):
            check_target(path)
            path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        if together is None:
            with named_refusal(path):
                os.replace(draft, path)
        else:
            _unlink(together.get(path))
            together[path] = draft
    except BaseException:
        _unlink(draft)
        raise


def _draft_name(path: Path, suffix: str = "") -> str:
    return f".{path.name[:_SHOWN]}.{os.getpid()}.{secrets.token_hex(4)}.tmp{suffix}"


def _unlink(path: Path | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def all_or_nothing() -> Iterator[None]:
    """Let all files that are written inside the block take their names together, when it ends well.

    Until then each is a draft in its own folder, and the old files are seen. If the block fails, such as by a
    disk that is full at the third of five files, all names are as they were and the drafts are gone. A block
    inside another is part of it.

    Raises:
        CannotWrite: a name cannot be taken; those that were taken are given back.
    """
    if _together.get() is not None:
        yield
        return
    drafts: dict[Path, Path] = {}
    token = _together.set(drafts)
    try:
        yield
        _take_names(drafts)
    finally:
        _together.reset(token)
        for draft in drafts.values():
            _unlink(draft)


def _take_names(drafts: dict[Path, Path]) -> None:
    """Rename `{path: draft}`; if one cannot be, put back what was there."""
    old: dict[Path, Path | None] = {}
    taken: list[Path] = []
    try:
        for path in drafts:
            with named_refusal(path):
                check_target(path)
                old[path] = _linked(path)
        for path, draft in drafts.items():
            with named_refusal(path):
                os.replace(draft, path)
            taken.append(path)
    except BaseException:
        for path in taken:
            with contextlib.suppress(OSError):
                path.unlink() if old[path] is None else os.replace(old[path], path)  # type: ignore[arg-type]
        raise
    finally:
        for link in old.values():
            _unlink(link)


def _linked(path: Path) -> Path | None:
    """Give an existing file a second name; None where there is none, or on a disk without hard links."""
    link = path.parent / _draft_name(path)
    try:
        os.link(path, link)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        return None
    return link


def sweep_drafts(folder, name: str | None = None) -> None:
    """Remove the drafts that killed processes of this machine have left in a folder; those at work stay.

    Args:
        folder: where to look; it need not exist.
        name: only drafts of the file of this name.
    """
    if not Path(folder).is_dir():
        return
    for draft in Path(folder).iterdir():
        match = _DRAFT.fullmatch(draft.name)
        if match is None or name is not None and match.group(1) != name[:_SHOWN]:
            continue
        if not _is_running(int(match.group(2))):
            draft.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        return True  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_atomic(path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all.

    Raises:
        CannotWrite: the folder or the file cannot be written, or the disk is full.
    """
    with named_refusal(path), atomic_file(path) as file:
        file.write(data)


def check_writable(folder) -> Path:
    """Prove that files can be written in a folder, before hours are spent on them; leaves nothing behind.

    Args:
        folder: the folder; where it does not exist yet, the nearest existing one above it is tried.
    Returns:
        the folder as a Path.
    Raises:
        CannotWrite: it cannot be written, a file is in its place, or its name is too long.
    """
    folder = Path(folder)
    with named_refusal(folder):
        probe = _nearest(folder)
        draft = probe / _draft_name(Path("probe"))
        open(draft, "xb").close()
        draft.unlink()
    return folder


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists.

    Raises:
        OSError, ValueError: a name below that is too long, or cannot be one.
    """
    with contextlib.suppress(FileNotFoundError):
        os.stat(path)
    path = path.absolute()
    nearest = next(place for place in (path, *path.parents) if os.path.lexists(place))
    for name in path.relative_to(nearest).parts:
        with contextlib.suppress(FileNotFoundError):
            os.lstat(nearest / name)
    return nearest


def check_target(path) -> Path:
    """Refuse the name of a file that cannot be written: that of a folder or a device, or one too long.

    Raises:
        CannotWrite: says which.
    """
    path = Path(path)
    with named_refusal(path):
        _nearest(path)
    with named_refusal(path), contextlib.suppress(FileNotFoundError):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise CannotWrite(f"cannot write {path}: it is {kind_of(mode)}; choose another name")
    return path


@contextlib.contextmanager
def named_refusal(path):
    """Turn the system's refusal to write into one line that names the place."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}; choose another place") from None
    except ValueError as error:
        if not isinstance(error, UnicodeError) and "null" not in str(error):
            raise  # not what Python says of a name with a zero byte, or with letters that names cannot have
        raise CannotWrite(f"cannot write {str(path)!r}: {error}; choose another name") from None


def kind_of(mode: int) -> str:
    """Say what a file is whose `st_mode` is no regular file's."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
