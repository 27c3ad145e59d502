#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw faces that do not exist, and mixtures of them.

Writes sample.png (a sheet of faces), sample.npy (their latents; the other tools take one by --latent and
--index), sample_mixing_0.png and sample_mixing_1.png (rows of a face with the finer levels of those above).

    python tools/styleganv2.py --seed 233
    python tools/styleganv2.py --model_type ffhq-config-f --n_row 2 --n_col 3 --output_path faces --cpu
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleganv2"))
