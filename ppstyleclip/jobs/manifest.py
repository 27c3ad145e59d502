# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the manifest of a job, and the metadata of its blocks, may hold.

The words of a job decide every byte of its blocks, so they are kept as they stand; these schemas say what
they may be. A later version may add words: then its jobs are other jobs, by their digest.
"""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
from dataclasses import dataclass
from typing import Annotated, Optional

from ppstyleclip.models.configs import LayoutConfig
from ppstyleclip.schema import Between, Count, Like, Line, Mark, Name, OneOf, Open, Plain, Positive, Size

MOST_CHANNELS = 2**20  # of all layers of a generator together
MANIFEST_BYTES = 2**24  # a job may list every channel that it wants
Batch = Annotated[int, Between(1, 2**20)]
Digest = Annotated[str, Like("[0-9a-f]{64}", "of 64 hexadecimal digits")]


@dataclass(frozen=True)
class Manifest(Open):
    """A manifest.json: `job` is what its kind says."""

    format: Count
    job: Annotated[dict[str, Plain], Size(1, 100)]
    shard: Optional[Annotated[str, Like(r"\d{1,6}/\d{1,6}", "such as 0/2")]] = None


@dataclass(frozen=True)
class JobKind(Open):
    """What every job says."""

    kind: Annotated[str, OneOf(("relevance", "statistics", "video"))]


@dataclass(frozen=True)
class EngineOptions(Open):
    """`options` of a relevance job."""

    engine: Annotated[str, OneOf(("compiled", "eager"))]


@dataclass(frozen=True)
class RelevanceWords(Open):
    """The job of a relevance."""

    kind: Annotated[str, OneOf(("relevance",))]
    name: Name
    layout: LayoutConfig
    generator: Mark
    clip: Mark
    statistics: Mark
    styles: Mark
    clip_name: Line
    num_images: Annotated[int, Between(1, 10**6)]
    channels: Optional[Annotated[tuple[Count, ...], Size(1, MOST_CHANNELS)]]
    num_editable: Annotated[int, Between(1, MOST_CHANNELS)]
    options: EngineOptions
    precision: Annotated[str, OneOf(("fp32", "bf16", "fp16"))]
    alpha: Annotated[float, Between(1e-6, 1e6)]
    base: Annotated[str, OneOf(("mean", "own"))]
    compat: Optional[Annotated[str, OneOf(("official",))]]
    batch_size: Annotated[int, Between(2, 2**20)]
    block_size: Batch
    cache_bytes: Annotated[int, Between(0, 2**50)]
    stop_at: Optional[Positive]
    threads: Count = 0
    device: Line = ""

    def __post_init__(self):
        layout = self.layout
        editable = sum(width for width, flag in zip(layout.channels, layout.editable) if flag)
        if sum(layout.channels) > MOST_CHANNELS:
            raise ValueError(f"its layout has {sum(layout.channels)} channels, {MOST_CHANNELS} are allowed")
        if editable != self.num_editable:
            raise ValueError(f"num_editable is {self.num_editable}, its layout has {editable} such channels")


@dataclass(frozen=True)
class StatisticsWords(Open):
    """The job of statistics."""

    kind: Annotated[str, OneOf(("statistics",))]
    generator: Mark
    seed: Annotated[int, Between(0, 2**32 - 1)]
    num_samples: Annotated[int, Between(2, 10**9)]
    truncation: Annotated[float, Between(0, 1)]
    truncation_mode: Line
    batch_size: Batch
    keep: Count
    threads: Count = 0
    device: Line = ""


@dataclass(frozen=True)
class VideoWords(Open):
    """A stage of a video's edit; `words` is the digest of what decides it."""

    kind: Annotated[str, OneOf(("video",))]
    stage: Annotated[str, OneOf(("faces", "latents", "pictures"))]
    words: Digest


KINDS = {"relevance": RelevanceWords, "statistics": StatisticsWords, "video": VideoWords}


@dataclass(frozen=True)
class BlockMetadata(Open):
    """What a block says of itself; `number` since blocks can be told from each other by it."""

    manifest: Digest
    checksum: Mark
    number: Optional[Count] = None
