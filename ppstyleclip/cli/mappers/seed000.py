# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""text2image_manipulation's three commands, with its options and its defaults, as its README prints them.

    cd applications/mapper
    python train.py --data_mode "hair" --train_dataset_size 25000 --mapper_mode "Mapper_cat" --no_fine_mapper
    python inference.py --latent_path "test_female.pt" --modules celeb_female --modules hair_sum \\
           --texts Emma_Stone --texts wavy
    python single_inference.py --latent_path "test_female.pt" --texts Emma_Watson --texts wavy --texts black

They are `ppstyleclip train-mapper` and `ppstyleclip map`, whose options they all take. Their model is FFHQ;
with --model_type portrait, --bundle or --weight_path it is another, whose faces are sampled where no file is
named.
"""

from __future__ import annotations

import argparse

from ppstyleclip.cli.mappers import map as mapping
from ppstyleclip.cli.mappers import train_mapper
from ppstyleclip.errors import UserError

MODEL = "ffhq-config-f"
FOLDER = "results/"
TRAINING = {"preset": "seed000", "mapper_mode": "Mapper_sum", "output_path": FOLDER}
DATA_MODE = "color"
BANKS = {"latents_train_path": "train_data.pt", "latents_test_path": "test_data.pt"}  # of FFHQ's faces
LATENTS, W_NUM = "test_female.pt", 60  # likewise
SINGLE = "multi"  # the module of single_inference.py


def train(argv: list[str] | None = None) -> None:
    """Train a mapper (train.py)."""
    args = train_mapper.parse_args(argv, **TRAINING)
    if not args.description:
        args.data_mode = args.data_mode or DATA_MODE
    if _is_ffhq(args) and args.photos is None:
        for name, file in BANKS.items():
            setattr(args, name, getattr(args, name) or file)
    train_mapper.run(args)


def combine(argv: list[str] | None = None) -> None:
    """Edit a face with several mappers, one after the other, each with its text (inference.py)."""
    args = _mapping_arguments(argv)
    if not args.modules:
        raise UserError(
            "--modules and --texts go together, such as --modules celeb_female --texts Elsa; one mapper "
            "with several texts is: single_inference.py"
        )
    _map(args)


def combine_single(argv: list[str] | None = None) -> None:
    """Edit a face with one mapper and several texts at once (single_inference.py)."""
    args = _mapping_arguments(argv)
    args.modules = args.modules or [SINGLE]
    _map(args)


def _map(args: argparse.Namespace) -> None:
    from ppstyleclip.cli.mappers.mapped_files import listed_name

    mapping.run(args, listed_name)


def _mapping_arguments(argv: list[str] | None) -> argparse.Namespace:
    args = mapping.parse_args(argv, output_path=FOLDER)
    named = [args.latent, args.latents_test_path, args.input_image, args.seed]
    is_ffhq = _is_ffhq(args)
    if is_ffhq and all(source is None for source in named):
        args.latent = LATENTS
    if args.index is None and is_ffhq and args.latent is not None:
        args.index = W_NUM
    args.intermediate_outputs = args.intermediate_outputs or args.latents_test_path is None
    return args


def _is_ffhq(args: argparse.Namespace) -> bool:
    """Take FFHQ where no model is named, and tell whether that is the model."""
    if args.model_type is None and args.bundle is None and args.weight_path is None:
        args.model_type = MODEL
    return args.model_type == MODEL
