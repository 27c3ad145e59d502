#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the latent of a face by optimisation, from the encoder's latent, the mean one, or one that is given.

Writes src.fitting.png (the face), dst.fitting.png (as it is drawn) and dst.fitting.npy (its latent).

    python tools/styleganv2fitting.py --input_image scene.png --need_align
    python tools/styleganv2fitting.py --input_image src.png --pre_latent dst.npy --model_type ffhq-config-f
    python tools/styleganv2fitting.py --input_image src.png --recipe image2stylegan --step 300
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
from ppstyleclip.files import check_file


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("photo").add_argument
    add("--input_image", required=True, help="the picture")
    add("--need_align", action="store_true", help="find the face in it; else it is a crop of a face already")
    add("--pre_latent", help="latent to begin with (default: the encoder's, or the mean one)")
    add("--seed", type=int, help="of no effect here; PaddleGAN's tool has it")
    add = parser.add_argument_group("fitting").add_argument
    add(
        "--recipe",
        default="paddlegan",
        choices=("paddlegan", "image2stylegan"),
        help="paddlegan: LPIPS, from the encoder's latent; image2stylegan: VGG-16's features, from the mean "
        "latent, all layers (default: paddlegan). What follows replaces parts of it",
    )
    add("--start_lr", type=finite_number, help="first learning rate (default: 0.1; image2stylegan: 0.02)")
    add("--final_lr", type=finite_number, help="last learning rate (default: 0.025; image2stylegan: 0.02)")
    add(
        "--latent_level",
        type=int,
        nargs="+",
        metavar="LEVEL",
        help="layers of the latent that move (default: the first twelve; image2stylegan: all)",
    )
    add("--step", type=int, help="how many steps (default: 100; image2stylegan: 1500)")
    add(
        "--mse_weight",
        type=finite_number,
        help="weight of squared differences beside LPIPS or VGG (default: 1; image2stylegan: 0.25)",
    )
    add_identity_argument(add)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args) -> None:
    """Fit, write, and say what was done."""
    for path in filter(None, (args.input_image, args.pre_latent, args.ir_se50_weights)):
        check_file(path)
    editor = load_editor(args)

    from ppstyleclip.apps.photo import aligned_faces, whole_picture
    from ppstyleclip.apps.styleganv2fitting_predictor import FILES, fit_to_files

    bundle = editor.bundle
    face = (
        aligned_faces(bundle, args.input_image)[1][0]
        if args.need_align
        else whole_picture(bundle, args.input_image)
    )
    made = fit_to_files(
        editor,
        face,
        args.output_path,
        recipe=args.recipe,
        steps=args.step,
        start_lr=args.start_lr,
        final_lr=args.final_lr,
        latent_level=args.latent_level,
        mse_weight=args.mse_weight,
        pre_latent=args.pre_latent,
        identity_path=args.ir_se50_weights,
    )
    print(
        f"{args.input_image} fitted to {bundle.name} in {made.steps} steps by {made.distance} and squared "
        f"differences: {made.words}"
    )
    for name in FILES:
        print(f"wrote {Path(args.output_path) / name}")


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return run_cli(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
