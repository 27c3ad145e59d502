# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the second stage measures, and measures with: networks, statistics and base styles, as asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.apps.prepare import collect, parse_getf, paths_of, start
from ppstyleclip.errors import UserError

NUM_IMAGES = 100  # base pictures for each channel, as in the paper


@dataclass(frozen=True, eq=False)
class ExtractInputs:
    """What a measurement is made of.

    Attributes:
        folder: of the results.
        bundle, clip, stats: the model, its CLIP and its statistics.
        clip_mark: the CLIP's fingerprint.
        s: `[N, S]` styles, N at least num_images, and NUM_IMAGES where there are so many.
        num_images: how many of them are measured on.
    """

    folder: Path
    bundle: Any
    clip: Any
    clip_mark: str
    stats: Any
    s: np.ndarray
    num_images: int


def load_inputs(args, job: str, num_images: int) -> ExtractInputs:
    """Read everything that the command line names, and say where it is from.

    Args:
        args: of the command line.
        job: how the job folder's name ends.
        num_images: base pictures.
    Raises:
        UserError: something is missing or does not fit.
    """
    bundle, folder = start(args, job)
    stats, stats_from = _stats(bundle, args)
    s, s_from = _base_styles(bundle, args, num_images)

    from ppstyleclip.zoo import clip_fingerprint

    clip = bundle.clip
    print(f"statistics from {stats_from}; {num_images} base pictures from {s_from}; CLIP {clip.name}")
    return ExtractInputs(folder, bundle, clip, clip_fingerprint(clip), stats, s, num_images)


def _stats(bundle, args) -> tuple:
    """The statistics, and where they are from."""
    from ppstyleclip.zoo import read_stats

    path = args.stat_path or _existing(paths_of(args, bundle.name)[1])
    if path is None:
        return bundle.stats, f"the model {bundle.name}"
    return read_stats(path, bundle.layout, name=bundle.name, generator=bundle.fingerprints["generator"]), path


def _base_styles(bundle, args, num_images) -> tuple:
    """Base styles `[N, S]`, N >= num_images, and where they are from."""
    from ppstyleclip.zoo import read_styles

    path = args.s_path or _existing(paths_of(args, bundle.name)[2])
    if path is not None:
        s = read_styles(path, bundle.layout, name=bundle.name, generator=bundle.fingerprints["generator"])
        source = path
    elif bundle.s_base is not None:
        s, source = bundle.s_base, f"the model {bundle.name}"
    else:
        options = {word: parse_getf([]).__dict__[word] for word in ("seed", "truncation_mode")}
        count = max(NUM_IMAGES, num_images)
        *_, record = collect(
            bundle, num_samples=count, batch_size=count, truncation=bundle.defaults.truncation, **options
        )
        s, source = record.s, "new samples"
    if len(s) < num_images:
        raise UserError(f"{source} holds {len(s)} styles, --num_images asks for {num_images}")
    return np.asarray(s[: max(NUM_IMAGES, num_images)], np.float32), source


def _existing(path):
    return path if Path(path).is_file() else None
