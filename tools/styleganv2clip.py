#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit a face by text: StyleCLIP's global directions.

Writes src.editing.png (the face as it is), dst.editing.png (edited), dst.editing.pd (its styles, as PaddleGAN
saves them) and, for several offsets, strip.png (all of them in a labelled row).

    python tools/styleganv2clip.py --neutral face --target "happy face"
    python tools/styleganv2clip.py --target "sad face" --seed 5 --direction_offset -1 0 1 2 3 4 5
    python tools/styleganv2clip.py --latent dst.npy --model_type ffhq-config-f --target "boy face" --cpu
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleganv2clip"))
