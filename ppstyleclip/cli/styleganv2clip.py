# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by text: StyleCLIP's global directions.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.pd (its styles, as PaddleGAN
saves them) and, for several offsets, strip.png (all of them in a labelled row).

    ppstyleclip styleganv2clip --neutral face --target "happy face"
    ppstyleclip styleganv2clip --target "sad face" --seed 5 --direction_offset -1 0 1 2 3 4 5
    ppstyleclip styleganv2clip --latent dst.npy --model_type ffhq-config-f --target "boy face" --cpu
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.arguments import (
    add_face_arguments,
    add_model_arguments,
    check_faces,
    documented_parser,
)
from ppstyleclip.cli.edit_arguments import (
    add_edit_arguments,
    add_measured_arguments,
    load_measured_editor,
    text_edit,
)


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("edit").add_argument
    add_edit_arguments(add)
    add_face_arguments(parser, seed=DEFAULT_SEED)
    add_measured_arguments(add_model_arguments(parser))
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Edit, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    check_faces(args)
    editor = load_measured_editor(args)

    from ppstyleclip.cli.edit_results import edit_lines
    from ppstyleclip.cli.faces import given_face
    from ppstyleclip.cli.saving import save_text_edit
    from ppstyleclip.pipelines.editing import edit_face
    from ppstyleclip.pipelines.records import result_of

    face, source = given_face(editor, args, seed=DEFAULT_SEED)
    made = result_of(edit_face(editor, face, text_edit(args), args.direction_offset))
    written = save_text_edit(args.output_path, made)

    print("\n".join(edit_lines(editor, source, made.edit, made.direction)))
    for path in written:
        print(f"wrote {path}")
