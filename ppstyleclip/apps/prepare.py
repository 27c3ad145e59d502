# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: cli/statistics.py."""

from __future__ import annotations

from ppstyleclip.cli.statistics import parse_args, run


def run_getf(argv: list[str] | None = None) -> None:
    """Run the command `statistics`."""
    run(parse_args(argv))
