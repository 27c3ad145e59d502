# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Arguments that several commands share: which model, which face, where results go; and what they load."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from ppstyleclip.cli.argument_types import INDEX, MOVE, SEED, SIZE, TURN
from ppstyleclip.cli.parser import documented_parser as documented_parser
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable
from ppstyleclip.threads import import_paddle

SIZES = tuple(SIZE)


def find_files(args, *names: str) -> None:
    """Put the path of each file in place of what an option names, which may be the name of a published one.

    Args:
        args: of a parser.
        names: of options with one file each, which may be None.
    Raises:
        MissingFile, UserError: as zoo.named_files.named_file.
    """
    from ppstyleclip.zoo.named_files import named_file

    for name in names:
        if getattr(args, name, None) is not None:
            setattr(args, name, str(named_file(getattr(args, name))))


def refuse_idle(args: argparse.Namespace, names: Iterable[str], where: str) -> None:
    """Refuse options that were given where they do nothing; nobody should wonder why nothing changed.

    Args:
        args: of a parser; what was not given is None, or False for an option without a value. A quantity of
            0, such as --tune 0, asks for nothing either.
        names: of the options.
        where: the end of "--align and --tune do nothing ...", such as "with a sampled face".
    Raises:
        UserError: one of them was given.
    """
    given = [f"--{name}" for name in names if not _is_absent(name, getattr(args, name, None))]
    if given:
        does, it = ("does", "it") if len(given) == 1 else ("do", "them")
        raise UserError(f"{' and '.join(given)} {does} nothing {where}; leave {it} out")


# Options whose 0 asks for something else than leaving them out does.
_WITH_ZERO = ("index", "seed", "direction_offset", "beta_threshold", "soft_threshold", "pull", "within")


def _is_absent(name: str, value: object) -> bool:
    """Whether an option asks for nothing, as a --tune of 0 does."""
    return value is None or value is False or value == 0 and not name.startswith(_WITH_ZERO)


def add_official_names(add):
    """Add the official mapper commands' names of two arguments, to `add_argument` of the model's group."""
    suppressed = argparse.SUPPRESS
    add("--exp_dir", dest="output_path", default=suppressed, help="the same as --output_path")
    add("--stylegan_size", dest="size", type=SIZE["size"], default=suppressed, help="the same as --size")


def add_model_arguments(
    parser, *, output_path="output_dir", bundle="folder of a model of your own, in place of --model_type"
):
    """Add which model is used, on which device, and where results go; names and meanings are PaddleGAN's.

    Args:
        parser: the parser.
        output_path: default of the folder of results; None for a command that has an option of its own.
        bundle: what --bundle does in this command.
    Returns:
        the `add_argument` of their group, for what else belongs there.
    """
    add = parser.add_argument_group("model").add_argument
    add(
        "--model_type",
        "--dataset_name",
        help="known model, such as ffhq-config-f (default: the embedded face world)",
    )
    add("--bundle", metavar="DIR", help=bundle)
    add("--weight_path", help="weights of the generator, in place of the model's own")
    for name in SIZES:
        add(f"--{name}", type=SIZE[name], help="must agree with the weights (default: theirs)")
    add("--cpu", action="store_true", help="use the CPU even where there is a GPU")
    if output_path is not None:
        add("--output_path", default=output_path, help="folder of the results (default: %(default)s)")
    return add


def add_identity_argument(add) -> None:
    """Add which network says how alike an inverted face is; `add` is a group's add_argument."""
    add(
        "--ir_se50_weights",
        metavar="FILE",
        help="identity network that says how alike the face is: IR-SE50 or ArcFace (default: the model's "
        "own, if it has one)",
    )


def add_encoder_argument(add) -> None:
    """Add which encoder finds a photo's latent; `add` is a group's add_argument."""
    add(
        "--encoder",
        metavar="NAME | FILE",
        help="another encoder than the model's own: a name, such as e4e of the embedded model, or a file "
        "(default: the model's own)",
    )


def add_face_arguments(parser, number="", *, seed: int) -> None:
    """Add which face is used, for faces.given_face.

    Args:
        parser: the parser.
        number: stands behind the arguments' names, in a command that takes several faces.
        seed: of the face that is drawn where none is named.
    """
    add = parser.add_argument_group(f"face {number}".strip()).add_argument
    add(f"--latent{number}", help="latent of the face, such as pSp's dst.npy (default: a sampled face)")
    add(
        f"--index{number}",
        type=INDEX,
        metavar="N",
        help="which one, where the file holds several (default: 0)",
    )
    add(
        f"--seed{number}",
        type=SEED,
        metavar="SEED",
        help=f"seed of the sampled face, without --latent{number} (default: {seed})",
    )


def add_canvas_arguments(parser) -> None:
    """Add where the canvas lies, for a command whose load_editor makes the editor that draws."""
    add = parser.add_argument_group("canvas (StyleGAN3)").add_argument
    add(
        "--translate",
        type=MOVE,
        nargs=2,
        metavar=("X", "Y"),
        help="move what is drawn by X sides of the picture to the right and Y downwards, each -10 to 10",
    )
    add(
        "--rotate",
        type=TURN,
        metavar="DEGREES",
        help="turn what is drawn about its middle, counter-clockwise, -3600 to 3600; R is made for it",
    )


def is_moved(args) -> bool:
    """Whether the arguments of add_canvas_arguments move or turn anything."""
    return getattr(args, "translate", None) is not None or getattr(args, "rotate", None) is not None


def check_faces(args, numbers=("",)) -> None:
    """Refuse what add_face_arguments cannot: a face that is named twice, or a file that is not there."""
    for number in numbers:
        latent, seed = getattr(args, f"latent{number}"), getattr(args, f"seed{number}")
        if latent is not None and seed is not None:
            raise UserError(
                f"--seed{number} draws a face and --latent{number} names one; give one of these options"
            )
        if latent is None:
            refuse_idle(args, [f"index{number}"], f"without --latent{number}")
        find_files(args, f"latent{number}")


def load_editor(args, **paths):
    """Load the model that the arguments name; what can be refused at once is, before Paddle is imported.

    Args:
        args: of a parser with add_model_arguments, and perhaps add_encoder_argument and add_canvas_arguments.
        paths: direction_path, stat_path and clip of load_bundle, and relevance of Editor, where the command
            has them.
    Returns:
        Editor.
    Raises:
        UserError: a file is missing, the output folder cannot be written, or as load_bundle.
    """
    from ppstyleclip.zoo.named_files import named_file

    find_files(args, "weight_path")
    for name in ("direction_path", "stat_path"):
        if paths.get(name) is not None:
            paths[name] = named_file(paths[name])
    check_writable(args.output_path)
    paddle = import_paddle()
    if args.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.editor import Editor
    from ppstyleclip.models.canvas import Canvas

    canvas = Canvas(args.translate or (0, 0), args.rotate or 0) if is_moved(args) else None
    return Editor.from_pretrained(
        args.model_type,
        bundle=args.bundle,
        weight_path=args.weight_path,
        canvas=canvas,
        encoder=getattr(args, "encoder", None),
        **{name: getattr(args, name) for name in SIZES},
        **paths,
    )
