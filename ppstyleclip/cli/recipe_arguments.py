# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Arguments for several edits at once, and for what "auto" may cost; and what they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from ppstyleclip.cli.argument_types import FRACTION
from ppstyleclip.cli.arguments import refuse_idle
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.recipe_files import NEUTRAL, EditWords, RecipeWords, parse_edit, read_recipe

if TYPE_CHECKING:
    from ppstyleclip.editor import Editor
    from ppstyleclip.pipelines.recipes import Recipe

# Options that say what an edit leaves open, and the fields of EditWords.
_OPTIONS = {
    "beta": "beta_threshold",
    "unit": "alpha_unit",
    "templates": "templates",
    "pull": "pull",
    "soft": "soft_threshold",
    "region": "region",
}


_NEUTRAL_OF = {
    "--edit": "an edit names it, as in 'face -> happy face'",
    "--recipe": "the file names it, by `neutral`",
    "--reference": "the pictures before the edit show it",
}


def add_recipe_arguments(add: Callable[..., Any]) -> None:
    """Add edits by --edit and --recipe, and budgets; `add` is a group's add_argument."""
    add(
        "--edit",
        action="append",
        metavar="EDIT",
        help="in place of --target, and as often as wished: 'face -> smiling face @ 3'; without -> the face "
        "is a 'face', without @ the strength is the model's own; @ auto solves it",
    )
    add(
        "--reference",
        nargs="+",
        metavar="PICTURE",
        help="in place of --target: pictures that show what is before the edit; with --reference_to",
    )
    add("--reference_to", nargs="+", metavar="PICTURE", help="pictures that show what comes of them")
    add("--recipe", metavar="FILE", help="in place of --target: several edits in a file, YAML or JSON")
    add(
        "--orthogonal",
        action="store_true",
        help="take out of each of several edits what it shares with the others",
    )
    add(
        "--identity",
        type=FRACTION,
        metavar="COSINE",
        help="of auto: how alike the face stays at least, 0 for no limit (default: 0.6 where the model has "
        "an identity network)",
    )
    add(
        "--outside",
        type=FRACTION,
        metavar="SHARE",
        help="of auto: mean change outside of the edit at most, of black to white (default: 0.03)",
    )


def check_recipe_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse arguments that say nothing together, or not what to edit; does nothing under --help."""
    given = [
        f"--{name}" for name in ("target", "edit", "recipe", "reference") if getattr(args, name) is not None
    ]
    if (args.reference is None) != (args.reference_to is None):
        parser.error("--reference and --reference_to go together: pictures before, and pictures after")
    if not given:
        parser.error("the following arguments are required: --target (or --edit, --recipe or --reference)")
    if len(given) > 1:
        parser.error(f"{' and '.join(given)} each say what to edit; give one of them")
    if args.target is None:
        refuse_idle(args, ["neutral"], f"without --target: {_NEUTRAL_OF[given[0]]}")
    if args.reference is not None:
        refuse_idle(args, ["templates"], "with pictures in place of words")
    strengths = _strengths(args)
    if "auto" in strengths and len(strengths) > 1:
        parser.error("argument --direction_offset: auto is one strength; give it alone, or numbers")
    if args.target is None and args.reference is None and len(strengths) > 1:
        parser.error("several edits have one strength each; give one --direction_offset, for those without @")


def recipe_words(args: argparse.Namespace) -> RecipeWords:
    """What the arguments say is to be edited, one edit or several; Paddle is not needed.

    Raises:
        UserError: an edit or a recipe file that cannot be read, or a budget with nothing to be solved.
    """
    if args.recipe is not None:
        words = read_recipe(args.recipe)
    elif args.edit is not None:
        words = RecipeWords(tuple(parse_edit(text) for text in args.edit))
    elif args.reference is not None:
        before, after = tuple(args.reference), tuple(args.reference_to)
        named = EditWords(Path(after[0]).name, Path(before[0]).name, reference=before, reference_to=after)
        words = RecipeWords((named,))
    else:
        words = RecipeWords((EditWords(args.target, args.neutral or NEUTRAL),))
    found = [_left_open(edit, args) for edit in words.edits]
    refuse_idle(args, _untaken(args, found), "where each edit has its own")
    words = replace(
        words,
        edits=tuple(replace(edit, **options) for edit, options in zip(words.edits, found)),
        orthogonal=words.orthogonal or args.orthogonal,
        **{name: getattr(args, name) for name in ("identity", "outside") if getattr(args, name) is not None},
    )
    if len(words.edits) == 1:
        refuse_idle(args, ["orthogonal"], "with one edit")
    if not _is_open(words) and (args.identity is not None or args.outside is not None):
        raise UserError(
            "--identity and --outside are budgets of what is solved, and nothing is; "
            "add --direction_offset auto, or leave them out"
        )
    return words


def _is_open(words: RecipeWords) -> bool:
    """Whether anything is to be solved."""
    return any("auto" in (edit.alpha, edit.beta) for edit in words.edits)


def refuse_idle_network(args: argparse.Namespace, words: RecipeWords) -> None:
    """Refuse an identity network for a face that is no photo's where no budget needs one."""
    if not _is_open(words):
        refuse_idle(args, ["ir_se50_weights"], "where nothing is solved (--direction_offset auto)")


def recipe_of_arguments(args: argparse.Namespace) -> Recipe:
    """The Recipe of recipe_words; errors as recipe_of."""
    from ppstyleclip.pipelines.recipes import recipe_of

    return recipe_of(recipe_words(args))


def is_plain(args: argparse.Namespace) -> bool:
    """Whether there is one edit, by --target or --reference, with nothing to be solved."""
    is_one = args.target is not None or args.reference is not None
    return is_one and "auto" not in (*_strengths(args), args.beta_threshold)


def with_identity(editor: Editor, args: argparse.Namespace) -> Editor:
    """The editor with the identity network that --ir_se50_weights names, for budgets."""
    if getattr(args, "ir_se50_weights", None) is None or is_plain(args):
        return editor
    from ppstyleclip.editor import Editor
    from ppstyleclip.zoo import load_identity

    bundle = editor.bundle.with_parts(identity=load_identity(args.ir_se50_weights))
    return Editor(bundle, relevance=getattr(args, "relevance", None))


def _strengths(args: argparse.Namespace) -> list[Any]:
    """The strengths of --direction_offset, which some commands take one of."""
    given = args.direction_offset
    return [] if given is None else list(given) if isinstance(given, list) else [given]


def _untaken(args: argparse.Namespace, found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Options that were given and that no edit leaves open."""
    taken = set().union(*found)
    given = {**_OPTIONS, "alpha": "direction_offset"}
    return [option for name, option in given.items() if name not in taken]


def _left_open(edit: EditWords, args: argparse.Namespace) -> dict[str, Any]:
    """What the edit leaves open and the options say."""
    usual = {field.name: field.default for field in fields(EditWords)}
    found: dict[str, Any] = {}
    for name, option in _OPTIONS.items():
        value = getattr(args, option, None)
        if value is not None and getattr(edit, name) == usual[name]:
            found[name] = value
    strengths = _strengths(args)
    if edit.alpha is None and strengths:
        found["alpha"] = strengths[-1]
    return found
