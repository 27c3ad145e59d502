# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a relevance job is asked to do, in words; nothing here needs Paddle."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ppstyleclip.errors import UserError
from ppstyleclip.jobs.shards import parse_shard

NUM_IMAGES = 100  # base pictures for each channel, as in the paper
FAST_IMAGES = 24
CHECK_CHANNELS = 16
ENGINES = ("auto", "compiled", "eager")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


@dataclass(frozen=True)
class RelevanceJobConfig:
    """A relevance job as it is asked for; jobs.relevance_plan fills what is None.

    Attributes:
        alpha, base, compat: as in RelevanceConfig.
        num_images: base pictures; None is 100, with `fast` 24.
        limit_channels: a trial: only so many channels, evenly spaced.
        batch_size, block_size: as in RelevanceConfig; None fits the generator, or goes on with the job's own.
        max_memory: bytes that decide batch and cache.
        stop_at: as in RelevanceConfig.
        precision: one of engine.PRECISIONS; None is fp32, with `fast` the half precision of this machine.
        engine: "compiled", "eager", or "auto": compiled where the job is worth it.
        fast: approximate: fewer images, CLIP shown what it sees, half precision.
        shard: "i/n", only part i of n; None is the whole.
        check_channels: how many channels to compare with exact ones; None is 0, with `fast` 16.
        check_seed: of that draw.
        features: keep the features that rows are made of, too.
    Raises:
        UserError: a value is out of range, or two do not go together.
    """

    alpha: float = 5.0
    base: str = "mean"
    compat: str | None = None
    num_images: int | None = None
    limit_channels: int | None = None
    batch_size: int | None = None
    block_size: int | None = None
    max_memory: int | None = None
    stop_at: int | None = None
    precision: str | None = None
    engine: str = "auto"
    fast: bool = False
    shard: str | None = None
    check_channels: int | None = None
    check_seed: int = 0
    features: bool = False

    def __post_init__(self) -> None:
        if self.num_images is not None and self.num_images < 1:
            raise UserError(f"--num_images must be at least 1, got {self.num_images}")
        if self.engine not in ENGINES:
            raise UserError(f"unknown --engine '{self.engine}', known: {', '.join(ENGINES)}")
        if self.engine == "eager" and self.precision not in (None, "fp32"):
            raise UserError(
                f"--precision {self.precision} needs the compiled engine; leave out --engine eager"
            )
        if self.check_channels is not None and self.check_channels < 0:
            raise UserError(f"--check_channels must not be negative, got {self.check_channels}")
        parse_shard(self.shard)
        if self.features and self.shard is not None:
            raise UserError("--features are written by a job that is not in shards; leave out --shard")

    @property
    def image_count(self) -> int:
        """Base pictures that are measured on."""
        return self.num_images or (FAST_IMAGES if self.fast else NUM_IMAGES)

    @property
    def checked_count(self) -> int:
        """Channels that are compared with exact ones."""
        return (CHECK_CHANNELS if self.fast else 0) if self.check_channels is None else self.check_channels

    @property
    def folder_name(self) -> str:
        """How the job folder's name ends; trials and shards have their own."""
        trial = "" if self.limit_channels is None else f"-trial{self.limit_channels}"
        return f"job{trial}" + ("" if self.shard is None else "-{}of{}".format(*parse_shard(self.shard)))


def parse_memory(text: str) -> int:
    """Read a size such as 4G, 800M or 1.5G; bytes.

    Raises:
        UserError: it is something else.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise UserError(f"--max_memory must be a size such as 4G or 800M, got '{text}'")
    return int(float(match[1]) * _UNITS[match[2].upper()])
