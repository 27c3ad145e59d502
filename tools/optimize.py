#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Optimise a face until CLIP sees a text in it: StyleCLIP's first method.

Writes final_result.png (before and after), latent.npy, losses.csv and losses.png; with --save_every pictures
on the way, with --animation the way itself. Ctrl-C writes what is reached by then.

    python tools/optimize.py --description "happy face"
    python tools/optimize.py --description "face with glasses" "sad face" --weights 1 0.5 --seed 5 6
    python tools/optimize.py --description "a person with purple hair" --preset official \\
           --model_type ffhq-config-f --latent dst.npy
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, finite_number, load_editor
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file

KNOBS = {
    "step": "steps",
    "lr": "rate",
    "lr_rampup": "up",
    "l2_lambda": "l2",
    "id_lambda": "identity",
    "space": "space",
    "views": "views",
    "toward": "toward",
    "nearby": "nearby",
    "spread": "spread",
}


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; names are those of StyleCLIP's run_optimization.py."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("optimisation").add_argument
    add("--description", nargs="+", required=True, metavar="TEXT", help="what the face should be; or several")
    add(
        "--neutral",
        default="face",
        help="what the face is, where the preset asks for a direction (default: face)",
    )
    add("--weights", type=finite_number, nargs="+", metavar="W", help="of the texts (default: 1 each)")
    add(
        "--mode",
        choices=("edit", "free_generation"),
        default="edit",
        help="from a face and near it, or from the mean latent and free (default: edit)",
    )
    add(
        "--preset",
        metavar="NAME",
        help="official, seed001, seed004, toonface, toonface_latent, or a YAML "
        "file (default: for the embedded model toonface, with --latent toonface_latent; else official)",
    )
    add("--step", type=int, help="how many steps (default: the preset's, as for all below)")
    add("--lr", type=finite_number, help="learning rate")
    add("--lr_rampup", type=finite_number, metavar="SHARE", help="share of the steps in which it rises")
    add("--l2_lambda", type=finite_number, help="weight of the distance from the start")
    add("--id_lambda", type=finite_number, help="weight of the identity loss")
    add("--ir_se50_weights", metavar="FILE", help="the identity network (default: the model's own)")
    add("--space", help="z, w, w_plus or s: what moves")
    add("--work_in_stylespace", action="store_const", const="s", dest="space", help="the same as --space s")
    add(
        "--toward",
        type=finite_number,
        metavar="LENGTH",
        help="how far CLIP's view of the face moves along the text; 0: towards the text alone, as the paper",
    )
    add("--views", type=int, help="shifted copies of the picture that CLIP sees, 1 to 5")
    add("--nearby", type=int, metavar="N", help="faces near this one that take turns with it and move alike")
    add("--spread", type=finite_number, help="how far off those are; 1: as far as faces are from their mean")
    add(
        "--save_every",
        "--save_intermediate_image_every",
        type=int,
        default=0,
        metavar="N",
        help="write a picture each N steps (default: 0, none)",
    )
    add("--animation", choices=("gif", "mp4"), help="write the way as well")
    add = parser.add_argument_group("face").add_argument
    add("--latent", "--latent_path", help="latents to begin with (default: a sampled face)")
    add("--seed", type=int, nargs="+", help=f"of sampled faces, one or several (default: {DEFAULT_SEED})")
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args) -> None:
    """Optimise, write, and say what was done."""
    if args.latent is not None and args.seed is not None:
        raise UserError("--seed draws faces and --latent names one; give one of them")
    for path in filter(None, (args.latent, args.ir_se50_weights)):
        check_file(path)
    if args.weights is not None and len(args.weights) != len(args.description):
        raise UserError(
            f"--weights are {len(args.weights)}, --description are {len(args.description)}; give "
            "as many of the one as of the other"
        )
    editor = load_editor(args)

    from ppstyleclip.apps import optimize as app
    from ppstyleclip.apps.faces import load_face
    from ppstyleclip.zoo import load_identity

    changes = {own: getattr(args, name) for name, own in KNOBS.items()}
    if args.mode == "free_generation":
        changes.update(l2=0.0, toward=0.0, identity=0.0)
    sampled = args.latent is None and args.mode == "edit"
    preset = args.preset or app.default_preset(editor.bundle, sampled=sampled)
    settings = app.read_settings(preset, **changes)
    identity = None
    if settings.identity > 0:
        identity = load_identity(args.ir_se50_weights) if args.ir_se50_weights else editor.bundle.identity
    if identity is None and args.id_lambda is None:
        settings = replace(settings, identity=0.0)  # a preset's wish, and no network
    if args.mode == "free_generation":
        start, source = app.mean_start(editor, settings.space), "the mean latent"
    elif args.latent is not None:
        start, source = app.in_space(editor, load_face(editor, args.latent), settings.space), args.latent
    else:
        seeds = args.seed or [DEFAULT_SEED]
        start = app.starts(editor, seeds, settings.space)
        source = "sampled face " + ", ".join(map(str, seeds))
    made = app.optimise_to_files(
        editor,
        start,
        args.description,
        settings,
        args.output_path,
        neutral=args.neutral,
        weights=args.weights,
        save_every=args.save_every,
        animation=args.animation,
        identity=identity,
    )
    print(
        f"{' + '.join(args.description)}, on {source} of {editor.bundle.name}: {settings.steps} steps in "
        f"{settings.space}, CLIP loss {made.losses['clip'][0].mean():.3f} to "
        f"{made.losses['clip'][-1].mean():.3f}"
    )
    for path in made.written:
        print(f"wrote {path}")


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return run_cli(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
