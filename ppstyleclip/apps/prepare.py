# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The two stages that make a generator editable by text, as commands: statistics, then relevance.

    run_getf       generator -> stylegan2-<name>-styleclip-stats.safetensors and S-<name>.safetensors
    run_extract    those, and CLIP -> stylegan2-<name>-styleclip-global-directions.safetensors (extract.py)

The names are PaddleGAN's; with --bundle the files go into that folder, under the names of zoo.pack. Each file
says what it was made from, and a file of another generator is refused.
Both may be killed at any moment and go on from their job folder.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ppstyleclip.cli.arguments import SIZES, add_model_arguments
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, check_writable, sweep_drafts
from ppstyleclip.methods.job_folder import JobFolder, check_same, read_job, remove_job
from ppstyleclip.threads import import_paddle, thread_count

KEEP = 2000  # styles that the first stage leaves for the second, as PaddleGAN's does
STATS_BATCH = 500
SAVE_EVERY = 20  # batches of the first stage between two savings of its state


def parse_getf(argv=None) -> argparse.Namespace:
    """Read the command line of the first stage."""
    parser = argparse.ArgumentParser(description="Measure mean and deviation of each style channel.")
    add_model(parser)
    add = parser.add_argument
    add("--seed", type=int, default=1234, help="of the samples (default: %(default)s)")
    add("--num_samples", type=int, default=100_000, help="how many (default: %(default)s)")
    add("--truncation", type=float, help="0 to 1, 1 is none (default: the model's own, 0.7 for FFHQ)")
    add(
        "--truncation_mode",
        default="layers",
        metavar="MODE",
        help="what is truncated: layers (the first eight), all (layers; the official code), features (the "
        "first eight of w, as PaddleGAN's published statistics), none (default: %(default)s)",
    )
    add("--batch_size", type=int, help=f"samples at once (default: {STATS_BATCH})")
    add("--restart", action="store_true", help="begin again where a run that was killed would go on")
    return parser.parse_args(argv)


def add_model(parser) -> None:
    """Add the arguments that both stages share."""
    add_model_arguments(
        parser,
        output_path=".",
        bundle="folder of a model of your own; its "
        "generator.safetensors is used (--weight_path puts one there), and the results go "
        "into it",
    )


def run_getf(argv=None) -> None:
    """Sample styles, measure them, write both files, and say so.

    Raises:
        UserError: bad input, or another job in the job folder; nothing is written.
    """
    args = parse_getf(argv)
    bundle, folder = start(args, "stats-job")
    from ppstyleclip.zoo import save_stats, save_styles

    truncation = bundle.defaults.truncation if args.truncation is None else args.truncation
    made = {
        "seed": args.seed,
        "num_samples": args.num_samples,
        "truncation": truncation,
        "truncation_mode": args.truncation_mode,
    }
    path = folder / f"stylegan2-{bundle.name}-styleclip-stats-job"
    found = None if args.restart else read_job(path)
    batch = args.batch_size or (found.job.get("batch_size") if found else STATS_BATCH)
    job = JobFolder(
        path,
        {
            "kind": "statistics",
            "generator": bundle.fingerprints["generator"],
            **made,
            "batch_size": batch,
            "keep": KEEP,
            **rounding(),
        },
    )
    if found is not None:
        check_same(found, job)
    record = _resumable(bundle, job, found is not None, batch_size=batch, **made)
    _, stats_path, s_path = paths_of(args, bundle.name)
    for place in (stats_path, s_path):
        sweep_drafts(folder, place.name)
    about = _about(bundle, made)
    save_stats(stats_path, record.stats, generator=bundle.fingerprints["generator"], **about)
    save_styles(s_path, record.s, generator=bundle.fingerprints["generator"], **about)
    remove_job(path)
    print(f"measured {bundle.layout.size} style channels of {bundle.name} on {args.num_samples} samples")
    print(f"wrote {stats_path}\nwrote {s_path} ({len(record.s)} styles)")


def start(args, job: str) -> tuple:
    """Refuse what can be refused at once, then import Paddle and load the bundle.

    Args:
        args: of the command line.
        job: how the job folder's name ends; a job that goes on keeps its number of threads.
    Returns:
        (Bundle, output folder).
    """
    for word in ("weight_path", "stat_path", "s_path"):
        if getattr(args, word, None) is not None:
            check_file(getattr(args, word))
    folder = check_writable(args.bundle or args.output_path)
    given = getattr(args, "job_path", None)
    paths = [Path(given)] if given else sorted(folder.glob(f"stylegan2-*-styleclip-{job}"))
    paddle = import_paddle(None if args.restart else _threads_of(paths))
    if args.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.zoo import load_bundle

    own = args.bundle if args.weight_path is None else None
    bundle = load_bundle(
        args.model_type,
        bundle=own,
        weight_path=args.weight_path,
        clip=getattr(args, "clip", None),
        **{name: getattr(args, name) for name in SIZES},
    )
    if args.bundle is not None and own is None:
        _settle(bundle, folder)
    return bundle, folder


def _settle(bundle, folder) -> None:
    """Put a generator into a bundle's folder; one that is there already must be the same."""
    from ppstyleclip.zoo import load_pack, save_generator
    from ppstyleclip.zoo.pack import GENERATOR

    if not (folder / GENERATOR).exists():
        save_generator(folder / GENERATOR, bundle.generator, name=bundle.name)
        print(f"wrote {folder / GENERATOR}")
        return
    there = load_pack(folder)
    marks = [one.fingerprints["generator"] for one in (there, bundle)]
    if marks[0] != marks[1]:
        raise UserError(
            f"the bundle {folder} holds generator '{there.name}' ({marks[0]}), --weight_path is "
            f"'{bundle.name}' ({marks[1]}); leave --weight_path out, or name another folder"
        )


def _threads_of(paths) -> int | None:
    """The number of threads that the jobs in some folders agree on."""
    threads = set()
    for path in paths:
        with contextlib.suppress(UserError):  # a damaged one is named where it is the one that goes on
            job = read_job(path)
            threads |= set() if job is None else {job.job.get("threads")}
    return threads.pop() if len(threads) == 1 else None


def rounding() -> dict:
    """What decides the last bits of a result beside its options: threads of this process, and the device."""
    import paddle

    return {"threads": thread_count(), "device": paddle.get_device().partition(":")[0]}


def paths_of(args, name, suffix="") -> tuple:
    """Where relevance, statistics and styles of a model go: PaddleGAN's names, or a bundle's.

    Args:
        args: of the command line.
        name: the model's.
        suffix: of a trial's relevance.
    """
    if args.bundle is not None:
        from ppstyleclip.zoo.pack import RELEVANCE, STATISTICS, STYLES

        names = RELEVANCE.replace(".", f"{suffix}."), STATISTICS, STYLES
    else:
        start = f"stylegan2-{name}-styleclip"
        names = (
            f"{start}-global-directions{suffix}.safetensors",
            f"{start}-stats.safetensors",
            f"S-{name}.safetensors",
        )
    return tuple(Path(args.bundle or args.output_path) / name for name in names)


def _about(bundle, made) -> dict:
    from ppstyleclip import __version__

    return {
        "name": bundle.name,
        "layout": json.dumps(bundle.layout.to_config()),
        "made_with": json.dumps(made),
        "version": __version__,
    }


def collect(bundle, begin=None, **options):
    """Run collect_stats behind a progress bar and yield its records."""
    from ppstyleclip.stylespace import collect_stats

    initial = 0 if begin is None else begin.done
    with tqdm(total=options["num_samples"], initial=initial, desc="styles", unit=" samples") as bar:
        for record in collect_stats(bundle.generator, bundle.layout, start=begin, keep=KEEP, **options):
            bar.update(record.done - bar.n)
            yield record


def _resumable(bundle, job, is_found, **options):
    """The last record of collect; its state is saved on the way and taken up where there is one."""
    from ppstyleclip.stylespace import StatsState

    saved, begin = job.read_block(0) if is_found else None, None
    if saved is not None:
        begin = StatsState(int(saved["done"]), saved["mean"], saved["m2"], saved["s"])
        print(f"{begin.done} samples are done in {job.path}; going on")
    for number, record in enumerate(collect(bundle, begin, **options), 1):
        if number % SAVE_EVERY == 0 and record.get_state is not None:
            job.write_manifest()
            state = record.get_state()
            job.write_block(0, {**state.__dict__, "done": np.int64(state.done)})
    return record
