#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by text: StyleCLIP's global directions.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.pd (its styles, as PaddleGAN
saves them) and, for several offsets, strip.png (all of them in a labelled row).

    python tools/styleganv2clip.py --neutral face --target "happy face"
    python tools/styleganv2clip.py --target "sad face" --seed 5 --direction_offset -1 0 1 2 3 4 5
    python tools/styleganv2clip.py --latent dst.npy --model_type ffhq-config-f --target "boy face" --cpu
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.arguments import (
    add_face_arguments,
    add_model_arguments,
    check_faces,
    documented_parser,
    finite_number,
    load_editor,
)
from ppstyleclip.cli.run import run_cli


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("edit").add_argument
    add("--neutral", default="face", help="what the picture shows (default: face)")
    add("--target", required=True, help="what it should show, such as 'happy face'")
    add(
        "--direction_offset",
        type=finite_number,
        nargs="+",
        metavar="ALPHA",
        help="strength, or several; dst is the last one (default: the model's own)",
    )
    add(
        "--beta_threshold",
        type=finite_number,
        metavar="BETA",
        help="style channels less related to the text stay still (default: the model's own)",
    )
    add(
        "--soft_threshold",
        type=finite_number,
        default=0.0,
        metavar="SHARE",
        help="share of its movement that a channel below BETA keeps, 0 to 1 (default: 0)",
    )
    add(
        "--pull",
        type=finite_number,
        metavar="SHARE",
        help="how far the step leans towards how faces differ, 0 (the paper) to 1 (default: the model's own)",
    )
    add(
        "--alpha_unit",
        choices=("style", "sigma", "effect"),
        help="what ALPHA counts: raw style values, as PaddleGAN; standard deviations, as the paper; "
        "or expected movement in CLIP's eyes (default: the model's own)",
    )
    add(
        "--templates",
        choices=("paddlegan", "official", "plain"),
        help="sentences that the words are put into (default: the model's own)",
    )
    add_face_arguments(parser, seed=DEFAULT_SEED)
    add = add_model_arguments(parser)
    add("--direction_path", help="relevance of the style channels, in place of the model's own")
    add("--stat_path", help="mean and deviation of the styles, in place of the model's own")
    add("--clip", help="CLIP of the relevance, by name or file (default: the one that it states)")
    return parser.parse_args(argv)


def run(args) -> None:
    """Edit, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    check_faces(args)
    editor = load_editor(args, direction_path=args.direction_path, stat_path=args.stat_path, clip=args.clip)

    from ppstyleclip.apps.faces import given_face
    from ppstyleclip.apps.styleganv2clip_predictor import edit_to_files
    from ppstyleclip.editor import Edit

    face, source = given_face(editor, args, seed=DEFAULT_SEED)
    edit = editor.resolve(
        Edit(
            args.neutral,
            args.target,
            beta=args.beta_threshold,
            unit=args.alpha_unit,
            templates=args.templates,
            soft=args.soft_threshold,
            pull=args.pull,
        )
    )
    offsets = [edit.alpha] if args.direction_offset is None else args.direction_offset
    edited = edit_to_files(editor, face, edit, offsets, args.output_path)

    print(f"{edit}, on {source} of {editor.bundle.name}: strength {edited.edit.alpha:g} ({edit.unit} units)")
    print(
        f"{edited.direction.num_channels} of {editor.bundle.layout.num_editable} style channels moved at "
        f"threshold {edit.beta:g}; the strongest reaches {edited.direction.max_relevance:.3g}"
    )
    for path in edited.written:
        print(f"wrote {path}")


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return run_cli(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
