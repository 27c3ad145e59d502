#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Split a bank of latents by what CLIP sees in their pictures: a file of latents for each text.

Writes BANK_<text>.npy for each text and split.csv, a line for each face with its text and all shares.

    python tools/split_latents.py sample.npy --texts "happy face" "sad face"
    python tools/split_latents.py train_faces.pt --texts "a photo of a man" "a photo of a woman" \\
           --model_type ffhq-config-f --least 0.8
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("split_latents"))
