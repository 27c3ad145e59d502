# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Verify a published model: fetch it, check its files, draw, compare with known numbers, edit, time.

Writes report.md, report.json and report.png into a folder, for you to keep or to send to us: the issue form
"A published model was verified" takes all three. Pictures of FFHQ's generator are for non-commercial use.
Exit code: 0 if all that could be looked at is right, 1 if something is not.

    ppstyleclip verify ffhq-config-f
    ppstyleclip verify portrait --output_path portrait_report
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppstyleclip.cli.arguments import documented_parser
from ppstyleclip.files import check_writable, write_atomic
from ppstyleclip.threads import import_paddle
from ppstyleclip.zoo.registry import check_model_type, known_models

NOT_AS_PUBLISHED = 1


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("model", metavar="MODEL", help=f"one of {', '.join(known_models())}")
    parser.add_argument("--cpu", action="store_true", help="use the CPU even where there is a GPU")
    parser.add_argument("--output_path", help="folder of the report (default: MODEL-report)")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> int:
    """Verify, write the report, print it.

    Returns:
        0, or 1 where something is not as published.
    Raises:
        UserError: an unknown model, or the folder cannot be written.
    """
    check_model_type(args.model)
    folder = Path(check_writable(args.output_path or f"{args.model}-report"))
    paddle = import_paddle()
    if args.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.cli.progress import show_progress
    from ppstyleclip.cli.saving import save_labelled
    from ppstyleclip.files import all_or_nothing
    from ppstyleclip.progress import last
    from ppstyleclip.verify import report_json, report_text, verify_model
    from ppstyleclip.verify.report import verdict_of

    records = show_progress(verify_model(args.model), title="verify", describe=lambda record: record.stage)
    made = last(records)
    picture = None if made.picture is None else "report.png"
    text = report_text(args.model, made.findings, picture)
    with all_or_nothing():
        write_atomic(folder / "report.md", text.encode())
        write_atomic(folder / "report.json", report_json(args.model, made.findings).encode())
        if made.picture is not None:
            save_labelled(folder / "report.png", made.picture)
    for finding in made.findings:
        print(f"{finding.state:8} {finding.part}: {finding.description}")
    verdict = verdict_of(made.findings)
    print(f"\n{args.model}: {verdict}; the report is in {folder}")
    return NOT_AS_PUBLISHED if verdict == "not as published" else 0
