# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the latent of a face by optimisation, from the encoder's latent, the mean one, or one that is given.

Writes src.fitting.png (the face), dst.fitting.png (as it is drawn) and dst.fitting.npy (its latent).

    ppstyleclip fit --input_image scene.png --need_align
    ppstyleclip fit --input_image src.png --pre_latent dst.npy --model_type ffhq-config-f
    ppstyleclip fit --input_image src.png --recipe image2stylegan --step 300
    ppstyleclip fit --input_image src.png --recipe projector
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

from ppstyleclip.cli.argument_types import MOST_STEPS, SEED, WEIGHT, Number, Whole
from ppstyleclip.cli.arguments import (
    add_encoder_argument,
    add_identity_argument,
    add_model_arguments,
    documented_parser,
    find_files,
    load_editor,
    refuse_idle,
)
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import MissingFile
from ppstyleclip.files import check_file
from ppstyleclip.wording import counted

if TYPE_CHECKING:
    from ppstyleclip.methods.inversion import Distance
    from ppstyleclip.pipelines.fitting import FaceFitConfig


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("photo").add_argument
    add("--input_image", required=True, help="the picture")
    add("--need_align", action="store_true", help="find the face in it; else it is a crop of a face already")
    add("--pre_latent", help="latent to begin with (default: the encoder's, or the mean one)")
    add("--seed", type=SEED, help="of projector: of its noise; else of no effect, PaddleGAN's tool has it")
    add = parser.add_argument_group("fitting").add_argument
    add(
        "--recipe",
        default="paddlegan",
        choices=("paddlegan", "image2stylegan", "projector"),
        help="paddlegan: LPIPS, from the encoder's latent; image2stylegan: VGG-16's features, from the mean "
        "latent, all layers; projector: LPIPS, one w for all layers, from the mean w, and noise pictures, as "
        "StyleGAN2's and seed 004's (default: paddlegan). What follows replaces parts of it",
    )
    add(
        "--start_lr",
        type=WEIGHT,
        help="first learning rate (default: 0.1; image2stylegan: 0.02; projector: 0.03, between its ramps)",
    )
    add("--final_lr", type=WEIGHT, help="last learning rate (default: 0.025; image2stylegan: 0.02)")
    add(
        "--latent_level",
        type=Whole(0, 100),
        nargs="+",
        metavar="LEVEL",
        help="layers of the latent that move (default: the first twelve; image2stylegan: all)",
    )
    add(
        "--step",
        type=Whole(1, MOST_STEPS),
        help="how many steps (default: 100; image2stylegan: 1500; projector: 1000)",
    )
    add(
        "--mse_weight",
        type=WEIGHT,
        help="weight of squared differences beside LPIPS or VGG (default: 1; image2stylegan: 0.25)",
    )
    add(
        "--noise_weight",
        type=Number(0, 1e9),
        help="of projector: how strongly noise pictures are kept noise; 0 leaves the generator's own as they "
        "are (default: 1e5; StyleGAN3 has none)",
    )
    add_encoder_argument(add)
    add_identity_argument(add)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Fit, write, and say what was done."""
    check_file(args.input_image)
    find_files(args, "pre_latent", "ir_se50_weights")
    editor = load_editor(args)

    from ppstyleclip.cli.photos import in_words, read_face
    from ppstyleclip.cli.saving import save_inversion
    from ppstyleclip.pipelines.fitting import fit_config, fit_face
    from ppstyleclip.pipelines.latent_files import load_face
    from ppstyleclip.pipelines.quality import load_measures
    from ppstyleclip.pipelines.records import result_of

    config = fit_config(
        args.recipe,
        steps=args.step,
        start_rate=args.start_lr,
        last_rate=args.final_lr,
        levels=args.latent_level,
        mse_weight=args.mse_weight,
        noise_weight=args.noise_weight,
        seed=args.seed if args.recipe == "projector" else None,
    )
    if args.pre_latent is not None:
        refuse_idle(args, ["encoder"], "with --pre_latent, with which the fit begins")
    if config.from_mean:
        refuse_idle(args, ["encoder"], f"with --recipe {args.recipe}, which begins with the mean latent")
    face = read_face(editor.bundle, args.input_image, aligned=not args.need_align, tell=print)
    distance = load_distance_or_warn(config, editor.bundle.generator.size)
    measures = load_measures(editor.bundle, args.ir_se50_weights, distance=distance)
    start = None if args.pre_latent is None else load_face(editor, args.pre_latent)
    records = fit_face(editor, face.crop, config, measures, start=start, distance=distance)
    made = result_of(show_progress(records, title="fitting"))
    written = save_inversion(args.output_path, made, infix=".fitting")
    (words,) = in_words(measures, *made.stages)
    also = " differences" if args.recipe == "projector" else " and squared differences"
    print(
        f"{args.input_image} fitted to {editor.bundle.name} in {counted(config.fitting.steps, 'step')} by "
        f"{'plain' if distance is None else distance.name}{also}: {words}, {made.seconds:.1f} s"
    )
    for path in written:
        print(f"wrote {path}")


def load_distance_or_warn(config: FaceFitConfig, size: int) -> Distance | None:
    """Load LPIPS or VGG for large pictures; where its weights are not to be had, a warning says so."""
    from ppstyleclip.pipelines.fitting import load_distance

    try:
        return load_distance(config, size)
    except MissingFile as error:
        warnings.warn(
            f"no {config.distance.upper()}, so pictures are compared by plain differences at several "
            f"scales: {error}",
            stacklevel=2,
        )
        return None
