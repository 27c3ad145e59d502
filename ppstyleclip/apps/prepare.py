# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The two stages that make a generator editable by text, as commands: statistics, then relevance.

    run_getf       generator -> stylegan2-<name>-styleclip-stats.safetensors and S-<name>.safetensors
    run_extract    those, and CLIP -> stylegan2-<name>-styleclip-global-directions.safetensors

The names are PaddleGAN's. Each file says what it was made from, and a file of another generator is refused.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, check_writable, fingerprint, write_safetensors
from ppstyleclip.threads import import_paddle

KEEP = 2000  # styles that the first stage leaves for the second, as PaddleGAN's does
MAX_BATCH, BATCH_PIXELS = 50, 2**22  # pictures drawn at once: 50 up to 256 px, 4 at 1024 px
SIZES = ("size", "style_dim", "n_mlp", "channel_multiplier")


def parse_getf(argv=None) -> argparse.Namespace:
    """Read the command line of the first stage."""
    parser = argparse.ArgumentParser(description="Measure mean and deviation of each style channel.")
    _add_model(parser)
    add = parser.add_argument
    add("--seed", type=int, default=1234, help="of the samples (default: %(default)s)")
    add("--num_samples", type=int, default=100_000, help="how many (default: %(default)s)")
    add("--truncation", type=float, help="0 to 1, 1 is none (default: the model's own, 0.7 for FFHQ)")
    add("--truncation_mode", default="layers", metavar="MODE",
        help="what is truncated: layers (the first eight), all (layers; the official code), features (the "
             "first eight of w, as PaddleGAN's published statistics), none (default: %(default)s)")
    add("--batch_size", type=int, default=500, help="samples at once (default: %(default)s)")
    return parser.parse_args(argv)


def parse_extract(argv=None) -> argparse.Namespace:
    """Read the command line of the second stage."""
    parser = argparse.ArgumentParser(description="Measure what each style channel does in CLIP's eyes.")
    _add_model(parser)
    add = parser.add_argument
    add("--clip", help="CLIP to measure with: toonface, ViT_B_32, RN50, RN101, RN50x4 (default: the model's)")
    add("--stat_path", help="statistics (default: those in the output folder, else the model's own)")
    add("--s_path", help="styles of the base pictures (default: those in the output folder, else the model's "
                         "own, else the samples that the first stage starts with)")
    add("--num_images", type=int, default=100, help="base pictures for each channel (default: %(default)s)")
    add("--alpha", type=float, default=5.0, help="deviations up and down (default: %(default)s)")
    add("--base", default="mean", metavar="BASE",
        help="deviations from the channel's mean, as both reference codes (mean), or from the picture's own "
             "value, as the paper's text (own) (default: %(default)s)")
    add("--compat", metavar="CODE",
        help="official: leave visited channels at their mean, as that script does")
    add("--batch_size", type=int, help="pictures drawn at once (default: 50, fewer above 256 px)")
    add("--limit_channels", "--limit-channels", type=int, metavar="N",
        help="a trial: only N channels, evenly spaced; the others stay zero")
    return parser.parse_args(argv)


def _add_model(parser) -> None:
    add = parser.add_argument
    add("--model_type", "--dataset_name",
        help="known model, such as ffhq-config-f (default: the embedded one)")
    add("--weight_path", help="weights of the generator, in place of the model's own")
    for name in SIZES:
        add(f"--{name}", type=int, help="must agree with the weights (default: theirs)")
    add("--cpu", action="store_true", help="use the CPU even where there is a GPU")
    add("--output_path", default=".", help="folder of the results (default: the current one)")


def run_getf(argv=None) -> None:
    """Sample styles, measure them, write both files, and say so.

    Raises:
        UserError: bad input; nothing is written.
    """
    args = parse_getf(argv)
    bundle, folder = _start(args)
    truncation = bundle.defaults.truncation if args.truncation is None else args.truncation
    record = _collect(bundle, num_samples=args.num_samples, seed=args.seed, batch_size=args.batch_size,
                      truncation=truncation, truncation_mode=args.truncation_mode)
    _, stats_path, s_path = _paths(folder, bundle.name)
    made = {"seed": args.seed, "num_samples": args.num_samples, "truncation": truncation,
            "truncation_mode": args.truncation_mode}
    write_safetensors(stats_path, {"mean": record.stats.mean, "std": record.stats.std},
                      _metadata(bundle, "statistics", made, count=str(record.stats.count)))
    write_safetensors(s_path, {"s": record.s}, _metadata(bundle, "styles", made))
    print(f"measured {bundle.layout.size} style channels of {bundle.name} on {args.num_samples} samples")
    print(f"wrote {stats_path}\nwrote {s_path} ({len(record.s)} styles)")


def run_extract(argv=None) -> None:
    """Measure the relevance of the editable channels, write it, and say so.

    Raises:
        UserError: bad input; nothing is written.
    """
    args = parse_extract(argv)
    bundle, folder = _start(args)
    stats, stats_from = _stats(bundle, folder, args)
    s_base, s_from = _base_styles(bundle, folder, args)
    channels = _limited(bundle.layout.num_editable, args.limit_channels)
    clip, clip_mark = _clip(bundle)
    print(f"statistics from {stats_from}; {len(s_base)} base pictures from {s_from}; CLIP {clip.name}")
    found = _measure(bundle, clip, stats, s_base, channels, args)
    trial = "" if args.limit_channels is None else f"-trial{len(channels)}"
    path = _paths(folder, bundle.name, trial)[0]
    made = {"alpha": args.alpha, "base": args.base, "compat": args.compat, "num_images": args.num_images,
            "statistics": fingerprint({"mean": stats.mean, "std": stats.std}),
            "styles": fingerprint({"s": s_base}), "noise": "const", "channels": len(channels)}
    write_safetensors(path, {"relevance": found.relevance, "strength": found.strength},
                      _metadata(bundle, "relevance", made, clip=clip_mark, clip_name=clip.name))
    if trial:
        print(f"a trial: {len(channels)} of {bundle.layout.num_editable} channels, evenly spaced; the others "
              "are zero in the file, as if they did nothing")
    dead = int((~found.relevance.any(axis=1) & found.measured).sum())
    print(f"measured {len(channels)} channels; {dead} of them do nothing that CLIP sees\nwrote {path}")


def _start(args):
    """Refuse what can be refused at once, then import Paddle and load the bundle."""
    for word in ("weight_path", "stat_path", "s_path"):
        if getattr(args, word, None) is not None:
            check_file(getattr(args, word))
    folder = check_writable(args.output_path)
    paddle = import_paddle()
    if args.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.zoo import load_bundle

    bundle = load_bundle(args.model_type, weight_path=args.weight_path, clip=getattr(args, "clip", None),
                         **{name: getattr(args, name) for name in SIZES})
    return bundle, folder


def _paths(folder, name, suffix="") -> tuple:
    """Relevance, statistics and styles of a model, as PaddleGAN names them."""
    start = f"stylegan2-{name}-styleclip"
    return (folder / f"{start}-global-directions{suffix}.safetensors", folder / f"{start}-stats.safetensors",
            folder / f"S-{name}.safetensors")


def _metadata(bundle, kind, made, **more) -> dict:
    from ppstyleclip import __version__

    return {"kind": f"ppstyleclip {kind}", "name": bundle.name, "generator": bundle.fingerprints["generator"],
            "layout": json.dumps(bundle.layout.to_config()), "made_with": json.dumps(made),
            "version": __version__, **more}


def _collect(bundle, **options):
    from ppstyleclip.stylespace import collect_stats

    with tqdm(total=options["num_samples"], desc="styles", unit=" samples") as bar:
        for record in collect_stats(bundle.generator, bundle.layout, keep=KEEP, **options):
            bar.update(record.done - bar.n)
    return record


def _stats(bundle, folder, args) -> tuple:
    """The statistics, and where they are from."""
    from ppstyleclip.zoo import read_stats

    path = args.stat_path or _existing(_paths(folder, bundle.name)[1])
    if path is None:
        return bundle.stats, f"the model {bundle.name}"
    return read_stats(path, bundle.layout, name=bundle.name, generator=bundle.fingerprints["generator"]), path


def _base_styles(bundle, folder, args) -> tuple:
    """The first `--num_images` base styles `[N, S]`, and where they are from."""
    path = args.s_path or _existing(_paths(folder, bundle.name)[2])
    if args.num_images < 1:
        raise UserError(f"--num_images must be at least 1, got {args.num_images}")
    if path is not None:
        s, source = _read_styles(path, bundle), path
    elif bundle.s_base is not None:
        s, source = bundle.s_base, f"the model {bundle.name}"
    else:
        options = {word: parse_getf([]).__dict__[word] for word in ("seed", "truncation_mode")}
        options["truncation"] = bundle.defaults.truncation
        count = max(2, args.num_images)
        s, source = _collect(bundle, num_samples=count, batch_size=count, **options).s, "new samples"
    if len(s) < args.num_images:
        raise UserError(f"{source} holds {len(s)} styles, --num_images asks for {args.num_images}")
    return np.asarray(s[: args.num_images], np.float32), source


def _read_styles(path, bundle) -> np.ndarray:
    """Base styles `[N, S]`: `s` of a safetensors file, one array, or K arrays as PaddleGAN saves them."""
    from ppstyleclip.formats import load_arrays
    from ppstyleclip.zoo.directions import check_made_for

    arrays, metadata = load_arrays(path)
    check_made_for(metadata, path, name=bundle.name, generator=bundle.fingerprints["generator"])
    arrays = arrays.get("s") if isinstance(arrays, dict) else arrays
    try:
        if isinstance(arrays, list):
            arrays = bundle.layout.flatten([np.asarray(part, np.float32) for part in arrays])
        s = np.asarray(arrays, np.float32)
    except (TypeError, ValueError):
        s = np.zeros(0)
    if s.ndim != 2 or s.shape[1] != bundle.layout.size or not np.isfinite(s).all():
        raise UserError(f"{path} holds no styles of generator '{bundle.name}', [N, {bundle.layout.size}]; "
                        "make them with: python tools/styleclip_getf.py")
    return s


def _existing(path):
    return path if Path(path).is_file() else None


def _limited(total, limit) -> np.ndarray:
    """All editable channels, or `limit` of them from first to last."""
    if limit is None:
        return np.arange(total)
    if not 1 <= limit <= total:
        raise UserError(f"--limit_channels must be 1 to {total}, got {limit}")
    return np.unique(np.linspace(0, total - 1, limit).round().astype(np.int64))


def _clip(bundle) -> tuple:
    """The CLIP and its fingerprint."""
    from ppstyleclip.zoo import clip_fingerprint

    return bundle.clip, clip_fingerprint(bundle.clip)


def _measure(bundle, clip, stats, s_base, channels, args):
    """Run compute_relevance behind a progress bar that counts work, not channels: late layers are cheap."""
    from ppstyleclip.methods.relevance import collect_relevance, compute_relevance
    from ppstyleclip.methods.staged import work_from

    generator, layout = bundle.generator, bundle.layout
    batch = args.batch_size or max(2, min(MAX_BATCH, BATCH_PIXELS // generator.size**2))
    records = compute_relevance(generator, clip, layout, stats, s_base, alpha=args.alpha, base=args.base,
                                compat=args.compat, batch_size=batch, channels=channels)
    work = {k: work_from(generator, k) for k in layout.editable_layers}
    total = sum(work[layout.locate(e)[0]] for e in channels)

    def shown():
        with tqdm(total=total, desc="channels", smoothing=0,
                  bar_format="{l_bar}{bar}| {postfix} [{elapsed}<{remaining}]") as bar:
            for record in records:
                bar.set_postfix_str(f"{record.done}/{record.total}", refresh=False)
                bar.update(sum(work[layout.locate(e)[0]] for e in record.channels))
                yield record

    return collect_relevance(shown(), layout.num_editable, clip.dim)
