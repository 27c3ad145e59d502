# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How large a zip archive's directory says it is, read from its last bytes before anything is listed.

A member costs an object of some 600 bytes when it is listed, so four million empty ones take gigabytes.
"""

from __future__ import annotations

import struct
from typing import Any

from ppstyleclip.formats.pickle_values import RefusedPickle

MAX_MEMBERS = 100_000  # a network has a member for each of its arrays
MAX_DIRECTORY = 2**25  # bytes

_END = struct.Struct("<4s4H2LH")  # signature, disks, members here and in all, size, place, comment's length
_END64 = struct.Struct("<4sQ2H2L4Q")  # signature, size, versions, disks, members, size and place
_LOCATOR64 = struct.Struct("<4sLQL")  # signature, disk, place of the former, disks
_MOST_COMMENT = 2**16
_SEE_LARGE = {2**16 - 1, 2**32 - 1}  # stands for a number in the large form


def check_directory(data: Any) -> None:
    """Refuse an archive with more members than any network has.

    Args:
        data: an mmap of the file, or bytes. Where it has no directory nothing is refused.
    Raises:
        RefusedPickle: it has too many, or a directory that is too long.
    """
    for place in _ends(data):
        for count, size in _stated(data, place):
            if count > MAX_MEMBERS or size > MAX_DIRECTORY:
                raise RefusedPickle(
                    f"it is a zip archive of {count:,} members, with a directory of {size:,} bytes; at most "
                    f"{MAX_MEMBERS:,} and {MAX_DIRECTORY:,} are read"
                )


def _ends(data: Any) -> list[int]:
    """Where the directory's end may be: without a comment, and with one."""
    last = len(data) - _END.size
    found = [last, data.rfind(b"PK\5\6", max(0, last - _MOST_COMMENT))]
    return [place for place in found if 0 <= place <= last and data[place : place + 4] == b"PK\5\6"]


def _stated(data: Any, place: int) -> list[tuple[int, int]]:
    """(members, bytes) that the end at `place` states, or the large form of it wherever that may be."""
    locator, found = place - _LOCATOR64.size, []
    if locator >= 0 and data[locator : locator + 4] == b"PK\6\7":
        for large in (_LOCATOR64.unpack(data[locator:place])[2], locator - _END64.size):
            if 0 <= large <= len(data) - _END64.size and data[large : large + 4] == b"PK\6\6":
                found.append(_END64.unpack(data[large : large + _END64.size])[7:9])
    short = _END.unpack(data[place : place + _END.size])[4:6]
    return found if found and _SEE_LARGE & set(short) else [*found, short]
