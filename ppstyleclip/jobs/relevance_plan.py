# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From what a relevance job is asked to do to its manifest, whose words decide every byte of its blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint
from ppstyleclip.jobs.folder import rounding_conditions
from ppstyleclip.jobs.relevance_config import RelevanceJobConfig
from ppstyleclip.methods.global_directions import RelevanceConfig
from ppstyleclip.methods.global_directions.blocks import Block, default_block_size
from ppstyleclip.methods.global_directions.memory import channel_work, default_batch, plan_memory
from ppstyleclip.methods.global_directions.relevance import CACHE_BYTES
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of
from ppstyleclip.stylespace import StyleStats

COMPILED_WORK = 1e12  # multiplications from which compiling, a few seconds for each layer, is made up for
# Words of a manifest that are RelevanceConfig's own, but for the channels.
CONFIG_WORDS = ("alpha", "base", "compat", "batch_size", "block_size", "cache_bytes", "stop_at")
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class RelevanceInputs:
    """What is measured, and measured with.

    Attributes:
        name: of the generator.
        generator, clip, statistics: the networks, and StyleStats of the generator.
        s_base: `[N, S]` styles, at least as many as there are base pictures. A check takes up to 100.
        fingerprints: of "generator" and "clip".
    """

    name: str
    generator: Any
    clip: Any
    statistics: StyleStats
    s_base: np.ndarray
    fingerprints: dict[str, str]


def plan_relevance(
    inputs: RelevanceInputs, config: RelevanceJobConfig, known: dict[str, Any]
) -> dict[str, Any]:
    """Fill what the config leaves open, and describe the job as its manifest does.

    Args:
        inputs: what is measured.
        config: what is asked for.
        known: the job that is there already, or {}; what decides only speed and memory is taken from it.
    Raises:
        UserError: there are too few styles or channels, or the memory is too little.
    """
    generator, images = inputs.generator, config.image_count
    layout = generator.layout
    batch, cache = config.batch_size, None
    if config.max_memory is not None:
        batch, cache = plan_memory(generator, inputs.clip, images, config.max_memory, batch)
    batch = _first(batch, known.get("batch_size"), default_batch(generator))
    stop_at = _first(config.stop_at, _seen_side(generator, inputs.clip) if config.fast else None)
    stop_at = None if stop_at == generator.size else stop_at
    channels = _evenly_spaced(layout.num_editable, config.limit_channels)
    engine = _engine(inputs, config, channels, stop_at)
    precision = config.precision
    if precision is None:
        precision = _half_precision() if config.fast and engine == "compiled" else "fp32"
    measured = RelevanceConfig(
        alpha=config.alpha,
        base=config.base,
        compat=config.compat,
        batch_size=batch,
        block_size=_first(config.block_size, known.get("block_size"), default_block_size(batch, images)),
        channels=channels,
        cache_bytes=_first(cache, known.get("cache_bytes"), CACHE_BYTES),
        stop_at=stop_at,
        keep_features=config.features,
    )
    return describe_relevance(
        inputs,
        measured,
        num_images=images,
        precision=precision,
        engine=engine if precision == "fp32" else "compiled",
    )


def describe_relevance(
    inputs: RelevanceInputs, config: RelevanceConfig, *, num_images: int, precision: str, engine: str
) -> dict[str, Any]:
    """Write down everything that decides what the blocks hold, as a manifest keeps it."""
    if len(inputs.s_base) < num_images:
        raise UserError(f"there are {len(inputs.s_base)} styles, {num_images} base pictures are asked for")
    layout, statistics = inputs.generator.layout, inputs.statistics
    return {
        "kind": "relevance",
        "name": inputs.name,
        "layout": layout.to_config(),
        **inputs.fingerprints,
        "statistics": fingerprint({"mean": statistics.mean, "std": statistics.std}),
        "styles": fingerprint({"s": inputs.s_base[:num_images]}),
        "clip_name": inputs.clip.name,
        "num_images": num_images,
        "channels": None if config.channels is None else list(config.channels),
        "num_editable": layout.num_editable,
        "options": {"engine": engine},
        "precision": precision,
        **rounding_conditions(),
        **{word: getattr(config, word) for word in CONFIG_WORDS},
        **({"keep_features": True} if config.keep_features else {}),
    }


def relevance_config(job: dict[str, Any], todo: Iterable[Block]) -> RelevanceConfig:
    """Return the in-memory measurement of the blocks `todo` of a job."""
    channels = tuple(int(channel) for block in todo for channel in block.channels)
    words = {word: job[word] for word in CONFIG_WORDS}
    return RelevanceConfig(channels=channels, keep_features=job.get("keep_features", False), **words)


def block_work(generator: Any, clip: Any, job: dict[str, Any], blocks: list[Block]) -> dict[int, float]:
    """Count the multiplications of each block, for one image and one sign: `{block number: work}`."""
    end = count_tensors(prefix_drawing_of(generator), job["stop_at"])
    work = {k: channel_work(generator, clip, k, end) for k in {block.k for block in blocks}}
    return {block.number: len(block.channels) * work[block.k] for block in blocks}


def _engine(
    inputs: RelevanceInputs,
    config: RelevanceJobConfig,
    channels: tuple[int, ...] | None,
    stop_at: int | None,
) -> str:
    """Choose compiled or eager: what was asked for, or what the whole job is worth, however it is shared."""
    if config.engine != "auto":
        return config.engine
    layout = inputs.generator.layout
    end = count_tensors(prefix_drawing_of(inputs.generator), stop_at)
    tensors = [layout.locate(e)[0] for e in (range(layout.num_editable) if channels is None else channels)]
    work = sum(
        tensors.count(k) * channel_work(inputs.generator, inputs.clip, k, end) for k in sorted(set(tensors))
    )
    return "compiled" if 2 * config.image_count * work > COMPILED_WORK else "eager"


def _half_precision() -> str:
    """The half precision that this machine computes in; "fp32" if it has none."""
    if paddle.get_device().startswith("gpu"):
        return "fp16"
    return "bf16" if paddle.base.core.supports_bfloat16() else "fp32"


def _evenly_spaced(total: int, limit: int | None) -> tuple[int, ...] | None:
    """None for all editable channels, or `limit` of them from first to last."""
    if limit is None:
        return None
    if not 1 <= limit <= total:
        raise UserError(f"--limit_channels must be 1 to {total}, got {limit}")
    return tuple(np.unique(np.linspace(0, total - 1, limit).round().astype(np.int64)).tolist())


def _seen_side(generator: Any, clip: Any) -> int:
    """The smallest picture of the generator's that is no smaller than what CLIP looks at."""
    side = 4
    while side < min(clip.image_size, generator.size):
        side *= 2
    return side


def _first(*values: Value | None) -> Any:
    """The first value that is not None; None if all are."""
    return next((value for value in values if value is not None), None)
