#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Optimise a face until CLIP sees a text in it: StyleCLIP's first method.

Writes final_result.png (before and after), latent.npy, losses.csv and losses.png; with --save_every pictures
on the way, with --animation the way itself. Ctrl-C writes what is reached by then.

    python tools/optimize.py --description "happy face"
    python tools/optimize.py --description "face with glasses" "sad face" --weights 1 0.5 --seed 5 6
    python tools/optimize.py --description "a person with purple hair" --preset official \\
           --model_type ffhq-config-f --latent dst.npy
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("optimize"))
