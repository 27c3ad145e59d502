#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by a stored direction in w_plus, such as age or smile; for edits by text see styleganv2clip.py.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.npy (its latent) and, for
several offsets, strip.png (all of them in a labelled row).

    python tools/styleganv2editing.py --model_type ffhq-config-f --latent dst.npy --direction_name age \\
           --direction_offset 5
    python tools/styleganv2editing.py --seed 5 --direction_path smile.npy --direction_offset -2 0 2
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleganv2editing"))
