# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit the faces of a photo, a folder of photos or a video by text: found, inverted, edited and put back.

Writes edited.png (the photo with the edit), side_by_side.png (before and after), faces.png (of each face: as
it is in the photo, as it was inverted, as it was edited) and faces.npy (the latents found); with --tune also
generator_1.safetensors, by the face's number in the photo. Of a folder it writes NAME.edited.png for each
picture, of a video edited.mp4 with its sound. A video that was stopped goes on where it was if
the command is given again.

    ppstyleclip photo scene.png --target "happy face"
    ppstyleclip photo scene.png --target "face with glasses" --face 2 --steps 100 --tune 100
    ppstyleclip photo photo.jpg --target "smiling face" --face all --model_type ffhq-config-f
    ppstyleclip photo holiday/ --recipe party.yaml --face all
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ppstyleclip.cli.argument_types import STRENGTH_OR_AUTO, THRESHOLD_OR_AUTO, words
from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, find_files, refuse_idle
from ppstyleclip.cli.edit_arguments import (
    add_label_argument,
    add_measured_arguments,
    add_photo_arguments,
    add_region_argument,
    load_measured_editor,
    photo_config,
)
from ppstyleclip.cli.recipe_arguments import (
    add_recipe_arguments,
    check_recipe_arguments,
    recipe_of_arguments,
    recipe_words,
    with_identity,
)
from ppstyleclip.files import check_file

if TYPE_CHECKING:
    from ppstyleclip.editor import Editor
    from ppstyleclip.pipelines.recipes import Recipe


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("photo", help="the photo; or a folder of photos, or a video")
    add = parser.add_argument_group("edit").add_argument
    add("--neutral", type=words, help="what the face is (default: face)")
    add("--target", type=words, help="what it should become, such as 'happy face'")
    add(
        "--direction_offset",
        type=STRENGTH_OR_AUTO,
        metavar="ALPHA",
        help="strength; or auto: for each face, of a video for its first one, the smallest that reaches the "
        "text within the budget (default: the model's own)",
    )
    add(
        "--beta_threshold",
        type=THRESHOLD_OR_AUTO,
        metavar="BETA",
        help="style channels less related to the text stay still; or auto: the one that spoils least "
        "(default: the model's own)",
    )
    add_region_argument(add)
    add_recipe_arguments(parser.add_argument_group("several edits, and auto").add_argument)
    add = parser.add_argument_group("faces").add_argument
    add_photo_arguments(add, smooth=True)
    add_label_argument(parser.add_argument)
    add_measured_arguments(add_model_arguments(parser))
    args = parser.parse_args(argv)
    check_recipe_arguments(parser, args)
    return args


def run(args: argparse.Namespace) -> None:
    """Edit, write, and say what was done."""
    if not os.path.isdir(args.photo):
        check_file(args.photo)
    find_files(args, "ir_se50_weights")
    recipe_words(args)
    photo_config(args)  # refuses what does nothing, before a model is read
    editor = with_identity(load_measured_editor(args), args)

    from ppstyleclip.cli.editing.photo_frames import edit_named_frames
    from ppstyleclip.cli.photos import has_frames
    from ppstyleclip.pipelines.recipes import check_recipe

    if has_frames(args.photo):
        refuse_idle(args, ("tune", "landmarks"), "with a folder or a video, only with one photo")
    else:
        refuse_idle(args, ("smooth", "smooth_latents"), "with one photo, only with a folder or a video")
    edit = recipe_of_arguments(args)
    check_recipe(editor, edit)  # bad words are refused before a minute is spent on the faces
    if not has_frames(args.photo):
        _edit_photo(editor, edit, args)
    else:
        edit_named_frames(editor, edit, args)


def _edit_photo(editor: Editor, edit: Recipe, args: argparse.Namespace) -> None:
    from ppstyleclip.cli.editing.edit_results import recipe_lines
    from ppstyleclip.cli.photos import (
        edit_named_likeness,
        edit_named_photo,
        keep_sources,
        likeness_lines,
        lines_of,
        read_named_photo,
        warn_if_poor,
    )
    from ppstyleclip.cli.saving import PHOTO_PICTURES, save_likeness, save_photo

    keep_sources([Path(args.photo)], [Path(args.output_path) / name for name in PHOTO_PICTURES])
    photo = read_named_photo(editor, args.photo, args, print)
    if photo.are_people:
        portraits = edit_named_likeness(editor, photo, edit)
        written = save_likeness(args.output_path, portraits, visible=args.visible_label)
        told = recipe_lines(editor, args.photo, edit, portraits.applied)
        told += likeness_lines(portraits, photo.numbers)
        print("\n".join([*told, *(f"wrote {path}" for path in written)]))
        return
    made, measures = edit_named_photo(editor, photo, edit, args)
    written = save_photo(
        args.output_path, made, editor.bundle, numbers=photo.numbers, visible=args.visible_label
    )
    warn_if_poor(editor.bundle.name, made.inversion.stages[-1])
    told = recipe_lines(editor, args.photo, edit, made.applied)
    told += lines_of(made, measures, photo.numbers)
    print("\n".join([*told, *(f"wrote {path}" for path in written)]))
