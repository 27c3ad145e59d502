# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style space: where each style channel lies in the flat vector s, and how s is distributed.

StyleSpace (Wu et al., 2021) calls the per-channel scales of a StyleGAN2's convolutions S. A generator hands
them out as a list of K tensors; everywhere else they are one flat tensor s [N, S]; an edit is s + alpha * ds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import paddle

from ppstyleclip.errors import UserError

TRUNCATION_MODES = ("layers", "features", "all", "none")


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


class StatsAccumulator:
    """Mean and deviation of a stream, in memory that does not grow with it.

    Merges batches by Chan, Golub and LeVeque (1979) in float64; `count`, `mean` and `m2` are its whole state.
    """

    def __init__(self, count: int = 0, mean=None, m2=None):
        self.count, self.mean, self.m2 = count, mean, m2

    def update(self, s: np.ndarray) -> None:
        """Take in a batch s [N, S]."""
        s = np.asarray(s, np.float64)
        if s.ndim != 2 or (self.mean is not None and s.shape[1] != len(self.mean)):
            raise UserError(f"a batch must be [N, S] with the S of the batches before, got {list(s.shape)}")
        if len(s) == 0:
            return
        mean = s.mean(axis=0)
        m2 = np.square(s - mean).sum(axis=0)
        if self.count:
            total = self.count + len(s)
            shift = mean - self.mean
            mean = self.mean + shift * (len(s) / total)
            m2 = self.m2 + m2 + shift**2 * (self.count * len(s) / total)
        self.count, self.mean, self.m2 = self.count + len(s), mean, m2

    def result(self, ddof: int = 0) -> StyleStats:
        """The statistics so far; ddof=1 gives the unbiased deviation, as PaddleGAN's files hold."""
        if self.count <= ddof:
            raise UserError(f"statistics need more than {ddof} samples, got {self.count}")
        std = np.sqrt(self.m2 / (self.count - ddof))
        return StyleStats(self.mean.astype(np.float32), std.astype(np.float32), self.count)


@dataclass(frozen=True, eq=False)
class StatsState:
    """Where collect_stats is between two batches, so that it can go on from there.

    Attributes:
        done: samples taken in so far.
        mean, m2: `[S]` float64, of StatsAccumulator.
        s: `[min(keep, done), S]` float32, the styles kept so far.
    """

    done: int
    mean: np.ndarray
    m2: np.ndarray
    s: np.ndarray


@dataclass(frozen=True, eq=False)
class StatsRecord:
    """Progress of collect_stats; the last one carries the result, the others `get_state()`."""

    done: int
    total: int
    stats: StyleStats | None = None
    s: np.ndarray | None = None
    get_state: Callable[[], StatsState] | None = None


def collect_stats(
    generator,
    layout: StyleLayout,
    *,
    num_samples: int = 100_000,
    batch_size: int = 500,
    seed: int = 1234,
    truncation: float = 0.7,
    truncation_mode: str = "layers",
    cutoff: int = 8,
    keep: int = 2000,
    start: StatsState | None = None,
) -> Iterator[StatsRecord]:
    """Sample styles and measure each channel's mean and deviation, a record per batch.

    The z are one stream of NumPy's RandomState(seed), so that the batch size changes the result by rounding
    only.

    Args:
        num_samples: how many styles; 100,000 in the paper's code.
        truncation: psi in w' = w_mean + psi * (w - w_mean), 0 to 1.
        truncation_mode: what psi is applied to. "layers": the first `cutoff` layers of w_plus. "all": every
            layer (the official TensorFlow code). "features": the first `cutoff` features of w. "none".
            Parity: "features", because PaddleGAN's published FFHQ statistics were made so.
        keep: how many of the first s to return, at most num_samples.
        start: what `get_state()` of an earlier run's record returned. With the same arguments the result is
            the same, bit for bit, as without the interruption.
    Yields:
        StatsRecord; the last has `stats` (ddof=0) and `s` [keep, S] float32.
    Raises:
        UserError: an argument is out of range, or the mode is unknown (at the call of next()).
    """
    if truncation_mode not in TRUNCATION_MODES:
        raise UserError(f"unknown truncation mode '{truncation_mode}', known: {', '.join(TRUNCATION_MODES)}")
    if num_samples < 2 or batch_size < 1 or not 0 <= truncation <= 1:
        raise UserError(
            "statistics need num_samples >= 2, batch_size >= 1 and truncation in 0..1, "
            f"got {num_samples}, {batch_size} and {truncation}"
        )
    accumulator, kept, skipped = StatsAccumulator(), [], 0
    if start is not None:
        accumulator, kept, skipped = StatsAccumulator(start.done, start.mean, start.m2), [start.s], start.done
    truncate = _truncation(generator, truncation_mode, truncation, cutoff)
    for done, z in _draw(num_samples, batch_size, generator.style_dim, seed):
        if done <= skipped:
            continue
        with paddle.no_grad():
            s = layout.flatten(generator.style_affine(truncate(paddle.to_tensor(z)))).numpy()
        accumulator.update(s)
        first = done - len(z)
        if first < keep:
            kept.append(s[: keep - first])
        if done < num_samples:
            yield StatsRecord(done, num_samples, get_state=lambda: _state(accumulator, kept))
    s_first = np.concatenate(kept) if kept else np.zeros((0, layout.size), np.float32)
    yield StatsRecord(num_samples, num_samples, accumulator.result(), s_first)


def _state(accumulator, kept) -> StatsState:
    s = np.concatenate(kept) if kept else np.zeros((0, len(accumulator.mean)), np.float32)
    return StatsState(accumulator.count, accumulator.mean, accumulator.m2, s)


def _draw(num_samples, batch_size, style_dim, seed):
    """Batches of z from one stream, with how many were drawn in all."""
    random = np.random.RandomState(seed)
    for start in range(0, num_samples, batch_size):
        done = min(start + batch_size, num_samples)
        yield done, random.randn(done - start, style_dim).astype(np.float32)


def _truncation(generator, mode, psi, cutoff):
    """z -> w or w_plus under one of TRUNCATION_MODES; the mean is estimated once, always from the same z."""
    if mode == "none" or psi == 1:
        return generator.get_latent
    mean = generator.mean_latent()  # [1, D]

    def by_layers(z):
        last = cutoff if mode == "layers" else None
        return generator.get_latents(
            z, truncation=psi, truncation_cutoff=last, truncation_latent=mean
        )  # [N, L, D]

    def by_features(z):
        w = generator.get_latent(z)  # [N, D]
        near = mean + psi * (w - mean)
        return paddle.concat([near[:, :cutoff], w[:, cutoff:]], axis=1)

    return by_features if mode == "features" else by_layers
