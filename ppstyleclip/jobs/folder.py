# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A long measurement as a folder, so that it may be killed at any moment and goes on where it was.

    manifest.json              what is measured and how; every block belongs to it
    block-00012.safetensors    a finished part, with a checksum, its number and the manifest's digest

A block is written whole or not at all, so a killed run loses the one it was at.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppstyleclip.errors import MissingFile, UserError, plain
from ppstyleclip.files import (
    fingerprint,
    read_json,
    read_safetensors,
    sweep_drafts,
    write_atomic,
    write_safetensors,
)
from ppstyleclip.jobs.manifest import KINDS, MANIFEST_BYTES, BlockMetadata, JobKind, Manifest
from ppstyleclip.jobs.shards import parse_shard
from ppstyleclip.schema import from_metadata, from_value
from ppstyleclip.threads import thread_count

FORMAT = 1
MANIFEST = "manifest.json"
CHECK = "check"  # a job inside a job: the sample that is measured exactly
ELSEWHERE = "choose another output folder, or begin again with --restart"
_SHOWN_AS = {"threads": "threads (OMP_NUM_THREADS)"}
_BLOCK = re.compile(r"block-\d+\.safetensors")


@dataclass(frozen=True)
class JobFolder:
    """A job and where it lives.

    Attributes:
        path: the folder.
        job: `{word: value}` that JSON can hold: everything that decides what the blocks hold.
        shard: "i/n" where the folder is to hold only a part of the blocks; None for all of them.
    """

    path: Path
    job: dict[str, Any]
    shard: str | None = None

    @property
    def digest(self) -> str:
        """Names the job; SHA-256 in hexadecimal."""
        return hashlib.sha256(json.dumps(self.job, sort_keys=True).encode()).hexdigest()

    def write_manifest(self) -> None:
        """Write the manifest, and sweep away what killed runs have left half written.

        Raises:
            CannotWrite: the folder cannot be written.
        """
        content = {"format": FORMAT, "job": self.job, "shard": self.shard}
        write_atomic(self.path / MANIFEST, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
        sweep_drafts(self.path)

    def block_path(self, number: int) -> Path:
        """Where block `number` is, or will be."""
        return self.path / f"block-{number:05d}.safetensors"

    def write_block(self, number: int, arrays: dict[str, Any]) -> None:
        """Write block `number` (`{name: array}`), whole or not at all.

        Raises:
            CannotWrite: the folder cannot be written, or the disk is full.
        """
        metadata = {"manifest": self.digest, "checksum": fingerprint(arrays), "number": str(number)}
        write_safetensors(self.block_path(number), arrays, metadata)

    def read_block(self, number: int) -> dict[str, Any] | None:
        """Read block `number`; None, after a warning where it is damaged, if it has to be made (again).

        Raises:
            UserError: it is another block of this job, copied under this number.
        """
        path = self.block_path(number)
        if not path.exists():
            return None
        try:
            arrays, metadata = read_safetensors(path)
            said = from_metadata(BlockMetadata, metadata, path)
        except UserError:
            arrays, said = {}, None
        if said is None or not arrays or said.checksum != fingerprint(arrays):
            warnings.warn(f"{path} is damaged and does not count; its part is measured again", stacklevel=2)
            return None
        if said.manifest != self.digest:
            warnings.warn(f"{path} belongs to another job and does not count", stacklevel=2)
            return None
        if said.number is not None and said.number != number:
            raise wrong_block(path, f"it was written as block {said.number}")
        return arrays


def wrong_block(path: Path, why: str) -> UserError:
    """The error that a file is another block of its job than its name says."""
    return UserError(
        f"{path} is not the block that its name says: {why}; delete it, and it is measured again"
    )


def remove_job(path: Path | str) -> None:
    """Remove manifest, blocks and drafts of whatever job is in a folder; what is not a job's stays."""
    path = Path(path)
    if not path.is_dir():
        return
    sweep_drafts(path)
    for file in path.iterdir():
        if file.name == MANIFEST or _BLOCK.fullmatch(file.name):
            file.unlink(missing_ok=True)
    if (path / CHECK / MANIFEST).exists():
        shutil.rmtree(path / CHECK, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.rmdir()


def read_job(path: Path | str) -> JobFolder | None:
    """Read the job of a folder; None if there is none.

    Raises:
        UserError: its manifest is damaged, or of another version.
    """
    path = Path(path)
    if not (path / MANIFEST).exists():
        return None
    try:
        manifest = read_json(Manifest, path / MANIFEST, most=MANIFEST_BYTES)
        if manifest.format == FORMAT:
            kind = from_value(JobKind, manifest.job, path / MANIFEST, field="job").kind
            from_value(KINDS[kind], manifest.job, path / MANIFEST, field="job")
            parse_shard(manifest.shard)
    except MissingFile:
        raise
    except UserError as error:
        why = str(error).replace(f"{path / MANIFEST}: ", "", 1)
        raise UserError(f"{path / MANIFEST} is damaged: {why}; {ELSEWHERE}") from None
    if manifest.format != FORMAT:
        raise UserError(
            f"{path} holds a job of format {manifest.format}, this version reads {FORMAT}; {ELSEWHERE}"
        )
    return JobFolder(path, manifest.job, manifest.shard)


def differences(one: dict, other: dict, ignored: Iterable[str] = ()) -> list[tuple[str, Any, Any]]:
    """Name what differs between two jobs: `[(word, value of one, value of the other)]`."""
    words = [word for word in sorted({**one, **other}) if word not in ignored]
    return [(word, one.get(word), other.get(word)) for word in words if one.get(word) != other.get(word)]


def check_same(found: JobFolder, wanted: JobFolder) -> None:
    """Refuse to go on with a job that is another one than what is wanted now.

    Raises:
        UserError: names what differs and what to do.
    """
    one, other = ({**folder.job, "shard": folder.shard} for folder in (found, wanted))
    different = differences(one, other, ignored=("layout",))
    if different:
        parts = [f"{_SHOWN_AS.get(word, word)} {shown(a)}, not {shown(b)}" for word, a, b in different]
        more = f" (and {len(parts) - 4} more)" if len(parts) > 4 else ""
        raise UserError(
            f"{found.path} holds another job than is asked for: {'; '.join(parts[:4])}{more}; "
            f"ask for the same, {ELSEWHERE}"
        )


def shown(value: Any) -> str:
    """A manifest's value in an error line."""
    return plain("none" if value is None else value if isinstance(value, str) else json.dumps(value))


def threads_of_jobs(paths: Iterable[Path]) -> int | None:
    """Return the number of threads that the jobs in some folders agree on; None where they do not."""
    threads = set()
    for path in paths:
        with contextlib.suppress(UserError):  # a damaged one is named where it is the one that goes on
            job = read_job(path)
            threads |= set() if job is None else {job.job.get("threads")}
    return threads.pop() if len(threads) == 1 else None


def rounding_conditions() -> dict[str, Any]:
    """What decides the last bits of a result beside its options: threads of this process, and the device."""
    import paddle

    return {"threads": thread_count(), "device": paddle.get_device().partition(":")[0]}
