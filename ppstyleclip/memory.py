# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How much memory is to be had, so that what would not fit is refused in one line and not begun."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ppstyleclip.errors import UserError

SHARE = 0.9  # of what is free, that one piece of work may take
_GROUP = Path("/sys/fs/cgroup")  # of a container


def free_memory() -> int | None:
    """Bytes that this process can still take: of the machine, of its container and of its own limit.

    Returns:
        the least of those that can be found out; None where none can.
    """
    found = [_free_of_machine(), _free_of_group(), _free_of_limit()]
    return min((size for size in found if size is not None), default=None)


def check_memory(needed: float, what: str, cure: str, most: float | None = None) -> None:
    """Refuse work that needs more memory than there is, or than it may take.

    Args:
        needed: bytes.
        what: needs them, such as "a picture of 9000x9000 pixels".
        cure: what to do, such as "make it smaller first".
        most: bytes that such work may take wherever it runs.
    Raises:
        UserError: says how much is needed and how much there is.
    """
    if most is not None and needed > most:
        raise UserError(f"{what} needs {in_bytes(needed)} of memory, {in_bytes(most)} are allowed; {cure}")
    free = free_memory()
    if free is not None and needed > SHARE * free:
        raise UserError(f"{what} needs {in_bytes(needed)} of memory, {in_bytes(free)} are free; {cure}")


def in_bytes(size: float) -> str:
    """Say how much memory that is: 850 MB, 3.2 GB."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _free_of_machine() -> int | None:
    if sys.platform == "win32":
        return _free_of_windows()
    try:
        words = Path("/proc/meminfo").read_text("ascii").split()
        return int(words[words.index("MemAvailable:") + 1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:  # no system says here how much is free; half of all is what a program may hope for
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (OSError, ValueError, AttributeError):
        return None


def _free_of_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("total", "free", "total_page", "free_page", "total_own", "free_own", "free_more")
        ]

    status = Status()
    status.length = ctypes.sizeof(status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  mypy on other systems does not know it
    return int(status.free) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _free_of_group() -> int | None:
    """Of the container: its limit less what it uses, but for the files that it only keeps in mind."""
    old = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")
    for limit, used in (("memory.max", "memory.current"), old):
        try:
            free = int((_GROUP / limit).read_text("ascii")) - int((_GROUP / used).read_text("ascii"))
            table = (_GROUP / limit).with_name("memory.stat").read_text("ascii").split()
            kept = dict(zip(table[::2], table[1::2]))
            return free + int(kept.get("inactive_file", kept.get("total_inactive_file", 0)))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
    return None


def _free_of_limit() -> int | None:
    """Of `ulimit -v`."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        return max(0, limit - used)
    except (ImportError, OSError, ValueError, AttributeError):
        return None
