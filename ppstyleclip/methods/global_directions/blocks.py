# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Blocks: neighbouring channels of one layer, which are drawn and saved together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.stylespace import StyleLayout


@dataclass(frozen=True, eq=False)
class Block:
    """Neighbouring channels of one layer, which are drawn together.

    Attributes:
        number: counts the blocks of the generator, those without wanted channels included.
        k: the style tensor.
        columns: the channels within that tensor, the wanted and the others.
        channels: the wanted ones, as editable channels (0..E-1), ascending.
        wanted: `[len(columns)]` bool.
    """

    number: int
    k: int
    columns: np.ndarray
    channels: np.ndarray
    wanted: np.ndarray


def default_block_size(batch_size: int, num_images: int) -> int:
    """Channels whose pictures fill one batch, at least one."""
    return max(1, batch_size // (2 * num_images))


def split_blocks(layout: StyleLayout, block_size: int, channels: Iterable[int] | None = None) -> list[Block]:
    """Cut each editable layer into blocks of `block_size` channels, the last one shorter.

    Args:
        layout: of the generator.
        block_size: channels of a block, at least 1.
        channels: the editable channels that are wanted, all by default.
    Returns:
        list of Block, those that hold a wanted channel.
    Raises:
        UserError: no channel is wanted, or one that does not exist; or block_size is out of range.
    """
    if block_size < 1:
        raise UserError(f"block_size must be at least 1, got {block_size}")
    is_wanted = np.zeros(layout.num_editable, bool)
    is_wanted[_wanted(layout, channels)] = True
    blocks, number, first = [], 0, 0
    for k in layout.editable_layers:
        for start in range(0, layout.channels[k], block_size):
            columns = np.arange(start, min(start + block_size, layout.channels[k]))
            wanted = is_wanted[first + columns]
            if wanted.any():
                blocks.append(Block(number, k, columns, first + columns[wanted], wanted))
            number += 1
        first += layout.channels[k]
    return blocks


def _wanted(layout: StyleLayout, channels: Iterable[int] | None) -> np.ndarray:
    """The editable channels to measure, ascending."""
    if channels is None:
        return np.arange(layout.num_editable)
    wanted = np.unique(np.fromiter(channels, np.int64))
    if len(wanted) == 0 or wanted[0] < 0 or wanted[-1] >= layout.num_editable:
        raise UserError(f"channels must be some of 0 to {layout.num_editable - 1}, the editable ones")
    return wanted
