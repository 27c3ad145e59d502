# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the command `relevance` measures, and measures with: networks, statistics and base styles."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ppstyleclip.cli.preparing.preparation import open_model, places_of
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError
from ppstyleclip.jobs.relevance_config import NUM_IMAGES, RelevanceJobConfig
from ppstyleclip.progress import last
from ppstyleclip.wording import counted

if TYPE_CHECKING:  # these import Paddle
    from ppstyleclip.jobs.relevance_plan import RelevanceInputs
    from ppstyleclip.stylespace import StyleStats
    from ppstyleclip.zoo import Bundle


def load_inputs(args: argparse.Namespace, config: RelevanceJobConfig) -> tuple[RelevanceInputs, Path]:
    """Read everything that the command line names, and say where it is from.

    Args:
        args: of the command line.
        config: made from it.
    Returns:
        (RelevanceInputs, output folder).
    Raises:
        UserError: something is missing or does not fit.
    """
    bundle, folder = open_model(args, config.folder_name)
    stats, stats_from = _stats(bundle, args)
    s, s_from = _base_styles(bundle, args, config.image_count)

    from ppstyleclip.jobs.relevance_plan import RelevanceInputs
    from ppstyleclip.zoo import clip_fingerprint

    clip = bundle.clip
    print(f"statistics from {stats_from}; {config.image_count} base pictures from {s_from}; CLIP {clip.name}")
    fingerprints = {"generator": bundle.fingerprints["generator"], "clip": clip_fingerprint(clip)}
    return RelevanceInputs(bundle.name, bundle.generator, clip, stats, s, fingerprints), folder


def _stats(bundle: Bundle, args: argparse.Namespace) -> tuple[StyleStats, Any]:
    """The statistics, and where they are from."""
    from ppstyleclip.zoo import read_stats

    path = args.stat_path or _existing(places_of(args, bundle.name).statistics)
    if path is None:
        return bundle.stats, f"the model {bundle.name}"
    return read_stats(path, bundle.layout, name=bundle.name, generator=bundle.fingerprints["generator"]), path


def _base_styles(bundle: Bundle, args: argparse.Namespace, num_images: int) -> tuple[np.ndarray, Any]:
    """Base styles `[N, S]`, N >= num_images, and where they are from."""
    from ppstyleclip.zoo import read_styles

    path = args.s_path or _existing(places_of(args, bundle.name).styles)
    if path is not None:
        s = read_styles(path, bundle.layout, name=bundle.name, generator=bundle.fingerprints["generator"])
        source = path
    elif bundle.s_base is not None:
        s, source = bundle.s_base, f"the model {bundle.name}"
    else:
        s, source = _sampled(bundle, max(NUM_IMAGES, num_images)), "new samples"
    if len(s) < num_images:
        raise UserError(f"{source} holds {counted(len(s), 'style')}, --num_images asks for {num_images}")
    return np.asarray(s[: max(NUM_IMAGES, num_images)], np.float32), source


def _sampled(bundle: Bundle, count: int) -> np.ndarray:
    """The styles that the first stage would begin with."""
    from ppstyleclip.methods.global_directions import StatisticsConfig, collect_statistics

    config = StatisticsConfig(num_samples=count, batch_size=count, truncation=bundle.defaults.truncation)
    records = collect_statistics(bundle.generator, config)
    s = last(show_progress(records, title="styles", unit=" samples", total=count)).s
    assert s is not None
    return s


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
