# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw faces that do not exist, and mixtures of them.

Writes sample.png (a sheet of faces), sample.npy (their latents; the other tools take one by --latent and
--index), sample_mixing_0.png and sample_mixing_1.png (rows of a face with the finer levels of those above).

    ppstyleclip sample --seed 233
    ppstyleclip sample --model_type ffhq-config-f --n_row 2 --n_col 3 --output_path faces --cpu
"""

from __future__ import annotations

import argparse

from ppstyleclip.cli.argument_types import SEED, Whole
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_model_arguments,
    documented_parser,
    load_editor,
)
from ppstyleclip.memory import check_memory
from ppstyleclip.wording import counted

MOST_BYTES = 8 * 10**9  # of the pictures of all sheets


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line; the names and meanings are those of PaddleGAN's tool of this name."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("sheet").add_argument
    add("--seed", type=SEED, help="makes the pictures repeatable (default: others each time)")
    add("--n_row", type=Whole(1, 100), default=3, help="rows of the sheet (default: %(default)s)")
    add("--n_col", type=Whole(1, 100), default=5, help="columns of the sheet (default: %(default)s)")
    add_canvas_arguments(parser)
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Draw, write, and say where."""
    editor = load_editor(args)

    from ppstyleclip.cli.saving import save_sheets
    from ppstyleclip.pipelines.records import result_of
    from ppstyleclip.pipelines.sampling import SheetConfig, sample_sheets

    count = 3 * (args.n_row + 1) * (args.n_col + 1)  # of the sheet and of two of mixtures
    needed = 3 * 3 * editor.bundle.generator.size**2 * count
    check_memory(
        needed, f"sheets of {counted(count, 'picture')}", "take fewer --n_row or --n_col", MOST_BYTES
    )
    made = result_of(sample_sheets(editor, SheetConfig(args.n_row, args.n_col, args.seed)))
    for path in save_sheets(args.output_path, made):
        print(f"wrote {path}")
