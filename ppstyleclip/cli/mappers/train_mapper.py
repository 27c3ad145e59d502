# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train a latent mapper: StyleCLIP's second method, for one text or for several.

It may be killed and started again: the same command goes on. Also: python -m paddle.distributed.launch
--nproc_per_node 2 tools/train_mapper.py ..., which shares each batch among the processes.

    ppstyleclip train-mapper --description "happy face" --exp_dir happy
    ppstyleclip train-mapper --description "happy face" "face with glasses" "face with a beard" \\
           --mapper_mode Mapper_multi --together 2 --exp_dir styles
    ppstyleclip train-mapper --model_type ffhq-config-f --data_mode color --preset seed000 \\
           --latents_train_path train_data.pt --exp_dir colors
"""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any, Callable

from ppstyleclip.cli.argument_types import (
    BATCH,
    COUNT,
    EVERY,
    FRACTION,
    SEED,
    STRENGTH,
    WEIGHT,
    Whole,
    words,
)
from ppstyleclip.cli.arguments import (
    add_model_arguments,
    add_official_names,
    documented_parser,
    find_files,
    load_editor,
)
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_folder
from ppstyleclip.wording import counted

# Option -> field of TrainingConfig.
FIELDS = {
    "mapper_type": "mapper_type",
    "mapper_mode": "mode",
    "coarse": "coarse",
    "medium": "medium",
    "fine": "fine",
    "space": "space",
    "max_steps": "steps",
    "batch_size": "batch_size",
    "learning_rate": "learning_rate",
    "optim_name": "optimizer",
    "clip_lambda": "clip",
    "id_lambda": "identity",
    "latent_l2_lambda": "l2",
    "val_interval": "validate_every",
    "patience": "patience",
    "toward": "directional_strength",
    "views": "crops",
    "scale": "scale",
    "train_seed": "seed",
}
# Option -> field of RunConfig.
RUN_FIELDS = {
    "train_dataset_size": "train_faces",
    "test_dataset_size": "val_faces",
    "image_interval": "pictures_every",
    "save_interval": "save_every",
    "board_interval": "board_every",
}
EMBEDS = {"nn.embedding": "table", "clip_encoder": "clip"}


def parse_args(argv: list[str] | None = None, **defaults: Any) -> argparse.Namespace:
    """Read the command line, names as in the official train.py and in seed 000's; `defaults` are others."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("texts").add_argument
    add(
        "--description",
        type=words,
        nargs="+",
        metavar="TEXT",
        help="what the faces should become; or several; WORD=TEXT calls a text by a word",
    )
    add(
        "--data_mode",
        help="a list of texts of text2image_manipulation: hair, female, male, color, multi, Disney",
    )
    add(
        "--together",
        type=Whole(1, 100),
        default=1,
        metavar="N",
        help="of several texts, also up to N of them in one face (default: 1)",
    )
    add(
        "--neutral",
        type=words,
        default="face",
        help="what the faces are, where the preset asks for a direction (default: face)",
    )
    add(
        "--text_embed_mode",
        choices=tuple(EMBEDS),
        help="how several texts are told to the mapper (default: nn.embedding)",
    )
    add = parser.add_argument_group("latents").add_argument
    add("--latents_train_path", "--train_data", metavar="FILE", help="to train on (default: sampled faces)")
    add(
        "--latents_test_path",
        "--test_data",
        metavar="FILE",
        help="to look at (default: sampled faces, or a tenth of those to train on)",
    )
    add("--photos", metavar="DIR", help="train on the faces that the encoder finds in these photos")
    add(
        "--train_dataset_size", type=COUNT, help="how many, at most (default: the preset's, as for all below)"
    )
    add("--test_dataset_size", type=EVERY)
    add("--truncation", type=FRACTION, help="of sampled faces (default: the model's own)")
    _add_training(parser.add_argument_group("training").add_argument)
    add = add_model_arguments(parser)
    add_official_names(add)
    add("--stylegan_weights", dest="weight_path", default=argparse.SUPPRESS, help="the same as --weight_path")
    add = parser.add_argument_group("of the published commands, without effect here").add_argument
    for name in ("workers", "test_workers", "test_batch_size"):
        add(f"--{name}", type=Whole(0, 4096), help="not needed")
    add("--model_download", action="store_true", help="what is needed is always fetched")
    parser.set_defaults(**defaults)
    return parser.parse_args(argv)


def _add_training(add: Callable) -> None:
    add(
        "--preset",
        metavar="NAME",
        help="official, seed000, seed004, portrait, conditioned, or a YAML file "
        "(default: portrait for the embedded model, else official)",
    )
    add("--mapper_type", help="LevelsMapper, SingleMapper, ConditionedMapper, or one of style space")
    add("--mapper_mode", help="Mapper (one text), Mapper_sum, Mapper_cat or Mapper_multi")
    for group in ("coarse", "medium", "fine"):
        add(
            f"--no_{group}_mapper",
            action="store_const",
            const=False,
            dest=group,
            help=f"leave the {group} layers alone",
        )
    add("--work_in_stylespace", action="store_const", const="s", dest="space", help="move styles, not w_plus")
    add("--scale", type=STRENGTH, help="what the network's output is multiplied with")
    add("--max_steps", type=EVERY)
    add("--batch_size", type=BATCH)
    add("--learning_rate", type=WEIGHT)
    add("--optim_name", help="ranger or adam")
    add("--clip_lambda", type=WEIGHT, help="weight of the CLIP loss")
    add("--latent_l2_lambda", type=WEIGHT, help="weight of the distance between the latents")
    add("--id_lambda", type=WEIGHT, help="weight of the identity loss")
    add(
        "--ir_se50_weights",
        metavar="FILE",
        help="the identity network (default: the model's own, or for FFHQ the published one, fetched)",
    )
    add(
        "--toward",
        type=WEIGHT,
        metavar="LENGTH",
        help="how far CLIP's view of a face moves along the text; 0: towards the text alone, as the paper",
    )
    add("--views", type=Whole(1, 5), help="shifted copies of a picture that CLIP sees, 1 to 5")
    add("--val_interval", type=EVERY, metavar="N", help="look at the held-out latents every N steps")
    add("--patience", type=EVERY, metavar="N", help="stop after N looks without a new best; 0 for never")
    add("--save_interval", type=EVERY, metavar="N", help="write the state every N steps")
    add("--image_interval", type=EVERY, metavar="N", help="write a picture of held-out faces every N steps")
    add("--board", choices=("visualdl", "tensorboard"), help="write the curves for it as well")
    add("--board_interval", type=EVERY, metavar="N")
    add("--train_seed", type=SEED, help="of the first weights and of what is drawn")
    add("--mixed", action="store_true", help="compute in bfloat16 where that is safe; on a GPU")
    add(
        "--checkpoint_path",
        metavar="FILE",
        help="go on from the state of another folder, or begin with the weights of a mapper",
    )
    add("--restart", action="store_true", help="begin again where the folder's last run would go on")


def run(args: argparse.Namespace) -> None:
    """Train, write, and say what was done."""
    find_files(args, "latents_train_path", "latents_test_path", "ir_se50_weights", "checkpoint_path")
    if args.photos and args.latents_train_path:
        raise UserError(
            "--photos and --latents_train_path both say what to train on; give one of these options"
        )
    if args.photos is not None:
        check_folder(args.photos)
    editor = load_editor(args)

    from ppstyleclip.cli.mappers.process_group import join_process_group
    from ppstyleclip.cli.mappers.training_folder import resume_training
    from ppstyleclip.jobs.ranks import launched_ranks

    config, run_config, identity = _configs(args, editor.bundle)
    task = _task(args, editor, config, run_config, identity)
    seconds = resume_training(task, args.output_path, checkpoint=args.checkpoint_path, restart=args.restart)
    first, group = task.training.step, join_process_group(launched_ranks())
    record, written, seconds = _train(args, task, run_config, group, seconds)
    best = task.training.best()
    print(
        f"{', '.join(task.texts.names)} on {counted(len(task.dataset), 'latent')} of {editor.bundle.name}: "
        f"steps {first} to {record.done}, loss {record.terms['loss']:.4f}"
        + (f", best held-out loss at step {best[0]}" if best else "")
        + f", {seconds:.0f} s in all"
    )
    for path in written:
        print(f"wrote {path}")


def _configs(args: argparse.Namespace, bundle: Any) -> tuple[Any, Any, Any]:
    """TrainingConfig and RunConfig of the preset and the arguments, and the identity network or None."""
    from ppstyleclip.cli.mappers.mapper_identity import load_training_identity
    from ppstyleclip.pipelines.presets import read_training_preset
    from ppstyleclip.zoo.registry import PACKS

    changes = {field: getattr(args, name) for name, field in FIELDS.items()}
    if args.mixed:
        changes["mixed_precision"] = True
    mode = args.mapper_mode
    if mode is not None or args.text_embed_mode is not None:
        changes["embed"] = "none" if mode == "Mapper" else EMBEDS[args.text_embed_mode or "nn.embedding"]
    preset = args.preset or ("portrait" if bundle.name in PACKS else "official")
    run_changes = {field: getattr(args, name) for name, field in RUN_FIELDS.items()}
    config, run_config = read_training_preset(preset, changes, run_changes)
    if not config.objective.weights["identity"]:
        return config, run_config, None
    is_asked = args.id_lambda is not None
    identity, reason = load_training_identity(bundle, args.ir_se50_weights, is_asked=is_asked)
    if identity is None:
        print(f"no identity loss: {reason}")
        config, _ = read_training_preset(preset, {**changes, "identity": 0.0})
    return config, run_config, identity


def _task(args: argparse.Namespace, editor: Any, config: Any, run_config: Any, identity: Any) -> Any:
    """The training that the arguments describe."""
    from ppstyleclip.cli.mappers.mapper_data import LatentSources, chosen_texts, load_latents
    from ppstyleclip.pipelines.mapper_training import prepare_training

    texts = chosen_texts(args.description, args.data_mode, config.mapper.embed, args.together)
    sources = LatentSources(args.latents_train_path, args.latents_test_path, args.photos, args.truncation)
    counts = (run_config.train_faces, run_config.val_faces)
    latents = load_latents(editor, sources, counts, config.mapper.space)
    return prepare_training(editor.bundle, texts, latents, config, neutral=args.neutral, identity=identity)


def _train(args: argparse.Namespace, task: Any, run_config: Any, group: Any, seconds: float) -> tuple:
    """Train and, in the first process, write; (last record, files, seconds of all runs)."""
    from ppstyleclip.cli.mappers.board import Board
    from ppstyleclip.cli.mappers.training_folder import TrainingFolder
    from ppstyleclip.pipelines.mapper_training import run_training

    if group.rank > 0:
        *_, record = run_training(task, group=group)
        return record, (), seconds
    board = Board(args.board, f"{args.output_path}/logs") if args.board else None
    folder = TrainingFolder(args.output_path, task, run_config, seconds=seconds, board=board)
    folder.write_options(vars(args))
    records = run_training(task, pictures_every=run_config.pictures_every, group=group)
    shown = show_progress(
        records,
        title="training",
        initial=task.training.step,
        describe=lambda record: f"loss {record.terms['loss']:.4f}",
    )
    with closing(shown):  # the bar ends before an error is printed
        for record in shown:
            folder.write_due(record)
    folder.write_all()
    folder.close()
    return record, tuple(folder.written), folder.seconds
