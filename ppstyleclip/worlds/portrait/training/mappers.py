# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train the mappers that the portrait world's pack holds.

    python -m ppstyleclip.worlds.portrait.training.mappers happy --folder run
    python -m ppstyleclip.worlds.portrait.training.mappers beard --folder run --set steps=150

The training is `ppstyleclip train-mapper`'s; only the gradient of the loss comes from the PyTorch twins,
which draw 128 px in bfloat16. A minute of processor makes one. The result is written into the pack as
float16, pictures of held-out faces into the folder. `benchmarks/mapper_quality.py` judges it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

PACK = Path(__file__).parents[1] / "pack"
TEXTS = {"happy": "happy face", "curly": "face with curly hair", "beard": "face with a beard"}
SETTINGS = {  # in place of the preset's
    "fine": False,
    "steps": 80,
    "batch_size": 8,
    "optimizer": "adam",
    "learning_rate": 1.5,
    "validate_every": 40,
}


def prepare(name, pack, changes):
    """(MapperTraining with the twins' loss, RunConfig) of one of TEXTS."""
    from ppstyleclip.editor import Editor
    from ppstyleclip.methods.mapper import text_set
    from ppstyleclip.methods.mapper.loss import ImageLoss
    from ppstyleclip.pipelines.mapper_training import prepare_training, sample_latents, text_features
    from ppstyleclip.pipelines.presets import read_training_preset
    from ppstyleclip.worlds.portrait.training.twin_loss import TwinLoss, load_twins
    from ppstyleclip.zoo import load_bundle

    config, run = read_training_preset("portrait", {**SETTINGS, **changes})
    editor = Editor(load_bundle(None, bundle=str(pack)))
    texts, faces = text_set([TEXTS[name]]), run.train_faces
    latents = sample_latents(editor, faces + run.val_faces, seed=0)
    task = prepare_training(editor.bundle, texts, (latents[:faces], latents[faces:]), config)
    features = text_features(editor.bundle, texts, "face", config.objective.directional_strength)
    twins = TwinLoss(*load_twins(pack), task.loss.objective)
    parts = {"synthesize": twins.synthesize, "evaluate": twins.evaluate}
    loss = ImageLoss(editor.bundle.generator, editor.bundle.clip, texts, features, config, **parts)
    return replace(task, loss=loss), run


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=TEXTS)
    parser.add_argument("--folder", required=True, help="of the pictures")
    parser.add_argument("--pack", type=Path, default=PACK, help="the model, and where the mapper is written")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the preset")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip.files import save_png
    from ppstyleclip.pipelines.mapper_training import run_training
    from ppstyleclip.schema import parse_json
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.zoo import save_mapper

    torch.set_num_threads(args.threads)
    changes = {name: parse_json(value) for name, _, value in (one.partition("=") for one in args.set)}
    task, run = prepare(args.name, args.pack, changes)
    since = time.process_time()
    for record in run_training(task, pictures_every=run.pictures_every):
        if record.val:
            seconds = time.process_time() - since
            print(f"step {record.done} held-out loss {record.val['loss']:.4f} {seconds:.0f} s", flush=True)
        if record.picture is not None:
            save_png(Path(args.folder) / f"{args.name}-{record.done:05d}.png", record.picture)
    path = args.pack / f"mapper_{args.name}.safetensors"
    save_mapper(path, record.result.last, half=True)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
