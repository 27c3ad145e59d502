# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The console command `ppstyleclip`: a subcommand for each task, and the long names of the scripts in tools/.

A command is a module of a folder beside this file, with two functions: `parse_args(argv)`, which returns a
Namespace, and `run(args)`, which does the work and may return an exit code.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator

from ppstyleclip import __version__
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError

# Name on the command line -> (module below this folder, one line for --help).
COMMANDS = {
    "edit": ("editing.edit", "edit a face or a photo by text"),
    "replay": ("editing.replay", "make an edit again from its card, and say whether it is the same"),
    "photo": ("editing.photo", "edit the faces of a photo, a folder of photos or a video by text"),
    "camera": ("editing.camera", "film a face and an edit while the camera moves (StyleGAN3)"),
    "optimize": ("editing.optimize", "optimise a face until CLIP sees a text in it"),
    "train-mapper": ("mappers.train_mapper", "train a latent mapper, for one text or for several"),
    "map": ("mappers.map", "edit faces with trained mappers"),
    "sample": ("latents.sample", "draw faces that do not exist, and mixtures of them"),
    "mix": ("latents.mix", "mix two faces level by level"),
    "move": ("latents.move", "edit a face by a stored direction, such as age or smile"),
    "direction": ("latents.direction", "make directions from labelled faces or from two groups of faces"),
    "interpolate": ("latents.interpolate", "go from face to face: a row, a GIF and a video"),
    "invert": (
        "latents.invert",
        "find the latent of a face in a photo with an encoder; of a folder of photos a bank",
    ),
    "fit": ("latents.fit", "fit the latent of a face by optimisation"),
    "split-latents": ("latents.split_latents", "split a bank of latents by what CLIP sees in their pictures"),
    "prepare": ("preparing.prepare", "make a generator editable by text: statistics, then relevance"),
    "statistics": ("preparing.statistics", "measure mean and deviation of each style channel"),
    "relevance": ("preparing.relevance", "measure how each style channel moves a picture in CLIP's space"),
    "words": ("weights.words", "list what can be asked of a model"),
    "convert": ("weights.convert", "convert other people's weights, told by their content"),
    "export": ("weights.export", "write a model for other runtimes: ONNX and Paddle Inference"),
    "serve": ("serving.serve", "edit over HTTP: a server with a queue, events and results that expire"),
    "worker": ("serving.worker", "do the jobs of a server whose queue is in Redis"),
    "studio": ("serving.studio", "edit faces in the browser: a page on top of the server"),
    "doctor": ("weights.doctor", "say what is installed, what is missing, and the command that brings it"),
    "verify": (
        "weights.verify",
        "check a published model: files, numbers, pictures, one edit; write a report",
    ),
    "styleganv2clip": ("editing.styleganv2clip", "edit a face by text, with PaddleGAN's arguments and files"),
}
# Names of the scripts in tools/, which PaddleGAN's documents use, that differ from a command's own.
ALIASES = {
    "edit_photo": "photo",
    "train_mapper": "train-mapper",
    "mapper_inference": "map",
    "styleganv2": "sample",
    "styleganv2mixing": "mix",
    "styleganv2editing": "move",
    "pixel2style2pixel": "invert",
    "styleganv2fitting": "fit",
    "split_latents": "split-latents",
    "styleclip_getf": "statistics",
    "styleclip_extract": "relevance",
    "convert_weights": "convert",
}


def main(argv: list[str] | None = None) -> int:
    """Run `ppstyleclip COMMAND ...`."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv or argv[0] in ("-h", "--help"):
        return run_cli(print, _help())
    if argv[0] == "--version":
        return run_cli(print, f"ppstyleclip {__version__}")
    with _called_as(f"ppstyleclip {argv[0]}"):
        return run_command(argv[0], argv[1:])


@contextlib.contextmanager
def _called_as(name: str) -> Iterator[None]:
    """Have argparse show `name` in a command's usage; it takes the script's name from sys.argv."""
    before, sys.argv = sys.argv, [name, *sys.argv[1:]]
    try:
        yield
    finally:
        sys.argv = before


def run_command(name: str, argv: list[str] | None = None) -> int:
    """Run one command by its name or its alias; bad input is one line and exit code 2."""
    return run_cli(_run, name, sys.argv[1:] if argv is None else argv)


def _run(name: str, argv: list[str]) -> int | None:
    command = ALIASES.get(name, name)
    if command not in COMMANDS:
        raise UserError(f"there is no command '{name}'; known: {', '.join(COMMANDS)}")
    module = importlib.import_module(f"ppstyleclip.cli.{COMMANDS[command][0]}")
    return module.run(module.parse_args(argv))


def _help() -> str:
    width = max(map(len, COMMANDS), default=0)
    lines = [f"  {name.ljust(width)}  {line}" for name, (_, line) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: ppstyleclip COMMAND [options]",
            "",
            "Edit pictures with words, in PaddlePaddle.",
            "",
            "commands:",
            *lines,
            "",
            "`ppstyleclip COMMAND --help` shows a command's options.",
        ]
    )
