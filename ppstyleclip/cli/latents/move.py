# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by a stored direction in w_plus, such as age or smile; for edits by text see styleganv2clip.py.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.npy (its latent) and, for
several offsets, strip.png (all of them in a labelled row).

    ppstyleclip move --model_type ffhq-config-f --latent dst.npy --direction_name age \\
           --direction_offset 5
    ppstyleclip move --seed 5 --direction_path smile.npy --direction_offset -2 0 2
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import STRENGTH
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_face_arguments,
    add_model_arguments,
    check_faces,
    documented_parser,
    find_files,
    load_editor,
)
from ppstyleclip.errors import plain


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("edit").add_argument
    add("--direction_name", metavar="NAME", help="which of the directions (default: the only one)")
    add(
        "--direction_offset",
        type=STRENGTH,
        nargs="+",
        default=[0.0],
        metavar="OFFSET",
        help="how far along it, or several; dst is the last one; negative goes the other way (default: 0)",
    )
    add("--direction_path", help="file of directions, in place of the model's own")
    add_face_arguments(parser, seed=DEFAULT_SEED)
    add_canvas_arguments(parser)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Edit, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    from ppstyleclip.zoo import choose_direction, open_directions

    check_faces(args)
    find_files(args, "direction_path")
    directions = open_directions(args.model_type, args.direction_path, args.bundle)
    direction = choose_direction(directions, args.direction_name)
    editor = load_editor(args)

    from ppstyleclip.cli.faces import given_face
    from ppstyleclip.cli.saving import save_move
    from ppstyleclip.pipelines.editing import move_face
    from ppstyleclip.pipelines.records import result_of

    face, source = given_face(editor, args, seed=DEFAULT_SEED)
    written = save_move(
        args.output_path, result_of(move_face(editor, face, direction, args.direction_offset))
    )
    name = args.direction_name or next(iter(directions))
    print(f"{plain(name)} by {args.direction_offset[-1]:g}, on {source} of {editor.bundle.name}")
    for path in written:
        print(f"wrote {path}")
