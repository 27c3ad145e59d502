# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The structure of the files that dlib stores, checked before dlib sees them.

dlib believes the indices and sizes in its files: one that points outside of its array reads other memory, or
ends the process. So every number that dlib uses as an index or a size is read here first.

dlib writes an integer as a control byte (the count of bytes that follow; the highest bit is the sign) and
those bytes, least significant first; a floating point number as two integers, mantissa and exponent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from itertools import repeat

from ppstyleclip.errors import UserError
from ppstyleclip.files import cache_home, write_atomic

QUICK = 2_000_000  # bytes that are checked each time; the verdict on larger files is kept
VERSION = 1  # of the checks below: raise it when they change, so that no old verdict counts
MAX_EXPONENT = 900  # of a number that is finite; infinity and no number have exponents from 32,000 on
MAX_WINDOW, MAX_CELL, MAX_PADDING, MAX_LEVELS, MAX_DETECTORS = 4096, 64, 64, 10_000, 64
PLANES = 31  # of dlib's gradient features

_OUTSIDE = 2**62  # a step behind the end of every file
_STEPS = [1 + (byte & 15) if 1 <= byte & 15 <= 8 and not byte & 0x70 else _OUTSIDE for byte in range(256)]
_EXPONENT_STEPS = [2 if byte & 0x7F == 1 else _OUTSIDE for byte in range(256)]  # one byte: it is below 256


def check_predictor(path: object, data: bytes) -> None:
    """Check the file of a shape predictor.

    Args:
        path: of the file, for messages.
        data: its bytes.
    Raises:
        UserError: dlib would read beyond its arrays, or it is no such file.
    """
    _check(path, data, _check_predictor, "a landmark model of dlib")


def check_detector(path: object, data: bytes) -> None:
    """Check the file of a detector of gradients; arguments and errors as check_predictor."""
    _check(path, data, _check_detector, "a detector of dlib")


def _check(path, data: bytes, structure: Callable[[_Reader], None], words: str) -> None:
    mark = None
    if len(data) > QUICK:
        digest = hashlib.sha256(data).hexdigest()
        mark = cache_home() / "dlib" / f"{digest}.{structure.__name__[7:]}.{VERSION}"
        if _is_own(mark):
            return
    try:
        structure(_Reader(data))
    except (ValueError, IndexError) as error:
        reason = "it is cut off, or holds an impossible number" if isinstance(error, IndexError) else error
        packed = "unpack the .bz2" if data[:3] == b"BZh" else "use a whole copy"
        raise UserError(f"{path} is not {words}, or is damaged ({reason}); {packed}") from None
    if mark is not None:
        with contextlib.suppress(UserError):  # where nothing can be kept it is checked each time
            write_atomic(mark, b"whole\n")


def _is_own(mark) -> bool:
    """Tell whether a verdict was kept, by this user and in a place that others cannot write."""
    try:
        places = [os.lstat(mark), os.stat(mark.parent)]
    except OSError:
        return False
    if os.name != "posix":
        return True
    return all(place.st_uid == os.getuid() and not place.st_mode & 0o022 for place in places)


class _Reader:
    """Reads dlib's numbers one after another; IndexError at the end of the data."""

    def __init__(self, data: bytes):
        self.data, self.place = data, 0

    def integer(self, least: int, most: int, what: str) -> int:
        """Read an integer that has to lie between `least` and `most`."""
        control = self.data[self.place]
        end = self.place + _STEPS[control]
        if end > len(self.data):
            raise IndexError
        value = int.from_bytes(self.data[self.place + 1 : end], "little")
        value, self.place = -value if control & 0x80 else value, end
        if not least <= value <= most:
            raise ValueError(f"{what} is {value}, {least} to {most} can be")
        return value

    def count(self, what: str) -> int:
        """Read how many things follow; each takes two bytes at least."""
        return self.integer(0, (len(self.data) - self.place) // 2, what)

    def shape(self, what: str) -> tuple[int, int]:
        """Read the rows and columns of a matrix; dlib stores them negative."""
        most = len(self.data) - self.place
        rows, columns = (abs(self.integer(-most, most, what)) for _ in range(2))
        if rows * columns > most // 4:
            raise ValueError(f"{what} is {rows}x{columns}, more than the file holds")
        return rows, columns

    def floats(self, count: int, what: str) -> None:
        """Read `count` numbers that have to be finite."""
        for _ in range(count):
            self.integer(-(2**63), 2**63, what)
            self.integer(-2 * MAX_EXPONENT, MAX_EXPONENT, f"the exponent of {what}")

    def skip_floats(self, count: int) -> None:
        """Go past `count` numbers of 32 bits, as fast as can be: a landmark model has 16 million of them."""
        data, steps, exponents, place = self.data, _STEPS, _EXPONENT_STEPS, self.place
        for _ in repeat(None, count):
            place += steps[data[place]]
            place += exponents[data[place]]
        if place > len(data):
            raise IndexError
        self.place = place


def _check_predictor(file: _Reader) -> None:
    """A shape, and for each cascade its trees, and the places whose pixels they compare."""
    file.integer(1, 1, "its version")
    rows, columns = file.shape("its mean shape")
    if columns != 1 or rows < 2 or rows % 2:
        raise ValueError(f"its mean shape is {rows}x{columns}")
    file.floats(rows, "its mean shape")
    splits: list[int] = []  # the largest index of a pixel in each cascade
    for _ in range(file.count("its number of cascades")):
        trees = [_highest_index(file, rows) for _ in range(file.count("a number of trees"))]
        splits.append(max(trees, default=-1))
    pixels = []
    for _ in range(file.integer(len(splits), len(splits), "its number of lists of anchors")):
        pixels.append(file.count("a number of anchors"))
        for _ in range(pixels[-1]):
            file.integer(0, rows // 2 - 1, "an anchor")
    file.integer(len(splits), len(splits), "its number of lists of pixels")
    for count, highest in zip(pixels, splits):
        file.integer(count, count, "a number of pixels")
        if highest >= count:
            raise ValueError(f"a tree compares pixel {highest} of {count}")
        file.floats(2 * count, "a pixel's place")


def _highest_index(file: _Reader, rows: int) -> int:
    """Read a tree whose leaves move `rows` numbers; return the largest index that it compares."""
    highest, splits = -1, file.count("a number of splits")
    for _ in range(splits):
        highest = max(highest, *(file.integer(0, len(file.data), "the index of a pixel") for _ in range(2)))
        file.skip_floats(1)
    for _ in range(file.integer(splits + 1, splits + 1, "a number of leaves")):
        if file.shape("a leaf") != (rows, 1):
            raise ValueError("a leaf has another shape than the face")
        file.skip_floats(rows)
    return highest


def _check_detector(file: _Reader) -> None:
    """How the picture is scanned, and the weights of each window, which have to fit it."""
    file.integer(2, 2, "its version")
    file.integer(1, 1, "the version of its scanner")
    for _ in range(2):
        file.integer(0, 0, "its number of stored features")
    cell = file.integer(1, MAX_CELL, "the side of its cells")
    file.integer(0, MAX_PADDING, "its padding")
    for _ in range(2):
        file.integer(cell, MAX_WINDOW, "a side of its window")
    file.integer(1, MAX_LEVELS, "its number of sizes")
    for _ in range(2):
        file.integer(1, MAX_WINDOW, "a side of its smallest picture")
    file.floats(1, "its regularisation")
    weights = file.integer(PLANES, len(file.data), "its number of weights")  # dlib compares window and this
    file.floats(2, "its overlap")
    for _ in range(file.integer(1, MAX_DETECTORS, "its number of windows")):
        if file.shape("its weights") != (weights + 1, 1):
            raise ValueError(f"a window has other than {weights} weights")
        file.floats(weights + 1, "its weights")
