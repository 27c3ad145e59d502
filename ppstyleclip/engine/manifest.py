# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Whether the files of a program are those that were written: looked at before Paddle Inference sees them.

    program.pdmodel     or program.json: the operators
    program.pdiparams   the parameters, where there are any
    manifest.json       written last: the key, versions, and size, time and SHA-256 of the other files

Paddle Inference believes its files. One that is cut off or has a changed bit draws another picture, a page of
HTML ends the process. So a program is loaded only if it is what its manifest says and consists of operators
that do nothing but compute. The digests are compared once in each process, and again when size, time or
identity of a file have changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

import paddle

from ppstyleclip.engine.operators import Contents, read_contents
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import write_atomic

STEM = "program"
MODELS = (f"{STEM}.pdmodel", f"{STEM}.json")  # files of Paddle's legacy IR and of its new one (PIR)
WEIGHTS = f"{STEM}.pdiparams"
MANIFEST = "manifest.json"
FORMAT = 1
_MAX_MODEL = 1 << 28  # bytes; a real one has some 100 kB
_MAX_MANIFEST = 1 << 14  # bytes; a real one has some 700
_MAX_DESCRIPTION = 1 << 10  # bytes that describe type and shape of a parameter
_PIECE = 1 << 20

State = tuple  # what tells files from changed ones: (name, device, inode, size, times) of each
# What was looked at in this process: the key in its manifest, or None where it was made here and has none.
_SEEN: dict[State, str | None] = {}


class Unusable(UserError):
    """A program on the disk that must not be loaded."""


class Unlisted(Unusable):
    """It has operators of which the engine does not know whether they only compute."""


@dataclass(frozen=True)
class _File:
    """One file of a program: bytes, time of change in nanoseconds, digest."""

    size: int
    mtime: int
    sha256: str


def adopt_program(folder: Path) -> None:
    """Accept a program that this process has just exported, whatever its operators are, until it ends.

    Raises:
        CannotWrite: Paddle has not written all of it, which it does not say where a disk is full.
    """
    try:
        _check_weights(folder, _read_model(folder)[1])
    except (ValueError, OSError) as error:
        raise CannotWrite(f"the disk may be full: {error} in {folder}") from None
    _SEEN[state_of(folder)] = None


def write_manifest(folder: Path, key: str) -> None:
    """Write the manifest of a whole program, as its last file.

    Args:
        folder: where it was exported.
        key: names what it was made from.
    Raises:
        Unlisted: it has operators that are not on the engine's list, so that no process would load it.
        CannotWrite: the file cannot be written.
    """
    model, contents = _read_model(folder)
    _check_operators(contents)
    names = [name for name in (model.name, WEIGHTS) if (folder / name).is_file()]
    files = {name: asdict(_describe(folder / name)) for name in names}
    content = {"format": FORMAT, "key": key, "paddle": paddle.__version__, "files": files}
    write_atomic(folder / MANIFEST, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    for name in (*names, MANIFEST):
        os.chmod(folder / name, 0o600)
    _SEEN[state_of(folder)] = key


def check_program(folder: Path, key: str | None = None) -> State:
    """Refuse a program that is not what its manifest says, or may do more than compute.

    Args:
        folder: where it is.
        key: what the manifest has to name; None takes any, and a program without a manifest as well, of
            which then only operators and form can be judged.
    Returns:
        the state of its files.
    Raises:
        Unusable: says why.
    """
    try:
        state = state_of(folder)
        if state in _SEEN and key in (None, _SEEN[state]):
            return state
        found = _check_contents(folder, key)
        if not is_in_state(folder, state):
            raise ValueError("it changes while it is read")
    except (ValueError, OSError) as error:
        kind = Unlisted if isinstance(error, Unlisted) else Unusable
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise kind(f"the compiled program in {folder} cannot be used: {reason}") from None
    _SEEN[state] = found
    return state


def state_of(folder: Path) -> State:
    """What tells the files of a program from others, without reading them.

    Raises:
        ValueError: there is no program, or something that is no plain file.
    """
    found = []
    for name in (*MODELS, WEIGHTS, MANIFEST):
        try:
            status = os.lstat(folder / name)
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{name} is not a file")
        times = status.st_mtime_ns, status.st_ctime_ns
        found.append((name, status.st_dev, status.st_ino, status.st_size, *times))
    if not any(name in MODELS for name, *_ in found):
        raise ValueError("there is no program in it")
    return tuple(found)


def is_in_state(folder: Path, state: State) -> bool:
    """Whether the files of a program are still those of a state."""
    try:
        return state_of(folder) == state
    except (ValueError, OSError):
        return False


def key_of(state: State) -> str | None:
    """The key of a program that was checked, None where it has no manifest."""
    return _SEEN[state]


def _check_contents(folder: Path, key: str | None) -> str | None:
    """Read all of it; gives the key that its manifest names."""
    files, found = None, None
    if key is not None or os.path.lexists(folder / MANIFEST):
        files, found = _read_manifest(folder)
        if key is not None and found != key:
            raise ValueError("it was made from something else")
        _compare(folder, files)
    contents = _read_model(folder)[1]
    _check_operators(contents)
    _check_weights(folder, contents)
    present = {name for name in (*MODELS, WEIGHTS) if (folder / name).exists()}
    if files is not None and present != set(files):
        raise ValueError(f"it has the files {', '.join(sorted(present))}, not those of its manifest")
    return found


def _compare(folder: Path, files: dict[str, _File]) -> None:
    """Compare files with what the manifest says: their sizes first, then all of them."""
    for name, file in files.items():
        size = (folder / name).stat().st_size
        if size != file.size:
            raise ValueError(f"{name} has {size} bytes, not {file.size}")
    for name, file in files.items():
        if _describe(folder / name).sha256 != file.sha256:
            raise ValueError(f"{name} was changed after it was written")


def _describe(path: Path) -> _File:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        while piece := file.read(_PIECE):
            digest.update(piece)
    return _File(status.st_size, status.st_mtime_ns, digest.hexdigest())


def _read_manifest(folder: Path) -> tuple[dict[str, _File], str]:
    """The files and the key that a manifest names."""
    path = folder / MANIFEST
    if not path.exists():
        raise ValueError("it has no manifest")
    if path.stat().st_size > _MAX_MANIFEST:
        raise ValueError("its manifest is too long")
    try:
        content = json.loads(path.read_bytes())
        versions = content["format"], content["paddle"]
        files = {name: _File(**fields) for name, fields in content["files"].items()}
        key = content["key"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("its manifest cannot be read") from None
    if versions != (FORMAT, paddle.__version__):
        raise ValueError("it was made by another version")
    if type(key) is not str or not set(files) <= {*MODELS, WEIGHTS}:
        raise ValueError("its manifest cannot be read")
    if any([type(f.size), type(f.mtime), type(f.sha256)] != [int, int, str] for f in files.values()):
        raise ValueError("its manifest cannot be read")
    return files, key


def _read_model(folder: Path) -> tuple[Path, Contents]:
    path = next((folder / name for name in MODELS if (folder / name).is_file()), None)
    if path is None:
        raise ValueError("there is no program in it")
    if path.stat().st_size > _MAX_MODEL:
        raise ValueError(f"{path.name} is too long")
    return path, read_contents(path.read_bytes(), path.suffix)


def _check_operators(contents: Contents) -> None:
    if contents.unlisted:
        names = ", ".join(name[:40] for name in contents.unlisted[:3])
        raise Unlisted(
            f"it has the operators {names!r}, which are not among those that are known only to compute"
        )


def _check_weights(folder: Path, contents: Contents) -> None:
    path = folder / WEIGHTS
    count = _count_parameters(path) if path.is_file() else 0
    if count != contents.parameters:
        raise ValueError(f"{WEIGHTS} has {count} parameters, the program reads {contents.parameters}")


def _count_parameters(path: Path) -> int:
    """How many parameters a file holds, one behind the other; each says how long it is.

    That is: 4 bytes of version and 8 of nesting, both zero; 4 of version; 4 with the length of a description
    (a TensorDesc); the description; the values.
    """
    size, count = path.stat().st_size, 0
    with open(path, "rb") as file:
        while file.tell() < size:
            head = file.read(20)
            length = int.from_bytes(head[16:], "little", signed=True)
            if len(head) < 20 or any(head[:16]) or not 0 < length <= _MAX_DESCRIPTION:
                raise ValueError(f"{path.name} is damaged")
            end = file.tell() + length + _bytes_of(file.read(length), path.name)
            if end > size:
                raise ValueError(f"{path.name} is cut off")
            file.seek(end)
            count += 1
    return count


def _bytes_of(description: bytes, name: str) -> int:
    """Bytes of the values of a parameter, from its TensorDesc."""
    from google.protobuf.message import DecodeError
    from paddle.base.proto import framework_pb2

    try:
        tensor = framework_pb2.VarType.TensorDesc.FromString(description)
    except DecodeError:
        raise ValueError(f"{name} is damaged") from None
    count = _BYTES.get(tensor.data_type, 0)
    for side in tensor.dims:
        count *= side
    if count < 0:
        raise ValueError(f"{name} is damaged")
    return count


# Of VarType.Type in framework.proto: bool, int16, 32, 64, fp16, 32, 64, uint8, int8, bf16, complex64, 128.
_BYTES = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16}
