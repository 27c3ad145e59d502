# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How wide StyleGAN2's layers usually are, for what builds a network and what reads one off a file."""

from __future__ import annotations

from ...errors import UserError, plain, shown

SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)


def channel_table(channel_multiplier=2, overrides=None):
    """Return `{resolution: channels}` for 4 to 1024 px; `overrides` replaces single entries."""
    table = dict.fromkeys((4, 8, 16, 32), 512)
    table.update({side: int(16384 // side * channel_multiplier) for side in (64, 128, 256, 512, 1024)})
    sides = {str(side): side for side in table}
    own = {sides.get(str(side), side): int(count) for side, count in (overrides or {}).items()}
    table.update(own)
    if len(table) != 9 or min(table.values()) < 1:
        got = ", ".join(f"{plain(side)}: {shown(count)}" for side, count in list(own.items())[:9])
        raise UserError(f"channels must map 4, 8, ... 1024 to at least one channel each, got {got}")
    return table
