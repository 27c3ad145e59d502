# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Shares of a job for machines that share nothing, "i/n"; nothing here needs Paddle.

The blocks are dealt round-robin. So each share has its part of every layer, shares are equal in work whatever
a picture costs there, and each draws what lies before a layer once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from ppstyleclip.errors import UserError
from ppstyleclip.wording import counted

Item = TypeVar("Item")


def parse_shard(text: str | None) -> tuple[int, int]:
    """Read "i/n", 0 <= i < n; None is the whole, (0, 1).

    Raises:
        UserError: it is something else.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text or "0/1")
    if match is None or not int(match[1]) < int(match[2]):
        raise UserError(f"--shard must be i/n with i from 0 to n - 1, such as 0/2 and 1/2; got '{text}'")
    return int(match[1]), int(match[2])


def share_of(blocks: list[Item], shard: str | None) -> list[Item]:
    """Return the blocks of a shard, or all.

    Raises:
        UserError: there are fewer blocks than shards.
    """
    i, n = parse_shard(shard)
    if n > len(blocks):
        raise UserError(
            f"--shard {shard}: the job has only {counted(len(blocks), 'block')}; use fewer shards or a "
            "smaller --block_size"
        )
    return blocks[i::n]


def ranges(numbers: Iterable[int]) -> str:
    """Write whole numbers as words, such as "0-4, 9, 12-20 (15 in all)"."""
    numbers = [int(number) for number in numbers]
    parts, start = [], 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
            first, last = numbers[start], numbers[end - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = end
    more = ", ..." if len(parts) > 8 else ""
    return f"{', '.join(parts[:8])}{more}" + (f" ({len(numbers)} in all)" if len(parts) > 1 else "")
