# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Arguments of the commands that edit by text, and what they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from ppstyleclip.cli.argument_types import (
    DEVIATIONS,
    FRACTION,
    STEPS,
    STRENGTH_OR_AUTO,
    THRESHOLD_OR_AUTO,
    Whole,
    which_face,
    words,
)
from ppstyleclip.cli.arguments import (
    add_encoder_argument,
    add_identity_argument,
    load_editor,
    refuse_idle,
)
from ppstyleclip.errors import UserError
from ppstyleclip.files import PICTURE_SUFFIXES, check_target
from ppstyleclip.pipelines.recipe_files import NEUTRAL
from ppstyleclip.threads import import_paddle

if TYPE_CHECKING:
    from ppstyleclip.editor import Edit, Editor
    from ppstyleclip.pipelines.photo import PhotoConfig


def add_edit_arguments(add: Callable[..., Any]) -> None:
    """Add the texts, the strengths and all knobs of an edit; `add` is a group's add_argument."""
    add("--neutral", type=words, help="what the picture shows (default: face)")
    add("--target", type=words, help="what it should show, such as 'happy face'")
    add(
        "--direction_offset",
        type=STRENGTH_OR_AUTO,
        nargs="+",
        metavar="ALPHA",
        help="strength, or several; dst is the last one; or auto: the smallest that reaches the text within "
        "the budget (default: the model's own)",
    )
    add(
        "--beta_threshold",
        type=THRESHOLD_OR_AUTO,
        metavar="BETA",
        help="style channels less related to the text stay still; or auto: the one that spoils least "
        "(default: the model's own)",
    )
    add(
        "--soft_threshold",
        type=FRACTION,
        metavar="SHARE",
        help="share of its movement that a channel below BETA keeps, 0 to 1 (default: 0)",
    )
    add(
        "--pull",
        type=FRACTION,
        metavar="SHARE",
        help="how far the step leans towards how faces differ, 0 (the paper) to 1 (default: the model's own)",
    )
    add(
        "--alpha_unit",
        choices=("style", "sigma", "effect"),
        help="what ALPHA counts: raw style values, as PaddleGAN; standard deviations, as the paper; "
        "or expected move of the CLIP feature (default: the model's own)",
    )
    add(
        "--templates",
        choices=("paddlegan", "official", "plain", "chinese"),
        help="sentences that the words are put into (default: the model's own)",
    )
    add_region_argument(add)


def add_region_argument(add: Callable[..., Any], *, auto: bool = True) -> None:
    """Add where the picture may change; `add` is a group's add_argument, `auto` whether there is a text."""
    add(
        "--region",
        metavar="REGION",
        help="where the picture may change: mouth, eyes, hair, skin, background, nose, brows, beard, "
        "glasses, clothes, several joined by +, "
        + "auto (where the text lives), " * auto
        + "or the file of a mask (default: everywhere)",
    )


def add_label_argument(add: Callable[..., Any]) -> None:
    """Add the label that can be seen; `add` is add_argument."""
    add(
        "--visible_label",
        action="store_true",
        help="write on the picture that it is synthetic; its file says so in any case",
    )


def add_sheet_argument(add: Callable[..., Any]) -> None:
    """Add the picture of several strengths and thresholds; `add` is add_argument."""
    add(
        "--contact_sheet",
        metavar="PICTURE",
        help="write the edit at several strengths and thresholds too, labelled, the chosen one framed",
    )


def check_sheet(args: argparse.Namespace) -> None:
    """Refuse a contact sheet that could not be written, or of several edits."""
    if args.contact_sheet is None:
        return
    if Path(args.contact_sheet).suffix.lower() not in PICTURE_SUFFIXES:
        known = ", ".join(PICTURE_SUFFIXES)
        raise UserError(
            f"--contact_sheet {args.contact_sheet} is no picture's name; it ends with one of {known}"
        )
    if args.recipe is not None or len(args.edit or ()) > 1:
        raise UserError("a contact sheet shows one edit; leave out --contact_sheet or all edits but one")
    check_target(args.contact_sheet)


def add_measured_arguments(add: Callable[..., Any]) -> None:
    """Add what takes the place of a model's measurements; `add` is the model group's add_argument."""
    add("--direction_path", help="relevance of the style channels, in place of the model's own")
    add(
        "--relevance",
        choices=("matrix", "instant", "instant+"),
        help="where directions come from: the measured matrix; gradients for these texts, in seconds; or "
        "those with the strongest channels drawn, too (default: the matrix, or instant where there is none)",
    )
    add("--stat_path", help="mean and deviation of the styles, in place of the model's own")
    add("--clip", help="CLIP of the relevance, by name or file (default: the one that it states)")
    add(
        "--within",
        type=DEVIATIONS,
        metavar="N",
        help="how many deviations from its mean an edit may bring a style channel, which keeps colours from "
        "burning out; 0 for no limit (default: the model's own)",
    )


def load_measured_editor(args: argparse.Namespace) -> Editor:
    """Load the model of a command that has add_measured_arguments; errors as load_editor."""
    if args.relevance is not None and args.relevance != "matrix" and args.direction_path is not None:
        raise UserError(
            f"--direction_path names a matrix and --relevance {args.relevance} uses none; leave one out"
        )
    parts = {"direction_path": args.direction_path, "stat_path": args.stat_path, "clip": args.clip}
    editor = load_editor(args, relevance=args.relevance, **parts)
    return editor if args.within is None else editor.limited(args.within)


# Of photos alone.
PHOTO_OPTIONS = ("face", "align", "landmarks", "landmark_path", "encoder", "steps", "tune", "paste")


def add_photo_arguments(add: Callable[..., Any], *, smooth: bool = False) -> None:
    """Add which faces of a photo are edited, and how; `smooth` is for a command that takes videos."""
    add(
        "--face",
        type=which_face,
        help="a number, 1 for the leftmost; best (size times confidence); largest; or all (default: best)",
    )
    add(
        "--align",
        choices=("face", "none"),
        help="none for a generator of what is no face (cats, cars, churches): the square in the middle of "
        "the picture is taken, and nothing is looked for (default: face)",
    )
    add("--landmarks", metavar="JSON", help="the 68 landmarks of each face, in place of dlib")
    add("--landmark_path", metavar="DAT", help="dlib's landmark model (default: the model's own)")
    add_encoder_argument(add)
    add("--steps", type=STEPS, help="of fitting behind the encoder; 0 for none (default: 60)")
    add(
        "--tune",
        type=STEPS,
        metavar="STEPS",
        help="then change a copy of the generator until it draws the face (default: 0, not at all)",
    )
    if smooth:
        add(
            "--smooth",
            type=Whole(0, 100),
            metavar="FRAMES",
            help="average landmarks over so many frames before and after each (default: 4 for a video, 0 for "
            "a folder)",
        )
        add(
            "--smooth_latents",
            type=Whole(0, 100),
            metavar="FRAMES",
            help="average latents likewise, so that a face does not tremble (default: 4 for a video, 0 for a "
            "folder)",
        )
    add_identity_argument(add)
    add(
        "--paste",
        choices=("blend", "difference", "replace"),
        help="what returns into the photo: what the edit changed (difference), the whole drawn face "
        "(replace), or the face where it changed much (default: blend)",
    )


def text_edit(args: argparse.Namespace) -> Edit:
    """Return the edit that add_edit_arguments describe, without its strength."""
    from ppstyleclip.editor import Edit

    options = {
        "beta": args.beta_threshold,
        "unit": args.alpha_unit,
        "templates": args.templates,
        "soft": args.soft_threshold or 0.0,
        "pull": args.pull,
        "region": args.region,
    }
    if getattr(args, "reference", None) is not None:
        return Edit.of_pictures(args.reference, args.reference_to, **options)
    return Edit(args.neutral or NEUTRAL, args.target, **options)


def _refuse_landmark_regions(region: str | None) -> None:
    """Names of regions are looked up in a face's landmarks, which a photo without alignment has none of."""
    from ppstyleclip.regions import NAMES

    if region is not None and all(part in NAMES for part in region.split("+")):
        raise UserError(
            f"--region {region} is looked up in a face's landmarks, and --align none has none; give the file "
            "of a mask, or auto"
        )


def photo_config(args: argparse.Namespace) -> PhotoConfig:
    """Return what add_photo_arguments describe."""
    import_paddle()

    from ppstyleclip.methods.inversion import FittingConfig, TuningConfig
    from ppstyleclip.pipelines.photo import PhotoConfig

    if args.align == "none":
        refuse_idle(args, ("face", "landmarks", "landmark_path", "smooth"), "with --align none")
        _refuse_landmark_regions(getattr(args, "region", None))
    if args.landmarks is not None:
        refuse_idle(args, ["landmark_path"], "with --landmarks")
    found: dict[str, Any] = {name: getattr(args, name) for name in ("face", "paste", "align")}
    if args.steps is not None:
        found["fitting"] = FittingConfig(steps=args.steps)
    if args.tune:
        found["tuning"] = TuningConfig(steps=args.tune)
    return PhotoConfig(**{name: value for name, value in found.items() if value is not None})
