# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The types of what stands on a command line: numbers with bounds, seeds, words, and which face.

Every option of a command that takes a number has one of these, so no count is endless and no number is NaN;
tests/cli/test_argument_types.py walks through all parsers. The bounds are those of what makes sense at all;
what a model or the memory allows is narrower and is told where it is known.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

MOST_SEED = 2**32 - 1  # that NumPy takes
MOST_INDEX = 10**9  # of a latent in a file
MOST_STEPS = 100_000  # of an optimisation
_LONGEST = 40  # characters of a number; thousands of digits take quadratic time


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def __call__(self, text: str) -> int:
        """Read an argument.

        Raises:
            argparse.ArgumentTypeError: it is no such number.
        """
        try:
            value = int(text) if len(text) <= _LONGEST else self.most + 1
        except ValueError:
            value = self.most + 1
        if not self.least <= value <= self.most:
            raise argparse.ArgumentTypeError(
                f"a whole number from {self.least} to {self.most} is needed, got {_cut(text)}"
            )
        return value


@dataclass(frozen=True)
class Number:
    """A number from `least` to `most`; never NaN."""

    least: float
    most: float

    def __call__(self, text: str) -> float:
        """Read an argument.

        Raises:
            argparse.ArgumentTypeError: it is no such number.
        """
        try:
            value = float(text) if len(text) <= _LONGEST else math.nan
        except ValueError:
            value = math.nan
        if not self.least <= value <= self.most:
            raise argparse.ArgumentTypeError(
                f"a finite number from {self.least:g} to {self.most:g} is needed, got {_cut(text)}"
            )
        return value


@dataclass(frozen=True)
class NumberOrAuto(Number):
    """A number from `least` to `most`, or the word "auto"."""

    def __call__(self, text: str) -> float | str:  # type: ignore[override]
        """Read an argument; errors as Number's."""
        return text if text == "auto" else super().__call__(text)


SEED = Whole(0, MOST_SEED)
INDEX = Whole(0, MOST_INDEX)
STEPS = Whole(0, MOST_STEPS)
COUNT = Whole(1, 10**7)  # of samples, pictures, latents
EVERY = Whole(0, 10**7)  # once in so many steps; 0 for never
BATCH = Whole(1, 256)  # pictures at once
FRACTION = Number(0, 1)
DEVIATIONS = Number(0, 1000)  # from the mean of a style channel
THRESHOLD = Number(0, 1e6)
WEIGHT = Number(0, 1e6)  # of a loss, a rate
STRENGTH = Number(-1e6, 1e6)  # of an edit
MOVE = Number(-10, 10)  # of a canvas, in sides of the picture
TURN = Number(-3600, 3600)  # degrees
STRENGTH_OR_AUTO = NumberOrAuto(-1e6, 1e6)
THRESHOLD_OR_AUTO = NumberOrAuto(0, 1e6)
SIZE = {  # of a generator; networks of these sizes are built before weights are compared
    "size": Whole(4, 4096),
    "style_dim": Whole(1, 4096),
    "n_mlp": Whole(1, 64),
    "channel_multiplier": Whole(1, 16),
}


def words(text: str) -> str:
    """Read a text for CLIP: not empty, not of bytes that are no letters, at most 1000 characters.

    Raises:
        argparse.ArgumentTypeError: it is no such text.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("a text is needed, got none")
    if len(text) > 1000:
        raise argparse.ArgumentTypeError(f"a text has at most 1000 characters, got {len(text)}")
    if any(ord(letter) < 32 and not letter.isspace() or "\ud800" <= letter <= "\udfff" for letter in text):
        raise argparse.ArgumentTypeError(f"a text of letters in UTF-8 is needed, got {_cut(text)}")
    return text


def which_face(text: str) -> str:
    """Read which face of a photo is meant: best, largest, all, or a number from 1.

    Raises:
        argparse.ArgumentTypeError: it is none of them.
    """
    is_number = text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text) > 0
    if is_number or text in ("best", "largest", "all"):
        return text
    raise argparse.ArgumentTypeError(f"best, largest, all, or a number from 1 is needed, got {_cut(text)}")


def is_seed(text: str | None) -> bool:
    """Whether an argument is digits alone and so the seed of a face."""
    return text is not None and text.isascii() and text.isdigit()


def _cut(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
