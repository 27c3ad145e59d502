#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Second stage of StyleCLIP's global directions: what each style channel does in CLIP's eyes.

Reads what tools/styleclip_getf.py wrote in the output folder, or the model's own statistics, and writes
stylegan2-<name>-styleclip-global-directions.safetensors: the --direction_path of tools/styleganv2clip.py.

    python tools/styleclip_extract.py --output_path output_dir --limit_channels 20
    python tools/styleclip_extract.py --dataset_name ffhq-config-f --num_images 100 --alpha 5

It may be killed and started again. Also: python -m paddle.distributed.launch --nproc_per_node 2 tools/...,
or --shard 0/2 and --shard 1/2 on two machines, then --merge.
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("styleclip_extract"))
