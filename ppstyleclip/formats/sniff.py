# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What kind of file it is, told from its first bytes; names and extensions lie."""

from __future__ import annotations

from ppstyleclip.files import GIT_LFS, check_file

_TORCH_LEGACY = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")  # a pickled magic number, after its protocol
_STARTS = (
    (b"PK\x03\x04", "zip"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
    (b"\x93NUMPY", "npy"),
    (GIT_LFS, "git-lfs"),
)
SAYS = {
    "zip": "a zip archive (PyTorch's form, .npz or another)",
    "torch-legacy": "an old PyTorch file",
    "pickle": "a pickle (the form of Paddle, NumPy and NVIDIA)",
    "npy": "a NumPy array",
    "safetensors": "a safetensors file",
    "git-lfs": "a Git LFS pointer, not the file itself",
    "tar": "a tar archive",
    "html": "a web page, not what was meant to be fetched",
    "unknown": "of no kind that is known",
}


def sniff(path) -> str:
    """Name a file's container: a key of SAYS.

    Raises:
        MissingFile: there is no such file.
        UserError: it may not be read.
    """
    with open(check_file(path), "rb") as file:
        return sniff_bytes(file.read(512))


def sniff_bytes(head: bytes) -> str:
    """Name a container from the first 512 bytes, or as many as there are."""
    # First of all: a header of 640 bytes starts like a pickle, but no pickle has the zeros that follow.
    if len(head) > 8 and head[8:9] == b"{" and 0 < int.from_bytes(head[:8], "little") < 2**32:
        return "safetensors"
    if head[:1] == b"\x80" and _TORCH_LEGACY in head[2:24]:
        return "torch-legacy"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[257:262] == b"ustar":
        return "tar"
    return "html" if head.lstrip()[:1] == b"<" else "unknown"
