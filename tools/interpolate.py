#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Go from face to face to face: a labelled row, a GIF and a video; first and last face included.

Writes strip.png, interpolation.gif and interpolation.mp4.

    python tools/interpolate.py --seed 1 2 3 1
    python tools/interpolate.py --latent dst.npy dst.editing.npy --steps 48
    python tools/interpolate.py --latent bank.pt --index 0 7 --fps 12
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("interpolate"))
