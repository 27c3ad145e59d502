#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by text: StyleCLIP's global directions.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.pd (its styles, as PaddleGAN
saves them) and, for several offsets, strip.png (all of them in a labelled row).

    python tools/styleganv2clip.py --neutral face --target "happy face"
    python tools/styleganv2clip.py --target "sad face" --seed 5 --direction_offset -1 0 1 2 3 4 5
    python tools/styleganv2clip.py --latent dst.npy --model_type ffhq-config-f --target "boy face" --cpu
"""
from __future__ import annotations

import argparse
import math

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.apps.cli import guard
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, check_writable
from ppstyleclip.threads import import_paddle

FILES = ("latent", "weight_path", "direction_path", "stat_path")
SIZES = ("size", "style_dim", "n_mlp", "channel_multiplier")


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    summary, _, examples = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=examples,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument_group("edit").add_argument
    add("--neutral", default="face", help="what the picture shows (default: face)")
    add("--target", required=True, help="what it should show, such as 'happy face'")
    add("--direction_offset", type=_number, nargs="+", metavar="ALPHA",
        help="strength, or several; dst is the last one (default: the model's own)")
    add("--beta_threshold", type=_number, metavar="BETA",
        help="style channels less related to the text stay still (default: the model's own)")
    add("--soft_threshold", type=_number, default=0.0, metavar="SHARE",
        help="share of its movement that a channel below BETA keeps, 0 to 1 (default: 0)")
    add("--pull", type=_number, metavar="SHARE",
        help="how far the step leans towards how faces differ, 0 (the paper) to 1 (default: the model's own)")
    add("--alpha_unit", choices=("style", "sigma", "effect"),
        help="what ALPHA counts: raw style values, as PaddleGAN; standard deviations, as the paper; "
             "or expected movement in CLIP's eyes (default: the model's own)")
    add("--templates", choices=("paddlegan", "official", "plain"),
        help="sentences that the words are put into (default: the model's own)")
    add = parser.add_argument_group("face").add_argument
    add("--latent", help="latent of the face, such as pSp's dst.npy (default: a sampled face)")
    add("--index", type=int, default=0, help="which one, where the file holds several (default: 0)")
    add("--seed", type=int, help=f"seed of the sampled face, without --latent (default: {DEFAULT_SEED})")
    add = parser.add_argument_group("model").add_argument
    add("--model_type", help="known model, such as ffhq-config-f (default: the embedded face world)")
    add("--bundle", metavar="DIR", help="folder of a model of your own, in place of --model_type")
    add("--weight_path", help="weights of the generator, in place of the model's own")
    add("--direction_path", help="relevance of the style channels, in place of the model's own")
    add("--stat_path", help="mean and deviation of the styles, in place of the model's own")
    add("--clip", help="CLIP of the relevance, by name or file (default: the one that it states)")
    for name in SIZES:
        add(f"--{name}", type=int, help="must agree with the weights (default: theirs)")
    add("--cpu", action="store_true", help="use the CPU even where there is a GPU")
    add("--output_path", default="output_dir", help="folder of the results (default: output_dir)")
    return parser.parse_args(argv)


def run(args) -> None:
    """Edit, write, and say what was done; what can be refused at once is, before Paddle is imported."""
    if args.latent is not None and args.seed is not None:
        raise UserError("--seed draws a face and --latent names one; give one of them")
    for path in filter(None, (getattr(args, name) for name in FILES)):
        check_file(path)
    check_writable(args.output_path)
    paddle = import_paddle()
    if args.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.apps.styleganv2clip_predictor import edit_to_files, load_face
    from ppstyleclip.editor import Edit, Editor

    editor = Editor.from_pretrained(
        args.model_type, bundle=args.bundle, weight_path=args.weight_path, direction_path=args.direction_path,
        stat_path=args.stat_path, clip=args.clip, **{name: getattr(args, name) for name in SIZES})
    seed = DEFAULT_SEED if args.seed is None else args.seed
    face = editor.sample(seed) if args.latent is None else load_face(editor, args.latent, args.index)
    edit = editor.resolve(Edit(args.neutral, args.target, beta=args.beta_threshold, unit=args.alpha_unit,
                               templates=args.templates, soft=args.soft_threshold, pull=args.pull))
    offsets = [edit.alpha] if args.direction_offset is None else args.direction_offset
    edited = edit_to_files(editor, face, edit, offsets, args.output_path)

    source = f"sampled face {seed}" if args.latent is None else args.latent
    print(f"{edit}, on {source} of {editor.bundle.name}: strength {edited.edit.alpha:g} ({edit.unit} units)")
    print(f"{edited.direction.num_channels} of {editor.bundle.layout.num_editable} style channels moved at "
          f"threshold {edit.beta:g}; the strongest reaches {edited.direction.max_relevance:.3g}")
    for path in edited.written:
        print(f"wrote {path}")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"a finite number is needed, got {text}")
    return value


def main(argv=None) -> int:
    """Parse, run, and turn bad input into one line and exit code 2."""
    return guard(run, parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
