# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where each style channel of a generator lies in the flat vector s.

StyleSpace (Wu et al., 2021) calls the per-channel scales of a generator's convolutions S. A generator hands
them out as a list of K tensors; everywhere else they are one flat tensor s [N, S]; an edit is s + alpha * ds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import paddle

from ..errors import UserError
from ..schema import from_value
from .configs import LayoutConfig


@dataclass(frozen=True)
class StyleLayout:
    """Names and widths of the K style tensors of one generator, in the order in which it uses them.

    Attributes:
        names: K names of the layers whose input each tensor scales, such as "conv1", "to_rgbs.0", "convs.3".
        channels: K widths C_k.
        editable: K flags; ToRGB layers are not editable, so that colour alone is not what an edit finds.
    """

    names: tuple[str, ...]
    channels: tuple[int, ...]
    editable: tuple[bool, ...]

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.channels) == len(self.editable) > 0:
            raise UserError(
                f"a layout needs one width and one flag per name, got {len(self.names)} names, "
                f"{len(self.channels)} widths, {len(self.editable)} flags"
            )

    @property
    def size(self) -> int:
        """S, the length of s."""
        return self.offsets[-1]

    @property
    def num_editable(self) -> int:
        """E, the number of channels that an edit may move."""
        return len(self.editable_index)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """K + 1 positions in s: tensor k is s[:, offsets[k]:offsets[k + 1]]."""
        return (0, *(int(end) for end in np.cumsum(self.channels)))

    @cached_property
    def editable_index(self) -> np.ndarray:
        """[E] int64: the position in s of each editable channel."""
        parts = [np.arange(*self.offsets[k : k + 2], dtype=np.int64) for k in self.editable_layers]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    @cached_property
    def editable_layers(self) -> tuple[int, ...]:
        """Indices k of the editable style tensors."""
        return tuple(k for k, flag in enumerate(self.editable) if flag)

    def flatten(self, styles: Sequence[Any]) -> Any:
        """Join a list of K tensors [N, C_k] (all Paddle or all NumPy) to s [N, S]."""
        widths = tuple(style.shape[-1] for style in styles)
        if widths != tuple(self.channels):
            raise UserError(
                f"styles have widths {_short(widths)}, this generator needs {_short(self.channels)}"
            )
        join: Any = np.concatenate if isinstance(styles[0], np.ndarray) else paddle.concat
        return join(list(styles), axis=-1)

    def unflatten(self, s: Any) -> list[Any]:
        """Cut s [N, S] (Paddle or NumPy) into the list of K tensors [N, C_k]."""
        if s.shape[-1] != self.size:
            raise UserError(
                f"s has {s.shape[-1]} style channels, this generator has {self.size}; "
                "it belongs to another generator"
            )
        return [s[..., start:end] for start, end in zip(self.offsets, self.offsets[1:])]

    def locate(self, e: int) -> tuple[int, int]:
        """Style tensor k and channel within it of editable channel `e` (0 <= e < E)."""
        if not 0 <= e < self.num_editable:
            raise UserError(f"editable channel {e} does not exist, there are {self.num_editable}")
        position = int(self.editable_index[e])
        k = int(np.searchsorted(self.offsets, position, side="right")) - 1
        return k, position - self.offsets[k]

    def describe(self, e: int) -> str:
        """Editable channel `e` in words, such as "convs.3 channel 17"."""
        k, channel = self.locate(e)
        return f"{self.names[k]} channel {channel}"

    def to_config(self) -> dict[str, list]:
        """A dict of lists that JSON can hold; from_config is its inverse."""
        return {"names": list(self.names), "channels": list(self.channels), "editable": list(self.editable)}

    @classmethod
    def from_config(cls, config: dict) -> StyleLayout:
        """Rebuild what to_config wrote.

        Raises:
            UserError: it is something else.
        """
        layout = from_value(LayoutConfig, config, "this layout")
        return cls(layout.names, layout.channels, layout.editable)


def _short(widths: Sequence[int]) -> str:
    text = ", ".join(str(width) for width in widths[:6])
    return f"[{text}{', ...' if len(widths) > 6 else ''}] ({len(widths)} tensors)"
