# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style space: where each channel lies in the flat vector s, how s is distributed, what a channel does.

StyleSpace (Wu et al., 2021) calls the per-channel scales of a StyleGAN2's convolutions S. A generator hands
them out as a list of K tensors; everywhere else they are one flat tensor s [N, S]; an edit is s + alpha * ds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError

DEFAULT_ALPHA = 5.0  # deviations up and down of a measurement that does not state its own


@dataclass(frozen=True)
class StyleLayout:
    """Names and widths of the K style tensors of one generator, in the order in which it uses them.

    Attributes:
        names: K names of the layers whose input each tensor scales, such as "conv1", "to_rgbs.0", "convs.3".
        channels: K widths C_k.
        editable: K flags; ToRGB layers are not editable, so that colour alone is not what an edit finds.
    """

    names: tuple
    channels: tuple
    editable: tuple

    def __post_init__(self):
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
    def offsets(self) -> tuple:
        """K + 1 positions in s: tensor k is s[:, offsets[k]:offsets[k + 1]]."""
        return (0, *(int(end) for end in np.cumsum(self.channels)))

    @cached_property
    def editable_index(self) -> np.ndarray:
        """[E] int64: the position in s of each editable channel."""
        parts = [np.arange(*self.offsets[k : k + 2], dtype=np.int64) for k in self.editable_layers]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    @cached_property
    def editable_layers(self) -> tuple:
        """Indices k of the editable style tensors."""
        return tuple(k for k, flag in enumerate(self.editable) if flag)

    def flatten(self, styles):
        """Join a list of K tensors [N, C_k] (all Paddle or all NumPy) to s [N, S]."""
        widths = tuple(style.shape[-1] for style in styles)
        if widths != tuple(self.channels):
            raise UserError(
                f"styles have widths {_short(widths)}, this generator needs {_short(self.channels)}"
            )
        join = np.concatenate if isinstance(styles[0], np.ndarray) else paddle.concat
        return join(list(styles), axis=-1)

    def unflatten(self, s) -> list:
        """Cut s [N, S] (Paddle or NumPy) into the list of K tensors [N, C_k]."""
        if s.shape[-1] != self.size:
            raise UserError(
                f"s has {s.shape[-1]} style channels, this generator has {self.size}; "
                "it belongs to another generator"
            )
        return [s[..., start:end] for start, end in zip(self.offsets, self.offsets[1:])]

    def locate(self, e: int) -> tuple:
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

    def to_config(self) -> dict:
        """A dict of lists that JSON can hold; from_config is its inverse."""
        return {"names": list(self.names), "channels": list(self.channels), "editable": list(self.editable)}

    @classmethod
    def from_config(cls, config: dict) -> StyleLayout:
        """Rebuild what to_config wrote."""
        return cls(
            names=tuple(str(name) for name in config["names"]),
            channels=tuple(int(width) for width in config["channels"]),
            editable=tuple(bool(flag) for flag in config["editable"]),
        )


def build_layout(generator) -> StyleLayout:
    """Read the layout off a StyleGANv2Generator's own modules, in style order."""
    layers = [("conv1", generator.conv1), ("to_rgb1", generator.to_rgb1)]
    for k, to_rgb in enumerate(generator.to_rgbs):
        layers.append((f"convs.{2 * k}", generator.convs[2 * k]))
        layers.append((f"convs.{2 * k + 1}", generator.convs[2 * k + 1]))
        layers.append((f"to_rgbs.{k}", to_rgb))
    widths = [int(layer.conv.weight.shape[2]) for _, layer in layers]  # weight [1, O, I, k, k]
    return _layout([name for name, _ in layers], widths)


def layout_from_channels(size: int, channels: dict) -> StyleLayout:
    """The layout of a generator that is not there, from its table of widths.

    Args:
        size: resolution of the picture, a power of two, at least 8.
        channels: {resolution: width} for 4, 8, ..., size.
    Raises:
        UserError: a resolution is missing from the table, or size is not such a power.
    """
    if size < 8 or size & (size - 1):
        raise UserError(f"size must be a power of two of at least 8, got {size}")
    resolutions = [2**power for power in range(2, size.bit_length())]
    missing = [resolution for resolution in resolutions if resolution not in channels]
    if missing:
        raise UserError(f"the channel table has no width for resolution {missing[0]}, size is {size}")
    names, widths = ["conv1", "to_rgb1"], [channels[4], channels[4]]
    for k, resolution in enumerate(resolutions[1:]):
        names += [f"convs.{2 * k}", f"convs.{2 * k + 1}", f"to_rgbs.{k}"]
        widths += [channels[resolution // 2], channels[resolution], channels[resolution]]
    return _layout(names, widths)


def _layout(names, widths) -> StyleLayout:
    editable = tuple(not name.startswith("to_rgb") for name in names)
    return StyleLayout(tuple(names), tuple(int(width) for width in widths), editable)


def _short(widths) -> str:
    text = ", ".join(str(width) for width in widths[:6])
    return f"[{text}{', ...' if len(widths) > 6 else ''}] ({len(widths)} tensors)"


@dataclass(frozen=True, eq=False)
class StyleStats:
    """Mean and standard deviation of each style channel over `count` samples; both [S] float32."""

    mean: np.ndarray
    std: np.ndarray
    count: int


@dataclass(frozen=True, eq=False)
class Relevance:
    """What each editable channel does in CLIP's eyes (StyleCLIP, section 6), and what that was measured with.

    NumPy takes it for its rows: `np.asarray(relevance)` is `[E, D]`.

    Attributes:
        rows: `[E, D]` float32, unit rows; zero for a channel that does nothing or was not measured.
        effect_norm: `[E]` float32, the mean norm of the difference of two CLIP features, with the channel
            `alpha` deviations up and down, 0 to 2; None where it is not known.
        measured: `[E]` bool.
        name: of the generator; "" where it is not known, as below.
        layout: of the generator, or None.
        clip_name: of the CLIP.
        fingerprints: of "generator" and "clip" where they are known.
        made_with: how it was measured, `{word: value}` that JSON can hold: alpha, base, num_images, ...
    """

    rows: np.ndarray
    effect_norm: np.ndarray | None
    measured: np.ndarray
    name: str = ""
    layout: StyleLayout | None = None
    clip_name: str = ""
    fingerprints: dict[str, str] = field(default_factory=dict)
    made_with: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """`(E, D)`."""
        return self.rows.shape

    @property
    def alpha(self) -> float:
        """Deviations up and down between the two pictures of a channel."""
        return float(self.made_with.get("alpha", DEFAULT_ALPHA))

    def effect_norm_over(self, deviations: float) -> np.ndarray | None:
        """Return effect_norm in proportion to `deviations` between both pictures, whatever alpha was."""
        if self.effect_norm is None:
            return None
        return np.asarray(self.effect_norm, np.float32) * np.float32(deviations / (2 * self.alpha))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.rows, dtype=dtype) if copy else np.asarray(self.rows, dtype=dtype)


def as_relevance(value: Relevance | np.ndarray, effect_norm: np.ndarray | None = None) -> Relevance:
    """Take a Relevance as it is, and an array `[E, D]`, with an effect norm `[E]` or None, for its rows."""
    if isinstance(value, Relevance):
        return value
    rows = np.asarray(value)
    return Relevance(rows, effect_norm, np.ones(len(rows), bool))
