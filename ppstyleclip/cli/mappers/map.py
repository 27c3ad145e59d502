# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edit faces with trained mappers: one over many latents, several in a chain, one with several texts.

Of one face it writes results_<texts>.png (the face, then what became of it) and latent.npy; of a bank
(--latents_test_path) inference_results/00000.png and latent_00000.npy, and so on.

    ppstyleclip map --modules hair --texts "long hair" --bundle my_bundle --seed 5
    ppstyleclip map --modules celeb_female hair_sum color_sum --texts Emma_Stone wavy pink \\
           --intermediate_outputs --latent_path test_female.pt --w_num 60 --model_type ffhq-config-f
    ppstyleclip map --checkpoint_path afro.pt --latents_test_path test_faces.pt \\
           --couple_outputs --n_images 20 --model_type ffhq-config-f
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.argument_types import BATCH, COUNT, INDEX, SEED, STRENGTH, Whole
from ppstyleclip.cli.arguments import (
    add_canvas_arguments,
    add_model_arguments,
    add_official_names,
    check_faces,
    documented_parser,
    find_files,
    load_editor,
    refuse_idle,
)
from ppstyleclip.cli.edit_arguments import add_region_argument
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.errors import UserError
from ppstyleclip.wording import counted

BATCH_SIZE = 8


def parse_args(argv: list[str] | None = None, **defaults: Any) -> argparse.Namespace:
    """Read the command line, names as in StyleCLIP's and text2image_manipulation's inference.py.

    `defaults` are others than the command's own.
    """
    parser = documented_parser(__doc__)
    add = parser.add_argument_group("mappers").add_argument
    add(
        "--modules",
        "--checkpoint_path",
        nargs="+",
        action="extend",
        default=[],
        metavar="MAPPER",
        help="files, mappers of the model (the embedded one's: happy, curly, beard, words), or published "
        "ones, in order",
    )
    add(
        "--texts",
        nargs="+",
        action="extend",
        default=[],
        metavar="TEXT",
        help="one for each mapper that takes a text; all for a single Mapper_multi; A+B are two at once",
    )
    add(
        "--strength",
        type=STRENGTH,
        nargs="+",
        default=[1.0],
        metavar="X",
        help="of the mappers' steps: one for all, or one each (default: 1)",
    )
    add("--intermediate_outputs", action="store_true", help="show what each mapper of a chain made")
    add("--work_in_stylespace", action="store_true", help="insist on a mapper of style space")
    add_region_argument(add, auto=False)
    add = parser.add_argument_group("faces").add_argument
    add("--latents_test_path", metavar="BANK", help="many latents: w_plus, or StyleCLIP's styles")
    add("--n_images", type=COUNT, metavar="N", help="only the first N of them")
    add("--couple_outputs", action="store_true", help="show each beside what became of it")
    add("--test_batch_size", type=BATCH, metavar="N", help=f"faces at a time (default: {BATCH_SIZE})")
    add("--latent", "--latent_path", help="one latent (default: a sampled face)")
    add(
        "--index",
        "--w_num",
        type=INDEX,
        metavar="N",
        help="which one, where the file holds several (default: 0)",
    )
    add("--seed", type=SEED, help=f"seed of the sampled face (default: {DEFAULT_SEED})")
    add("--input_image", "--new_image_path", metavar="PHOTO", help="the face of a photo, inverted first")
    add_canvas_arguments(parser)
    add_official_names(add_model_arguments(parser))
    add = parser.add_argument_group("of the published commands, without effect here").add_argument
    for name in ("no_coarse_mapper", "no_medium_mapper", "no_fine_mapper", "new_latent", "weights_download"):
        add(f"--{name}", action="store_true", help="the file tells" if "mapper" in name else "not needed")
    add("--mapper_type", help="the file tells")
    add("--test_workers", type=Whole(0, 4096), help="not needed")
    parser.set_defaults(**defaults)
    return parser.parse_args(argv)


def check(args: argparse.Namespace) -> None:
    """Refuse at once what need not wait for the model."""
    check_faces(args)
    sources = [
        name for name in ("latents_test_path", "latent", "input_image") if getattr(args, name) is not None
    ]
    if len(sources) > 1 or sources and args.seed is not None:
        raise UserError(
            "faces come from --latents_test_path, --latent, --input_image or --seed; give one of these"
        )
    if args.latents_test_path is None:
        refuse_idle(args, ("n_images", "couple_outputs", "test_batch_size"), "without --latents_test_path")
    else:
        refuse_idle(args, ["intermediate_outputs"], "with --latents_test_path")
    find_files(args, *sources)


def run(args: argparse.Namespace, name_of: Callable[[Sequence[str]], str] | None = None) -> None:
    """Edit, write, and say what was done; `name_of` the texts is in the picture's name (results_name)."""
    check(args)
    editor = load_editor(args)

    from ppstyleclip.cli.mappers.mapped_files import results_name, write_bank, write_face
    from ppstyleclip.pipelines.latent_files import load_faces
    from ppstyleclip.pipelines.mapper_edit import apply_chain, map_faces, mapper_stem, open_chain

    chain = open_chain(editor, args.modules, args.texts, args.strength, folder=_bundle_folder(args))
    if args.work_in_stylespace and any(link.mapper.space != "s" for link in chain):
        raise UserError("--work_in_stylespace was given, but a mapper moves w_plus; leave it out")
    if args.latents_test_path is not None:
        faces, source = load_faces(editor, args.latents_test_path, args.n_images), args.latents_test_path
        records = show_progress(
            map_faces(
                editor, faces, chain, batch_size=args.test_batch_size or BATCH_SIZE, region=args.region
            ),
            title="mapping",
        )
        with closing(records):
            written = write_bank(editor, records, args.output_path, couple=args.couple_outputs)
    else:
        faces, source = _one_face(editor, args)
        way = list(apply_chain(editor, chain, faces))
        name = list(args.texts) or [mapper_stem(link) for link in chain]
        written = write_face(
            editor,
            faces,
            way,
            args.output_path,
            name=(name_of or results_name)(name),
            every=args.intermediate_outputs,
            region=args.region,
        )
    what = ", ".join(mapper_stem(link) for link in chain)
    print(
        f"{what}{': ' * bool(args.texts)}{', '.join(args.texts)}, on {source} of {editor.bundle.name}: "
        + counted(len(faces), "face")
    )
    for path in written[: 2 if args.latents_test_path else None]:
        print(f"wrote {path}")
    if args.latents_test_path and len(written) > 2:
        print(f"and {len(written) - 2} more in {written[0].parent}")


def _bundle_folder(args: argparse.Namespace) -> Path | None:
    """Folder of the bundle that the arguments name; None where they name another model."""
    from ppstyleclip.zoo.registry import pack_of

    if args.bundle is not None:
        return Path(args.bundle)
    return pack_of(args.model_type) if args.weight_path is None else None


def _one_face(editor: Any, args: argparse.Namespace) -> tuple[Any, str]:
    """The face that the arguments name (--latent, --seed or --input_image), and what to call it."""
    from ppstyleclip.cli.faces import given_face

    if args.input_image is None:
        return given_face(editor, args, seed=DEFAULT_SEED)
    from ppstyleclip.cli.photos import read_face
    from ppstyleclip.pipelines.inversion import find_latents
    from ppstyleclip.progress import last

    face = read_face(editor.bundle, args.input_image, tell=print)
    return last(find_latents(editor, face.crop[None])).w_plus, args.input_image
