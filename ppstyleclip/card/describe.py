# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The card of what an editor did."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ppstyleclip.card.measure import measure_edits
from ppstyleclip.card.model import FORMAT, Card, EditNote, Moved, Source, note_region
from ppstyleclip.card.origin import versions, weights_of
from ppstyleclip.card.result import EditResult
from ppstyleclip.card.verdict import judge
from ppstyleclip.files import fingerprint

if TYPE_CHECKING:
    from ppstyleclip.models.canvas import Canvas

TENTH = 0.1  # of the strongest channel's move, from which on a channel counts as moved


def describe_edits(
    editor: Any,
    edits: Sequence[Any],
    before: np.ndarray,
    after: np.ndarray,
    *,
    source: Source,
    masks: Sequence[np.ndarray | None],
    seconds: float,
    alphas: Sequence[float] | None = None,
    drawn: str | None = None,
    bounds: Sequence[str] = (),
    steps: Sequence[np.ndarray] | None = None,
    recipe: bool = False,
    orthogonal: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Card:
    """Make the card of some edits of one face.

    Args:
        editor: Editor that made them.
        edits: in the order in which they were made.
        before, after: `[H, W, 3]` uint8, the face as the generator drew it.
        source: the face before the edit.
        masks: `[H, W]` where each edit could change the picture; None: everywhere.
        seconds: that they took.
        alphas: strengths that were drawn together; None: the last edit's.
        drawn: in which form; None: the editor's now.
        bounds: what each strength was bound by, where it was solved; "" where not.
        steps: `[S]` what each added, where it is not Editor.step.
        recipe, orthogonal, options: as in Card.
    """
    resolved = [editor.resolve(edit) for edit in edits]
    mask, along = _union(masks), _along(editor, resolved)
    (numbers,) = measure_edits(
        editor.bundle, along[None], before[None], after[None], None if mask is None else mask[None]
    )
    verdict, reason = judge(numbers)
    return Card(
        format=FORMAT,
        model=editor.bundle.name,
        edits=tuple(
            _note(edit, mask, bound, editor.text_direction(edit))
            for edit, mask, bound in zip(resolved, masks, bounds or [""] * len(resolved))
        ),
        alphas=tuple(float(a) for a in ([resolved[-1].alpha] if alphas is None else alphas)),
        source=source,
        numbers=numbers,
        moved=_moved(editor, resolved, [editor.step(one) for one in resolved] if steps is None else steps),
        verdict=verdict,
        reason=reason,
        seconds=round(float(seconds), 3),
        fingerprints=weights_of(editor.bundle),
        versions=versions(),
        drawn=drawn or editor.drawn,
        before=pixels_digest(before),
        after=pixels_digest(after),
        options={"within": editor.bundle.defaults.within, **_canvas(editor.canvas), **(options or {})},
        recipe=recipe,
        orthogonal=orthogonal,
        relevance=editor.relevance or "",
    )


def _canvas(canvas: Canvas | None) -> dict[str, Any]:
    """Where an editor draws, in the words of the commands."""
    return {} if canvas is None else {"translate": list(canvas.translate), "rotate": canvas.rotate}


def pixels_digest(pixels: np.ndarray) -> str:
    """SHA-256 of a picture's size and pixels."""
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def face_source(editor: Any, face: Any) -> Source:
    """The source of a face of an editor: its seed, where that is known."""
    array = np.asarray(face.numpy() if hasattr(face, "numpy") else face, np.float32)
    mark, known = fingerprint({"face": array}), editor.sampled.seed_of(array[0])
    if known is None or known[0] < 0:
        return Source("unknown", face=mark)
    return Source("seed", seed=known[0], truncation=known[1], face=mark)


def _note(edit: Any, mask: np.ndarray | None, bound: str, dt: np.ndarray) -> EditNote:
    return EditNote(
        edit.neutral,
        edit.target,
        float(edit.alpha),
        float(edit.beta),
        edit.unit,
        edit.templates,
        float(edit.soft),
        float(edit.pull),
        bound,
        None if mask is None else note_region(edit.region, round(float(mask.mean()), 4)),
        None if edit.reference is None else base64.b64encode(dt.astype("<f4").tobytes()).decode(),
    )


def _along(editor: Any, edits: Sequence[Any]) -> np.ndarray:
    """The way that the texts point together, `[D]`; a negative strength points the other way."""
    ways = [np.copysign(1.0, edit.alpha) * editor.text_direction(edit) for edit in edits]
    whole = np.sum(ways, axis=0)
    length = np.linalg.norm(whole)
    return np.asarray(whole / length if length > 1e-6 else ways[-1], np.float32)


def _union(masks: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [mask for mask in masks if mask is not None]
    return np.max(known, axis=0) if known and len(known) == len(masks) else None


def _moved(editor: Any, edits: Sequence[Any], each: Sequence[np.ndarray]) -> Moved:
    layout, std = editor.bundle.layout, np.maximum(editor.direction(edits[0]).std, 1e-12)
    steps = np.abs(np.sum(each, axis=0) / std)
    least = max(TENTH * float(steps.max(initial=0)), 1e-12)
    counts = {
        name: int((part >= least).sum()) for name, part in zip(layout.names, layout.unflatten(steps[None]))
    }
    channels = max(editor.direction(edit).num_channels for edit in edits)
    return Moved(channels, layout.num_editable, {name: count for name, count in counts.items() if count})


def edit_result(editor: Any, face: Any, session: Any, edits: Sequence[Any]) -> EditResult:
    """Make edits of one face in a session; their card is made when it is asked for."""
    begin = time.monotonic()
    for edit in edits:
        session.accept(edit)
    before, after = session.start_and_now()
    seconds, drawn, made = time.monotonic() - begin, editor.drawn, session.history
    bounds = session.bounds

    def card() -> Card:
        masks = [editor.region_masks(face, edit) for edit in made]
        return describe_edits(
            editor,
            made,
            before,
            after,
            source=face_source(editor, face),
            masks=[None if one is None else one[0] for one in masks],
            seconds=seconds,
            drawn=drawn,
            bounds=bounds,
        )

    return EditResult(before, after, card)
