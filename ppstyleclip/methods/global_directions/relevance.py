# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How each style channel moves a picture in CLIP's space: relevance (Patashnik et al., 2021, section 6).

For editable channel c and base image i, with f a picture's unit CLIP feature and v = base +- alpha * std_c:

    d_ci = f(s_i with s_c = v+) - f(s_i with s_c = v-)          row_c = unit(mean over i of unit(d_ci))

The reference is a plain loop over channels and images, in the tests. Here pictures are drawn in batches
across channels, images and signs. What lies before the changed layer is drawn once. Compiled
programs also share that layer's convolution, of which a channel changes a part (models/generator.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_signed
from ppstyleclip.methods.global_directions.blocks import Block, default_block_size, split_blocks
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of
from ppstyleclip.models.generator import CachedConvolution, PrefixDrawing, PrefixState
from ppstyleclip.stylespace import Relevance, StyleLayout, StyleStats
from ppstyleclip.worker import on_worker

BASES = ("mean", "own")
COMPAT = (None, "official")
CACHE_BYTES = 2 << 30
SMALLEST_EFFECT = 1e-5  # effect norm under which a channel does nothing that CLIP sees


@dataclass(frozen=True)
class RelevanceConfig:
    """How relevance is measured. Noise is always constant.

    Attributes:
        alpha: how many deviations up and down; 5 for faces, the paper's follow-ups use 10 elsewhere.
        base: what the deviations are counted from. "mean": the channel's mean, as the official code and
            PaddleGAN's do. "own": the image's own value, as the paper's text says.
        compat: "official" leaves each channel that was visited at its mean for all later ones.
            Parity: because the official script does so (a shallow copy), and may have made the published
            matrix.
        batch_size: pictures rendered at once; it changes speed and memory, and results by rounding only.
        block_size: channels of a block, counted from each layer's first; None fills one batch.
        channels: editable channels to do, all by default; each row is the same whichever others are done.
        cache_bytes: how much memory the shared part may take.
        stop_at: side in pixels at which CLIP is shown the unfinished picture; None draws it whole. A channel
            of a later layer is always drawn whole.
        keep_features: records keep the features that rows are made of.
    Raises:
        UserError: a value is out of range.
    """

    alpha: float = 5.0
    base: str = "mean"
    compat: str | None = None
    batch_size: int = 50
    block_size: int | None = None
    channels: tuple[int, ...] | None = None
    cache_bytes: int = CACHE_BYTES
    stop_at: int | None = None
    keep_features: bool = False

    def __post_init__(self) -> None:
        if self.base not in BASES:
            raise UserError(f"unknown base '{self.base}', known: {', '.join(BASES)}")
        if self.compat not in COMPAT:
            raise UserError(f"unknown compat '{self.compat}', known: official")
        if self.compat == "official" and self.base != "mean":
            raise UserError("compat 'official' counts from the mean; leave base at 'mean'")
        check_signed("alpha", self.alpha)
        if self.alpha <= 0 or self.batch_size < 2:
            raise UserError(
                f"alpha must be positive and batch_size at least 2, got {self.alpha} and {self.batch_size}"
            )
        if self.block_size is not None and self.block_size < 1:
            raise UserError(f"block_size must be at least 1, got {self.block_size}")
        if self.channels is not None:
            object.__setattr__(self, "channels", tuple(int(channel) for channel in self.channels))


@dataclass(frozen=True, eq=False)
class RelevanceRecord:
    """One finished block of channels; the last record carries the whole.

    Attributes:
        done, total: channels finished so far, and wanted.
        block: its number, as in `split_blocks`; None where a record tells of no block.
        channels: `[B]` int64, the editable channels (0..E-1) of this block that were wanted.
        rows: `[B, D]` float32, unit rows; zero for a channel that does nothing.
        effect_norm: `[B]` float32, mean over the images of the norm of the feature difference, 0 to 2.
        seconds: what this block took.
        relevance: all rows, in the last record.
        features: `[B, N, 2, D]` float32, unit features of the N images with the channel down, then up; None
            where they are not kept.
        work_done, work_total: multiplications so far and in all, where a job counts them: channels of late
            layers are less work than others.
    """

    done: int
    total: int
    block: int | None
    channels: np.ndarray
    rows: np.ndarray
    effect_norm: np.ndarray
    seconds: float = 0.0
    relevance: Relevance | None = None
    features: np.ndarray | None = None
    work_done: float = 0.0
    work_total: float = 0.0


@on_worker
def compute_relevance(
    generator: Any,
    clip: Any,
    statistics: StyleStats,
    config: RelevanceConfig,
    *,
    s_base: np.ndarray,
    compiled: Any = None,
) -> Iterator[RelevanceRecord]:
    """Measure the CLIP effect of each editable channel, a record per block of channels.

    On one machine the bytes of a row depend on the batch, the block, the cache and Paddle's number of
    threads, not on which other channels are wanted.

    Args:
        generator, clip: the networks; images go from one to the other as tensors.
        statistics: StyleStats of this generator.
        config: how.
        s_base: `[N, S]` styles of the base images; 100 in the paper.
        compiled: engine.CompiledNetworks of the two networks; None draws in eager mode.
    Yields:
        RelevanceRecord, channels ascending; the last one has `relevance`.
    Raises:
        UserError: channels or sides that the generator does not have, or shapes disagree; at the call.

    Examples:
        >>> from ppstyleclip.methods.global_directions import RelevanceConfig, compute_relevance
        >>> from ppstyleclip.progress import last
        >>> from ppstyleclip.zoo import load_bundle
        >>> bundle = load_bundle()
        >>> config = RelevanceConfig(channels=(0, 1))  # all of them by default
        >>> records = compute_relevance(
        ...     bundle.generator, bundle.clip, bundle.stats, config, s_base=bundle.s_base[:2]
        ... )
        >>> relevance = last(records).relevance
        >>> relevance.rows.shape, int(relevance.measured.sum())
        ((1600, 128), 2)
    """
    s_base, layout = np.asarray(s_base, np.float32), generator.layout
    _check_shapes(layout, statistics, s_base)
    end = count_tensors(prefix_drawing_of(generator), config.stop_at)
    block_size = config.block_size or default_block_size(config.batch_size, len(s_base))
    task = _Measurement(generator, clip, compiled, layout, statistics, s_base, config, end)
    return _records(task, split_blocks(layout, block_size, config.channels))


def _records(task: _Measurement, blocks: list[Block]) -> Iterator[RelevanceRecord]:
    prefix, cached = task.drawing.initial_state(len(task.s_base)), None
    finished, done, total = [], 0, sum(len(block.channels) for block in blocks)
    for block in blocks:
        began = time.perf_counter()
        if cached is not None and cached.k != block.k:
            cached = None
        prefix = _drawn_up_to(task, prefix, block.k)
        if cached is None and _can_cache_convolution(task, prefix, block.k):
            cached = CachedConvolution.concat(
                _in_batches(task, prefix, prefix.k, task.drawing.cache_convolution)
            )
        rows, effect_norm, features = _measure(task, cached or prefix, block)
        done += len(block.channels)
        record = RelevanceRecord(
            done,
            total,
            block.number,
            block.channels,
            rows[block.wanted],
            effect_norm[block.wanted],
            time.perf_counter() - began,
            features=None if features is None else features[block.wanted],
        )
        finished.append(replace(record, features=None))
        yield record if done < total else replace(record, relevance=_collected(task, finished))


def _collected(task: _Measurement, records: list[RelevanceRecord]) -> Relevance:
    made_with = asdict(task.config)
    for word in ("batch_size", "block_size", "cache_bytes", "keep_features"):  # no more than rounding
        del made_with[word]
    made_with.update(num_images=len(task.s_base), noise="const", channels=records[-1].total)
    return collect_relevance(
        records,
        task.layout.num_editable,
        task.clip.dim,
        layout=task.layout,
        clip_name=getattr(task.clip, "name", ""),
        made_with=made_with,
    )


def collect_relevance(
    records: Iterable[RelevanceRecord], num_editable: int, dim: int, **about: Any
) -> Relevance:
    """Join records to the matrix of E = `num_editable` rows of D = `dim`.

    Args:
        records: of any blocks, in any order; the channels of all others count as not measured.
        num_editable, dim: the shape.
        about: what else a Relevance holds (name, layout, clip_name, fingerprints, made_with).
    """
    rows = np.zeros((num_editable, dim), np.float32)
    effect_norm, measured = np.zeros(num_editable, np.float32), np.zeros(num_editable, bool)
    for record in records:
        rows[record.channels], effect_norm[record.channels] = record.rows, record.effect_norm
        measured[record.channels] = True
    return Relevance(rows, effect_norm, measured, **about)


@dataclass(frozen=True, eq=False)
class _Measurement:
    """The arguments of compute_relevance, which every step needs."""

    generator: Any
    clip: Any
    compiled: Any
    layout: StyleLayout
    statistics: StyleStats
    s_base: np.ndarray
    config: RelevanceConfig
    end: int  # style tensors of the picture that CLIP is shown

    @cached_property
    def drawing(self) -> PrefixDrawing:
        """How the generator shares layers between pictures."""
        return prefix_drawing_of(self.generator)

    def tensors(self, start: int, k: int) -> range:
        """The style tensors that remain to be drawn from `start` on for a channel of tensor k."""
        return range(start, self.end if k < self.end else len(self.layout.names))

    def layer(self, values: np.ndarray, k: int) -> np.ndarray:
        """The part of s, or of a vector like it, that is style tensor k."""
        return values[..., self.layout.offsets[k] : self.layout.offsets[k + 1]]

    def base_style(self, j: int, k: int, images: np.ndarray) -> np.ndarray:
        """Style tensor j of base `images` `[P]` while channels of tensor k are measured; `[P, C_j]`."""
        own = self.layer(self.s_base, j)[images]
        if self.config.compat == "official" and j < k and self.layout.editable[j]:
            own[:] = self.layer(self.statistics.mean, j)
        return own

    def edited_style(self, k: int, images: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Style tensor k with channel `columns[p]` of image `images[p]` up, then down: `[2 P, C_k]`."""
        style, mean = self.base_style(k, k, images), self.layer(self.statistics.mean, k)
        if self.config.compat == "official":
            style = np.where(np.arange(len(mean)) < columns[:, None], mean, style)
        pairs = np.arange(len(images))
        centre = mean[columns] if self.config.base == "mean" else style[pairs, columns]
        step = np.float32(self.config.alpha) * self.layer(self.statistics.std, k)[columns]
        up, down = style.copy(), style.copy()
        up[pairs, columns], down[pairs, columns] = centre + step, centre - step
        return np.concatenate([up, down])


def _drawn_up_to(task: _Measurement, prefix: Any, k: int) -> Any:
    """Draw the base images up to style tensor k, or as far as the memory allows."""
    while (
        prefix.k < k and task.drawing.state_bytes(prefix.k + 1) * len(task.s_base) <= task.config.cache_bytes
    ):
        prefix = PrefixState.concat(_in_batches(task, prefix, k, task.drawing.run_layer))
    return prefix


def _can_cache_convolution(task: _Measurement, prefix: Any, k: int) -> bool:
    """Whether the convolution of tensor k can be shared: base styles are the same for all its channels."""
    if task.compiled is None or task.config.compat is not None:
        return False
    if prefix.k != k or k not in task.drawing.cacheable:
        return False
    return task.drawing.cached_bytes(k) * len(task.s_base) <= task.config.cache_bytes


@paddle.no_grad()
def _in_batches(task: _Measurement, prefix: Any, k: int, draw: Callable) -> list:
    """What `draw` makes of parts of a state, with the styles of its images while tensor k is measured."""
    parts, count = [], len(task.s_base)
    for start in range(0, count, task.config.batch_size):
        images = np.arange(start, min(start + task.config.batch_size, count))
        style = paddle.to_tensor(task.base_style(prefix.k, k, images))
        parts.append(draw(prefix.index_select(paddle.to_tensor(images)), style))
    return parts


@paddle.no_grad()
def _measure(
    task: _Measurement, prefix: Any, block: Block
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Rows `[B, D]` and effect norm `[B]` of the block's columns; zero where a batch holds no wanted one.

    Behind them the features `[B, N, 2, D]`, where they are kept.

    Pictures go on from `prefix`, what is drawn already. A batch is drawn whole or not at all, because its
    size decides the rounding.
    """
    count, size, step = len(task.s_base), len(block.columns), max(1, task.config.batch_size // 2)
    row, image = np.divmod(np.arange(size * count), count)
    total, effect_norm = np.zeros((size, task.clip.dim)), np.zeros(size)
    features = np.zeros((size, count, 2, task.clip.dim), np.float32) if task.config.keep_features else None
    for start in range(0, len(row), step):
        part = slice(start, start + step)
        if not block.wanted[row[part]].any():
            continue
        columns = block.columns[row[part]]
        up, down = np.split(_features(task, prefix, block.k, image[part], columns), 2)
        if features is not None:
            features[row[part], image[part]] = np.stack([down, up], axis=1)
        difference = up - down  # [P, D]
        norm = np.linalg.norm(difference, axis=1)
        np.add.at(effect_norm, row[part], norm / count)
        np.add.at(total, row[part], _unit(difference))
    rows = np.where(effect_norm[:, None] < SMALLEST_EFFECT, 0, _unit(total))
    return rows.astype(np.float32), effect_norm.astype(np.float32), features


def _features(task: _Measurement, prefix: Any, k: int, images: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Unit CLIP features `[2 P, D]` of `images` with channel `columns` up, then down."""
    both = np.concatenate([images, images])
    styles = [task.base_style(j, k, both) for j in task.tensors(prefix.k, k)]
    styles[k - prefix.k] = task.edited_style(k, images, columns)
    if task.compiled is not None:
        features = task.compiled.features(prefix, both, styles, np.concatenate([columns, columns]))
    else:
        state = prefix.index_select(paddle.to_tensor(both))
        pictures = task.drawing.run_remaining(state, [paddle.to_tensor(style) for style in styles])
        features = task.clip.encode_image(pictures).numpy()
    return _unit(features.astype(np.float64))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)


def _check_shapes(layout: StyleLayout, statistics: StyleStats, s_base: np.ndarray) -> None:
    if s_base.ndim != 2 or len(s_base) == 0 or s_base.shape[1] != layout.size:
        raise UserError(
            f"base styles are {list(s_base.shape)}, this generator needs [N, {layout.size}]; "
            "sample them with `ppstyleclip statistics`"
        )
    if len(statistics.mean) != layout.size or len(statistics.std) != layout.size:
        raise UserError(
            f"statistics are of {len(statistics.mean)} style channels, this generator has {layout.size}; "
            "rebuild them with `ppstyleclip statistics`"
        )
