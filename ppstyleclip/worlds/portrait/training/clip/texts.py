# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the words alone: CLIP's side of texts to the features of pictures, which stay as they are.

    python -m ppstyleclip.worlds.portrait.training.clip.texts --folder run --start OLD --output NEW

A picture is looked at once, so a step costs captions only. What was measured with pictures, such as channel
relevance, stays right, for the side of pictures stays the same to the bit.
"""

from __future__ import annotations

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.worlds.portrait.training.plans import THREADS, changed_plan, check_output


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="its data/ holds shards")
    parser.add_argument("--start", required=True, metavar="FILE", help="exported CLIP")
    parser.add_argument("--output", required=True, help="the file that is written")
    parser.add_argument("--threads", type=THREADS, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    from ppstyleclip.worlds.portrait.training.clip.text_fit import Plan, run

    check_output(args.output)
    run(args.start, args.output, args.folder, changed_plan(Plan, args.set), args.threads)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
