# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Digests of published files: the file on this machine is the one that was published, or first fetched.

Where the table (zoo.yaml) knows a file's SHA-256, that one holds. Any other file is pinned when it is first
downloaded, in `zoo.lock.json` in the cache, and has to be the same ever after, downloaded again or not. What
PaddleGAN fetched, or somebody put there by hand, is compared with both and not pinned.

Reading 600 MB takes a second or two, too long for each start. So the digest is computed when a file comes,
and then only when its size or time of change is not what zoo.lock.json remembers for its path. Where the
cache cannot be written nothing is remembered, and every start reads the files again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import cache_home, write_atomic
from ppstyleclip.locks import exclusive
from ppstyleclip.schema import Between, Like, from_json

WHOLE = 64  # hexadecimal digits of a SHA-256
Digest = Annotated[str, Like(f"[0-9a-f]{{{WHOLE}}}", f"of {WHOLE} hexadecimal digits")]


@dataclass(frozen=True)
class Checked:
    """A file as it was when its digest was computed."""

    size: Annotated[int, Between(0, 2**62)]
    changed: int
    sha256: Digest


@dataclass(frozen=True)
class Lock:
    """zoo.lock.json."""

    pinned: dict[str, Digest]
    checked: dict[str, Checked]


def checksums_path() -> Path:
    """Where digests are kept."""
    return cache_home() / "zoo.lock.json"


def read_checksums() -> dict:
    """Digests of files without a known one, as first fetched: `{name: SHA-256}`.

    Raises:
        UserError: zoo.lock.json is damaged.
    """
    return _read()["pinned"]


def is_verified(path) -> bool:
    """Whether a file is as it was when its digest was last computed and compared."""
    return bool(_remembered(Path(os.path.abspath(path))))


def verify(path, name: str, sha256: str = "") -> None:
    """Refuse a file on this machine that is another one than was published, or first downloaded.

    Args:
        path: where it lies.
        name: its name in the table.
        sha256: its published digest, or the first digits of it; empty where none is known.
    Raises:
        UserError: it is another one; both digests, and how to accept it.
    """
    path = Path(os.path.abspath(path))
    if sha256 or name in read_checksums():
        digest = _remembered(path) or compute_sha256(path)
        check_digest(
            digest,
            name,
            sha256,
            f"{path} is not the file that it should be",
            "delete it, and it is fetched again",
        )
        remember(path, digest)


def check_digest(digest: str, name: str, sha256: str, wrong: str, fix: str) -> None:
    """Compare a digest with what is known of a file.

    Args:
        digest: 64 hexadecimal digits.
        name, sha256: as in verify.
        wrong, fix: how the message begins, and what to do.
    Raises:
        UserError: they differ.
    """
    expected = [sha256]
    if len(sha256) < WHOLE:
        expected.append(read_checksums().get(name, ""))
        fix += f"; or, to accept this one, delete the entry '{name}' in {checksums_path()}"
    for mark in expected:
        if not digest.startswith(mark):
            raise UserError(f"{wrong}: its SHA-256 is {digest}, expected {mark}; {fix}")


def remember(path, digest: str, pinned_as: str = "") -> None:
    """Keep the digest of a file that has been compared; and pin it under a name that has none yet."""
    path = Path(os.path.abspath(path))
    mark = {**_mark(path), "sha256": digest}
    if _read()["checked"].get(str(path)) == mark and not pinned_as:
        return
    with contextlib.suppress(CannotWrite), exclusive(checksums_path().with_suffix(".json.busy")):
        content = _read()
        content["checked"][str(path)] = mark
        if pinned_as:
            content["pinned"].setdefault(pinned_as, digest)
        write_atomic(checksums_path(), (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def compute_sha256(path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        UserError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    return digest.hexdigest()


def _mark(path: Path) -> dict:
    state = path.stat()
    return {"size": state.st_size, "changed": state.st_mtime_ns}


def _remembered(path: Path) -> str:
    digest = _read()["checked"].get(str(path), {}).get("sha256", "")
    return digest if _read()["checked"].get(str(path)) == {**_mark(path), "sha256": digest} else ""


def _read() -> dict:
    try:
        text = checksums_path().read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {"pinned": {}, "checked": {}}
    except OSError as error:
        raise UserError(f"cannot read {checksums_path()}: {error.strerror or error}") from None
    try:
        return asdict(from_json(Lock, text, checksums_path()))
    except UserError as error:
        why = str(error).replace(f"{checksums_path()}: ", "", 1)
        raise UserError(
            f"{checksums_path()} is damaged; delete it: files that are here then count as they are, and "
            f"those without a published digest are pinned when they are fetched again ({why})"
        ) from None
