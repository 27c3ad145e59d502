# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Exported programs on the disk: each in a folder of its own, named after the key that it was made from."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ppstyleclip.engine.predictor import WEIGHTS, Program
from ppstyleclip.files import cache_home

KEEP_BYTES = 8 << 30  # programs on disk beyond this are deleted, those unused for longest first


def load_or_export(
    key: Any,
    home: str | Path | None,
    *,
    export: Callable[[Path], None],
    load: Callable[[Path], Program],
) -> Program:
    """Load the program of a key from the disk, or export it first.

    Args:
        key: what tells it from others; values that JSON can hold.
        home: where programs are kept; None is `engine` in the cache. A temporary folder takes its place, with
            a warning, where it cannot be written.
        export: writes the program into an empty folder.
        load: loads it from its folder.
    Returns:
        the loaded program; what `export` and `load` raise for a new one is passed on.
    """
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:20]
    readable = _home(home)
    if readable is not None and (readable / name / WEIGHTS).is_file():
        with contextlib.suppress(Exception):  # a damaged program is exported again
            return _load(readable / name, load)
    home = _writable_home(readable)
    place = home / name
    if home != readable and (place / WEIGHTS).is_file():
        with contextlib.suppress(Exception):
            return _load(place, load)
    shutil.rmtree(place, ignore_errors=True)
    with _draft_folder(home) as draft:
        export(draft)
        program = load(draft)
        with contextlib.suppress(OSError):  # another process was first
            os.rename(draft, place)
            program.folder = place
            _make_room(home)
        if program.folder == draft and (place / WEIGHTS).is_file():
            program.folder = place
    return program


def _load(place: Path, load: Callable[[Path], Program]) -> Program:
    program = load(place)
    with contextlib.suppress(OSError):  # in a folder that is only read, nothing is tidied up either
        os.utime(place)
    return program


def _home(home: str | Path | None) -> Path | None:
    """The folder of all programs; None if there is neither PPSTYLECLIP_HOME nor a home."""
    try:
        return Path(home) if home is not None else cache_home() / "engine"
    except RuntimeError:
        return None


def _writable_home(home: Path | None) -> Path:
    """The folder itself, or one that lasts as long as this process where it cannot be written."""
    if home is None:
        return _temporary_home("there is no home folder")
    try:
        home.mkdir(parents=True, exist_ok=True)
        os.rmdir(tempfile.mkdtemp(prefix=".draft-", dir=home))
        return home
    except OSError as error:
        return _temporary_home(f"{home} cannot be written ({error.strerror or error})")


@functools.cache
def _temporary_home(reason: str) -> Path:
    """A folder that is deleted with this process; made, and warned of, once for each reason."""
    warnings.warn(
        f"{reason}: compiled programs are not kept; set PPSTYLECLIP_HOME to a folder that can be written",
        stacklevel=2,
    )
    home = tempfile.mkdtemp(prefix="ppstyleclip-")
    atexit.register(_delete_home, home, os.getpid())
    return Path(home)


def _delete_home(home: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _draft_folder(home: Path) -> Iterator[Path]:
    """A new folder in `home`, deleted afterwards if it still has this name."""
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make_room(home: Path) -> None:
    """Delete the programs that were not used for longest until KEEP_BYTES are left."""
    places = sorted((p for p in home.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    kept = 0
    for place in places:
        kept += sum(file.stat().st_size for file in place.iterdir())
        if kept > KEEP_BYTES:
            shutil.rmtree(place, ignore_errors=True)
