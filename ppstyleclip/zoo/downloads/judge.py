# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a published file must look like before it is kept: its size, and the kind that its first bytes tell.

A digest says more; where the whole one is known only that is compared. Most publishers state none, and what
comes first would be pinned whatever it is: a page, a pointer of Git LFS, zeros, another file of that name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from ppstyleclip.errors import UserError
from ppstyleclip.formats.sniff import SAYS, sniff_bytes

MOST = 8 * 10**9  # bytes of a published file
LEAST = 1000
NEVER = ("html", "git-lfs")  # comes in the place of a file
_TORCH = ("zip", "torch-legacy")
_KINDS = {
    ".pdparams": ("pickle",),
    ".pkl": ("pickle",),
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".bin": _TORCH,
    ".npy": ("npy",),
    ".safetensors": ("safetensors",),
    ".dat": ("dlib",),
}
_DLIB = b"\x01\x01"  # version 1, as dlib stores a number: how many bytes, then these
_SAYS = {**SAYS, "dlib": "a model of dlib"}
_UNITS = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "MiB": 2**20}
_SIZE = re.compile(
    r"(?P<less>up to )?(?P<about>about )?(?:(?P<first>[\d.]+) to )?(?P<last>[\d.,]+) (?P<unit>\w+)"
    r"(?P<end> or more| or less)?"
)
_ROUNDED, _ABOUT = 0.15, 0.3  # how far a size may be from the one that is stated
_SHARE_OF_MOST = 0.1  # of "12 MB or less" a file has at least so much


@dataclass(frozen=True)
class Expected:
    """What is known of a file beside its digest.

    Attributes:
        least, most: bytes of the (unpacked) file.
        kinds: names of kinds as formats.sniff_bytes gives them, or "dlib"; () where any will do.
    """

    least: int = 1
    most: int = MOST
    kinds: tuple[str, ...] = ()


ANYTHING = Expected()


def expected_of(name: str, size: str) -> Expected:
    """What the table says of a file.

    Args:
        name: the file's, whose ending tells its kind.
        size: in words, such as "75,810 bytes", "about 605 MB", "130 to 200 MB", "12 MB or less", "some
            hundred MB", "size not stated".
    Raises:
        UserError: the words are none of these.
    """
    least, most = _size_range(size)
    return Expected(round(least), round(most), _KINDS.get(PurePath(name).suffix, ()))


def _size_range(words: str) -> tuple[float, float]:
    if words == "size not stated":
        return LEAST, MOST
    if words == "some hundred MB":
        return 5e7, 2e9
    match = _SIZE.fullmatch(words)
    if match is None or match["unit"] not in _UNITS:
        raise UserError(f"'{words}' is no size that is understood; write it as 12 MB, or about 12 MB")
    unit = _UNITS[match["unit"]]
    last = float(match["last"].replace(",", "")) * unit
    first = float(match["first"]) * unit if match["first"] else last
    slack = 0 if unit == 1 else _ABOUT if match["about"] else _ROUNDED
    least, most = first * (1 - slack), last * (1 + slack)
    if match["end"] == " or more":
        return least, MOST
    if match["less"] or match["end"] == " or less":
        return _SHARE_OF_MOST * last, most
    return least, most


def kind_of(path: Path) -> str:
    """The kind of a file: as formats.sniff_bytes says, or "dlib"."""
    with open(path, "rb") as file:
        head = file.read(512)
    kind = sniff_bytes(head)
    return "dlib" if kind == "unknown" and head.startswith(_DLIB) else kind


def check_kind(path: Path, expected: Expected) -> str:
    """Say what is wrong with a file's kind; "" where nothing is."""
    kind = kind_of(path)
    if kind in NEVER or expected.kinds and kind not in expected.kinds:
        wanted = " or ".join(_SAYS[word] for word in expected.kinds) or "the file itself"
        return f"it is {_SAYS[kind]}; {wanted} is expected"
    return ""


def check_size(size: int, expected: Expected) -> str:
    """Say what is wrong with a number of bytes; "" where nothing is."""
    if expected.least <= size <= expected.most:
        return ""
    end = f"{expected.least:,}" + f" to {expected.most:,}" * (expected.most != expected.least)
    return f"it has {size:,} bytes; {end} are expected"
