# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train the mappers that the portrait world's pack holds.

    python -m ppstyleclip.worlds.portrait.training.mappers happy --folder run
    python -m ppstyleclip.worlds.portrait.training.mappers beard --folder run --set steps=150
    python -m ppstyleclip.worlds.portrait.training.mappers words --folder run

The training is `ppstyleclip train-mapper`'s; only the gradient of the loss comes from the PyTorch twins,
which draw 128 px in bfloat16. A minute of processor makes one of a single text, ten make `words`, which takes
any text. The result is written into the pack as float16; pictures of held-out faces, and the mapper as it was
at each validation, into the folder. `benchmarks/mapper_quality.py` judges it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.worlds.portrait.training.plans import THREADS, named_texts

PACK = Path(__file__).parents[1] / "pack"
WORDS = (
    "happy face",
    "sad face",
    "angry face",
    "surprised face",
    "face with open mouth",
    "face with glasses",
    "face with a beard",
    "woman face",
    "man face",
    "old face",
    "young face",
    "face with dark skin",
    "face with pale skin",
    "face with red lipstick",
    "face with long hair",
    "face with short hair",
    "face with curly hair",
    "face with straight hair",
    "face with bangs",
    "face with black hair",
    "face with blond hair",
    "face with red hair",
    "face with grey hair",
    "face with blue hair",
    "face with purple hair",
)
TEXTS = {
    "happy": ("happy face",),
    "curly": ("face with curly hair",),
    "beard": ("face with a beard",),
    "words": WORDS,
}
# In place of the presets'.
ONE_TEXT = {"fine": False, "steps": 80, "batch_size": 8, "validate_every": 40}
# Lips, the colour of hair and curls are drawn by the last layers, too.
MANY_TEXTS = {"directional_strength": 1.5, "fine": True}
OWN = {"curly": {"fine": True, "directional_strength": 3.0, "l2": 0.07}}
RISE = 0.05  # of all steps


def prepare(name, pack, changes):
    """(MapperTraining with the twins' loss, RunConfig) of one of TEXTS."""
    from ppstyleclip.editor import Editor
    from ppstyleclip.methods.mapper import text_set
    from ppstyleclip.methods.mapper.loss import ImageLoss
    from ppstyleclip.pipelines.mapper_training import prepare_training, sample_latents, text_features
    from ppstyleclip.pipelines.presets import read_training_preset
    from ppstyleclip.worlds.portrait.training.twin_loss import TwinLoss, load_twins
    from ppstyleclip.zoo import load_bundle

    texts, is_one = text_set(TEXTS[name]), len(TEXTS[name]) == 1
    preset, settings = ("portrait", ONE_TEXT) if is_one else ("conditioned", MANY_TEXTS)
    config, run = read_training_preset(preset, {**settings, **OWN.get(name, {}), **changes})
    editor = Editor(load_bundle(None, bundle=str(pack)))
    latents = sample_latents(editor, run.train_faces + run.val_faces, seed=0)
    latents = latents[: run.train_faces], latents[run.train_faces :]
    task = prepare_training(editor.bundle, texts, latents, config)
    if is_one:
        features = text_features(editor.bundle, texts, "face", config.objective.directional_strength)
    else:
        features = own_features(editor.bundle, texts)
    twins = TwinLoss(*load_twins(pack), task.loss.objective)
    parts = {"synthesize": twins.synthesize, "evaluate": twins.evaluate}
    loss = ImageLoss(editor.bundle.generator, editor.bundle.clip, texts, features, config, **parts)
    return replace(task, loss=loss), run


def own_features(bundle, texts):
    """`[K, E]` CLIP's features of the texts, which stand in for the directions to them.

    To this CLIP "face" is almost at right angles to all of them. Half of a difference to it would point away
    from "face", alike for all texts, where no picture can go.
    """
    from ppstyleclip.text import text_embedding

    return np.stack([text_embedding(bundle.clip, text, bundle.defaults.templates) for text in texts.prompts])


def _value(text):
    """What a text of --set means: JSON, and a word for itself."""
    from ppstyleclip.schema import Unreadable, parse_json

    try:
        return parse_json(text)
    except Unreadable:
        return text


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("name", choices=TEXTS)
    parser.add_argument("--folder", required=True, help="of pictures, and of the mapper on the way")
    parser.add_argument("--pack", type=Path, default=PACK, help="the model, and where the mapper is written")
    parser.add_argument("--start", type=Path, help="mapper to go on from, also one for another generator")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the preset")
    parser.add_argument("--threads", type=THREADS, default=1)
    args = parser.parse_args(argv)
    from ppstyleclip.files import check_writable, save_png
    from ppstyleclip.threads import import_paddle

    for folder in (args.folder, args.pack):
        check_writable(folder)
    import_paddle()
    from ppstyleclip.pipelines.mapper_training import run_training
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.schedule import cosine_rate
    from ppstyleclip.zoo import load_mapper, save_mapper

    torch.set_num_threads(args.threads)
    changes = {name: _value(text) for name, text in named_texts(args.set).items()}
    task, run = prepare(args.name, args.pack, changes)
    if args.start:
        task.load_weights(load_mapper(args.start))
    since = time.process_time()
    config, is_one = task.training.config, len(task.texts.names) == 1
    for record in run_training(task, pictures_every=run.pictures_every):
        if not is_one:  # a single one is done before it would matter
            done = record.done / config.steps
            task.training.optimizer.rate = cosine_rate(config.learning_rate, 0.0, done, done / RISE)
        if record.val:
            seconds = time.process_time() - since
            print(f"step {record.done} held-out loss {record.val['loss']:.4f} {seconds:.0f} s", flush=True)
            kept = task.mapper()
            save_mapper(Path(args.folder) / f"mapper_{args.name}.safetensors", kept, half=True)
        if record.picture is not None:
            save_png(Path(args.folder) / f"{args.name}-{record.done:05d}.png", record.picture)
    path = args.pack / f"mapper_{args.name}.safetensors"
    save_mapper(path, kept, half=True)  # of the last step, which is always validated
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
