# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip convert`: a file of other people's weights to ours, or to one that PaddleGAN's code loads."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

from ppstyleclip import __version__
from ppstyleclip.cli.arguments import documented_parser
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.files import all_or_nothing, check_file, check_target, check_writable
from ppstyleclip.schema import check_name, name_of
from ppstyleclip.threads import import_paddle

SUFFIXES = (".safetensors", ".pdparams", ".npy")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser("Convert other people's weights, told by their content.")
    add = parser.add_argument
    add("source", metavar="IN", help=".pt, .pth, .pkl, .pdparams, .npy, .safetensors, ...")
    add(
        "target",
        metavar="OUT",
        help="what to write: .safetensors (ours), .pdparams (PaddleGAN's), or one array as .npy",
    )
    add("--name", help="name of the model (default: the name of IN)")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Say what IN is, convert it, write OUT; a generator is also drawn, for a look.

    Raises:
        UserError: IN cannot be read, is of no known kind or not whole, or OUT cannot be written.
    """
    source, target = check_file(args.source), Path(args.target)
    if target.suffix not in SUFFIXES:
        raise UserError(f"{target} must end in {' or '.join(SUFFIXES)}")
    if os.path.exists(target) and os.path.samefile(target, source):
        raise UserError(f"{target} would replace what is read; choose another name")
    check_writable(target.parent)
    check_target(target)
    name = name_of(source) if args.name is None else check_name("--name", args.name)

    import_paddle()
    from ppstyleclip.zoo.converted import save_converted
    from ppstyleclip.zoo.downloads.checksums import compute_sha256
    from ppstyleclip.zoo.foreign import convert_file
    from ppstyleclip.zoo.generators import build_converted_generator

    found, converted = convert_file(source)
    print(one_line(f"{source}: {found.description}"))
    for line in (*converted.notes, *_left_out(converted.ignored)):
        print(one_line(line))
    about = {
        "recognised": found.description,
        "notes": "; ".join(converted.notes),
        "source": source.name,
        "source_sha256": compute_sha256(source),
        "converter": f"ppstyleclip {__version__}",
    }
    generator = build_converted_generator(converted) if converted.kind == "generator" else None
    name = converted.stated.get("name") or name if args.name is None else name
    look = None if generator is None else _drawn(generator, converted.extras.get("latent_avg"))
    picture = target.with_suffix(".png")
    with all_or_nothing():
        save_converted(target, converted, name=name, about=about, generator=generator)
        if look is not None:
            from ppstyleclip.cli.saving import save_labelled

            save_labelled(picture, look)
    print(f"wrote {target}")
    if generator is not None:
        if target.suffix == ".pdparams":
            print(_for_paddlegan(generator))
        print(f"wrote {picture}: look at its faces")


def _left_out(ignored: dict) -> list[str]:
    """One line for each reason why keys were left out."""
    return [f"left out: {count} ({reason})" for reason, count in Counter(ignored.values()).items()]


def _drawn(generator, mean):
    from ppstyleclip.pipelines.check_picture import draw_faces

    return draw_faces(generator, mean)


def _for_paddlegan(generator) -> str:
    """Say how PaddleGAN builds a generator."""
    from ppstyleclip.zoo.converted import describe_for_paddlegan

    return describe_for_paddlegan(generator.config())
