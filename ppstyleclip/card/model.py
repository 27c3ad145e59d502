# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a card holds, as schemas that its JSON is read by."""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
import base64
import dataclasses
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Optional

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import encode_picture, import_cv2, read_json
from ppstyleclip.references import KnownReference
from ppstyleclip.regions import RegionMask
from ppstyleclip.schema import (
    Between,
    Count,
    Finite,
    Like,
    Line,
    Mark,
    OneOf,
    Open,
    Plain,
    Ratio,
    Size,
)

FORMAT = 1
MOST_PIXELS = 80_000_000  # of a mask on a card
SOURCES = ("seed", "latent", "photo", "unknown")
VERDICTS = ("good", "weak", "harmful")
Digest = Annotated[str, Like("[0-9a-f]{0,64}", "of up to 64 hexadecimal digits")]
Names = Annotated[dict[str, Line], Size(0, 100)]


@dataclass(frozen=True)
class RegionNote(Open):
    """Where an edit could change the picture.

    Attributes:
        name: what the user called it.
        share: of the picture.
        mask: fingerprint of a painted mask.
        png: the painted mask itself, a PNG in base64.
    """

    name: Line
    share: Ratio
    mask: Optional[Mark] = None
    png: Optional[Annotated[str, Size(0, 8_000_000)]] = None

    def region(self) -> Any:
        """What an Edit takes.

        Raises:
            UserError: the mask in it is no picture.
        """
        if self.png is None:
            return self.name
        cv2 = import_cv2()
        try:
            data = base64.b64decode(self.png, validate=True)
            sides = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
            is_png = data.startswith(b"\x89PNG") and sides[0] * sides[1] <= MOST_PIXELS
            values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if is_png else None
        except (ValueError, cv2.error):
            values = None
        if values is None:
            raise UserError(f"the card's mask '{self.name}' is no picture; make the card again")
        return RegionMask(values, self.name)


def note_region(region: Any, share: float) -> RegionNote:
    """The note of a name or a RegionMask."""
    if not isinstance(region, RegionMask):
        return RegionNote(str(region), share)
    levels = np.rint(region.values * 255).astype(np.uint8)
    png = encode_picture(np.repeat(levels[:, :, None], 3, axis=2))
    return RegionNote(region.name, share, region.fingerprint, base64.b64encode(png).decode())


@dataclass(frozen=True)
class EditNote(Open):
    """One edit, every default filled in; the attributes are Edit's.

    Attributes:
        bound_by: what the strength was bound by, where it was chosen by the tool.
        reference: the direction that pictures showed, float32 in base64.
    """

    neutral: Line
    target: Line
    alpha: Finite
    beta: Finite
    unit: Line
    templates: Line
    soft: Ratio
    pull: Ratio
    bound_by: Line = ""
    region: Optional[RegionNote] = None
    reference: Optional[Annotated[str, Size(1, 100_000)]] = None

    def known_reference(self) -> Any:
        """What an Edit takes, or None.

        Raises:
            UserError: it is no direction.
        """
        if self.reference is None:
            return None
        try:
            dt = np.frombuffer(base64.b64decode(self.reference, validate=True), "<f4")
        except ValueError:
            dt = np.zeros(0, np.float32)
        if not np.isfinite(dt).all() or abs(float(np.linalg.norm(dt)) - 1) > 1e-3:
            raise UserError("the card's reference is no unit vector; make the card again")
        return KnownReference(dt.astype(np.float32))


@dataclass(frozen=True)
class Source(Open):
    """The face before the edit.

    Attributes:
        kind: "seed" of a sampled face, "latent" or "photo" of a file, or "unknown".
        seed, truncation: of a sampled face.
        file, index: name of the file, and which latent of it.
        fingerprint: SHA-256 of the file.
        face: fingerprint of the face's latent.
    """

    kind: Annotated[str, OneOf(SOURCES)] = "unknown"
    seed: Optional[Annotated[int, Between(0, 2**32 - 1)]] = None
    truncation: Ratio = 1.0
    file: Line = ""
    index: Count = 0
    fingerprint: Digest = ""
    face: Digest = ""


@dataclass(frozen=True)
class Numbers(Open):
    """What an edit did to the picture.

    Attributes:
        identity: cosine of who is in the pictures before and after, 1 for the same; None without a network.
        likeness: what `inside` and `outside` are measured by: "lpips", or "clip", one minus the cosine of
            CLIP's features. 0 for equal pictures.
        inside, outside: how unlike the picture became by what changed inside the region, and outside it.
        region: which region: the edit's own, or "text", where the text lives (regions.auto).
        along: how far CLIP's unit feature moved along the text.
        across: how far it moved in all other directions.
        aside: how far it moved along what the words for other attributes say, on the mean (card.others); 0
            on cards of older versions.
        changed: share of the picture's pixels that differ by more than four levels.
    """

    likeness: Line
    inside: Finite
    outside: Finite
    region: Line
    along: Finite
    across: Finite
    changed: Ratio
    identity: Optional[Finite] = None
    aside: Finite = 0.0


@dataclass(frozen=True)
class Moved(Open):
    """Which style channels an edit moved.

    Attributes:
        channels, editable: how many reached the threshold, and of how many.
        layers: `{layer: channels}` of those that move by a tenth of the strongest one or more.
    """

    channels: Count
    editable: Count
    layers: Annotated[dict[str, Count], Size(0, 1000)]


_Point = Annotated[tuple[Annotated[float, Between(-1e6, 1e6)], ...], Size(2, 2)]
_Points = Annotated[tuple[_Point, ...], Size(68, 68)]
_Strengths = Annotated[tuple[_Point, ...], Size(1, 100)]


@dataclass(frozen=True)
class PhotoOptions(Open):
    """How a photo was edited.

    Attributes:
        steps, tune: of fitting and of tuning.
        paste: how faces returned into the photo.
        landmarks: of all faces that were edited, from left to right.
        face: which of them the card is of, from 1.
        align: "none" where nothing was aligned, and there are no landmarks.
        strengths: [alpha, beta] of each edit of each face, where they were solved and faces are several.
    """

    steps: Annotated[int, Between(0, 100_000)]
    tune: Annotated[int, Between(0, 100_000)]
    paste: Annotated[str, OneOf(("blend", "difference", "replace"))]
    landmarks: Annotated[tuple[_Points, ...], Size(0, 1000)]
    face: Annotated[int, Between(1, 1000)] = 1
    strengths: Annotated[tuple[_Strengths, ...], Size(0, 1000)] = ()
    align: Annotated[str, OneOf(("face", "none"))] = "face"

    def __post_init__(self):
        if not self.landmarks and self.align == "face":
            raise ValueError("the landmarks of a face are needed")


@dataclass(frozen=True)
class Card(Open):
    """An edit and all that is needed to judge it and to make it again.

    Attributes:
        format: of this card.
        model: the bundle's name.
        edits: in the order in which they were made.
        alphas: strengths that were drawn together; `edits[-1].alpha` is the last one.
        source, numbers, moved: see there.
        verdict, reason: "good", "weak" or "harmful", and why.
        seconds: that the edit took.
        fingerprints: of all weights that took part.
        versions: of the programs and the machine.
        drawn: "eager", or "compiled": the form in which the pictures were drawn.
        before, after: SHA-256 of the pixels.
        options: how a photo was edited; `translate` and `rotate` of a moved canvas; `within`, of how many
            deviations edits kept (EditDefaults), which older cards do not say.
        relevance: where directions came from, as in choose_matcher; "" where that was left to the bundle.
        recipe: the edits were made in one pass, and not one after the other.
        orthogonal: their steps were made orthogonal.
    """

    format: Annotated[int, Between(FORMAT, FORMAT)]
    model: Line
    edits: Annotated[tuple[EditNote, ...], Size(1, 100)]
    alphas: Annotated[tuple[Finite, ...], Size(1, 1000)]
    source: Source
    numbers: Numbers
    moved: Moved
    verdict: Annotated[str, OneOf(VERDICTS)]
    reason: Line
    seconds: Annotated[float, Between(0, 1e9)]
    fingerprints: Names
    versions: Names
    drawn: Annotated[str, OneOf(("eager", "compiled"))]
    before: Digest
    after: Digest
    options: Annotated[dict[str, Plain], Size(0, 100)] = field(default_factory=dict)
    recipe: bool = False
    orthogonal: bool = False
    relevance: Line = ""

    @property
    def title(self) -> str:
        """The edits in words."""
        return ", ".join(f"{one.neutral} -> {one.target}" for one in self.edits)


def to_json(card: Card) -> str:
    """A card as JSON, the same text for the same card."""
    return json.dumps(card_values(card), ensure_ascii=False, indent=1) + "\n"


def card_values(card: Card) -> dict[str, Any]:
    """A card as plain values."""
    return _without_none(dataclasses.asdict(card))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, (list, tuple)) else value


def read_card(path: Any) -> Card:
    """Read a card from its JSON.

    Raises:
        MissingFile: there is no such file.
        UserError: it is no card; names the field that is wrong.
    """
    return read_json(Card, path, most=16_000_000)
