#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""First stage of StyleCLIP's global directions: mean and deviation of each style channel of a generator.

Writes stylegan2-<name>-styleclip-stats.safetensors and S-<name>.safetensors (the first 2000 styles).

    python tools/styleclip_getf.py --output_path output_dir
    python tools/styleclip_getf.py --dataset_name ffhq-config-f --num_samples 100000 --truncation 0.7

It may be killed and started again.
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleclip_getf"))
