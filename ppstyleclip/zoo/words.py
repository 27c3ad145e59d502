# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The text vectors of seed 000's published mappers: rows of an embedding that was never trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors

_TABLE = Path(__file__).with_name("seed000_words.safetensors")


def seed000_words(count: int) -> np.ndarray:
    """The embedding table of a text2image_manipulation mapper with `count` texts.

    torch draws it from seed 1, with 4, 5 and 6 rows alike; Paddle's random numbers are others, so the table
    is stored.

    Args:
        count: number of texts that the mapper knows, 1 to 6.
    Returns:
        `[count, 512]` float32; row k belongs to the k-th text of the mapper's list. A combination of texts
        (Mapper_multi) is the sum of their rows.
    Raises:
        UserError: no published mapper has so many texts.
    """
    words = read_safetensors(_TABLE)[0]["words"]
    if not 1 <= count <= len(words):
        raise UserError(f"seed 000's mappers know 1 to {len(words)} texts; got {count}")
    return words[:count]
