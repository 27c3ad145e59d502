# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the commands of the preparation share: the model, and where statistics, styles and relevance are.

The files' names are PaddleGAN's. With --bundle they go into that folder, under the names of zoo.pack.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ppstyleclip import __version__
from ppstyleclip.cli.arguments import SIZES, add_model_arguments, find_files
from ppstyleclip.errors import UserError
from ppstyleclip.files import all_or_nothing, check_writable, sweep_drafts
from ppstyleclip.jobs.folder import threads_of_jobs
from ppstyleclip.threads import import_paddle
from ppstyleclip.wording import counted

if TYPE_CHECKING:  # these import Paddle
    from ppstyleclip.convert import Converted
    from ppstyleclip.stylespace import Relevance, StyleStats
    from ppstyleclip.zoo import Bundle


class Places(NamedTuple):
    """Paths of the results of both stages."""

    relevance: Path
    statistics: Path
    styles: Path


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that both stages share."""
    add_model_arguments(
        parser,
        output_path=".",
        bundle="folder of a model of your own; its "
        "generator.safetensors is used (--weight_path puts one there), and the results go "
        "into it",
    )


def add_paddlegan(parser: argparse.ArgumentParser) -> None:
    """Add whether the results are written in PaddleGAN's form as well."""
    parser.add_argument(
        "--pdparams",
        action="store_true",
        help="write the results also as PaddleGAN's code loads them (.pdparams), a tensor for each layer",
    )


def places_of(args: argparse.Namespace, name: str, suffix: str = "") -> Places:
    """Say where relevance, statistics and styles of a model go: PaddleGAN's names, or a bundle's.

    Args:
        args: of the command line.
        name: the model's.
        suffix: of a trial's relevance.
    """
    if args.bundle is not None:
        from ppstyleclip.zoo.pack import RELEVANCE, STATISTICS, STYLES

        names = (RELEVANCE.replace(".", f"{suffix}."), STATISTICS, STYLES)
    else:
        start = f"stylegan2-{name}-styleclip"
        names = (
            f"{start}-global-directions{suffix}.safetensors",
            f"{start}-stats.safetensors",
            f"S-{name}.safetensors",
        )
    return Places(*(Path(args.bundle or args.output_path) / name for name in names))


def open_model(args: argparse.Namespace, job: str) -> tuple[Bundle, Path]:
    """Refuse what can be refused at once, then import Paddle and load the model.

    Args:
        args: of the command line.
        job: how the job folder's name ends; a job that goes on keeps its number of threads.
    Returns:
        (Bundle, output folder).
    """
    find_files(args, "weight_path", "stat_path", "s_path")
    folder = check_writable(args.bundle or args.output_path)
    given = getattr(args, "job_path", None)
    paths = [Path(given)] if given else sorted(folder.glob(f"stylegan2-*-styleclip-{job}"))
    paddle = import_paddle(None if args.restart else threads_of_jobs(paths))
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
        _put_generator(bundle, folder)
    return bundle, folder


def _put_generator(bundle: Bundle, folder: Path) -> None:
    """Put a generator into a bundle's folder; one that is there already must be the same."""
    from ppstyleclip.zoo import load_pack, save_generator
    from ppstyleclip.zoo.pack import GENERATOR

    if not (folder / GENERATOR).exists():
        save_generator(folder / GENERATOR, bundle.generator, name=bundle.name)
        print(f"wrote {folder / GENERATOR}")
        return
    there = load_pack(folder)
    old, new = (one.fingerprints["generator"] for one in (there, bundle))
    if old != new:
        raise UserError(
            f"the bundle {folder} holds generator '{there.name}' ({old}), --weight_path is "
            f"'{bundle.name}' ({new}); leave --weight_path out, or name another folder"
        )


@all_or_nothing()
def save_statistics(
    places: Places, bundle: Bundle, stats: StyleStats, s, made_with: dict, *, pdparams: bool = False
) -> list[Path]:
    """Write statistics and styles `s` `[N, S]` of a model, and what they were made with.

    Args:
        places: where.
        bundle: the model.
        stats, s: what was measured.
        made_with: how, values that JSON can hold.
        pdparams: also in PaddleGAN's form, under its names: a tensor for each layer.
    Returns:
        paths written.
    """
    from ppstyleclip.convert import Converted
    from ppstyleclip.zoo import save_stats, save_styles

    for place in (places.statistics, places.styles):
        sweep_drafts(place.parent, place.name)
    about = {
        "generator": bundle.fingerprints["generator"],
        "name": bundle.name,
        "layout": json.dumps(bundle.layout.to_config()),
        "made_with": json.dumps(made_with),
        "version": __version__,
    }
    save_stats(places.statistics, stats, **about)
    save_styles(places.styles, s, **about)
    written = [places.statistics, places.styles]
    if pdparams:
        layers = {"channels": list(bundle.layout.channels)}
        names = paddlegan_places(places, bundle.name)
        moments = {"mean": stats.mean, "std": stats.std}
        save_pdparams(names.statistics, Converted("statistics", moments, layers), bundle.name)
        save_pdparams(names.styles, Converted("styles", {"s": np.asarray(s)}, layers), bundle.name)
        written += [names.statistics, names.styles]
    return written


def paddlegan_places(places: Places, name: str) -> Places:
    """Where the results go in PaddleGAN's form: in the same folder, under PaddleGAN's names."""
    folder, start = places.statistics.parent, f"stylegan2-{name}-styleclip"
    return Places(
        folder / f"{start}-global-directions.pdparams",
        folder / f"{start}-stats.pdparams",
        folder / f"S-{name}.pdparams",
    )


def save_pdparams(path: Path, converted: Converted, name: str) -> None:
    """Write a measurement as PaddleGAN's code loads it."""
    from ppstyleclip.zoo.converted import save_converted

    sweep_drafts(path.parent, path.name)
    save_converted(path, converted, name=name, about={})


def save_measured(args: argparse.Namespace, relevance: Relevance) -> None:
    """Write the relevance of a whole job, and say so."""
    from ppstyleclip.zoo import save_relevance
    from ppstyleclip.zoo.bundle import OWN_DEFAULTS

    channels, total = int(relevance.measured.sum()), len(relevance.rows)
    trial = "" if channels == total else f"-trial{channels}"
    path = places_of(args, relevance.name, trial).relevance
    sweep_drafts(path.parent, path.name)
    defaults = OWN_DEFAULTS if args.bundle is not None else None
    save_relevance(path, relevance, defaults=defaults, version=__version__)
    if args.pdparams and not trial:
        from ppstyleclip.convert import Converted

        whole = paddlegan_places(places_of(args, relevance.name), relevance.name).relevance
        save_pdparams(whole, Converted("relevance", {"relevance": relevance.rows}, {}), relevance.name)
        print(f"wrote {whole}")
    if trial:
        print(
            f"a trial: {channels} of {total} channels, evenly spaced; the others are zero in the file, as "
            "if they did nothing"
        )
    dead = int((~relevance.rows.any(axis=1) & relevance.measured).sum())
    print(f"measured {counted(channels, 'channel')}; {dead} of them do nothing that CLIP sees\nwrote {path}")
