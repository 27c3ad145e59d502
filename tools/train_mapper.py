#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train a latent mapper: StyleCLIP's second method, for one text or for several.

It may be killed and started again: the same command goes on. Also: python -m paddle.distributed.launch
--nproc_per_node 2 tools/train_mapper.py ..., which shares each batch among the processes.

    python tools/train_mapper.py --description "happy face" --exp_dir happy
    python tools/train_mapper.py --description "happy face" "face with glasses" "face with a beard" \\
           --mapper_mode Mapper_multi --together 2 --exp_dir styles
    python tools/train_mapper.py --model_type ffhq-config-f --data_mode color --preset seed000 \\
           --latents_train_path train_data.pt --ir_se50_weights model_ir_se50.pth --exp_dir colors
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("train_mapper"))
