# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mean and deviation of each style channel of a generator, and the styles of its first samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.stylespace import LEAST_SIDES, StyleStats, sides_of
from ppstyleclip.worker import on_worker

TRUNCATION_MODES = ("layers", "features", "all", "none")


@dataclass(frozen=True)
class StatisticsConfig:
    """How styles are sampled and measured.

    Attributes:
        num_samples: how many styles; 100,000 in the paper's code.
        batch_size: samples at once; it changes the result by rounding only.
        seed: of NumPy's RandomState, from which all z come as one stream.
        truncation: psi in w' = w_mean + psi * (w - w_mean), 0 to 1.
        truncation_mode: what psi is applied to. "layers": the first `cutoff` layers of w_plus. "all": every
            layer (the official TensorFlow code). "features": the first `cutoff` features of w. "none".
            Parity: "features", because PaddleGAN's published FFHQ statistics were made so.
        cutoff: see truncation_mode.
        keep: how many of the first s to return, at most num_samples; 2000 as PaddleGAN's.
    Raises:
        UserError: a value is out of range, or the mode is unknown.
    """

    num_samples: int = 100_000
    batch_size: int = 500
    seed: int = 1234
    truncation: float = 0.7
    truncation_mode: str = "layers"
    cutoff: int = 8
    keep: int = 2000

    def __post_init__(self) -> None:
        if self.truncation_mode not in TRUNCATION_MODES:
            raise UserError(
                f"unknown truncation mode '{self.truncation_mode}', known: {', '.join(TRUNCATION_MODES)}"
            )
        if self.num_samples < 2 or self.batch_size < 1 or not 0 <= self.truncation <= 1:
            raise UserError(
                "statistics need num_samples >= 2, batch_size >= 1 and truncation in 0..1, "
                f"got {self.num_samples}, {self.batch_size} and {self.truncation}"
            )


@dataclass(frozen=True, eq=False)
class StatisticsState:
    """Where collect_statistics is between two batches, so that it can go on from there.

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
class StatisticsRecord:
    """Progress of collect_statistics, in samples.

    Attributes:
        done, total: samples taken in so far, and wanted.
        stats: the result, in the last record.
        s: `[keep, S]` float32, the first styles, in the last record.
        get_state: in all records but the last; what it returns is where the next run can start.
    """

    done: int
    total: int
    stats: StyleStats | None = None
    s: np.ndarray | None = None
    get_state: Callable[[], StatisticsState] | None = None


@on_worker
def collect_statistics(
    generator: Any, config: StatisticsConfig, *, start: StatisticsState | None = None
) -> Iterator[StatisticsRecord]:
    """Sample styles and measure each channel's mean and deviation (ddof=0), a record per batch.

    Where LEAST_SIDES or more styles are kept, they also tell the deviations of either side, see sides_of.

    Args:
        generator: the network.
        config: how.
        start: what `get_state()` of an earlier run's record returned. With the same config the result is the
            same, bit for bit, as without the interruption.
    Yields:
        StatisticsRecord; the last has `stats` and `s`.

    Examples:
        >>> from ppstyleclip import load_generator
        >>> from ppstyleclip.methods.global_directions import StatisticsConfig, collect_statistics
        >>> from ppstyleclip.progress import last
        >>> config = StatisticsConfig(num_samples=40, keep=3)
        >>> record = last(collect_statistics(load_generator("portrait"), config))
        >>> record.stats.mean.shape, record.s.shape
        ((2416,), (3, 2416))
    """
    layout = generator.layout
    accumulator, first, skipped = StatsAccumulator(), [], 0
    if start is not None:
        accumulator, first, skipped = (
            StatsAccumulator(start.done, start.mean, start.m2),
            [start.s],
            start.done,
        )
    to_latent = _truncated_mapping(generator, config)
    for done, z in _batches_of_z(config, generator.style_dim):
        if done <= skipped:
            continue
        with paddle.no_grad():
            s = layout.flatten(generator.style_affine(to_latent(paddle.to_tensor(z)))).numpy()
        accumulator.update(s)
        begin = done - len(z)
        if begin < config.keep:
            first.append(s[: config.keep - begin])
        if done < config.num_samples:
            yield StatisticsRecord(done, config.num_samples, get_state=lambda: _state(accumulator, first))
    s_first, stats = _state(accumulator, first).s, accumulator.result()
    if len(s_first) >= LEAST_SIDES:
        below, above = sides_of(s_first, stats.mean)
        stats = replace(stats, below=below, above=above)
    yield StatisticsRecord(config.num_samples, config.num_samples, stats, s_first)


class StatsAccumulator:
    """Mean and deviation of a stream, in memory that does not grow with it.

    Merges batches by Chan, Golub and LeVeque (1979) in float64; `count`, `mean` and `m2` are its whole state.
    """

    def __init__(self, count: int = 0, mean: Any = None, m2: Any = None):
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
        """Return the statistics so far; ddof=1 gives the unbiased deviation, as PaddleGAN's files hold."""
        if self.count <= ddof:
            raise UserError(f"statistics need more than {ddof} samples, got {self.count}")
        std = np.sqrt(self.m2 / (self.count - ddof))
        return StyleStats(self.mean.astype(np.float32), std.astype(np.float32), self.count)


def _state(accumulator: StatsAccumulator, first: list[np.ndarray]) -> StatisticsState:
    s = np.concatenate(first) if first else np.zeros((0, len(accumulator.mean)), np.float32)
    return StatisticsState(accumulator.count, accumulator.mean, accumulator.m2, s)


def _batches_of_z(config: StatisticsConfig, style_dim: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (how many were drawn in all, z) of one stream."""
    random = np.random.RandomState(config.seed)
    for start in range(0, config.num_samples, config.batch_size):
        done = min(start + config.batch_size, config.num_samples)
        yield done, random.randn(done - start, style_dim).astype(np.float32)


def _truncated_mapping(generator: Any, config: StatisticsConfig) -> Callable:
    """Return z -> w or w_plus under config; the mean is estimated once, always from the same z."""
    mode, psi, cutoff = config.truncation_mode, config.truncation, config.cutoff
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
