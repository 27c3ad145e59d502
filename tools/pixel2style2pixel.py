#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find the latent of a face in a photo with an encoder (pSp, e4e, ReStyle).

Writes src.png (the aligned face), dst.png (as the generator draws it) and dst.npy (its latent).

    python tools/pixel2style2pixel.py --input_image scene.png
    python tools/pixel2style2pixel.py --input_image photo.jpg --model_type ffhq-inversion --cpu
    python tools/pixel2style2pixel.py --input_image photo.jpg --weight_path e4e_ffhq_encode.pt
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("pixel2style2pixel"))
