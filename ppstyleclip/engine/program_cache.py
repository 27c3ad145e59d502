# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Exported programs on the disk: each in a folder of its own, named after the key that it was made from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ppstyleclip.engine.cache_folder import (
    discard,
    make_folder,
    new_folder,
    private_folder,
    refusal_of,
    sweep,
    temporary_folder,
)
from ppstyleclip.engine.manifest import (
    MANIFEST,
    MODELS,
    WEIGHTS,
    Unlisted,
    Unusable,
    adopt_program,
    check_program,
    write_manifest,
)
from ppstyleclip.engine.predictor import Program
from ppstyleclip.errors import UserError
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

    A program that is damaged, foreign or may do more than compute is thrown away, with a warning, and made
    again.

    Args:
        key: what tells it from others; values that JSON can hold.
        home: where programs are kept; None is `engine` in the cache. A temporary folder takes its place, with
            a warning, where it cannot be written, or where other users can write it.
        export: writes the program into an empty folder.
        load: loads it from its folder.
    Returns:
        the loaded program; what `export` and `load` raise for a new one is passed on.
    """
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    folder = _home(home)
    refusal = "there is no home folder" if folder is None else refusal_of(folder)
    if folder is not None and not refusal:
        sweep(folder)
        program = _load_kept(folder, digest, load)
        if program is not None:
            return program
        refusal = make_folder(folder)
    if folder is None or refusal:
        folder = temporary_folder(refusal)
        program = _load_kept(folder, digest, load)
        if program is not None:
            return program
    return _export(folder, digest, export, load)


def _home(home: str | Path | None) -> Path | None:
    """The folder of all programs; None if there is neither PPSTYLECLIP_HOME nor a home."""
    try:
        return Path(home) if home is not None else cache_home() / "engine"
    except RuntimeError:
        return None


def _place(home: Path, digest: str) -> Path:
    return home / digest[:20]


def _load_kept(home: Path, digest: str, load: Callable[[Path], Program]) -> Program | None:
    """The program if it is there and can be used; what cannot be used is thrown away."""
    place = _place(home, digest)
    if not os.path.lexists(place):
        return None
    try:
        _check(place, digest)
        program = load(place)
    except Exception as error:  # Paddle raises what it likes
        _throw_away(place, digest if isinstance(error, Unusable) else None)
        warnings.warn(f"{_in_short(error)}; it is made again", stacklevel=2)
        return None
    with contextlib.suppress(OSError):  # in a folder that is only read, nothing is tidied up either
        os.utime(place)
    return program


def _check(place: Path, digest: str) -> None:
    """Refuse a program that others can change, and all that check_program refuses."""
    if place.is_symlink() or not place.is_dir():
        raise Unusable(f"{place} is not a folder")
    for path in (place, *(place / name for name in (*MODELS, WEIGHTS, MANIFEST))):
        refusal = refusal_of(path)
        if refusal:
            raise Unusable(refusal)
    check_program(place, digest)


def _throw_away(place: Path, digest: str | None) -> None:
    """Remove what is there; but with a digest not what another process has meanwhile put there for it."""
    with contextlib.suppress(OSError):
        trash = discard(place)
        if digest is not None:
            with contextlib.suppress(UserError):
                _check(trash, digest)
                os.rename(trash, place)
        sweep(place.parent)


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _export(
    home: Path, digest: str, export: Callable[[Path], None], load: Callable[[Path], Program]
) -> Program:
    place = _place(home, digest)
    with new_folder(home) as draft:
        export(draft)
        _tidy(draft)
        try:
            write_manifest(draft, digest)
        except Unlisted as error:
            return _load_unlisted(draft, digest, error, load)
        program = load(draft)
        with contextlib.suppress(OSError):  # another process was first
            os.rename(draft, place)
            program.folder = place
            _make_room(home)
        if program.folder == draft and (place / MANIFEST).is_file():
            program.folder = place
    return program


def _load_unlisted(draft: Path, digest: str, error: Unlisted, load: Callable[[Path], Program]) -> Program:
    """Load a program of this process that no other process would load."""
    place = _place(private_folder("engine"), digest)
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(draft, place)
    adopt_program(place)
    warnings.warn(f"a program is compiled anew in each process: {_in_short(error)}", stacklevel=2)
    return load(place)


def _tidy(draft: Path) -> None:
    """Remove what Paddle writes beside a program, and close the rest to others."""
    for path in draft.iterdir():
        if path.name in (*MODELS, WEIGHTS):
            path.chmod(0o600)
        else:
            path.unlink()


def _make_room(home: Path) -> None:
    """Delete the programs that were not used for longest until KEEP_BYTES are left."""
    places = [path for path in home.iterdir() if path.is_dir() and not path.name.startswith(".")]
    kept = 0
    for place in sorted(places, key=lambda path: path.stat().st_mtime, reverse=True):
        kept += sum(file.stat().st_size for file in place.iterdir())
        if kept > KEEP_BYTES:
            shutil.rmtree(place, ignore_errors=True)
