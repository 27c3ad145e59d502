# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A session as text: in the part of a link behind '#', which browsers send to nobody, or as a short file.

It holds the seed, or the latent of a face that has none, and the edits; never a photo. Both forms come from
strangers and are checked as such.
"""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
import base64
import binascii
import json
import zlib
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Optional

import numpy as np

from ppstyleclip.card.model import RegionNote, note_region
from ppstyleclip.errors import UserError, shown
from ppstyleclip.regions import AUTO, NAMES
from ppstyleclip.schema import Between, Finite, Like, Line, OneOf, Open, Size, from_json
from ppstyleclip.studio.session import METHODS, MOST_STEPS, Step

FORMAT = 1
MOST_LINK = 30_000  # letters; a longer session goes into a file
MOST_TEXT = 4_000_000
_Numbers = Annotated[str, Size(0, 200_000), Like("[A-Za-z0-9+/=]*", "of base64")]


@dataclass(frozen=True)
class StepNote(Open):
    """A Step; `way` is base64 of little-endian float32."""

    method: Annotated[str, OneOf(METHODS)]
    alpha: Finite
    neutral: Line = ""
    target: Line = ""
    beta: Finite = 0.0
    region: Optional[RegionNote] = None
    mapper: Line = ""
    way: _Numbers = ""
    bound: Line = ""


@dataclass(frozen=True)
class SessionNote(Open):
    """A session.

    Attributes:
        format: of this note.
        model: name of the bundle.
        generator: fingerprint of its generator.
        seed: of a sampled face.
        z: of a likeness, base64 of little-endian float32.
        w_plus: of any other face, so too: one row `[D]` where all layers have the same one.
        steps: the edits.
    """

    format: Annotated[int, Between(FORMAT, FORMAT)]
    model: Line
    generator: Line = ""
    seed: Optional[Annotated[int, Between(0, 2**32 - 1)]] = None
    z: _Numbers = ""
    w_plus: _Numbers = ""
    steps: Annotated[tuple[StepNote, ...], Size(0, MOST_STEPS + 1)] = ()


def note_of(session: Any, model: str, generator: str) -> SessionNote:
    """Note a Session; of one that was drawn from a photo the latent is noted, the photo is not."""
    face = session.face
    seed, z, w_plus = face.seed, "", ""
    if face.z is not None:
        z = _packed(face.z)
    elif seed is None:
        rows = face.w_plus[0]
        w_plus = _packed(rows[:1] if (rows == rows[:1]).all() else rows)
    return SessionNote(FORMAT, model, generator, seed, z, w_plus, tuple(map(_note, session.steps)))


def _note(step: Step) -> StepNote:
    region = None if step.region is None else note_region(step.region, 0.0)
    way = "" if step.way is None else _packed(step.way)
    return StepNote(
        step.method,
        float(step.alpha),
        step.neutral,
        step.target,
        float(step.beta),
        region,
        step.mapper,
        way,
        step.bound,
    )


def step_of(note: StepNote) -> Step:
    """The Step of a note.

    Raises:
        UserError: a region that is not known, or an optimisation without its way.
    """
    region = None if note.region is None else note.region.region()
    way = _unpacked(note.way) if note.way else None
    if (way is None) == (note.method == "optimise"):
        raise UserError("the session holds an optimisation without its way; save it again")
    if isinstance(region, str) and region != AUTO and not set(region.split("+")) <= set(NAMES):
        raise UserError(f"the session names an unknown region {shown(region)}")  # above all, no file
    return Step(
        note.method,
        note.neutral,
        note.target,
        note.alpha,
        note.beta,
        region,
        note.mapper,
        way,
        note.bound,
    )


def latent_of(note: SessionNote) -> np.ndarray:
    """The numbers of a face without a seed, flat float32."""
    return _unpacked(note.z or note.w_plus)


def to_text(note: SessionNote) -> str:
    """A note as JSON, the same text for the same session."""
    return json.dumps(_bare(asdict(note)), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> SessionNote:
    """Read a note.

    Raises:
        UserError: it is none; names the field that is wrong.
    """
    return from_json(SessionNote, text, "the session", most=MOST_TEXT)


def to_link(note: SessionNote) -> str:
    """A note as letters that stand in a link.

    Raises:
        UserError: it is too long for one.
    """
    link = base64.urlsafe_b64encode(zlib.compress(to_text(note).encode(), 9)).decode().rstrip("=")
    if len(link) > MOST_LINK:
        raise UserError("this session is too long for a link; save it as a file instead")
    return link


def from_link(link: str) -> SessionNote:
    """Read what to_link made.

    Raises:
        UserError: it is no such link.
    """
    try:
        if len(link) > MOST_LINK:
            raise ValueError("too long")
        data = base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))
        reader = zlib.decompressobj()
        text = reader.decompress(data, MOST_TEXT)
        if not reader.eof:
            raise ValueError("cut off, or too long")
    except (ValueError, binascii.Error, zlib.error):
        raise UserError("this link holds no session of the studio; copy it again, whole") from None
    return from_text(text.decode("utf-8", "replace"))


def _bare(value: Any) -> Any:
    """Without what is left at its default of nothing."""
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if one not in (None, "", ())}
    return [_bare(one) for one in value] if isinstance(value, (list, tuple)) else value


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def _unpacked(text: str) -> np.ndarray:
    try:
        values = np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    except (ValueError, binascii.Error):
        raise UserError("the session's numbers cannot be read; save it again") from None
    if not values.size or not np.isfinite(values).all():
        raise UserError("the session's numbers are not finite; save it again")
    return values
