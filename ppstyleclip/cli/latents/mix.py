# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mix two faces level by level.

Writes src1.mixing.png, src2.mixing.png, dst.mixing.png and the mixture's latent, dst.mixing.npy.

    ppstyleclip mix --seed1 1 --seed2 2
    ppstyleclip mix --seed1 1 --seed2 2 --crossover 4
    ppstyleclip mix --latent1 dst.npy --latent2 dst.fitting.npy --weights 0.7
"""

from __future__ import annotations

import argparse

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import STRENGTH, Whole
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_face_arguments,
    add_model_arguments,
    check_faces,
    documented_parser,
    load_editor,
)
from ppstyleclip.wording import counted

SEEDS = {"1": DEFAULT_SEED, "2": DEFAULT_SEED + 1}


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    how = parser.add_argument_group("mixture").add_mutually_exclusive_group()
    how.add_argument(
        "--weights",
        type=STRENGTH,
        nargs="+",
        default=[0.5],
        metavar="SHARE",
        help="share of face 1 at each level, coarse levels first, or one for all (default: 0.5)",
    )
    how.add_argument(
        "--crossover",
        type=Whole(0, 100),
        metavar="LEVEL",
        help="style mixing: the levels before this one from face 1, the finer ones from face 2",
    )
    for number, seed in SEEDS.items():
        add_face_arguments(parser, number, seed=seed)
    add_canvas_arguments(parser)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Mix, write, and say what was done."""
    check_faces(args, SEEDS)
    editor = load_editor(args)

    from ppstyleclip.cli.faces import given_face
    from ppstyleclip.cli.saving import save_mixture
    from ppstyleclip.pipelines.sampling import mix_faces

    (first, name1), (second, name2) = (
        given_face(editor, args, number, seed=seed) for number, seed in SEEDS.items()
    )
    made = mix_faces(editor, first, second, weights=args.weights, level=args.crossover)
    how = f"crossover at level {args.crossover}"
    if args.crossover is None:
        how = "weights " + " ".join(f"{weight:g}" for weight in args.weights)
    written = save_mixture(args.output_path, made)
    print(f"{name1} and {name2} of {editor.bundle.name}, {counted(first.shape[1], 'level')}: {how}")
    for path in written:
        print(f"wrote {path}")
