# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: cli/relevance.py."""

from __future__ import annotations

from ppstyleclip.cli.relevance import parse_args, run


def run_extract(argv: list[str] | None = None) -> None:
    """Run the command `relevance`."""
    run(parse_args(argv))
