# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Make an edit again from its card, and say whether it is the same, bit for bit, or what differs here.

The card names model, face and edit, and the fingerprints of all weights. On the same machine and versions the
picture has the same bytes; elsewhere the command says what is different. Exit code 1: the picture differs.

    ppstyleclip replay edited.card.json
    ppstyleclip replay edited.card.json --source photo.jpg -o again.png
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppstyleclip.cli.arguments import (
    add_encoder_argument,
    add_model_arguments,
    documented_parser,
    load_editor,
)
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, check_target
from ppstyleclip.threads import import_paddle

if TYPE_CHECKING:
    from ppstyleclip.card import Card
    from ppstyleclip.editor import Editor

DEFAULT_OUTPUT = "replayed.png"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = documented_parser(__doc__ or "")
    parser.add_argument("card", help="the card, NAME.card.json")
    parser.add_argument(
        "-o",
        "--output",
        default=DEFAULT_OUTPUT,
        metavar="FILE",
        help="the picture (.png, .jpg, .webp; default: %(default)s)",
    )
    parser.add_argument(
        "--source",
        metavar="FILE",
        help="the photo or latent file that was edited (default: the one of that name beside the card)",
    )
    add = add_model_arguments(parser, output_path=None)
    add("--clip", help="CLIP of the directions, by name or file (default: the model's own)")
    add_encoder_argument(add)
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> int:
    """Replay, write, and say what was found; 1 where the picture differs."""
    check_file(args.card)
    target = check_target(Path(args.output))
    import_paddle()

    from ppstyleclip.card import read_card
    from ppstyleclip.zoo.registry import known_models

    card = read_card(args.card)
    source = _source(args, card)
    if args.model_type is None and args.bundle is None and card.model in known_models():
        args.model_type = card.model
    args.output_path = str(target.parent)
    if card.source.kind != "photo":  # whose faces lie where the photo has them
        args.translate, args.rotate = (card.options.get(name) for name in ("translate", "rotate"))
    editor = load_editor(args, relevance=card.relevance or None, clip=args.clip)
    if args.encoder is not None:
        editor.bundle.encoder  # noqa: B018  # what is wrong with it is said here, not that there is none
    pixels, replayed = _replayed(card, editor, source)

    from ppstyleclip.cli.saving import save_labelled

    visible = card.options.get("visible_label") is True
    save_labelled(target, pixels, is_photo=card.source.kind == "photo", card=card, visible=visible)
    print(f"{card.title}: the picture is " + ("the same, bit for bit" if replayed.is_same else "another one"))
    for line in replayed.differences:
        print(f"the card was made with {line}")
    print(f"wrote {target}")
    return 0 if replayed.is_same else 1


def _source(args: argparse.Namespace, card: Card) -> Path | None:
    """The file that was edited, whose content is compared; None for a sampled face."""
    kind = card.source.kind
    if kind == "seed":
        return None
    if kind == "unknown" and args.source is None:
        raise UserError(f"{args.card} does not know which latent was edited; name its file with --source")
    places = (
        [Path(args.source)]
        if args.source
        else [Path(args.card).parent / card.source.file, Path(card.source.file)]
    )
    found = next((place for place in places if os.path.isfile(place)), None)
    if found is None:
        raise UserError(
            f"{args.card} is of {card.source.file or 'a file'}, which is not here; name it with --source"
        )
    from ppstyleclip.cli.card_files import file_digest

    if card.source.fingerprint and file_digest(found) != card.source.fingerprint:
        raise UserError(
            f"{found} is not the file that was edited: its content differs; name another with --source"
        )
    return found


def _replayed(card: Card, editor: Editor, source: Path | None) -> tuple[Any, Any]:
    """The picture that was written, and the Replayed."""
    from ppstyleclip.align import read_photo
    from ppstyleclip.pictures import offset_labels, strip
    from ppstyleclip.pipelines.cards import replay_face, replay_photo
    from ppstyleclip.pipelines.latent_files import load_face

    if card.source.kind == "photo":
        replayed, pixels = replay_photo(card, editor, read_photo(source))
        return pixels, replayed
    if source is None:
        face = editor.sample(card.source.seed or 0, truncation=card.source.truncation).numpy()
    else:
        face = load_face(editor, str(source), card.source.index)
    replayed = replay_face(card, editor, face)
    if len(card.alphas) > 1:
        return strip(replayed.pictures, offset_labels(card.alphas)), replayed
    return replayed.after, replayed
