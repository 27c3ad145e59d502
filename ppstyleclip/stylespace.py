# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style space: where each style channel lies in the flat vector s, and how s is distributed.

StyleSpace (Wu et al., 2021) calls the per-channel scales of a StyleGAN2's convolutions S. A generator hands
them out as a list of K tensors; everywhere else they are one flat tensor s [N, S]; an edit is s + alpha * ds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.models.layout import StyleLayout
from ppstyleclip.models.stylegan2.layout import layout_from_channels  # noqa: F401  alias until the sweep

TRUNCATION_MODES = ("layers", "features", "all", "none")


def build_layout(generator) -> StyleLayout:
    """Alias until the sweep: generator.layout."""
    return generator.layout


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
