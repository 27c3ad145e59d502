# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by text: StyleCLIP's global directions.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.pd (its styles, as PaddleGAN
saves them) and, for several offsets, strip.png (all of them in a labelled row).

    ppstyleclip styleganv2clip --neutral face --target "happy face"
    ppstyleclip styleganv2clip --target "sad face" --seed 5 --direction_offset -1 0 1 2 3 4 5
    ppstyleclip styleganv2clip --latent dst.npy --model_type ffhq-config-f --target "boy face" --cpu
    ppstyleclip styleganv2clip --target "happy face" --direction_offset auto --identity 0.7
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_face_arguments,
    add_identity_argument,
    add_model_arguments,
    check_faces,
    documented_parser,
)
from ppstyleclip.cli.edit_arguments import (
    add_edit_arguments,
    add_label_argument,
    add_measured_arguments,
    add_sheet_argument,
    check_sheet,
    load_measured_editor,
)
from ppstyleclip.cli.recipe_arguments import (
    add_recipe_arguments,
    check_recipe_arguments,
    recipe_words,
    refuse_idle_network,
    with_identity,
)


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("edit").add_argument
    add_edit_arguments(add)
    several = parser.add_argument_group("several edits, and auto").add_argument
    add_recipe_arguments(several)
    add_identity_argument(several)
    add_sheet_argument(several)
    add_label_argument(parser.add_argument)
    add_face_arguments(parser, seed=DEFAULT_SEED)
    add_canvas_arguments(parser)
    add_measured_arguments(add_model_arguments(parser))
    args = parser.parse_args(argv)
    check_recipe_arguments(parser, args)
    return args


def run(args: argparse.Namespace) -> None:
    """Edit, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    check_faces(args)
    refuse_idle_network(args, recipe_words(args))
    check_sheet(args)
    editor = with_identity(load_measured_editor(args), args)

    from ppstyleclip.cli.editing.edit_results import edit_given_face
    from ppstyleclip.cli.faces import given_face
    from ppstyleclip.cli.saving import save_text_edit

    face, source = given_face(editor, args, seed=DEFAULT_SEED)
    report, made = edit_given_face(editor, face, source, args)
    written = save_text_edit(args.output_path, made, visible=args.visible_label)

    print("\n".join(report.lines))
    for path in [*written, *report.written]:
        print(f"wrote {path}")
