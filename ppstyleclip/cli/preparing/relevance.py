# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command `relevance` (tools/styleclip_extract.py): the second stage of the preparation.

    statistics, styles and CLIP -> stylegan2-<name>-styleclip-global-directions.safetensors

Alone, as one process of paddle.distributed.launch, or as one of n machines (--shard i/n, then --merge).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ppstyleclip.cli.preparing.preparation import save_measured
from ppstyleclip.cli.preparing.relevance_arguments import job_config, parse_args
from ppstyleclip.cli.preparing.relevance_inputs import load_inputs
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.files import check_writable
from ppstyleclip.jobs.ranks import launched_ranks
from ppstyleclip.progress import last
from ppstyleclip.threads import import_paddle
from ppstyleclip.wording import counted

if TYPE_CHECKING:  # these import Paddle
    from ppstyleclip.jobs.relevance import RelevanceJob
    from ppstyleclip.methods.global_directions import Relevance, RelevanceRecord

__all__ = ["parse_args", "run"]
BAR = "{l_bar}{bar}| {postfix} [{elapsed}<{remaining}]"


def run(args: argparse.Namespace) -> None:
    """Measure the relevance of the editable channels, write it, and say so.

    Raises:
        UserError: bad input, or another job in the job folder; nothing is written.
    """
    if args.merge:
        _merge(args)
        return
    config, ranks = job_config(args), launched_ranks()
    inputs, folder = load_inputs(args, config)

    from ppstyleclip.jobs.relevance import finish_relevance_job, prepare_relevance_job

    path = Path(args.job_path or folder / f"stylegan2-{inputs.name}-styleclip-{config.folder_name}")
    job = prepare_relevance_job(inputs, config, path, restart=args.restart, ranks=ranks)
    if job.num_done and ranks.rank == 0:
        print(f"{job.num_done} of {len(job.own)} blocks are done in {path}; going on")
    title = "channels" if ranks.count == 1 else f"channels of process {ranks.rank}"
    relevance = last(_measured(job, title)).relevance
    if relevance is None:
        print(f"process {ranks.rank} of {ranks.count} has done its share")
        return
    if config.checked_count:
        print(_agreement(job, relevance, config.checked_count, config.check_seed))
    if config.shard is None:
        save_measured(args, relevance)
        if config.features:
            print(f"wrote {_save_features(job, folder, relevance)}")
        _keep_clip(args, inputs.clip)
    else:
        print(
            f"shard {config.shard}: "
            f"{counted(int(relevance.measured.sum()), 'channel is', 'channels are')} in {path}; "
            f"join all shards "
            "with: ppstyleclip relevance --merge DIR DIR ..."
        )
    finish_relevance_job(job, keep=args.keep_job)


def _save_features(job: RelevanceJob, folder: Path, relevance: Relevance) -> Path:
    """Write fs-NAME.npy block by block, `[E, N, 2, D]`; channels that were not measured are zero."""
    from numpy.lib.format import open_memmap

    from ppstyleclip.drafts import atomic_path
    from ppstyleclip.jobs.relevance_blocks import read_features

    path, shape = folder / f"fs-{job.inputs.name}.npy", relevance.shape
    shape = (shape[0], job.folder.job["num_images"], 2, shape[1])
    with atomic_path(path) as draft:
        whole = open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)
        for channels, features in read_features(job.folder, job.blocks):
            whole[channels] = features
        whole.flush()
        del whole  # Windows renames no file that is mapped
    return path


def _merge(args: argparse.Namespace) -> None:
    """Join job folders to the file that a single run would have written."""
    check_writable(args.bundle or args.output_path)
    import_paddle()

    from ppstyleclip.jobs.merge import merge_jobs

    save_measured(args, merge_jobs(args.merge))


def _measured(job: RelevanceJob, title: str) -> Iterator[RelevanceRecord]:
    """Run a job behind a bar that counts work, because late layers are cheap.

    Blocks of an earlier run move the bar, but not the time that it foretells.
    """
    from ppstyleclip.jobs.relevance import run_relevance_job

    return show_progress(
        run_relevance_job(job),
        title=title,
        initial=job.work_done,
        describe=lambda record: f"{record.done}/{record.total}",
        amount=lambda record: (record.work_done, record.work_total),
        total=sum(job.work.values()),
        smoothing=0,
        bar_format=BAR,
    )


def _agreement(job: RelevanceJob, relevance: Relevance, num_channels: int, seed: int) -> str:
    """Measure some channels exactly, and say how alike the rows are."""
    from ppstyleclip.jobs.relevance import prepare_exact_sample, row_agreement

    sample = prepare_exact_sample(job, num_channels, seed)
    exact = last(_measured(sample, "exact sample")).relevance
    assert exact is not None
    cosines, num_images = row_agreement(relevance, exact), exact.made_with["num_images"]
    exactly = f"exact rows ({job.inputs.generator.size} px, {counted(num_images, 'image')})"
    if len(cosines) == 0:
        channels = int(exact.measured.sum())
        return f"agreement with {exactly}: the {counted(channels, 'channel')} drawn do nothing that CLIP sees"
    return (
        f"agreement with {exactly} on {counted(len(cosines), 'channel')} drawn at random: mean cosine "
        f"{cosines.mean():.4f}, least {cosines.min():.4f}"
    )


def _keep_clip(args: argparse.Namespace, clip: Any) -> None:
    """Put a CLIP that has no name of its own beside what was measured with it."""
    if args.bundle is None or args.clip is None:
        return

    from ppstyleclip.zoo import known_clips, save_clip
    from ppstyleclip.zoo.pack import CLIP

    if args.clip not in known_clips():
        save_clip(Path(args.bundle) / CLIP, clip)
        print(f"wrote {Path(args.bundle) / CLIP}")
