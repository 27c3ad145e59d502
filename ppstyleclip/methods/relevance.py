# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What each style channel does in CLIP's eyes: StyleCLIP's relevance (Patashnik et al., 2021), section 6.

For editable channel c and base image i, with f a picture's unit CLIP feature and v = base +- alpha * std_c:

    d_ci = f(s_i with s_c = v+) - f(s_i with s_c = v-)          row_c = unit(mean over i of unit(d_ci))

A plain loop over channels and images is the reference (tests/test_relevance.py). Here pictures are drawn in
batches across channels, images and signs, and what lies before the changed layer is drawn once (staged.py).
"""
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.staged import advance, finish, first_stage, join, take
from ppstyleclip.stylespace import StyleLayout, StyleStats

BASES = ("mean", "own")
COMPAT = (None, "official")
DEAD = 1e-5  # mean norm of a feature difference under which a channel does nothing that CLIP sees


@dataclass(frozen=True, eq=False)
class RelevanceRecord:
    """One finished block of channels.

    Attributes:
        done, total: channels finished so far, and wanted.
        channels: `[B]` int64, the editable channels (0..E-1) of this block.
        rows: `[B, D]` float32, unit rows; zero for a channel that does nothing.
        strength: `[B]` float32, mean over the images of the norm of the feature difference, 0 to 2.
        seconds: what this block took.
    """

    done: int
    total: int
    channels: np.ndarray
    rows: np.ndarray
    strength: np.ndarray
    seconds: float


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
    channels: Iterable[int] | None = None,
    cache_bytes: int = 2 << 30,
) -> Iterator[RelevanceRecord]:
    """Measure the CLIP effect of each editable channel, a record per block of channels.

    Noise is constant.

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
        channels: editable channels to do, all by default; each row is the same whichever others are done.
        cache_bytes: how much memory the shared part may take.
    Yields:
        RelevanceRecord, channels ascending; collect_relevance joins them.
    Raises:
        UserError: an argument is out of range or shapes disagree (at the call of next()).
    """
    s_base = np.asarray(s_base, np.float32)
    job = _Job(generator, clip, layout, stats, s_base, alpha, base, compat, batch_size, cache_bytes)
    _check(job)
    wanted = _wanted(layout, channels)
    prefix = first_stage(generator, len(s_base))
    done, per_block = 0, max(1, batch_size // (2 * len(s_base)))
    for k in layout.editable_layers:
        in_layer = [(e, layout.locate(e)[1]) for e in wanted if layout.locate(e)[0] == k]
        for start in range(0, len(in_layer), per_block):
            began = time.perf_counter()
            prefix = _approach(job, prefix, k)
            block, columns = np.array(in_layer[start : start + per_block], np.int64).T
            rows, strength = _measure(job, prefix, k, columns)
            done += len(block)
            yield RelevanceRecord(done, len(wanted), block, rows, strength, time.perf_counter() - began)


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
    layout: StyleLayout
    stats: StyleStats
    s_base: np.ndarray
    alpha: float
    base: str
    compat: str | None
    batch_size: int
    cache_bytes: int

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


@paddle.no_grad()
def _approach(job, prefix, k):
    """Draw the base images up to style tensor k, or as far as the memory allows."""
    count = len(job.s_base)
    while prefix.k < k:
        parts = []
        for start in range(0, count, job.batch_size):
            images = np.arange(start, min(start + job.batch_size, count))
            style = paddle.to_tensor(job.base_style(prefix.k, k, images))
            parts.append(advance(job.generator, take(prefix, paddle.to_tensor(images)), style))
            if parts[0].nbytes * count > job.cache_bytes * parts[0].x.shape[0]:
                return prefix
        prefix = join(parts)
    return prefix


@paddle.no_grad()
def _measure(job, prefix, k, columns):
    """Rows `[B, D]` and strength `[B]` of channels `columns` of style tensor k."""
    count = len(job.s_base)
    row, image = np.divmod(np.arange(len(columns) * count), count)
    total, strength = np.zeros((len(columns), job.clip.dim)), np.zeros(len(columns))
    for start in range(0, len(row), max(1, job.batch_size // 2)):
        part = slice(start, start + max(1, job.batch_size // 2))
        up, down = np.split(_features(job, prefix, k, image[part], columns[row[part]]), 2)
        difference = up - down  # [P, D]
        norm = np.linalg.norm(difference, axis=1)
        np.add.at(strength, row[part], norm / count)
        np.add.at(total, row[part], _unit(difference))
    rows = np.where(strength[:, None] < DEAD, 0, _unit(total))
    return rows.astype(np.float32), strength.astype(np.float32)


def _features(job, prefix, k, images, columns):
    """Unit CLIP features `[2 P, D]` of `images` with channel `columns` up, then down."""
    both = np.concatenate([images, images])
    styles = [job.base_style(j, k, both) for j in range(prefix.k, len(job.layout.names))]
    styles[k - prefix.k] = job.edited_style(k, images, columns)
    styles = [paddle.to_tensor(style) for style in styles]
    pictures = finish(job.generator, take(prefix, paddle.to_tensor(both)), styles)
    return _unit(job.clip.encode_image(pictures).numpy().astype(np.float64))


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
