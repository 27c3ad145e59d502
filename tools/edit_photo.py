#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit the faces of a photo, a folder of photos or a video by text: found, inverted, edited and put back.

Writes edited.png (the photo with the edit), side_by_side.png (before and after), faces.png (of each face: as
it is in the photo, as it was inverted, as it was edited) and faces.npy (the latents found); with --tune also
generator_1.safetensors. Of a folder it writes NAME.edited.png for each picture, of a video edited.mp4.

    python tools/edit_photo.py scene.png --target "happy face"
    python tools/edit_photo.py scene.png --target "face with glasses" --face 2 --steps 100 --tune 100
    python tools/edit_photo.py photo.jpg --target "smiling face" --face all --model_type ffhq-config-f
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppstyleclip.cli.arguments import (
    add_identity_argument,
    add_model_arguments,
    documented_parser,
    finite_number,
    load_editor,
)
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file


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
    add("--face", default="largest", help="a number, 1 for the leftmost; largest; or all (default: largest)")
    add("--landmarks", metavar="JSON", help="the 68 landmarks of each face, in place of dlib")
    add("--landmark_path", metavar="DAT", help="dlib's landmark model (default: the model's own)")
    add("--steps", type=int, default=60, help="of fitting behind the encoder; 0 for none (default: 60)")
    add(
        "--tune",
        type=int,
        default=0,
        metavar="STEPS",
        help="then change a copy of the generator until it draws the face (default: 0, not at all)",
    )
    add(
        "--smooth",
        type=int,
        metavar="FRAMES",
        help="average landmarks over so many frames before and after each (default: 2 for a video, 0 for a "
        "folder)",
    )
    add_identity_argument(add)
    add(
        "--paste",
        default="blend",
        choices=("blend", "difference", "replace"),
        help="what returns into the photo: what the edit changed (difference), the whole drawn face "
        "(replace), or the face where it changed much (default: blend)",
    )
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args) -> None:
    """Edit, write, and say what was done."""
    for path in filter(None, (None if Path(args.photo).is_dir() else args.photo, args.ir_se50_weights)):
        check_file(path)
    for name in ("steps", "tune", "smooth"):
        if (getattr(args, name) or 0) < 0:
            raise UserError(f"--{name} must not be negative, got {getattr(args, name)}")
    editor = load_editor(args)

    from ppstyleclip.apps.frames import frames_to_files, has_frames
    from ppstyleclip.apps.photo_edit import photo_to_files
    from ppstyleclip.editor import Edit

    edit = editor.resolve(
        Edit(args.neutral, args.target, alpha=args.direction_offset, beta=args.beta_threshold)
    )
    editor.direction(edit)  # bad words are told before a minute is spent on the faces
    options = {
        "which": args.face,
        "steps": args.steps,
        "way": args.paste,
        "landmark_path": args.landmark_path,
    }
    if has_frames(args.photo):
        if args.tune:
            raise UserError("--tune is for one photo; leave it out for a folder or a video")
        counts, written = frames_to_files(
            editor, args.photo, edit, args.output_path, smooth=args.smooth, **options
        )
        print(
            f"{edit}, strength {edit.alpha:g}, on {sum(counts)} faces in {sum(map(bool, counts))} of "
            f"{len(counts)} pictures of {args.photo}"
        )
        print(f"wrote {written[0]}" + f" and {len(written) - 1} more" * (len(written) > 1))
        return
    count, lines, written = photo_to_files(
        editor,
        args.photo,
        edit,
        args.output_path,
        tune=args.tune,
        landmarks=args.landmarks,
        identity_path=args.ir_se50_weights,
        **options,
    )
    print(f"{edit}, strength {edit.alpha:g}, on {count} face{'s' * (count > 1)} of {args.photo}")
    print("\n".join([*lines, *(f"wrote {path}" for path in written)]))


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return run_cli(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
