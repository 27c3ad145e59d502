# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Film a face, and an edit of it that comes and goes, while the camera moves; for StyleGAN3.

Writes camera.mp4 and camera.gif, which repeat without a seam, and strip.png, some frames of them.

    ppstyleclip camera --bundle my_stylegan3 --target "happy face"
    ppstyleclip camera 5 --bundle my_stylegan3
    ppstyleclip camera dst.npy --bundle my_stylegan3 --path sway --degrees 20 --frames 48
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import MOVE, TURN, Number, Whole, is_seed
from ppstyleclip.cli.arguments import (
    add_face_arguments,
    add_model_arguments,
    check_faces,
    documented_parser,
    refuse_idle,
)
from ppstyleclip.cli.edit_arguments import (
    add_edit_arguments,
    add_measured_arguments,
    load_measured_editor,
    text_edit,
)
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError
from ppstyleclip.memory import check_memory
from ppstyleclip.wording import counted

EDIT_OPTIONS = (
    *("neutral", "direction_offset", "beta_threshold", "soft_threshold", "pull", "alpha_unit"),
    *("templates", "region", "relevance", "direction_path", "stat_path", "clip", "within"),
)
MOST_BYTES = 8 * 10**9  # of the frames, which are in memory together


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__ or "")
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SEED | LATENT",
        help="the face, in place of --seed and --latent: digits are a seed, else it is a latent file",
    )
    add = parser.add_argument_group("camera").add_argument
    add(
        "--path",
        choices=("circle", "pan", "sway", "turn"),
        default="circle",
        help="the picture goes round its middle; to both sides; turns one way and the other; or all around "
        "(default: circle)",
    )
    add(
        "--reach",
        type=MOVE,
        metavar="SIDES",
        help="how far circle and pan go, in sides of the picture (default: 0.08)",
    )
    add("--degrees", type=TURN, help="how far sway turns (default: 15)")
    add("--frames", type=Whole(1, 10_000), default=96, help="how many (default: %(default)s)")
    add("--fps", type=Number(1, 50), default=24, help="frames a second, 1 to 50 (default: %(default)s)")
    add("--steady", action="store_true", help="keep the edit at its strength; else it comes and goes once")
    add_edit_arguments(parser.add_argument_group("edit").add_argument)
    add_face_arguments(parser, seed=DEFAULT_SEED)
    add_measured_arguments(add_model_arguments(parser))
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Film, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    _take_source(args)
    check_faces(args)
    if len(args.direction_offset or ()) > 1:
        raise UserError("a film has one strength; give one --direction_offset")
    if args.path not in ("circle", "pan"):
        refuse_idle(args, ["reach"], f"with --path {args.path}")
    if args.path != "sway":
        refuse_idle(args, ["degrees"], f"with --path {args.path}")
    if args.target is None:
        refuse_idle(args, ("steady", *EDIT_OPTIONS), "without --target")
    editor = load_measured_editor(args)

    from dataclasses import replace

    from ppstyleclip.cli.faces import given_face
    from ppstyleclip.cli.saving import save_film
    from ppstyleclip.pictures import STRIP_SIDE
    from ppstyleclip.pipelines.camera import CameraConfig, film_face
    from ppstyleclip.pipelines.records import result_of

    edit, alpha = None, (args.direction_offset or [None])[0]
    if args.target is not None:
        edit = replace(text_edit(args), alpha=alpha)
    side = max(editor.bundle.generator.size, STRIP_SIDE)
    needed = 3 * 3 * side**2 * args.frames  # drawn, enlarged, and reduced for the GIF
    check_memory(needed, f"a film of {counted(args.frames, 'frame')}", "take fewer --frames", MOST_BYTES)
    face, source = given_face(editor, args, seed=DEFAULT_SEED)
    moves = {"reach": args.reach, "degrees": args.degrees}
    given = {name: value for name, value in moves.items() if value is not None}
    config = CameraConfig(args.path, args.frames, steady=args.steady, **given)
    film = result_of(show_progress(film_face(editor, face, edit, config), title="frames", delay=2))
    written = save_film(args.output_path, film, fps=args.fps)
    what = f"{film.edit}, strength {film.edit.alpha:g}, on " if film.edit is not None else ""
    print(f"{what}{source} of {editor.bundle.name}: {args.path}, {counted(args.frames, 'frame')}")
    for path in written:
        print(f"wrote {path}")


def _take_source(args: argparse.Namespace) -> None:
    """Take the first argument for --seed or --latent.

    Raises:
        UserError: one of these names a face as well.
    """
    if args.source is None:
        return
    if args.seed is not None or args.latent is not None:
        raise UserError(f"{args.source} names a face, and so does --seed or --latent; give one of these")
    if is_seed(args.source):
        args.seed = int(args.source)
    else:
        args.latent = args.source
