#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit the faces of a photo, a folder of photos or a video by text: found, inverted, edited and put back.

Writes edited.png (the photo with the edit), side_by_side.png (before and after), faces.png (of each face: as
it is in the photo, as it was inverted, as it was edited) and faces.npy (the latents found). Of a folder it
writes NAME.edited.png for each picture, of a video edited.mp4.

    python tools/edit_photo.py scene.png --target "happy face"
    python tools/edit_photo.py scene.png --target "face with glasses" --face 2 --steps 100
    python tools/edit_photo.py photo.jpg --target "smiling face" --face all --model_type ffhq-config-f
"""
from __future__ import annotations

import argparse
from pathlib import Path

from ppstyleclip.apps.arguments import (
    add_model_arguments,
    documented_parser,
    finite_number,
    load_editor,
)
from ppstyleclip.apps.cli import guard
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, save_png


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("photo", help="the photo; or a folder of photos, or a video")
    add = parser.add_argument_group("edit").add_argument
    add("--neutral", default="face", help="what the face is (default: face)")
    add("--target", required=True, help="what it should become, such as 'happy face'")
    add("--direction_offset", type=finite_number, metavar="ALPHA", help="strength (default: the model's own)")
    add("--beta_threshold", type=finite_number, metavar="BETA",
        help="style channels less related to the text stay still (default: the model's own)")
    add = parser.add_argument_group("faces").add_argument
    add("--face", default="largest", help="a number, 1 for the leftmost; largest; or all (default: largest)")
    add("--landmarks", metavar="JSON", help="the 68 landmarks of each face, in place of dlib")
    add("--landmark_path", metavar="DAT", help="dlib's landmark model (default: the model's own)")
    add("--steps", type=int, help="of fitting behind the encoder; 0 for none (default: 60)")
    add("--paste", default="blend", choices=("blend", "difference", "replace"),
        help="what returns into the photo: what the edit changed (difference), the whole drawn face "
             "(replace), or the face where it changed much (default: blend)")
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args) -> None:
    """Edit, write, and say what was done."""
    if not Path(args.photo).is_dir():
        check_file(args.photo)
    if args.steps is not None and args.steps < 0:
        raise UserError(f"--steps must not be negative, got {args.steps}")
    editor = load_editor(args)

    import numpy as np

    from ppstyleclip.apps.faces import save_latent
    from ppstyleclip.apps.frames import frames_to_files, has_frames
    from ppstyleclip.apps.photo import (
        FIT_STEPS,
        aligned_faces,
        edited_photo,
        find_latents,
        psnr,
        warn_if_poor,
    )
    from ppstyleclip.editor import Edit
    from ppstyleclip.pictures import grid

    edit = editor.resolve(Edit(args.neutral, args.target, alpha=args.direction_offset,
                               beta=args.beta_threshold))
    editor.direction(edit)  # bad words are told before a minute is spent on the faces
    folder, steps = Path(args.output_path), FIT_STEPS if args.steps is None else args.steps
    if has_frames(args.photo):
        counts, written = frames_to_files(editor, args.photo, edit, folder, which=args.face, steps=steps,
                                          way=args.paste, landmark_path=args.landmark_path)
        print(f"{edit}, strength {edit.alpha:g}, on {sum(counts)} faces in {sum(map(bool, counts))} of "
              f"{len(counts)} pictures of {args.photo}")
        print(f"wrote {written[0]}" + f" and {len(written) - 1} more" * (len(written) > 1))
        return
    photo, faces = aligned_faces(editor.bundle, args.photo, which=args.face, landmarks=args.landmarks,
                                 landmark_path=args.landmark_path)
    crops = np.stack([face.crop for face in faces])
    *_, w_plus = find_latents(editor, crops, steps=steps)
    edited, before, after = edited_photo(editor, photo, faces, w_plus, edit, way=args.paste)
    save_png(folder / "edited.png", edited)
    save_png(folder / "side_by_side.png", grid([photo, edited], 2, gap=4, background=255))
    save_png(folder / "faces.png", grid([one for row in zip(crops, before, after) for one in row], 3))
    save_latent(folder / "faces.npy", w_plus)
    quality = psnr(crops, before)
    warn_if_poor(editor.bundle.name, quality)
    print(f"{edit}, strength {edit.alpha:g}, on {len(faces)} face{'s' * (len(faces) > 1)} of {args.photo}; "
          f"inverted at {', '.join(f'{value:.1f}' for value in quality)} dB")
    for name in ("edited.png", "side_by_side.png", "faces.png", "faces.npy"):
        print(f"wrote {folder / name}")


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return guard(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
