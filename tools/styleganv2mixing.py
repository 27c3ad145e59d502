#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mix two faces level by level.

Writes src1.mixing.png, src2.mixing.png, dst.mixing.png and the mixture's latent, dst.mixing.npy.

    python tools/styleganv2mixing.py --seed1 1 --seed2 2
    python tools/styleganv2mixing.py --seed1 1 --seed2 2 --crossover 4
    python tools/styleganv2mixing.py --latent1 dst.npy --latent2 dst.fitting.npy --weights 0.7
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleganv2mixing"))
