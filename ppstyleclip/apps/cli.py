# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What all commands share: arguments that name a model or a face, and how every command ends.

Use at the bottom of a tool:

    if __name__ == "__main__":
        raise SystemExit(guard(main))

It then ends with 0 when done, with 2 and one line on stderr for bad input, with a traceback only for a bug.
"""
from __future__ import annotations

import argparse
import errno
import math
import sys
import warnings

from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, check_writable
from ppstyleclip.threads import import_paddle

SIZES = ("size", "style_dim", "n_mlp", "channel_multiplier")
BAD_INPUT = 2
INTERRUPTED = 130
# What the machine refuses and the user can cure: permissions, a full or read-only disk, a file for a folder.
_REFUSALS = frozenset(
    (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR)
)


def documented_parser(doc: str) -> argparse.ArgumentParser:
    """Make a parser whose help is a tool's docstring: one paragraph above the arguments, the rest below."""
    summary, _, examples = doc.partition("\n\n")
    return argparse.ArgumentParser(description=summary, epilog=examples,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def finite_number(text: str) -> float:
    """Read an argument that is a number, and neither NaN nor infinite."""
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"a finite number is needed, got {text}")
    return value


def add_model_arguments(parser, *, output_path="output_dir",
                        bundle="folder of a model of your own, in place of --model_type"):
    """Add which model is used, on which device, and where results go; names and meanings are PaddleGAN's.

    Args:
        parser: the parser.
        output_path: default of the folder of results.
        bundle: what --bundle does in this command.
    Returns:
        the `add_argument` of their group, for what else belongs there.
    """
    add = parser.add_argument_group("model").add_argument
    add("--model_type", "--dataset_name",
        help="known model, such as ffhq-config-f (default: the embedded face world)")
    add("--bundle", metavar="DIR", help=bundle)
    add("--weight_path", help="weights of the generator, in place of the model's own")
    for name in SIZES:
        add(f"--{name}", type=int, help="must agree with the weights (default: theirs)")
    add("--cpu", action="store_true", help="use the CPU even where there is a GPU")
    add("--output_path", default=output_path, help="folder of the results (default: %(default)s)")
    return add


def add_face_arguments(parser, number="", *, seed: int) -> None:
    """Add which face is used, for faces.given_face.

    Args:
        parser: the parser.
        number: stands behind the arguments' names, in a command that takes several faces.
        seed: of the face that is drawn where none is named.
    """
    add = parser.add_argument_group(f"face {number}".strip()).add_argument
    add(f"--latent{number}", help="latent of the face, such as pSp's dst.npy (default: a sampled face)")
    add(f"--index{number}", type=int, default=0, metavar="N",
        help="which one, where the file holds several (default: 0)")
    add(f"--seed{number}", type=int, metavar="SEED",
        help=f"seed of the sampled face, without --latent{number} (default: {seed})")


def check_faces(args, numbers=("",)) -> None:
    """Refuse what add_face_arguments cannot: a face that is named twice, or a file that is not there."""
    for number in numbers:
        latent, seed = getattr(args, f"latent{number}"), getattr(args, f"seed{number}")
        if latent is not None and seed is not None:
            raise UserError(f"--seed{number} draws a face and --latent{number} names one; give one of them")
        if latent is not None:
            check_file(latent)


def load_editor(args, **paths):
    """Load the model that the arguments name; what can be refused at once is, before Paddle is imported.

    Args:
        args: of a parser with add_model_arguments.
        paths: direction_path, stat_path and clip of load_bundle, where the command has them.
    Returns:
        Editor.
    Raises:
        UserError: a file is missing, the output folder cannot be written, or as load_bundle.
    """
    for path in (args.weight_path, paths.get("direction_path"), paths.get("stat_path")):
        if path is not None:
            check_file(path)
    check_writable(args.output_path)
    paddle = import_paddle()
    if args.cpu:
        paddle.set_device("cpu")

    from ppstyleclip.editor import Editor

    return Editor.from_pretrained(args.model_type, bundle=args.bundle, weight_path=args.weight_path,
                                  **{name: getattr(args, name) for name in SIZES}, **paths)


def guard(main, *args) -> int:
    """Run `main(*args)` and turn what a user can cure into one line on stderr.

    Args:
        main: the command; may return None (done) or an exit code.
        args: handed on to it.
    Returns:
        0 or what `main` returned; 2 after a UserError or a refusal of the machine (disk, permissions);
        130 after Ctrl-C. Any other exception is a bug and leaves with its traceback.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _one_line_warning
            return main(*args) or 0
    except UserError as error:
        return _complain(str(error))
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f" '{error.filename}'" if error.filename else ""
        return _complain(f"cannot use{where or ' a file'}: {error.strerror}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _complain(message: str) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _one_line_warning(message, category, filename, lineno, file=None, line=None):
    print("warning: " + " ".join(str(message).split()), file=file or sys.stderr)
