#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit faces with trained mappers: one over many latents, several in a chain, one with several texts.

Of one face it writes results_<texts>.png (the face, then what became of it) and latent.npy; of a bank
(--latents_test_path) inference_results/00000.png and latent_00000.npy, and so on.

    python tools/mapper_inference.py --modules hair --texts "long hair" --bundle my_bundle --seed 5
    python tools/mapper_inference.py --modules celeb_female hair_sum color_sum --texts Emma_Stone wavy pink \\
           --intermediate_outputs --latent_path test_female.pt --w_num 60 --model_type ffhq-config-f
    python tools/mapper_inference.py --checkpoint_path afro.pt --latents_test_path test_faces.pt \\
           --couple_outputs --n_images 20 --model_type ffhq-config-f
"""

from __future__ import annotations

from ppstyleclip.cli.main import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("mapper_inference"))
