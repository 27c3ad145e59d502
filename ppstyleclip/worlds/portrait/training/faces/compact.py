# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""dlib's shape predictors in two thirds of their bytes.

dlib writes a number as mantissa and exponent and leaves out bytes of the mantissa that are 0. What a leaf
says of a landmark is a fraction of a pixel, so eight bits of it are enough, and one byte holds them.
"""

from __future__ import annotations

import numpy as np

BITS = 8  # of a leaf's mantissas


def compact(data: bytes, bits: int = BITS) -> bytes:
    """The bytes of a shape predictor, with the mantissas of its leaves rounded.

    Args:
        data: of a shape predictor, as dlib stores it.
        bits: that are left of a mantissa, 8, 16 or 24.
    Returns:
        bytes that dlib reads.
    Raises:
        ValueError: it is another file.
    """
    file = _Copy(data, bits)
    if file.integer() != 1:
        raise ValueError("this is no shape predictor of dlib")
    file.floats(_count(file))  # the mean shape
    for _ in range(file.integer()):  # cascades
        for _ in range(file.integer()):  # trees
            for _ in range(file.integer()):  # splits
                file.integer(), file.integer()
                file.floats(1)
            for _ in range(file.integer()):  # leaves
                file.floats(_count(file), rounded=True)
    return b"".join(file.parts) + data[file.place :]


def _count(file):
    """Numbers of a matrix, whose sides dlib stores negative."""
    return abs(file.integer()) * abs(file.integer())


class _Copy:
    """Reads dlib's numbers one after another and writes them again."""

    def __init__(self, data, bits):
        self.data, self.bits, self.place, self.parts = data, bits, 0, []

    def _read(self):
        control = self.data[self.place]
        end = self.place + 1 + (control & 15)
        value = int.from_bytes(self.data[self.place + 1 : end], "little")
        self.place = end
        return -value if control & 0x80 else value

    def integer(self):
        start = self.place
        value = self._read()
        self.parts.append(self.data[start : self.place])
        return value

    def floats(self, count, rounded=False):
        start = self.place
        for _ in range(count):
            mantissa, exponent = self._read(), self._read()
            if rounded:
                self.parts += map(stored, shortened(mantissa, exponent, self.bits))
        if not rounded:
            self.parts.append(self.data[start : self.place])


def shortened(mantissa, exponent, bits):
    """(mantissa, exponent) of about the same number with a mantissa of so many bits."""
    excess = abs(mantissa).bit_length() - bits
    if excess <= 0:
        return mantissa, exponent
    half = 1 << (excess - 1)
    size = min((abs(mantissa) + half) >> excess, (1 << bits) - 1)
    return int(np.sign(mantissa)) * size, exponent + excess


def stored(value):
    """An integer as dlib stores it: a byte with the count of bytes and the sign, then these bytes."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")
