# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit the faces of a photo, a folder of photos or a video by text: found, inverted, edited and put back.

Writes edited.png (the photo with the edit), side_by_side.png (before and after), faces.png (of each face: as
it is in the photo, as it was inverted, as it was edited) and faces.npy (the latents found); with --tune also
generator_1.safetensors. Of a folder it writes NAME.edited.png for each picture, of a video edited.mp4.

    ppstyleclip photo scene.png --target "happy face"
    ppstyleclip photo scene.png --target "face with glasses" --face 2 --steps 100 --tune 100
    ppstyleclip photo photo.jpg --target "smiling face" --face all --model_type ffhq-config-f
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, finite_number, load_editor
from ppstyleclip.cli.edit_arguments import add_photo_arguments, check_photo_arguments, photo_config
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.files import check_file

if TYPE_CHECKING:
    from ppstyleclip.editor import Editor, ResolvedEdit


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("photo", help="the photo; or a folder of photos, or a video")
    add = parser.add_argument_group("edit").add_argument
    add("--neutral", default="face", help="what the face is (default: face)")
    add("--target", required=True, help="what it should become, such as 'happy face'")
    add("--direction_offset", type=finite_number, metavar="ALPHA", help="strength (default: the model's own)")
    add(
        "--beta_threshold",
        type=finite_number,
        metavar="BETA",
        help="style channels less related to the text stay still (default: the model's own)",
    )
    add = parser.add_argument_group("faces").add_argument
    add_photo_arguments(add, smooth=True)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Edit, write, and say what was done."""
    for path in filter(None, (None if Path(args.photo).is_dir() else args.photo, args.ir_se50_weights)):
        check_file(path)
    check_photo_arguments(args)
    editor = load_editor(args)

    from ppstyleclip.cli.photos import has_frames
    from ppstyleclip.editor import Edit

    edit = editor.resolve(
        Edit(args.neutral, args.target, alpha=args.direction_offset, beta=args.beta_threshold)
    )
    editor.direction(edit)  # bad words are refused before a minute is spent on the faces
    if not has_frames(args.photo):
        _edit_photo(editor, edit, args)
    elif args.tune:
        raise UserError("--tune is for one photo; leave it out for a folder or a video")
    else:
        _edit_frames(editor, edit, args)


def _edit_photo(editor: Editor, edit: ResolvedEdit, args: argparse.Namespace) -> None:
    from ppstyleclip.cli.edit_results import photo_line
    from ppstyleclip.cli.photos import edit_named_photo, lines_of, warn_if_poor
    from ppstyleclip.cli.saving import save_photo

    made, measures = edit_named_photo(editor, args.photo, edit, args)
    written = save_photo(args.output_path, made, editor.bundle)
    warn_if_poor(editor.bundle.name, made.inversion.stages[-1])
    print(photo_line(args.photo, edit, len(made.faces)))
    print("\n".join([*lines_of(made, measures), *(f"wrote {path}" for path in written)]))


def _edit_frames(editor: Editor, edit: ResolvedEdit, args: argparse.Namespace) -> None:
    from ppstyleclip.cli.photos import SMOOTH, read_frames
    from ppstyleclip.cli.saving import save_frames
    from ppstyleclip.pipelines.faces import load_finder
    from ppstyleclip.pipelines.frames import FramesConfig, edit_frames

    names, frames, rate = read_frames(args.photo)
    smooth = SMOOTH if args.smooth is None and rate is not None else args.smooth or 0
    photo = photo_config(args)
    config = FramesConfig(photo.face, photo.fitting, photo.paste, smooth)
    finder = load_finder(editor.bundle, args.landmark_path)
    records = edit_frames(editor, frames, edit, config, finder=finder)
    edited, counts = [], []
    for record in show_progress(records, title="pictures"):
        if record.pixels is not None:
            edited.append(record.pixels)
            counts.append(record.num_faces)
    written = save_frames(args.output_path, names, edited, rate)
    print(
        f"{edit}, strength {edit.alpha:g}, on {sum(counts)} faces in {sum(map(bool, counts))} of "
        f"{len(counts)} pictures of {args.photo}"
    )
    print(one_line(f"wrote {written[0]}" + f" and {len(written) - 1} more" * (len(written) > 1)))
