# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Several edits in words: how they stand in a file (YAML or JSON) and on a command line; without Paddle.

A file looks like this; only `edits`, and the `target` of each, are needed:

    orthogonal: true
    identity: 0.6
    edits:
      - {name: smile, neutral: face, target: smiling face, alpha: 3}
      - {name: hair, target: face with gold hair, alpha: auto, beta: auto}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional, Union

from ppstyleclip.errors import UserError, shown
from ppstyleclip.files import read_file
from ppstyleclip.finite import is_number
from ppstyleclip.schema import MOST_YAML, Between, Line, OneOf, Ratio, Size, from_json, from_yaml
from ppstyleclip.text import TEMPLATES

MOST_EDITS = 16
MOST_PICTURES = 64  # of a side of a reference
NEUTRAL = "face"
UNITS = ("style", "sigma", "effect")  # those of stylespace, which imports Paddle
_Auto = Annotated[str, OneOf(("auto",))]
_Words = Annotated[Line, Size(1, 1000)]


@dataclass(frozen=True)
class EditWords:
    """One edit of a recipe; what is left out is the model's own.

    Attributes:
        target, neutral: the texts.
        name: what messages call it; None: the target.
        alpha, beta: numbers, or "auto".
        unit, templates, soft, pull: as in Edit.
        region: where in the picture.
        reference, reference_to: files of pictures before and after that show the edit in place of the texts.
    """

    target: _Words
    neutral: _Words = NEUTRAL
    name: Optional[_Words] = None
    alpha: Optional[Union[Annotated[float, Between(-1e6, 1e6)], _Auto]] = None
    beta: Optional[Union[Annotated[float, Between(0, 1e6)], _Auto]] = None
    unit: Optional[Annotated[str, OneOf(UNITS)]] = None
    templates: Optional[Annotated[str, OneOf(tuple(TEMPLATES))]] = None
    soft: Ratio = 0.0
    pull: Optional[Ratio] = None
    region: Optional[_Words] = None
    reference: Annotated[tuple[_Words, ...], Size(0, MOST_PICTURES)] = ()
    reference_to: Annotated[tuple[_Words, ...], Size(0, MOST_PICTURES)] = ()

    def __post_init__(self):
        if bool(self.reference) != bool(self.reference_to):
            raise ValueError("a reference has pictures on both sides: reference and reference_to")


@dataclass(frozen=True)
class RecipeWords:
    """Several edits of one face.

    Attributes:
        edits: EditWords, in the order in which "auto" is solved.
        name: of the recipe.
        orthogonal: whether the steps are made orthogonal to each other.
        identity, outside: of the budget of "auto", as in Budget; None: its own.
    """

    edits: Annotated[tuple[EditWords, ...], Size(1, MOST_EDITS)]
    name: Optional[Line] = None
    orthogonal: bool = False
    identity: Optional[Ratio] = None
    outside: Optional[Ratio] = None


def read_recipe(path: Union[str, Path]) -> RecipeWords:
    """Read a recipe: JSON where the file's name ends so, else YAML.

    Raises:
        MissingFile: there is no such file.
        UserError: it is no recipe; one line names the first value that is wrong.
    """
    read = from_json if Path(path).suffix.lower() == ".json" else from_yaml
    return read(RecipeWords, read_file(path, MOST_YAML), path)


def parse_edit(text: str) -> EditWords:
    """Read "NEUTRAL -> TARGET @ ALPHA", such as "face -> smiling face @ 3" or "smiling face @ auto".

    Without a neutral text it is NEUTRAL, without a strength the model's own.

    Raises:
        UserError: a text is missing, or the strength is no number.
    """
    words, at, strength = text.rpartition("@")
    if not at:
        words, strength = text, ""
    neutral, arrow, target = words.replace("→", "->").partition("->")
    if not arrow:
        neutral, target = NEUTRAL, words
    neutral, target, strength = neutral.strip(), target.strip(), strength.strip()
    is_right = neutral and target and "->" not in target and bool(at) == bool(strength)
    if not is_right or len(text) > 1000 or not text.isprintable():
        raise UserError(
            "an edit is 'NEUTRAL -> TARGET @ STRENGTH', such as 'face -> smiling face @ 3'; "
            f"got {shown(text)}"
        )
    return EditWords(target, neutral, alpha=_strength(strength) if at else None)


def _strength(text: str) -> Union[float, str]:
    if text == "auto":
        return text
    try:
        value = float(text) if len(text) <= 40 else float("nan")
    except ValueError:
        value = float("nan")
    if not is_number(value) or abs(value) > 1e6:
        raise UserError(f"behind @ stands a strength from -1e6 to 1e6, or auto; got {shown(text)}")
    return value
