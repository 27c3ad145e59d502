# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What each style channel does in CLIP's eyes: StyleCLIP's relevance (Patashnik et al., 2021), section 6.

For editable channel c and base image i, with f a picture's unit CLIP feature and v = base +- alpha * std_c:

    d_ci = f(s_i with s_c = v+) - f(s_i with s_c = v-)          row_c = unit(mean over i of unit(d_ci))

A plain loop over channels and images is the reference (tests/test_relevance.py). Here pictures are drawn in
batches across channels, images and signs; what lies before the changed layer is drawn once, and in compiled
programs so is that layer's convolution, of which a channel changes a part (staged.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.staged import (
    advance,
    count_tensors,
    finish,
    first_stage,
    join,
    join_opened,
    open_layer,
    opened_bytes,
    stage_bytes,
    take,
)
from ppstyleclip.stylespace import StyleLayout, StyleStats

BASES = ("mean", "own")
COMPAT = (None, "official")
CACHE_BYTES = 2 << 30
DEAD = 1e-5  # mean norm of a feature difference under which a channel does nothing that CLIP sees


@dataclass(frozen=True, eq=False)
class RelevanceRecord:
    """One finished block of channels.

    Attributes:
        done, total: channels finished so far, and wanted.
        block: its number, as in `split_blocks`.
        channels: `[B]` int64, the editable channels (0..E-1) of this block that were wanted.
        rows: `[B, D]` float32, unit rows; zero for a channel that does nothing.
        strength: `[B]` float32, mean over the images of the norm of the feature difference, 0 to 2.
        seconds: what this block took.
    """

    done: int
    total: int
    block: int
    channels: np.ndarray
    rows: np.ndarray
    strength: np.ndarray
    seconds: float


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


def split_blocks(layout: StyleLayout, block_size: int, channels: Iterable[int] | None = None) -> list:
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


def compute_relevance(
    generator,
    clip,
    layout: StyleLayout,
    stats: StyleStats,
    s_base: np.ndarray,
    *,
    alpha: float = 5.0,
    base: str = "mean",
    compat: str | None = None,
    batch_size: int = 50,
    block_size: int | None = None,
    channels: Iterable[int] | None = None,
    cache_bytes: int = CACHE_BYTES,
    stop_at: int | None = None,
    compiled=None,
) -> Iterator[RelevanceRecord]:
    """Measure the CLIP effect of each editable channel, a record per block of channels.

    Noise is constant. On one machine the bytes of a row depend on the batch, the block, the cache and
    Paddle's number of threads, not on which other channels are wanted.

    Args:
        generator, clip: the networks; images go from one to the other as tensors.
        layout, stats: of this generator.
        s_base: `[N, S]` styles of the base images; 100 in the paper.
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
        compiled: engine.CompiledNetworks of the two networks; None draws in eager mode.
    Yields:
        RelevanceRecord, channels ascending; collect_relevance joins them.
    Raises:
        UserError: an argument is out of range or shapes disagree.
    """
    s_base = np.asarray(s_base, np.float32)
    if block_size is None:
        block_size = default_block_size(batch_size, max(1, len(s_base)))
    end = count_tensors(generator, stop_at)
    job = _Job(
        generator, clip, compiled, layout, stats, s_base, alpha, base, compat, batch_size, cache_bytes, end
    )
    _check(job)
    return _records(job, split_blocks(layout, block_size, channels))


def _records(job, blocks):
    prefix, opened = first_stage(job.generator, len(job.s_base)), None
    done, total = 0, sum(len(block.channels) for block in blocks)
    for block in blocks:
        began = time.perf_counter()
        if opened is not None and opened.k != block.k:
            opened = None
        prefix = _approach(job, prefix, block.k)
        if opened is None and _can_open(job, prefix, block.k):
            opened = _open(job, prefix)
        rows, strength = _measure(job, opened or prefix, block)
        done += len(block.channels)
        yield RelevanceRecord(
            done,
            total,
            block.number,
            block.channels,
            rows[block.wanted],
            strength[block.wanted],
            time.perf_counter() - began,
        )


@dataclass(frozen=True, eq=False)
class Relevance:
    """The joined records.

    Attributes:
        relevance: `[E, D]` float32, unit rows; zero where a channel does nothing or was not measured.
        strength: `[E]` float32, mean norm of the feature difference.
        measured: `[E]` bool.
    """

    relevance: np.ndarray
    strength: np.ndarray
    measured: np.ndarray


def collect_relevance(records: Iterable[RelevanceRecord], num_editable: int, dim: int) -> Relevance:
    """Join the records of compute_relevance to the matrix of E = `num_editable` rows of D = `dim`."""
    relevance = np.zeros((num_editable, dim), np.float32)
    strength, measured = np.zeros(num_editable, np.float32), np.zeros(num_editable, bool)
    for record in records:
        relevance[record.channels], strength[record.channels] = record.rows, record.strength
        measured[record.channels] = True
    return Relevance(relevance, strength, measured)


@dataclass(frozen=True, eq=False)
class _Job:
    """The arguments of compute_relevance, which every step needs."""

    generator: object
    clip: object
    compiled: object
    layout: StyleLayout
    stats: StyleStats
    s_base: np.ndarray
    alpha: float
    base: str
    compat: str | None
    batch_size: int
    cache_bytes: int
    end: int  # style tensors of the picture that CLIP is shown

    def tensors(self, start, k):
        """The style tensors that remain to be drawn from `start` on for a channel of tensor k."""
        return range(start, self.end if k < self.end else len(self.layout.names))

    def layer(self, values, k):
        """The part of s, or of a vector like it, that is style tensor k."""
        return values[..., self.layout.offsets[k] : self.layout.offsets[k + 1]]

    def base_style(self, j, k, images):
        """Style tensor j of base `images` `[P]` while channels of tensor k are measured; `[P, C_j]`."""
        own = self.layer(self.s_base, j)[images]
        if self.compat == "official" and j < k and self.layout.editable[j]:
            own[:] = self.layer(self.stats.mean, j)
        return own

    def edited_style(self, k, images, columns):
        """Style tensor k with channel `columns[p]` of image `images[p]` up, then down: `[2 P, C_k]`."""
        style, mean = self.base_style(k, k, images), self.layer(self.stats.mean, k)
        if self.compat == "official":
            style = np.where(np.arange(len(mean)) < columns[:, None], mean, style)
        pairs = np.arange(len(images))
        centre = mean[columns] if self.base == "mean" else style[pairs, columns]
        step = np.float32(self.alpha) * self.layer(self.stats.std, k)[columns]
        up, down = style.copy(), style.copy()
        up[pairs, columns], down[pairs, columns] = centre + step, centre - step
        return np.concatenate([up, down])


def _approach(job, prefix, k):
    """Draw the base images up to style tensor k, or as far as the memory allows."""
    while prefix.k < k and stage_bytes(job.generator, prefix.k + 1) * len(job.s_base) <= job.cache_bytes:
        prefix = join(_in_batches(job, prefix, k, advance))
    return prefix


def _can_open(job, prefix, k):
    """Whether the convolution of tensor k can be shared: base styles are the same for all its channels."""
    small = opened_bytes(job.generator, k) * len(job.s_base) <= job.cache_bytes
    return job.compiled is not None and prefix.k == k and small and job.compat is None


def _open(job, prefix):
    return join_opened(_in_batches(job, prefix, prefix.k, open_layer))


@paddle.no_grad()
def _in_batches(job, prefix, k, draw):
    """What `draw` makes of parts of a stage, with the styles of its images while tensor k is measured."""
    parts, count = [], len(job.s_base)
    for start in range(0, count, job.batch_size):
        images = np.arange(start, min(start + job.batch_size, count))
        style = paddle.to_tensor(job.base_style(prefix.k, k, images))
        parts.append(draw(job.generator, take(prefix, paddle.to_tensor(images)), style))
    return parts


@paddle.no_grad()
def _measure(job, prefix, block):
    """Rows `[B, D]` and strength `[B]` of the block's columns; zero where a batch holds no wanted one.

    `prefix` is the Stage or the Opened that pictures go on from. A batch is drawn whole or not at all: its
    size decides the rounding.
    """
    count, size, step = len(job.s_base), len(block.columns), max(1, job.batch_size // 2)
    row, image = np.divmod(np.arange(size * count), count)
    total, strength = np.zeros((size, job.clip.dim)), np.zeros(size)
    for start in range(0, len(row), step):
        part = slice(start, start + step)
        if not block.wanted[row[part]].any():
            continue
        columns = block.columns[row[part]]
        up, down = np.split(_features(job, prefix, block.k, image[part], columns), 2)
        difference = up - down  # [P, D]
        norm = np.linalg.norm(difference, axis=1)
        np.add.at(strength, row[part], norm / count)
        np.add.at(total, row[part], _unit(difference))
    rows = np.where(strength[:, None] < DEAD, 0, _unit(total))
    return rows.astype(np.float32), strength.astype(np.float32)


def _features(job, prefix, k, images, columns):
    """Unit CLIP features `[2 P, D]` of `images` with channel `columns` up, then down."""
    both = np.concatenate([images, images])
    styles = [job.base_style(j, k, both) for j in job.tensors(prefix.k, k)]
    styles[k - prefix.k] = job.edited_style(k, images, columns)
    if job.compiled is not None:
        features = job.compiled.features(prefix, both, styles, np.concatenate([columns, columns]))
    else:
        stage = take(prefix, paddle.to_tensor(both))
        pictures = finish(job.generator, stage, [paddle.to_tensor(style) for style in styles])
        features = job.clip.encode_image(pictures).numpy()
    return _unit(features.astype(np.float64))


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)


def _wanted(layout, channels):
    """The editable channels to measure, ascending."""
    if channels is None:
        return np.arange(layout.num_editable)
    wanted = np.unique(np.fromiter(channels, np.int64))
    if len(wanted) == 0 or wanted[0] < 0 or wanted[-1] >= layout.num_editable:
        raise UserError(f"channels must be some of 0 to {layout.num_editable - 1}, the editable ones")
    return wanted


def _check(job):
    if job.base not in BASES:
        raise UserError(f"unknown base '{job.base}', known: {', '.join(BASES)}")
    if job.compat not in COMPAT:
        raise UserError(f"unknown compat '{job.compat}', known: official")
    if job.compat == "official" and job.base != "mean":
        raise UserError("compat 'official' counts from the mean; leave base at 'mean'")
    if job.alpha <= 0 or job.batch_size < 2:
        raise UserError(
            f"alpha must be positive and batch_size at least 2, got {job.alpha} and {job.batch_size}"
        )
    if job.s_base.ndim != 2 or len(job.s_base) == 0 or job.s_base.shape[1] != job.layout.size:
        raise UserError(
            f"base styles are {list(job.s_base.shape)}, this generator needs [N, {job.layout.size}]; "
            "sample them with tools/styleclip_getf.py"
        )
    if len(job.stats.mean) != job.layout.size or len(job.stats.std) != job.layout.size:
        raise UserError(
            f"statistics are of {len(job.stats.mean)} style channels, this generator has {job.layout.size}; "
            "rebuild them with tools/styleclip_getf.py"
        )
