# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Split a bank of latents by what CLIP sees in their pictures: a file of latents for each text.

Writes BANK_<text>.npy for each text and split.csv, a line for each face with its text and all shares.

    ppstyleclip split-latents sample.npy --texts "happy face" "sad face"
    ppstyleclip split-latents train_faces.pt --texts "a photo of a man" "a photo of a woman" \\
           --model_type ffhq-config-f --least 0.8
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ppstyleclip.cli.argument_types import BATCH, COUNT, FRACTION, words
from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, find_files, load_editor
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError
from ppstyleclip.files import all_or_nothing, check_writable
from ppstyleclip.progress import last
from ppstyleclip.wording import counted


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    parser.add_argument("bank", help="latents: .npy, .pt, .pdparams, safetensors")
    add = parser.add_argument_group("sorting").add_argument
    add(
        "--texts",
        type=words,
        nargs="+",
        required=True,
        metavar="TEXT",
        help="two or more; each face goes to the likeliest",
    )
    add(
        "--least",
        type=FRACTION,
        default=0.0,
        metavar="SHARE",
        help="leave out faces whose likeliest text has a smaller share, 0 to 1 (default: 0, none)",
    )
    add(
        "--templates",
        default="plain",
        choices=("plain", "paddlegan", "official"),
        help="prompts around each text (default: plain, none)",
    )
    add("--n_images", type=COUNT, metavar="N", help="only the first N of the bank")
    add("--batch_size", type=BATCH, default=8, metavar="N", help="faces at a time (default: 8)")
    add_model_arguments(parser)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Sort, write, and say what was done."""
    find_files(args, "bank")
    editor = load_editor(args)

    from ppstyleclip.pipelines.latent_files import load_faces
    from ppstyleclip.pipelines.split import split_faces

    faces, names = load_faces(editor, args.bank, args.n_images), _file_names(args.texts)
    options = {"least": args.least, "templates": args.templates, "batch_size": args.batch_size}
    records = split_faces(editor, faces, args.texts, **options)
    result = last(show_progress(records, title="sorting")).result
    assert result is not None  # the last record has it
    written = _write(faces, result, check_writable(args.output_path), Path(args.bank).stem, names)
    counts = {text: len(group) for text, group in zip(args.texts, result.groups)}
    print(
        f"{counted(len(faces), 'face')} of {args.bank}: "
        + ", ".join(f"{n} {text}" for text, n in counts.items())
        + f", {len(faces) - sum(counts.values())} left out" * (sum(counts.values()) < len(faces))
    )
    for path in written:
        print(f"wrote {path}")


def _file_names(texts: list[str]) -> list[str]:
    from ppstyleclip.cli.saving import file_words

    names = [file_words(text) for text in texts]
    if len(set(names)) < len(names):
        raise UserError(f"the texts would be files of one name ({', '.join(names)}); use others")
    return names


@all_or_nothing()
def _write(faces: Any, result: Any, folder: Path, stem: str, names: list[str]) -> list[Path]:
    """Write STEM_<text>.npy for each text that has faces, and split.csv with a line for each face."""
    from ppstyleclip.cli.curve_files import write_csv
    from ppstyleclip.cli.saving import save_latent

    written = []
    for name, group in zip(names, result.groups):
        if len(group):
            written.append(folder / f"{stem}_{name}.npy")
            save_latent(written[-1], faces[group])
    written.append(folder / "split.csv")
    chosen = {k: text for text, group in zip(result.texts, result.groups) for k in group}
    rows = [
        [str(k), chosen.get(k, ""), *(f"{share:.4f}" for share in shares)]
        for k, shares in enumerate(result.shares)
    ]
    write_csv(written[-1], [["number", "text", *result.texts], *rows])
    return written
