# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command `statistics` (tools/styleclip_getf.py): the first stage of the preparation.

    generator -> stylegan2-<name>-styleclip-stats.safetensors and S-<name>.safetensors

It may be killed at any moment and goes on from its job folder.
"""

from __future__ import annotations

import argparse

from ppstyleclip.cli.argument_types import COUNT, FRACTION, SEED, Whole
from ppstyleclip.cli.arguments import documented_parser
from ppstyleclip.cli.preparing.preparation import (
    add_model,
    add_paddlegan,
    open_model,
    places_of,
    save_statistics,
)
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.progress import last
from ppstyleclip.wording import counted

BATCH = 500


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line of the first stage."""
    parser = documented_parser("Measure mean and deviation of each style channel.")
    add_model(parser)
    add_paddlegan(parser)
    add = parser.add_argument
    add("--seed", type=SEED, default=1234, help="of the samples (default: %(default)s)")
    add("--num_samples", type=COUNT, default=100_000, help="how many (default: %(default)s)")
    add("--truncation", type=FRACTION, help="0 to 1, 1 is none (default: the model's own, 0.7 for FFHQ)")
    add(
        "--truncation_mode",
        default="layers",
        metavar="MODE",
        help="what is truncated: layers (the first eight), all (layers; the official code), features (the "
        "first eight of w, as PaddleGAN's published statistics), none (default: %(default)s)",
    )
    add("--batch_size", type=Whole(1, 100_000), help=f"samples at once (default: {BATCH})")
    add("--restart", action="store_true", help="begin again where a run that was killed would go on")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Sample styles, measure them, write both files, and say so.

    Raises:
        UserError: bad input, or another job in the job folder; nothing is written.
    """
    bundle, folder = open_model(args, "stats-job")

    from ppstyleclip.jobs.statistics import (
        finish_statistics_job,
        known_batch_size,
        prepare_statistics_job,
        run_statistics_job,
    )
    from ppstyleclip.methods.global_directions import StatisticsConfig

    path = folder / f"stylegan2-{bundle.name}-styleclip-stats-job"
    made_with = {
        "seed": args.seed,
        "num_samples": args.num_samples,
        "truncation": bundle.defaults.truncation if args.truncation is None else args.truncation,
        "truncation_mode": args.truncation_mode,
    }
    batch = args.batch_size or known_batch_size(path, restart=args.restart) or BATCH
    config = StatisticsConfig(batch_size=batch, **made_with)
    job = prepare_statistics_job(
        bundle.generator,
        config,
        path,
        fingerprint=bundle.fingerprints["generator"],
        restart=args.restart,
    )
    if job.num_done:
        print(f"{counted(job.num_done, 'sample is', 'samples are')} done in {path}; going on")
    record = last(
        show_progress(
            run_statistics_job(job),
            title="styles",
            unit=" samples",
            initial=job.num_done,
            total=config.num_samples,
        )
    )
    assert record.stats is not None and record.s is not None
    places = places_of(args, bundle.name)
    written = save_statistics(places, bundle, record.stats, record.s, made_with, pdparams=args.pdparams)
    finish_statistics_job(job)
    print(
        f"measured {bundle.layout.size} style channels of {bundle.name} on "
        f"{counted(args.num_samples, 'sample')}"
    )
    for path in written:
        print(f"wrote {path}" + f" ({counted(len(record.s), 'style')})" * (path == places.styles))
