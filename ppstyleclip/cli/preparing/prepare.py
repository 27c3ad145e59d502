# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Make a generator editable by text: measure its style channels, then how each moves a picture in CLIP.

Both stages one after the other, into a bundle or into the output folder. It may be killed and started again.

    ppstyleclip prepare --bundle my_model --weight_path my_generator.pt
    ppstyleclip prepare --bundle my_model --clip ViT_B_32 --fast

`ppstyleclip statistics` and `ppstyleclip relevance` are the two stages with all their options.
"""

from __future__ import annotations

import argparse

from ppstyleclip.cli.argument_types import COUNT
from ppstyleclip.cli.arguments import documented_parser
from ppstyleclip.cli.preparing import relevance, statistics
from ppstyleclip.cli.preparing.preparation import add_model, add_paddlegan


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the options that both stages share, and a few of each."""
    parser = documented_parser(__doc__)
    add_model(parser)
    add_paddlegan(parser)
    add = parser.add_argument
    add("--clip", help="CLIP to measure with, a name or a file (default: the model's)")
    add("--num_samples", type=COUNT, default=100_000, help="of the statistics (default: %(default)s)")
    add("--num_images", type=COUNT, help="base pictures for each channel (default: 100; with --fast 24)")
    add("--fast", action="store_true", help="approximate relevance, and say how well it agrees with exact")
    add("--max_memory", metavar="SIZE", help="what the relevance may take, such as 4G, 800M")
    add("--restart", action="store_true", help="begin again where a run that was killed would go on")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Run the first stage, then the second; what is not asked for here is each stage's own default.

    Raises:
        UserError: as the stages.
    """
    for stage in (statistics, relevance):
        options = stage.parse_args([])
        vars(options).update({word: value for word, value in vars(args).items() if word in options})
        stage.run(options)
