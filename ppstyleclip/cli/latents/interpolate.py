# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Go from face to face to face: a labelled row, a GIF and a video; first and last face included.

Writes strip.png, interpolation.gif and interpolation.mp4.

    ppstyleclip interpolate --seed 1 2 3 1
    ppstyleclip interpolate --latent dst.npy dst.editing.npy --steps 48
    ppstyleclip interpolate --latent bank.pt --index 0 7 --fps 12
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import INDEX, SEED, Number, Whole
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_model_arguments,
    documented_parser,
    load_editor,
)
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError
from ppstyleclip.memory import check_memory
from ppstyleclip.wording import counted

MOST_BYTES = 8 * 10**9  # of the pictures of a film, which are in memory together
SEEDS = [DEFAULT_SEED, DEFAULT_SEED + 1]


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("faces").add_argument
    add("--latent", nargs="+", metavar="FILE", help="latents of the faces, in order (default: sampled faces)")
    add(
        "--index",
        type=INDEX,
        nargs="+",
        metavar="N",
        help="which one of each file that holds several, or several of the only file (default: 0)",
    )
    add(
        "--seed",
        type=SEED,
        nargs="+",
        metavar="SEED",
        help=f"seeds of sampled faces, without --latent (default: {SEEDS[0]} {SEEDS[1]})",
    )
    add = parser.add_argument_group("motion").add_argument
    add(
        "--steps",
        type=Whole(1, 10_000),
        default=24,
        metavar="N",
        help="pictures from each face to the next (default: %(default)s)",
    )
    add(
        "--fps",
        type=Number(1, 50),
        default=24,
        metavar="N",
        help="pictures a second, 1 to 50 (default: %(default)s)",
    )
    add_canvas_arguments(parser)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Draw, write, and say where; what can be refused at once is, before Paddle is imported."""
    named = named_latents(args)
    editor = load_editor(args)

    import numpy as np

    from ppstyleclip.cli.saving import save_interpolation
    from ppstyleclip.pictures import STRIP_SIDE
    from ppstyleclip.pipelines.interpolation import interpolate_faces
    from ppstyleclip.pipelines.latent_files import load_face
    from ppstyleclip.pipelines.records import result_of
    from ppstyleclip.video import check_fps

    if named:
        stops = np.concatenate([load_face(editor, path, index) for path, index in named])
    else:
        stops = editor.sample(args.seed or SEEDS).numpy()
    check_fps(args.fps)
    count, side = (len(stops) - 1) * args.steps + 1, max(editor.bundle.generator.size, STRIP_SIDE)
    needed = 3 * 3 * side**2 * count  # drawn, enlarged, and reduced for the GIF
    check_memory(needed, f"a film of {counted(count, 'picture')}", "take fewer --steps or faces", MOST_BYTES)
    records = show_progress(interpolate_faces(editor, stops, args.steps), title="pictures", delay=2)
    pixels = result_of(records)
    written = save_interpolation(
        args.output_path, pixels, num_stops=len(stops), steps=args.steps, fps=args.fps
    )
    print(
        f"{counted(len(stops), 'face')} of {editor.bundle.name}: {counted(len(pixels), 'picture')}, "
        f"{len(pixels) / args.fps:.1f} s"
    )
    for path in written:
        print(f"wrote {path}")


def named_latents(args: argparse.Namespace) -> list[tuple]:
    """List (file, index) of each face; none where faces are sampled.

    Raises:
        UserError: seeds as well, a file that is not there, or not an index for each file.
    """
    paths, indices = args.latent or [], args.index
    if paths and args.seed:
        raise UserError("--seed draws faces and --latent names them; give --seed or --latent")
    from ppstyleclip.zoo.named_files import named_file

    paths = [str(named_file(path)) for path in paths]
    if indices is None:
        indices = [0] * len(paths)
    if len(paths) == 1:
        paths = paths * len(indices)
    if len(indices) != len(paths):
        raise UserError(
            f"{counted(len(indices), 'index was', 'indices were')} given for "
            f"{counted(len(paths), 'file')}; give --index a number for each"
        )
    return list(zip(paths, indices))
