#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip serve`, noting which files it opens, which programs it runs and which addresses it calls.

An audit hook of Python writes a line for each into the file that WATCH names; server_attack.py reads it. What
a C library opens by itself (OpenCV, SQLite) is not seen.

    WATCH=seen.txt python benchmarks/watched_server.py --port 0
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile")
FILES = ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.chmod", "os.truncate")
NETS = ("socket.connect", "socket.sendto", "socket.getaddrinfo")
LOADS = ("pickle.find_class", "ctypes.dlopen")
LISTS = ("os.listdir", "os.scandir")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC  # flags of a file that is not read alone
MACHINE = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/dev", "/sys")  # a process asks these


def watch(path: str) -> None:
    """Note from now on; there is no way back."""
    line = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def noted(event: str, args: tuple) -> None:
        if event in RUNS or event in FILES or event in NETS or event in LOADS:
            os.write(line, (json.dumps([event, list(map(_plain, args))]) + "\n").encode())

    sys.addaudithook(noted)


def _is_in(path: str, folder: str) -> bool:
    place = os.path.normpath(path) if folder in MACHINE else os.path.realpath(path)
    return place == folder or place.startswith(folder + os.sep)


def _plain(value: object) -> object:
    if isinstance(value, (bytes, os.PathLike)):
        return os.fsdecode(value)
    return value if isinstance(value, (str, int, type(None))) else repr(value)[:200]


def outside(path: Path, begin: int, data: Path) -> Iterator[str]:
    """Yield what a watched server should not have done.

    Args:
        path: that WATCH named.
        begin: bytes of it that are left out, such as those from before the server was ready.
        data: the folder that the server may write; what it imports later it may read.
    """
    home = os.path.expanduser(os.environ.get("PPSTYLECLIP_HOME", "~/.cache/ppstyleclip"))
    own = [os.path.realpath(one) for one in (data, home, tempfile.gettempdir())]
    code = [os.path.realpath(one) for one in (sys.prefix, sys.base_prefix, Path(__file__).parents[1])]
    with open(path, "rb") as file:
        file.seek(begin)
        for line in file:
            event, values = json.loads(line)
            if event in FILES and not isinstance(values[0], str):  # a number: it was opened before
                continue
            is_read = event in LISTS or event == "open" and not int(values[2] or 0) & WRITES
            allowed = [*own, *code, *MACHINE] if is_read else own
            if event not in FILES or not any(_is_in(values[0], one) for one in allowed):
                yield f"{event} {str(values)[:200]}"


if __name__ == "__main__":
    if "WATCH" in os.environ:
        watch(os.environ["WATCH"])
    from ppstyleclip.cli.main import main

    raise SystemExit(main(["serve", *sys.argv[1:]]))
