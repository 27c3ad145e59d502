# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Make directions in w_plus, such as smile or age, from labelled faces or from two groups of faces.

Writes directions.safetensors, for `ppstyleclip move --direction_path`. Of two groups also channels.csv: how
each style channel differs between them, the largest difference first.

    ppstyleclip direction sample.npy --labels labels.csv
    ppstyleclip direction sample.npy --labels split.csv --columns "happy face"
    ppstyleclip direction --groups sample_sad_face.npy sample_happy_face.npy --name happy

The labels are a table (CSV) with a line for each face: a column `number` counts the faces of the bank from 0
(without it the lines are in the bank's order), every column of numbers is a label. A direction is how the
latents change with its label while all other labels stay; an offset of 1 is one deviation of the label, or
the way from the mean of the first group to that of the second.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.cli.arguments import (
    add_model_arguments,
    documented_parser,
    find_files,
    load_editor,
    refuse_idle,
)
from ppstyleclip.errors import UserError
from ppstyleclip.files import all_or_nothing, check_file, check_writable
from ppstyleclip.wording import counted

DEFAULT_NAME = "direction"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("bank", nargs="?", help="latents of the labelled faces: .npy, .pt, safetensors, ...")
    add = parser.add_argument_group("labels").add_argument
    add("--labels", metavar="CSV", help="a table with a line for each face of the bank")
    add(
        "--columns",
        nargs="+",
        metavar="NAME",
        help="labels of the table to make directions of (default: all columns of numbers)",
    )
    add(
        "--alone",
        action="store_true",
        help="take each label by itself; its direction then brings along whatever goes with it",
    )
    add("--groups", nargs=2, metavar="BANK", help="in place of a table: faces without, and faces with it")
    add("--name", help="what the direction of two groups is called (default: direction)")
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Find the directions, write them, and say how well each can be told from the latents."""
    if bool(args.groups) == bool(args.bank) or bool(args.bank) != bool(args.labels):
        raise UserError("give a bank with --labels CSV, or two banks with --groups")
    if args.groups:
        refuse_idle(args, ("columns", "alone"), "with --groups")
    else:
        refuse_idle(args, ["name"], "with --labels, whose columns have names")
    if args.groups:
        from ppstyleclip.zoo.named_files import named_file

        args.groups = [str(named_file(path)) for path in args.groups]
    else:
        find_files(args, "bank")
        check_file(args.labels)
    editor = load_editor(args)

    from ppstyleclip.methods.labelled_directions import label_agreement
    from ppstyleclip.zoo import save_directions

    with all_or_nothing():
        folder = check_writable(args.output_path)
        if args.groups:
            latents, labels, directions = _of_groups(editor, args, folder)
        else:
            latents, labels, directions = _of_labels(editor, args)
        path = folder / "directions.safetensors"
        save_directions(path, directions, generator=editor.bundle.fingerprints["generator"])
    for name, values in labels.items():
        agreement = label_agreement(latents, values)
        print(f"{name}: {counted(len(values), 'face')}, told from their latents with r = {agreement:.2f}")
    if args.groups:
        print(f"wrote {folder / 'channels.csv'}")
    print(f"wrote {path}")


def _latents(editor: Any, path: str) -> np.ndarray:
    """w_plus `[N, L, D]` of a bank."""
    from ppstyleclip.pipelines.latent_files import load_faces

    found = load_faces(editor, path)
    if found.ndim == 2:
        raise UserError(f"{path} holds styles; directions are made of w_plus")
    return found


def _of_groups(editor: Any, args: argparse.Namespace, folder: Path) -> tuple:
    from ppstyleclip.cli.curve_files import write_csv
    from ppstyleclip.methods.labelled_directions import compare_groups, latent_slopes

    groups = [_latents(editor, path) for path in args.groups]
    found = compare_groups(*(editor.styles(group).numpy() for group in groups))
    layout = editor.bundle.layout
    rows = [["layer", "channel", "editable", "effect", "p", "first", "second", "deviation"]]
    for place in np.argsort(-np.abs(found.effect), kind="stable"):
        k = int(np.searchsorted(layout.offsets, place, side="right")) - 1
        numbers = (found.effect, found.p, found.first, found.second, found.deviation)
        rows.append(
            [
                layout.names[k],
                str(place - layout.offsets[k]),
                str(int(layout.editable[k])),
                *(f"{values[place]:.6g}" for values in numbers),
            ]
        )
    write_csv(folder / "channels.csv", rows)
    latents = np.concatenate(groups)
    labels = np.repeat([0.0, 1.0], [len(group) for group in groups])
    name = args.name or DEFAULT_NAME
    return latents, {name: labels}, {name: latent_slopes(latents, labels[:, None])[0]}


def _of_labels(editor: Any, args: argparse.Namespace) -> tuple:
    from ppstyleclip.cli.latents.label_table import read_labels
    from ppstyleclip.methods.labelled_directions import latent_slopes

    latents = _latents(editor, args.bank)
    numbers, labels = read_labels(args.labels, len(latents), args.columns)
    latents, table = latents[numbers], np.stack(list(labels.values()), axis=1)
    deviations = table.std(axis=0)
    if args.alone:
        slopes = [latent_slopes(latents, column[:, None])[0] for column in table.T]
    else:
        slopes = list(latent_slopes(latents, table))
    directions = {name: step * size for name, step, size in zip(labels, slopes, deviations)}
    return latents, labels, directions
