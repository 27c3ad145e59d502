# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by text: StyleCLIP's global directions, on a sampled face, a latent file or a photo.

The first argument says which face. Digits are the seed of a sampled face; a latent file (.npy, .npz, .pt,
.pd, .pdparams, .safetensors) holds one; any other file is a photo, whose faces are edited and put back.

    ppstyleclip edit --target "happy face"
    ppstyleclip edit 5 --neutral face --target "sad face" --direction_offset -1 0 1 2 3 -o strip.png
    ppstyleclip edit dst.npy --target "face with glasses" -o out/ --json
    ppstyleclip edit photo.jpg --target "smiling face" --face all --model_type ffhq-config-f
    ppstyleclip edit --target "happy face" --direction_offset auto --contact_sheet sheet.png
    ppstyleclip edit --edit "face -> happy face @ 3" --edit "face -> face with glasses @ auto"
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from pathlib import Path

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import INDEX, is_seed
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_model_arguments,
    documented_parser,
    find_files,
    is_moved,
    refuse_idle,
)
from ppstyleclip.cli.edit_arguments import (
    PHOTO_OPTIONS,
    add_edit_arguments,
    add_label_argument,
    add_measured_arguments,
    add_photo_arguments,
    add_sheet_argument,
    check_sheet,
    load_measured_editor,
    photo_config,
)
from ppstyleclip.cli.recipe_arguments import (
    add_recipe_arguments,
    check_recipe_arguments,
    recipe_words,
    refuse_idle_network,
    with_identity,
)
from ppstyleclip.errors import UserError
from ppstyleclip.files import PICTURE_SUFFIXES, check_target

LATENTS = (".npy", ".npz", ".pt", ".pth", ".pd", ".pdparams", ".pkl", ".safetensors")  # names of latent files
DEFAULT_OUTPUT = "edited.png"
_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
_ENDING = re.compile(r"\.[a-zA-Z]\w{0,4}")  # of a file's name; "run.2" and "2024.05.01" are folders


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__ or "")
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SEED | LATENT | PHOTO",
        help=f"the face (default: the sampled face of seed {DEFAULT_SEED})",
    )
    parser.add_argument(
        "-o",
        "--output_path",
        default=DEFAULT_OUTPUT,
        metavar="FILE | FOLDER",
        help="a picture's name (.png, .jpg, .webp) for the edited picture alone, or a labelled row of "
        "several strengths; else a folder for all that the long commands write (default: %(default)s)",
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help="measure the edit, and write its card beside the picture: NAME.card.json and NAME.card.png",
    )
    add_label_argument(parser.add_argument)
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    parser.add_argument(
        "--index",
        type=INDEX,
        metavar="N",
        help="which latent, where the file holds several (default: 0)",
    )
    add_edit_arguments(parser.add_argument_group("edit").add_argument)
    add_recipe_arguments(parser.add_argument_group("several edits, and auto").add_argument)
    add_sheet_argument(parser.add_argument)
    add_photo_arguments(parser.add_argument_group("faces of a photo").add_argument)
    add_canvas_arguments(parser)
    add_measured_arguments(add_model_arguments(parser, output_path=None))
    args = parser.parse_args(argv)
    check_recipe_arguments(parser, args)
    return args


def run(args: argparse.Namespace) -> None:
    """Edit, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    begin, picture_path = time.time(), _place(args)
    is_photo = _check_source(args)
    words = recipe_words(args)
    if not is_photo:
        refuse_idle_network(args, words)
    check_sheet(args)
    editor = with_identity(load_measured_editor(args), args)

    from ppstyleclip.cli.editing.edit_results import edit_source_face, edit_source_photo
    from ppstyleclip.cli.photos import keep_sources

    if is_photo and picture_path is not None:
        keep_sources([Path(args.source)], [picture_path])
    made = (edit_source_photo if is_photo else edit_source_face)(editor, args, picture_path)
    if not args.json:
        print("\n".join([*made.lines, *(f"wrote {path}" for path in made.written)]))
        return
    told = {"model": editor.bundle.name, **made.values, "written": [str(path) for path in made.written]}
    print(json.dumps({**told, "seconds": round(time.time() - begin, 3)}, ensure_ascii=False))


def _place(args: argparse.Namespace) -> Path | None:
    """Return the picture that -o names, or None for a folder; args.output_path becomes the folder.

    Raises:
        UserError: the name ends as that of another kind of file does.
    """
    path = Path(args.output_path)
    is_folder = os.path.isdir(path) or args.output_path.endswith(_SEPARATORS)
    if is_folder or not _ENDING.fullmatch(path.suffix):
        return None
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise UserError(
            f"{path} names no format of {', '.join(PICTURE_SUFFIXES)}; choose one of them, or write "
            f"{path}{os.sep} for a folder"
        )
    args.output_path = str(path.parent)
    return check_target(path)


def _check_source(args: argparse.Namespace) -> bool:
    """Refuse a source that cannot be edited; tell whether it is a photo."""
    if args.source is None or is_seed(args.source):
        refuse_idle(args, (*PHOTO_OPTIONS, "index"), "with a sampled face")
        return False
    if os.path.isdir(args.source):
        raise UserError(f"{args.source} is a folder; for folders and videos there is: ppstyleclip photo")
    find_files(args, "source", "ir_se50_weights")
    is_photo = Path(args.source).suffix.lower() not in LATENTS
    if is_photo:
        refuse_idle(args, ["index"], "with a photo")
        photo_config(args)
    else:
        refuse_idle(args, PHOTO_OPTIONS, "with a latent file")
    if is_photo and len(args.direction_offset or ()) > 1:
        raise UserError("a photo is edited at one strength; give one --direction_offset")
    if is_photo and is_moved(args):
        raise UserError("a photo's face goes back to where it was; leave out --translate and --rotate")
    if is_photo and args.contact_sheet is not None:
        raise UserError("a contact sheet shows a seed or a latent file; use `ppstyleclip invert` for a photo")
    return is_photo
