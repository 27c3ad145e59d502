#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""As in text2image_manipulation: `cd mapper; python single_inference.py ...`: several texts."""

from __future__ import annotations

import sys

from ppstyleclip.cli.mappers.seed000 import combine_single
from ppstyleclip.cli.run import run_cli

if __name__ == "__main__":
    raise SystemExit(run_cli(combine_single, sys.argv[1:]))
