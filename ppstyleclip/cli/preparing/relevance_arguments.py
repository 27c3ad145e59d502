# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command line of `relevance`, and the job that it asks for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ppstyleclip.cli.argument_types import BATCH, COUNT, SEED, Number, Whole
from ppstyleclip.cli.arguments import documented_parser
from ppstyleclip.cli.preparing.preparation import add_model, add_paddlegan
from ppstyleclip.jobs.relevance_config import (
    CHECK_CHANNELS,
    FAST_IMAGES,
    NUM_IMAGES,
    RelevanceJobConfig,
    parse_memory,
)


def job_config(args: argparse.Namespace) -> RelevanceJobConfig:
    """Make the job's configuration from the command line.

    Raises:
        UserError: a value is out of range, or two do not go together.
    """
    words = [field.name for field in fields(RelevanceJobConfig) if field.name != "max_memory"]
    limit = None if args.max_memory is None else parse_memory(args.max_memory)
    return RelevanceJobConfig(max_memory=limit, **{word: getattr(args, word) for word in words})


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line of the second stage."""
    parser = documented_parser("Measure how each style channel moves a picture in CLIP's space.")
    add_model(parser)
    add_paddlegan(parser)
    add = parser.add_argument
    add(
        "--clip",
        help="CLIP to measure with: portrait, ViT_B_32, RN50, RN101, RN50x4, or the file of one "
        "(default: the model's)",
    )
    add("--stat_path", help="statistics (default: those in the output folder, else the model's own)")
    add(
        "--s_path",
        help="styles of the base pictures (default: those in the output folder, else the model's "
        "own, else the samples that the first stage starts with)",
    )
    add(
        "--num_images",
        type=Whole(1, 100_000),
        help=f"base pictures for each channel (default: {NUM_IMAGES}; with --fast {FAST_IMAGES})",
    )
    add("--alpha", type=Number(1e-3, 1e3), default=5.0, help="deviations up and down (default: %(default)s)")
    add(
        "--base",
        default="mean",
        metavar="BASE",
        help="deviations from the channel's mean, as both reference codes (mean), or from the picture's own "
        "value, as the paper's text (own) (default: %(default)s)",
    )
    add(
        "--compat", metavar="CODE", help="official: leave visited channels at their mean, as that script does"
    )
    add("--batch_size", type=BATCH, help="pictures drawn at once (default: 50, fewer above 128 px)")
    add(
        "--limit_channels",
        "--limit-channels",
        type=COUNT,
        metavar="N",
        help="a trial: only N channels, evenly spaced; the others stay zero",
    )
    _add_job(parser.add_argument_group("the job").add_argument)
    _add_speed(parser.add_argument_group("speed and memory").add_argument)
    return parser.parse_args(argv)


def _add_job(add: Callable[..., Any]) -> None:
    add(
        "--job_path",
        metavar="DIR",
        help="folder of the finished blocks, from which a killed run goes on "
        "(default: stylegan2-<name>-styleclip-job in the output folder)",
    )
    add("--restart", action="store_true", help="begin again where a run that was killed would go on")
    add("--keep_job", action="store_true", help="leave the job folder when the result is written")
    add(
        "--shard",
        metavar="i/n",
        help="measure only part i (from 0) of n, for machines that share nothing; "
        "the job folder is the product",
    )
    add(
        "--features",
        action="store_true",
        help="write fs-NAME.npy as well, as PaddleGAN does: the CLIP features [channels, pictures, 2, D] "
        "with each channel down, then up (2.5 GB for FFHQ)",
    )
    add("--merge", nargs="+", metavar="DIR", help="measure nothing; join the job folders of all shards")
    add(
        "--block_size",
        type=COUNT,
        metavar="N",
        help="channels that are saved together (default: those whose pictures fill a batch, at least 1)",
    )


def _add_speed(add: Callable[..., Any]) -> None:
    add("--max_memory", metavar="SIZE", help="pick batch and cache for at most this memory, such as 4G, 800M")
    add(
        "--fast",
        action="store_true",
        help="approximate: --stop_at at what CLIP sees, fewer --num_images, half --precision, and a check of "
        "how well the rows agree with exact ones",
    )
    add(
        "--stop_at",
        type=Whole(4, 4096),
        metavar="SIDE",
        help="show CLIP the unfinished picture of this side where the changed layer is not beyond it",
    )
    add(
        "--precision",
        metavar="WORD",
        help="fp32, bf16 or fp16 (default: fp32; with --fast the half precision that this machine has)",
    )
    add(
        "--engine",
        default="auto",
        metavar="WORD",
        help="compiled, eager, or auto: compiled where the job is worth it (default: %(default)s)",
    )
    add(
        "--check_channels",
        type=Whole(0, 10**7),
        metavar="N",
        help="compare the rows of N channels, drawn at random, with exact ones: whole pictures, "
        f"{NUM_IMAGES} images (default: {CHECK_CHANNELS} with --fast, else 0)",
    )
    add("--check_seed", type=SEED, default=0, metavar="SEED", help="of that draw (default: %(default)s)")
