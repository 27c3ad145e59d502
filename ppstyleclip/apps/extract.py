# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The second stage as a command: relevance, as a job that may be killed, shared out and joined again.

    run_extract    statistics, styles and CLIP -> stylegan2-<name>-styleclip-global-directions.safetensors

Alone, as one process of paddle.distributed.launch, or as one of n machines (--shard i/n, then --merge).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ppstyleclip.apps.extract_inputs import NUM_IMAGES, ExtractInputs, load_inputs
from ppstyleclip.apps.prepare import add_model, paths_of, rounding
from ppstyleclip.apps.ranks import PATIENCE, launched_ranks
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, fingerprint, sweep_drafts
from ppstyleclip.methods.job_folder import CHECK, JobFolder, check_same, parse_shard, read_job, remove_job
from ppstyleclip.threads import import_paddle

ENGINES = ("auto", "compiled", "eager")
COMPILED_WORK = 1e12  # multiplications from which compiling, a few seconds for each layer, is made up for
FAST_IMAGES = 24
OWN_DEFAULTS = {"alpha": 4.0, "beta": 0.15, "unit": "sigma", "templates": "official"}  # a bundle: the paper
CHECK_CHANNELS = 16


def parse_extract(argv=None) -> argparse.Namespace:
    """Read the command line of the second stage."""
    parser = argparse.ArgumentParser(description="Measure what each style channel does in CLIP's eyes.")
    add_model(parser)
    add = parser.add_argument
    add(
        "--clip",
        help="CLIP to measure with: toonface, ViT_B_32, RN50, RN101, RN50x4, or the file of one "
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
        type=int,
        help=f"base pictures for each channel (default: {NUM_IMAGES}; with --fast {FAST_IMAGES})",
    )
    add("--alpha", type=float, default=5.0, help="deviations up and down (default: %(default)s)")
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
    add("--batch_size", type=int, help="pictures drawn at once (default: 50, fewer above 128 px)")
    add(
        "--limit_channels",
        "--limit-channels",
        type=int,
        metavar="N",
        help="a trial: only N channels, evenly spaced; the others stay zero",
    )
    _add_job(parser.add_argument_group("the job").add_argument)
    _add_speed(parser.add_argument_group("speed and memory").add_argument)
    return parser.parse_args(argv)


def _add_job(add) -> None:
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
    add("--merge", nargs="+", metavar="DIR", help="measure nothing; join the job folders of all shards")
    add(
        "--block_size",
        type=int,
        metavar="N",
        help="channels that are saved together (default: those whose pictures fill a batch, at least 1)",
    )


def _add_speed(add) -> None:
    add("--max_memory", metavar="SIZE", help="pick batch and cache for at most this memory, such as 4G, 800M")
    add(
        "--fast",
        action="store_true",
        help="approximate: --stop_at at what CLIP sees, fewer --num_images, half --precision, and a check of "
        "how well the rows agree with exact ones",
    )
    add(
        "--stop_at",
        type=int,
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
        type=int,
        metavar="N",
        help="compare the rows of N channels, drawn at random, with exact ones: whole pictures, "
        f"{NUM_IMAGES} images (default: {CHECK_CHANNELS} with --fast, else 0)",
    )
    add("--check_seed", type=int, default=0, metavar="SEED", help="of that draw (default: %(default)s)")


def run_extract(argv=None) -> None:
    """Measure the relevance of the editable channels, write it, and say so.

    Raises:
        UserError: bad input, or another job in the job folder; nothing is written.
    """
    args = parse_extract(argv)
    if args.merge:
        _merge(args)
        return
    _check_numbers(args)
    ranks = launched_ranks()
    inputs = load_inputs(args, _job_name(args), args.num_images or (FAST_IMAGES if args.fast else NUM_IMAGES))
    name = f"stylegan2-{inputs.bundle.name}-styleclip-{_job_name(args)}"
    path = Path(args.job_path or inputs.folder / name)
    if ranks.rank > 0:
        ranks.wait_for(path, "ready", 0)
    found = None if args.restart and ranks.rank == 0 else read_job(path)
    job = JobFolder(path, _describe(args, inputs, {} if found is None else found.job), args.shard)
    if found is not None:
        check_same(found, job)
    blocks = _share(job, args.shard)
    run = _prepare_run(inputs, job, blocks[ranks.rank :: ranks.count], is_new=found is None)
    if ranks.rank == 0:
        _begin(run, ranks, args.restart)
    slowest = _measure(run, "channels" if ranks.count == 1 else f"channels of process {ranks.rank}")
    if ranks.rank > 0:
        ranks.mark(path, "done")
        print(f"process {ranks.rank} of {ranks.count} has done its share")
        return
    for rank in range(1, ranks.count):
        ranks.wait_for(
            path,
            "done",
            rank,
            news=lambda: len(list(path.glob("block-*"))),
            patience=max(6 * PATIENCE, 10 * slowest),
        )
    _end(args, inputs, job, blocks)
    ranks.clear_marks(path, everyone=True)
    if args.shard is None and not args.keep_job:
        remove_job(path)


@dataclass(frozen=True, eq=False)
class _Run:
    """The blocks of a job that this process measures: all, and those that are still to do."""

    inputs: ExtractInputs
    job: JobFolder
    blocks: list
    todo: list
    records: Any


def _prepare_run(inputs, job, blocks, *, is_new) -> _Run:
    """See what is left to do; bad options are refused here, before a file is written."""
    from ppstyleclip.methods.relevance_job import missing_blocks, start_records

    todo = blocks if is_new else missing_blocks(job, blocks)
    if not todo:
        return _Run(inputs, job, blocks, todo, ())
    s_base = inputs.s[: job.job["num_images"]]
    generator, clip = inputs.bundle.generator, inputs.clip
    records = start_records(job.job, todo, generator, clip, inputs.stats, s_base, _compiled(inputs, job.job))
    return _Run(inputs, job, blocks, todo, records)


def _compiled(inputs, job):
    """The networks compiled, where the job says so."""
    if job["options"]["engine"] == "eager":
        return None

    from ppstyleclip.engine import CompiledNetworks

    return CompiledNetworks(
        inputs.bundle.generator, inputs.clip, precision=job["precision"], mark=job["generator"]
    )


def _measure(run, title) -> float:
    """Measure and save behind a bar that counts work, late layers being cheap; the slowest block's seconds.

    Blocks of an earlier run move the bar, but not the time that it foretells.
    """
    from ppstyleclip.methods.relevance_job import save_records

    work, slowest = _work(run), 0.0
    total, left = sum(work.values()), sum(work[block.number] for block in run.todo)
    channels, still = (sum(len(block.channels) for block in blocks) for blocks in (run.blocks, run.todo))
    with tqdm(
        total=total,
        initial=total - left,
        desc=title,
        smoothing=0,
        bar_format="{l_bar}{bar}| {postfix} [{elapsed}<{remaining}]",
    ) as bar:
        for record in save_records(run.job, run.records):
            bar.set_postfix_str(f"{channels - still + record.done}/{channels}", refresh=False)
            bar.update(work[record.block])
            slowest = max(slowest, record.seconds)
    return slowest


def _work(run) -> dict:
    """Multiplications of each block, for one image and one sign."""
    from ppstyleclip.methods.staged import count_tensors

    end = count_tensors(run.inputs.bundle.generator, run.job.job["stop_at"])
    work = {k: _channel_work(run.inputs, k, end) for k in {block.k for block in run.blocks}}
    return {block.number: len(block.channels) * work[block.k] for block in run.blocks}


def _channel_work(inputs, k, end) -> float:
    """Multiplications for one picture that differs from style tensor k on."""
    from ppstyleclip.methods.memory import clip_work
    from ppstyleclip.methods.staged import work_from

    return work_from(inputs.bundle.generator, k, end if k < end else None) + clip_work(inputs.clip)


def _engine(args, inputs, channels, stop_at) -> str:
    """Choose compiled or eager: what was asked for, or what the whole job is worth, however it is shared."""
    from ppstyleclip.methods.staged import count_tensors

    if args.engine != "auto":
        return args.engine
    layout, end = inputs.bundle.layout, count_tensors(inputs.bundle.generator, stop_at)
    tensors = [layout.locate(e)[0] for e in (range(layout.num_editable) if channels is None else channels)]
    work = sum(tensors.count(k) * _channel_work(inputs, k, end) for k in sorted(set(tensors)))
    return "compiled" if 2 * inputs.num_images * work > COMPILED_WORK else "eager"


def _check_numbers(args) -> None:
    if args.num_images is not None and args.num_images < 1:
        raise UserError(f"--num_images must be at least 1, got {args.num_images}")
    if args.engine not in ENGINES:
        raise UserError(f"unknown --engine '{args.engine}', known: {', '.join(ENGINES)}")
    if args.engine == "eager" and args.precision not in (None, "fp32"):
        raise UserError(f"--precision {args.precision} needs the compiled engine; leave out --engine eager")
    if args.check_channels is not None and args.check_channels < 0:
        raise UserError(f"--check_channels must not be negative, got {args.check_channels}")


def _job_name(args) -> str:
    """How the job folder's name ends; trials and shards have their own."""
    trial = "" if args.limit_channels is None else f"-trial{args.limit_channels}"
    return f"job{trial}" + ("" if args.shard is None else "-{}of{}".format(*parse_shard(args.shard)))


def _describe(args, inputs, known) -> dict:
    """The job that is asked for; what decides only speed and memory is taken from the `known` one."""
    from ppstyleclip.methods.memory import default_batch, parse_memory, plan_memory
    from ppstyleclip.methods.relevance import CACHE_BYTES, default_block_size

    generator, batch, cache = inputs.bundle.generator, args.batch_size, None
    if args.max_memory is not None:
        limit = parse_memory(args.max_memory)
        batch, cache = plan_memory(generator, inputs.clip, inputs.num_images, limit, batch)
    batch = _first(batch, known.get("batch_size"), default_batch(generator))
    block = _first(args.block_size, known.get("block_size"), default_block_size(batch, inputs.num_images))
    stop_at = _first(args.stop_at, _seen_side(generator, inputs.clip) if args.fast else None)
    stop_at = None if stop_at == generator.size else stop_at
    channels = _limited(inputs.bundle.layout.num_editable, args.limit_channels)
    engine, precision = _engine(args, inputs, channels, stop_at), args.precision
    if precision is None:
        precision = _half_precision() if args.fast and engine == "compiled" else "fp32"
    engine = engine if precision == "fp32" else "compiled"
    return _described(
        inputs,
        inputs.num_images,
        channels,
        {"engine": engine},
        alpha=args.alpha,
        base=args.base,
        compat=args.compat,
        batch_size=batch,
        block_size=block,
        cache_bytes=_first(cache, known.get("cache_bytes"), CACHE_BYTES),
        stop_at=stop_at,
        precision=precision,
    )


def _half_precision() -> str:
    """The half precision that this machine computes in; "fp32" if it has none."""
    import paddle

    if paddle.get_device().startswith("gpu"):
        return "fp16"
    return "bf16" if paddle.base.core.supports_bfloat16() else "fp32"


def _described(inputs, num_images, channels, options, **measured) -> dict:
    from ppstyleclip.methods.relevance_job import describe_job

    stats, bundle = inputs.stats, inputs.bundle
    marks = {
        "generator": bundle.fingerprints["generator"],
        "clip": inputs.clip_mark,
        "statistics": fingerprint({"mean": stats.mean, "std": stats.std}),
        "styles": fingerprint({"s": inputs.s[:num_images]}),
    }
    return describe_job(
        name=bundle.name,
        layout=bundle.layout,
        fingerprints=marks,
        clip_name=inputs.clip.name,
        num_images=num_images,
        channels=channels,
        options=options,
        **rounding(),
        **measured,
    )


def _share(job, shard) -> list:
    """The blocks of a shard, or all."""
    from ppstyleclip.methods.relevance_job import job_blocks

    i, n = parse_shard(shard)
    blocks = job_blocks(job.job)
    if n > len(blocks):
        raise UserError(
            f"--shard {shard}: there are only {len(blocks)} blocks; use fewer shards or a "
            "smaller --block_size"
        )
    return blocks[i::n]


def _begin(run, ranks, is_restarted) -> None:
    """Settle the job folder, then let the other processes in."""
    path = run.job.path
    if is_restarted:
        remove_job(path)
    done = len(run.blocks) - len(run.todo)
    if done:
        print(f"{done} of {len(run.blocks)} blocks are done in {path}; going on")
    ranks.clear_marks(path)
    run.job.write_manifest()
    if ranks.count > 1:
        ranks.mark(path, "ready")


def _end(args, inputs, job, blocks) -> None:
    """Check a sample where that is asked for, and write the result; of a shard, say what to do with it."""
    from ppstyleclip.methods.relevance_job import read_relevance_blocks

    found = read_relevance_blocks(job, blocks)
    count = _first(args.check_channels, CHECK_CHANNELS if args.fast else 0)
    if count:
        print(_agreement(inputs, job, blocks, found, count, args.check_seed))
    if args.shard is not None:
        print(
            f"shard {args.shard}: {int(found.measured.sum())} channels are in {job.path}; join all shards "
            "with: python tools/styleclip_extract.py --merge DIR DIR ..."
        )
        return
    _write(args, job.job, found)
    if args.bundle is not None and args.clip is not None:
        _keep_clip(args.clip, inputs, Path(args.bundle))


def _keep_clip(name, inputs, folder) -> None:
    """Put a CLIP that has no name of its own beside what was measured with it."""
    from ppstyleclip.zoo import known_clips, save_clip
    from ppstyleclip.zoo.pack import CLIP

    if name not in known_clips():
        save_clip(folder / CLIP, inputs.clip)
        print(f"wrote {folder / CLIP}")


def _agreement(inputs, job, blocks, found, count, seed) -> str:
    """Measure some channels exactly, as a job of their own, and say how alike the rows are."""
    from ppstyleclip.methods.relevance import default_block_size
    from ppstyleclip.methods.relevance_job import (
        OPTIONS,
        job_blocks,
        read_relevance_blocks,
        row_agreement,
        sample_channels,
    )

    channels, num_images = sample_channels(blocks, count, seed), min(NUM_IMAGES, len(inputs.s))
    same = {word: job.job[word] for word in OPTIONS}
    exact = {
        **same,
        "stop_at": None,
        "precision": "fp32",
        "block_size": default_block_size(same["batch_size"], num_images),
    }
    described = _described(inputs, num_images, channels, job.job["options"], **exact)
    sample = JobFolder(job.path / CHECK, described)
    earlier = read_job(sample.path)
    is_same = earlier is not None and earlier.job == sample.job
    if not is_same:
        remove_job(sample.path)
    run = _prepare_run(inputs, sample, job_blocks(sample.job), is_new=not is_same)
    sample.write_manifest()
    _measure(run, "exact sample")
    cosines = row_agreement(found, read_relevance_blocks(sample, run.blocks), channels)
    exactly = f"exact rows ({inputs.bundle.generator.size} px, {num_images} images)"
    if len(cosines) == 0:
        return f"agreement with {exactly}: the {len(channels)} channels drawn do nothing that CLIP sees"
    return (
        f"agreement with {exactly} on {len(cosines)} channels drawn at random: mean cosine "
        f"{cosines.mean():.4f}, least {cosines.min():.4f}"
    )


def _merge(args) -> None:
    """Join job folders to the file that a single run would have written."""
    check_writable(args.bundle or args.output_path)
    import_paddle()

    from ppstyleclip.methods.relevance_job import merge_jobs

    _write(args, *merge_jobs(args.merge))


def _write(args, job, found) -> None:
    """Write the result of a whole job, and say so."""
    channels, total = int(found.measured.sum()), job["num_editable"]
    trial = "" if job["channels"] is None else f"-trial{channels}"
    from ppstyleclip.zoo import save_relevance

    path = paths_of(args, job["name"], trial)[0]
    sweep_drafts(path.parent, path.name)
    save_relevance(path, found.relevance, found.strength, **_about(job, channels, args.bundle is not None))
    if trial:
        print(
            f"a trial: {channels} of {total} channels, evenly spaced; the others are zero in the file, as "
            "if they did nothing"
        )
    dead = int((~found.relevance.any(axis=1) & found.measured).sum())
    print(f"measured {channels} channels; {dead} of them do nothing that CLIP sees\nwrote {path}")


def _about(job, channels, is_bundle) -> dict:
    from ppstyleclip import __version__
    from ppstyleclip.stylespace import StyleLayout
    from ppstyleclip.zoo import EditDefaults

    layout = StyleLayout.from_config(job["layout"])
    words = ("alpha", "base", "compat", "num_images", "statistics", "styles", "stop_at", "precision")
    made = {**{word: job[word] for word in words}, **job["options"], "noise": "const", "channels": channels}
    return {
        "name": job["name"],
        "generator": job["generator"],
        "layout": json.dumps(layout.to_config()),
        "made_with": json.dumps(made),
        "version": __version__,
        "clip": job["clip"],
        "clip_name": job["clip_name"],
        "defaults": EditDefaults(**OWN_DEFAULTS) if is_bundle else None,
    }


def _limited(total, limit) -> np.ndarray | None:
    """None for all editable channels, or `limit` of them from first to last."""
    if limit is None:
        return None
    if not 1 <= limit <= total:
        raise UserError(f"--limit_channels must be 1 to {total}, got {limit}")
    return np.unique(np.linspace(0, total - 1, limit).round().astype(np.int64))


def _seen_side(generator, clip) -> int:
    """The smallest picture of the generator's that is no smaller than what CLIP looks at."""
    side = 4
    while side < min(clip.image_size, generator.size):
        side *= 2
    return side


def _first(*values):
    """The first value that is not None; None if all are."""
    return next((value for value in values if value is not None), None)
