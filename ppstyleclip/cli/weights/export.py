# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Export a model for other runtimes: ONNX (onnxruntime, OpenVINO, browsers) and Paddle Inference.

Writes a folder with the networks, the layout of style space, statistics, relevance, directions of texts, and
run.py, which edits with NumPy and onnxruntime alone.

    ppstyleclip export my_export
    ppstyleclip export my_export --format onnx paddle --half --edit "face -> face with a hat"
    python my_export/run.py face.png --seed 58 --edit "smiling face=5"
"""

from __future__ import annotations

import argparse

from ppstyleclip.cli.argument_types import SIZE
from ppstyleclip.cli.arguments import add_model_arguments, documented_parser, load_editor
from ppstyleclip.files import check_file

FORMATS = ("onnx", "paddle", "paddle-legacy")  # as in ppstyleclip.export, which imports Paddle
PARTS = ("mapping", "affine", "synthesis", "generator", "clip_image", "clip_text", "encoder", "mapper")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("export").add_argument
    add("output_path", metavar="OUT", help="folder to write")
    add(
        "--format",
        nargs="+",
        choices=FORMATS,
        default=["onnx"],
        help="what networks are written as; paddle-legacy is .pdmodel, for Paddle 2 (default: onnx)",
    )
    add("--parts", nargs="+", choices=PARTS, help="which networks (default: all that the model has)")
    add(
        "--side",
        type=SIZE["size"],
        help="stop at this size in pixels, which is drawn on the way to the whole",
    )
    add("--half", action="store_true", help="store weights of ONNX as float16: half the size")
    add(
        "--edit",
        action="append",
        metavar="EDIT",
        help="a text whose direction is written, such as 'face -> smiling face'; as often as wished "
        "(default: ten for the embedded model, none for others)",
    )
    add("--mapper", metavar="FILE", help="trained mapper to export as well")
    add("--direction_path", help="relevance of the style channels, in place of the model's own")
    add("--stat_path", help="mean and deviation of the styles, in place of the model's own")
    add("--clip", help="CLIP of the relevance, by name or file (default: the one that it states)")
    add_model_arguments(parser, output_path=None)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Export, and say what was written.

    Raises:
        UserError: as load_editor and export_model.
    """
    if args.mapper is not None:
        check_file(args.mapper)
    editor = load_editor(args, direction_path=args.direction_path, stat_path=args.stat_path, clip=args.clip)

    from ppstyleclip.cli.progress import show_progress
    from ppstyleclip.editor import Edit
    from ppstyleclip.export import FIRST_EDITS, ExportConfig, export_model
    from ppstyleclip.pipelines.recipe_files import parse_edit
    from ppstyleclip.progress import last
    from ppstyleclip.zoo import load_mapper
    from ppstyleclip.zoo.registry import PACKS

    words = [parse_edit(text) for text in args.edit or ()]
    edits = tuple(Edit(one.neutral, one.target) for one in words)
    if args.edit is None and editor.bundle.name in PACKS:
        edits = FIRST_EDITS
    marks = editor.bundle.fingerprints
    mapper = None if args.mapper is None else load_mapper(args.mapper, generator=marks.get("generator"))
    parts = None if args.parts is None else tuple(args.parts)
    config = ExportConfig(parts, tuple(args.format), args.half, edits, args.side)
    records = export_model(editor, args.output_path, config, mapper=mapper)
    for path in last(show_progress(records, title="export", describe=lambda record: record.stage)).written:
        print(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
