# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find the latent of a face in a photo with an encoder (pSp, e4e, ReStyle).

Writes src.png (the aligned face), dst.png (as the generator draws it) and dst.npy (its latent). A generator
that draws any pose (StyleGAN3-R) also makes src.unaligned.png and dst.unaligned.png, the face as it stands in
the photo. Of a folder of photos it makes a bank: latents.npy, latents.csv (which photo each is of) and
faces.png (some of them).

    ppstyleclip invert --input_image scene.png
    ppstyleclip invert --input_image scene.png --encoder e4e
    ppstyleclip invert --input_image photo.jpg --model_type ffhq-inversion --cpu
    ppstyleclip invert --input_image photo.jpg --weight_path e4e_ffhq_encode.pt
    ppstyleclip invert --input_image photos/ --face all
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ppstyleclip.cli.argument_types import SEED, which_face
from ppstyleclip.cli.arguments import (
    add_encoder_argument,
    add_identity_argument,
    add_model_arguments,
    documented_parser,
    find_files,
    load_editor,
    refuse_idle,
)
from ppstyleclip.files import check_file
from ppstyleclip.wording import counted


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("photo").add_argument
    add("--input_image", required=True, help="the photo, or a folder of photos")
    add("--aligned", action="store_true", help="it is a crop of a face already")
    add(
        "--face",
        type=which_face,
        help="a number, 1 for the leftmost; best (size times confidence); largest; or, of a folder, all "
        "(default: best)",
    )
    add("--landmarks", metavar="JSON", help="the 68 landmarks of each face, in place of dlib")
    add("--landmark_path", metavar="DAT", help="dlib's landmark model (default: the model's own)")
    add("--seed", type=SEED, help="of no effect here; PaddleGAN's tool has it")
    add_encoder_argument(add)
    add_identity_argument(add)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Invert, write, and say what was done."""
    is_folder = os.path.isdir(args.input_image)
    if not is_folder:
        check_file(args.input_image)
    if args.aligned:
        refuse_idle(
            args, ("face", "landmarks", "landmark_path"), "with --aligned, where nothing is looked for"
        )
    if is_folder:
        refuse_idle(args, ("landmarks", "ir_se50_weights"), "with a folder, only with one photo")
    if args.landmarks is not None:
        refuse_idle(args, ["landmark_path"], "with --landmarks")
    find_files(args, "ir_se50_weights")
    editor = load_editor(args)
    if is_folder:
        _invert_folder(args, editor)
        return

    from ppstyleclip.align import read_photo
    from ppstyleclip.cli.photos import in_words, landmarks_instead, read_face
    from ppstyleclip.cli.saving import save_inversion
    from ppstyleclip.pipelines.inversion import draw_unaligned, encode_face
    from ppstyleclip.pipelines.quality import load_measures

    with landmarks_instead("--landmarks"):
        face = read_face(
            editor.bundle,
            args.input_image,
            aligned=args.aligned,
            which=args.face or "best",
            landmarks=args.landmarks,
            landmark_path=args.landmark_path,
            tell=print,
        )
    measures = load_measures(editor.bundle, args.ir_se50_weights)
    made = encode_face(editor, face.crop, measures)
    unaligned = draw_unaligned(editor, read_photo(args.input_image), face, made.w_plus)
    written = save_inversion(args.output_path, made, unaligned=unaligned)
    (words,) = in_words(measures, *made.stages)
    print(
        f"{args.input_image} inverted by the encoder of {editor.bundle.name}: {words}, {made.seconds:.2f} s"
    )
    for path in written:
        print(f"wrote {path}")


def _invert_folder(args: argparse.Namespace, editor: Any) -> None:
    """Make a bank of the faces in a folder's photos."""
    from ppstyleclip.cli.latents.photo_bank import collect_photos, invert_photos, save_photo_bank
    from ppstyleclip.cli.photos import pictures_in
    from ppstyleclip.cli.progress import show_progress

    paths = pictures_in(args.input_image)
    records = invert_photos(
        editor, paths, which=args.face or "best", aligned=args.aligned, landmark_path=args.landmark_path
    )
    found = collect_photos(show_progress(records, title="photos"))
    written = save_photo_bank(Path(args.output_path), editor, found)
    faces = sum(len(record.w_plus) for record in found)
    print(
        f"{counted(faces, 'face')} in {len(found)} of {counted(len(paths), 'photo')}, inverted by the "
        f"encoder of {editor.bundle.name}"
    )
    for path in written:
        print(f"wrote {path}")
