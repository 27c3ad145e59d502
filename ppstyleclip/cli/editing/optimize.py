# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Optimise a face until CLIP sees a text in it: StyleCLIP's first method.

Writes final_result.png (before and after), latent.npy, losses.csv and losses.png; with --save_every pictures
on the way, with --animation the way itself. Ctrl-C writes what is reached by then.

    ppstyleclip optimize --description "happy face"
    ppstyleclip optimize --description "face with glasses" "sad face" --weights 1 0.5 --seed 5 6
    ppstyleclip optimize --description "a person with purple hair" --preset official \\
           --model_type ffhq-config-f --latent dst.npy
"""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import EVERY, FRACTION, MOST_STEPS, SEED, WEIGHT, Whole, words
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_model_arguments,
    documented_parser,
    find_files,
    load_editor,
    refuse_idle,
)
from ppstyleclip.cli.edit_arguments import add_region_argument
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.pipelines.recipe_files import NEUTRAL
from ppstyleclip.wording import counted

# Option -> field of the configuration.
FIELDS = {
    "step": "steps",
    "lr": "learning_rate",
    "lr_rampup": "rampup",
    "l2_lambda": "l2",
    "id_lambda": "identity",
    "space": "space",
    "views": "crops",
    "toward": "directional_strength",
    "nearby": "neighbours",
    "spread": "neighbour_std",
}
TIES = ("l2_lambda", "id_lambda", "toward", "ir_se50_weights")  # to the face that one begins at


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; names are those of StyleCLIP's run_optimization.py."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("optimisation").add_argument
    add(
        "--description",
        type=words,
        nargs="+",
        required=True,
        metavar="TEXT",
        help="what the face should be; or several",
    )
    add(
        "--neutral",
        type=words,
        help="what the face is, where the preset asks for a direction (default: face)",
    )
    add("--weights", type=WEIGHT, nargs="+", metavar="W", help="of the texts (default: 1 each)")
    add(
        "--mode",
        choices=("edit", "free_generation"),
        default="edit",
        help="from a face and near it, or from the mean latent and free (default: edit)",
    )
    add(
        "--preset",
        metavar="NAME",
        help="official, seed001, seed004, seed004_w, seed004_z, portrait, portrait_latent, or a YAML "
        "file (default: for the embedded model portrait, with --latent portrait_latent; else official)",
    )
    add("--step", type=Whole(1, MOST_STEPS), help="how many steps (default: the preset's, as for all below)")
    add("--lr", type=WEIGHT, help="learning rate")
    add("--lr_rampup", type=FRACTION, metavar="SHARE", help="share of the steps in which it rises")
    add("--l2_lambda", type=WEIGHT, help="weight of the distance from the start")
    add("--id_lambda", type=WEIGHT, help="weight of the identity loss")
    add("--ir_se50_weights", metavar="FILE", help="the identity network (default: the model's own)")
    add("--space", help="z, w, w_plus or s: what moves")
    add("--work_in_stylespace", action="store_const", const="s", dest="space", help="the same as --space s")
    add(
        "--toward",
        type=WEIGHT,
        metavar="LENGTH",
        help="how far CLIP's view of the face moves along the text; 0: towards the text alone, as the paper",
    )
    add("--views", type=Whole(1, 5), help="shifted copies of the picture that CLIP sees, 1 to 5")
    add(
        "--nearby",
        type=Whole(0, 4096),
        metavar="N",
        help="faces near this one that take turns with it and move alike",
    )
    add("--spread", type=WEIGHT, help="how far off those are; 1: as far as faces are from their mean")
    add_region_argument(add)
    add(
        "--save_every",
        "--save_intermediate_image_every",
        type=EVERY,
        default=0,
        metavar="N",
        help="write a picture each N steps (default: 0, none)",
    )
    add(
        "--animation",
        nargs="?",
        const="gif",
        choices=("gif", "mp4"),
        help="write the way as well: gif, if no kind is named, or mp4",
    )
    add = parser.add_argument_group("face").add_argument
    add("--latent", "--latent_path", help="latents to begin with (default: a sampled face)")
    add("--seed", type=SEED, nargs="+", help=f"of sampled faces, one or several (default: {DEFAULT_SEED})")
    add_canvas_arguments(parser)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Optimise, write, and say what was done."""
    _check(args)
    editor = load_editor(args)

    from ppstyleclip.cli.editing.optimization_folder import OptimizationFolder
    from ppstyleclip.pipelines.optimization import OptimizationHistory, optimize_faces

    config, identity = _config(args, editor)
    start, source = _start(args, editor, config.space)
    folder = OptimizationFolder(args.output_path, animation=args.animation)
    history = OptimizationHistory(editor, start, config, keep_frames=args.animation is not None)
    records = optimize_faces(
        editor,
        start,
        args.description,
        config,
        neutral=args.neutral or NEUTRAL,
        weights=args.weights,
        identity=identity,
        pictures_every=args.save_every,
        history=history,
        region=args.region,
    )
    _write(folder, history, show_progress(records, title="optimising"))
    losses = [float(values.mean()) for values in history.terms["clip"]]
    print(
        f"{' + '.join(args.description)}, on {source} of {editor.bundle.name}: "
        f"{counted(config.steps, 'step')} in "
        f"{config.space}, CLIP loss {losses[0]:.3f} to {losses[-1]:.3f}"
    )
    for path in folder.written:
        print(f"wrote {path}")


def _check(args: argparse.Namespace) -> None:
    """Refuse at once what need not wait for the model."""
    if args.latent is not None and args.seed is not None:
        raise UserError("--seed draws faces and --latent names one; give --seed or --latent")
    if args.mode == "free_generation":
        refuse_idle(args, ("latent", "seed", *TIES), "with --mode free_generation, which begins at no face")
    find_files(args, "latent", "ir_se50_weights")
    if args.weights is not None and len(args.weights) != len(args.description):
        raise UserError(
            f"--weights are {len(args.weights)}, --description are {len(args.description)}; give "
            "as many of the one as of the other"
        )


def _config(args: argparse.Namespace, editor: Any) -> tuple[Any, Any]:
    """The configuration of the preset and the arguments, and the identity network if it needs one."""
    from ppstyleclip.pipelines.optimization import default_preset
    from ppstyleclip.pipelines.presets import read_optimization_preset
    from ppstyleclip.zoo import load_identity

    changes = {field: getattr(args, name) for name, field in FIELDS.items()}
    if args.mode == "free_generation":
        changes.update(dict.fromkeys((FIELDS[name] for name in TIES if name in FIELDS), 0.0))
    is_sampled = args.latent is None and args.mode == "edit"
    preset = args.preset or default_preset(editor.bundle.name, is_sampled=is_sampled)
    config = read_optimization_preset(preset, **changes)
    _refuse_idle_parts(args, config)
    if "identity" not in config.objective.parts:
        return config, None
    identity = load_identity(args.ir_se50_weights) if args.ir_se50_weights else editor.bundle.identity
    if identity is None and args.id_lambda is None:  # a preset's wish, and no network
        config = read_optimization_preset(preset, **{**changes, "identity": 0.0})
    return config, identity


def _refuse_idle_parts(args: argparse.Namespace, config: Any) -> None:
    """Refuse options that the configuration, with the preset's part in it, makes nothing of."""
    if config.objective.directional_strength == 0 and args.region != "auto":
        refuse_idle(args, ["neutral"], "without a direction (--toward LENGTH)")
    if config.neighbours == 0:
        refuse_idle(args, ["spread"], "without nearby faces (--nearby N)")
    if config.schedule != "rampup_cosine":
        refuse_idle(args, ["lr_rampup"], f"with the schedule {config.schedule}")
    if "identity" not in config.objective.parts:
        refuse_idle(args, ["ir_se50_weights"], "without an identity loss (--id_lambda WEIGHT)")


def _start(args: argparse.Namespace, editor: Any, space: str) -> tuple[Any, str]:
    """Latents to begin with, and what to call them."""
    from ppstyleclip.pipelines.latent_files import load_face
    from ppstyleclip.pipelines.optimization import mean_start, sample_start, to_space

    if args.mode == "free_generation":
        return mean_start(editor, space), "the mean latent"
    if args.latent is not None:
        return to_space(editor, load_face(editor, args.latent), space), args.latent
    seeds = args.seed or [DEFAULT_SEED]
    return sample_start(editor, seeds, space), "sampled face " + ", ".join(map(str, seeds))


def _write(folder: Any, history: Any, records: Any) -> None:
    """Write pictures on the way and the result; a run that ends early leaves what it has reached."""
    try:
        with closing(records):
            for record in records:
                if record.pictures is not None:
                    folder.write_pictures(record.done, record.pictures)
    except CannotWrite:
        raise
    except UserError:  # a loss is not finite: what the last update led to is no face
        if not history.is_empty:
            folder.write_result(history.result(evaluated=True))
        raise
    except KeyboardInterrupt:
        if not history.is_empty:
            folder.write_result(history.result())
        raise
    folder.write_result(record.result)
