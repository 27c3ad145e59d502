#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Convert other people's weights: what they are is told by the file's content, and nothing in it is run.

    python tools/convert_weights.py my.pkl my.safetensors
    python tools/convert_weights.py stylegan2-ffhq-config-f.pt ffhq.pdparams

A generator is also drawn, so that a look tells whether the faces are whole.
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("convert_weights"))
