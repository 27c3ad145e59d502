#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Split a bank of latents by what CLIP sees in their pictures: a file of latents for each text.

Writes BANK_<text>.npy for each text and split.csv, a line for each face with its text and all shares.

    python tools/split_latents.py sample.npy --texts "happy face" "sad face"
    python tools/split_latents.py train_faces.pt --texts "a photo of a man" "a photo of a woman" \\
           --model_type ffhq-config-f --least 0.8
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, finite_number, load_editor
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("bank", help="latents: .npy, .pt, .pdparams, safetensors")
    add = parser.add_argument_group("sorting").add_argument
    add(
        "--texts",
        nargs="+",
        required=True,
        metavar="TEXT",
        help="two or more; each face goes to the likeliest",
    )
    add(
        "--least",
        type=finite_number,
        default=0.0,
        metavar="SHARE",
        help="leave out faces whose likeliest text has a smaller share, 0 to 1 (default: 0, none)",
    )
    add(
        "--templates",
        default="plain",
        choices=("plain", "paddlegan", "official"),
        help="prompts around each text (default: plain, none)",
    )
    add("--n_images", type=int, metavar="N", help="only the first N of the bank")
    add("--batch_size", type=int, default=8, metavar="N", help="faces at a time (default: 8)")
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args) -> None:
    """Sort, write, and say what was done."""
    check_file(args.bank)
    if not 0 <= args.least <= 1 or args.batch_size < 1:
        raise UserError(
            f"--least is 0 to 1 and --batch_size at least 1, got {args.least:g} and {args.batch_size}"
        )
    editor = load_editor(args)

    from ppstyleclip.apps.mapper import load_faces
    from ppstyleclip.apps.split import split_to_files

    faces = load_faces(editor, args.bank, args.n_images)
    counts, written = split_to_files(
        editor,
        faces,
        args.texts,
        args.output_path,
        stem=Path(args.bank).stem,
        least=args.least,
        templates=args.templates,
        batch_size=args.batch_size,
    )
    print(
        f"{len(faces)} faces of {args.bank}: "
        + ", ".join(f"{n} {text}" for text, n in counts.items())
        + f", {len(faces) - sum(counts.values())} left out" * (sum(counts.values()) < len(faces))
    )
    for path in written:
        print(f"wrote {path}")


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return run_cli(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
