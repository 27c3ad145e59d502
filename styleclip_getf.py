#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip statistics` where PaddleGAN's tutorial calls it: `python styleclip_getf.py`."""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleclip_getf"))
