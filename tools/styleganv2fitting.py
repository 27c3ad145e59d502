#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the latent of a face by optimisation, from the encoder's latent, the mean one, or one that is given.

Writes src.fitting.png (the face), dst.fitting.png (as it is drawn) and dst.fitting.npy (its latent).

    python tools/styleganv2fitting.py --input_image scene.png --need_align
    python tools/styleganv2fitting.py --input_image src.png --pre_latent dst.npy --model_type ffhq-config-f
    python tools/styleganv2fitting.py --input_image src.png --recipe image2stylegan --step 300
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleganv2fitting"))
