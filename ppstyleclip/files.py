# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files of our own: pictures and safetensors, written whole or not at all.

How they are written is in drafts.py, whose functions are to be had from here as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.drafts import all_or_nothing as all_or_nothing
from ppstyleclip.drafts import atomic_file as atomic_file
from ppstyleclip.drafts import atomic_path as atomic_path
from ppstyleclip.drafts import check_target as check_target
from ppstyleclip.drafts import check_writable as check_writable
from ppstyleclip.drafts import kind_of, write_atomic
from ppstyleclip.drafts import named_refusal as named_refusal
from ppstyleclip.drafts import sweep_drafts as sweep_drafts
from ppstyleclip.errors import MissingExtra, MissingFile, UserError, plain
from ppstyleclip.inputs import as_path, as_picture
from ppstyleclip.schema import MOST_JSON, from_json, parse_json

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")  # of names that save_picture knows
NO_PICTURE = "is not a picture that can be read; use a whole PNG or JPEG file"

GIT_LFS = b"version https://git-lfs.github.com/spec/"  # how a pointer begins, a text in a file's place
_MAX_HEADER = 2**23  # bytes of JSON in a safetensors file; a large network has 2 ** 17
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}
_MAX_READ = 2**28  # bytes of a file that is read whole


def cache_home() -> Path:
    """The folder of everything that can be fetched or made again: PPSTYLECLIP_HOME, or one below ~/.cache."""
    return Path(os.environ.get("PPSTYLECLIP_HOME") or "~/.cache/ppstyleclip").expanduser()


def import_cv2():
    """OpenCV, imported when first needed.

    Raises:
        MissingExtra: it is not installed, or it lacks a system library such as libGL; names the cure.
    """
    try:
        import cv2
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise MissingExtra(
            f"OpenCV cannot be imported ({reason}); run: pip uninstall -y opencv-python && "
            "pip install opencv-python-headless"
        ) from None
    return cv2


def import_pillow():
    """Pillow's Image module, imported when first needed.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra(f"Pillow cannot be imported ({error}); run: pip install pillow") from None
    return Image


Embed = Callable[[bytes], bytes]


def save_png(path: str | Path, pixels: np.ndarray, *, embed: Embed | None = None) -> None:
    """Write one picture as PNG.

    Args:
        path: where; missing folders are made.
        pixels: `[H, W, 3]` uint8, RGB.
        embed: puts a label into the encoded picture, such as provenance.labelled does.
    Raises:
        UserError: not such an array.
        CannotWrite: the file cannot be written.
    """
    _write_picture(path, pixels, ".png", embed)


def _write_picture(path: str | Path, pixels: np.ndarray, suffix: str, embed: Embed | None) -> None:
    data = encode_picture(pixels, suffix)
    write_atomic(path, data if embed is None else embed(data))


def encode_picture(pixels: np.ndarray, suffix: str = ".png") -> bytes:
    """Encode a picture `[H, W, 3]` uint8, RGB, in the format of a suffix; errors as save_png."""
    pixels = as_picture(pixels)
    _, data = import_cv2().imencode(suffix, np.ascontiguousarray(pixels[:, :, ::-1]))
    return data.tobytes()


def save_picture(path: str | Path, pixels: np.ndarray, *, embed: Embed | None = None) -> None:
    """Write one picture in the format that its name asks for, one of PICTURE_SUFFIXES; else as save_png.

    Raises:
        UserError: the name asks for none of them, or the array is no picture.
        CannotWrite: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        raise UserError(f"{path} names no format of {', '.join(PICTURE_SUFFIXES)}; choose one of them")
    _write_picture(path, pixels, suffix, embed)


def load_pixels(path) -> np.ndarray:
    """Read one picture (PNG, JPEG, ...) as `[H, W, 3]` uint8, RGB, without transparency or greater depth.

    Raises:
        MissingFile: there is no such file.
        UserError: it is not a picture.
    """
    cv2 = import_cv2()
    data = np.frombuffer(read_file(path), np.uint8)
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        picture = None
    if picture is None:
        raise UserError(f"{path} {NO_PICTURE}")
    return np.ascontiguousarray(picture[:, :, ::-1])


def check_file(path) -> Path:
    """Return the path of an existing file that may be read.

    Raises:
        MissingFile: there is none, or it is a folder.
        UserError: it is no path, or may not be read, is a pipe or a device, which might never end, or is a
            Git LFS pointer, which stands for a file that was not fetched.
    """
    path = as_path(path)
    try:
        mode = os.stat(path).st_mode
        start = b""
        if stat.S_ISREG(mode):
            with open(path, "rb") as file:
                start = file.read(len(GIT_LFS))
    except FileNotFoundError:
        raise MissingFile(f"there is no file {path}; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path}: {reason}; check the path") from None
    if stat.S_ISDIR(mode):
        raise MissingFile(f"{path} is a folder, a file is needed")
    if not stat.S_ISREG(mode):
        raise UserError(f"{path} is {kind_of(mode)}; save what it gives as a file, and name that")
    if start == GIT_LFS:
        raise UserError(
            f"{path} is a Git LFS pointer, not the file itself; run: git lfs pull, in the checkout it is from"
        )
    return path


def check_folder(path) -> Path:
    """Return the path of an existing folder.

    Raises:
        MissingFile: there is none, or something else is there.
    """
    path = as_path(path)
    if not os.path.isdir(path):
        what = "is not a folder" if os.path.lexists(path) else "is not there"
        raise MissingFile(f"the folder {path} {what}; check the path")
    return path


def read_file(path, most: int = _MAX_READ) -> bytes:
    """Read a whole file; errors as check_file.

    Args:
        path: of the file.
        most: bytes that such a file may have.
    Raises:
        UserError: it has more.
    """
    path = check_file(path)
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UserError(f"{path} has more than {most:,} bytes; is it the file that was meant?")
    return data


def read_json(kind: Any, path: Any, *, most: int = MOST_JSON) -> Any:
    """Read a JSON file as a kind of `schema`.

    Raises:
        MissingFile: there is no such file.
        UserError: it is longer than `most` bytes, no JSON, or holds something else; one line.
    """
    return from_json(kind, read_file(path, most), path, most=most)


def read_safetensors(path) -> tuple[dict, dict]:
    """Read a safetensors file.

    Args:
        path: the file.
    Returns:
        (`{name: array}`, `{name: text}` of its metadata); bfloat16, which NumPy lacks, comes as float32.
    Raises:
        MissingFile: there is no such file.
        UserError: it is not a whole safetensors file, or holds a type that NumPy lacks (float8).
    """
    with _opened_safetensors(path) as (file, entries, metadata):
        return {name: _read_tensor(file, *entry) for name, entry in entries.items()}, metadata


def read_metadata(path) -> dict:
    """Read only the metadata of a safetensors file, `{name: text}`; errors as read_safetensors."""
    with _opened_safetensors(path) as (_, _, metadata):
        return metadata


@contextlib.contextmanager
def _opened_safetensors(path):
    path = check_file(path)
    try:
        with open(path, "rb") as file:
            yield file, *_read_header(file)
    except (ValueError, OSError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = plain(" ".join(str(error).split()), 120)
        raise UserError(f"{path} is not a readable safetensors file ({reason}); make it again") from None


def _read_header(file) -> tuple[dict, dict]:
    """Read ({name: (type, shape, place in the file)}, metadata); the file holds all that they state."""
    size, length = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
    if not 0 < length <= min(size - 8, _MAX_HEADER):
        raise ValueError("its header is cut off or too long")
    header = parse_json(file.read(length), most=_MAX_HEADER)
    metadata = header.pop("__metadata__", None) or {}
    if not all(type(value) is str for value in metadata.values()):
        raise ValueError("its metadata are not texts")
    entries = {name: _checked_entry(entry, 8 + length, size) for name, entry in header.items()}
    total = sum(math.prod(shape) * np.dtype(_TYPES[kind]).itemsize for kind, shape, _ in entries.values())
    if total > size - 8 - length:
        raise ValueError("its arrays overlap")
    return entries, metadata


def _checked_entry(entry, start, size) -> tuple:
    kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in _TYPES:
        raise ValueError(f"it holds {plain(kind, 20)}, which NumPy lacks")
    if any(type(side) is not int or side < 0 for side in (*shape, begin, end)) or len(shape) > 32:
        raise ValueError("an array has an impossible shape or place")
    if end - begin != math.prod(shape) * np.dtype(_TYPES[kind]).itemsize or start + end > size:
        raise ValueError("it is cut off, or an array's place does not fit its shape")
    return kind, shape, start + begin


def _read_tensor(file, kind, shape, start) -> np.ndarray:
    file.seek(start)
    array = np.fromfile(file, _TYPES[kind], math.prod(shape)).reshape(shape)
    return (array.astype("<u4") << 16).view("<f4") if kind == "BF16" else array


def write_safetensors(path, tensors: dict, metadata: dict | None = None) -> None:
    """Write arrays as safetensors; the same input gives the same bytes.

    Args:
        path: where; missing folders are made.
        tensors: `{name: array}`.
        metadata: `{name: text}`; anything richer goes in as JSON.
    Raises:
        UserError: a metadata value is not text.
        CannotWrite: the file cannot be written.
    """
    from safetensors.numpy import save

    metadata = dict(metadata or {})
    odd = [name for name, value in metadata.items() if not isinstance(value, str)]
    if odd:
        raise UserError(f"safetensors metadata must be text, '{odd[0]}' is {type(metadata[odd[0]]).__name__}")
    data = save({name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}, metadata)
    write_atomic(path, _with_sorted_header(data))


def _with_sorted_header(data: bytes) -> bytes:
    # The library writes metadata in the order of a hash table, another one each time.
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(parse_json(data[8:end], most=end), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def fingerprint(tensors: dict) -> str:
    """Name the content of a dict of arrays by 16 hexadecimal digits.

    SHA-256 over name, type, shape and little-endian bytes of each array, in the order of the names; where and
    how the arrays are stored plays no part.

    Args:
        tensors: `{name: array}`.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        array = np.asarray(array.astype(array.dtype.newbyteorder("<"), copy=False), order="C")
        digest.update(f"{name}\0{array.dtype.str}\0{list(array.shape)}\0".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:16]
