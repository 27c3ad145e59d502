# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What takes longer than a slider: strengths that are solved, optimisation, contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import AUTO
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.contact_sheet import ContactSheet, draw_contact_sheet
from ppstyleclip.pipelines.optimization import (
    OptimizationHistory,
    Optimized,
    default_preset,
    optimize_faces,
    to_space,
)
from ppstyleclip.pipelines.presets import read_optimization_preset
from ppstyleclip.pipelines.records import Record
from ppstyleclip.studio.drawing import Drawing
from ppstyleclip.studio.session import Session, Step

PICTURES = 20  # of the way of an optimisation that are shown, about


@dataclass(frozen=True, eq=False)
class Way:
    """How far an optimisation is.

    Attributes:
        done, total: steps.
        picture: `[S, S, 3]` uint8, where one is due.
        loss: of CLIP, so far: one for each step.
        step: the edit, when the optimisation has ended or was stopped.
    """

    done: int
    total: int
    picture: np.ndarray | None
    loss: list[float]
    step: Step | None = None


def solve(drawing: Drawing, session: Session, *, beta: bool = False) -> Iterator[Record[Step]]:
    """Find the strength of a session's draft, and with `beta` its threshold, for its face.

    Raises:
        UserError: there is no draft, or it is no direction; as Editor.solve.
    """
    draft = session.draft
    if draft is None or draft.method != "direction":
        raise UserError("a strength is found for a direction: write what the face should become first")
    edit = draft.edit()
    wished = replace(edit, alpha=AUTO, beta=AUTO if beta else edit.beta)
    others = drawing.parts(session.try_out(None))
    masks = drawing.mask(session.face, draft)
    for record in drawing.editor.solve(session.face.w_plus, wished, others=others, masks=masks):
        found = None
        if record.result is not None:
            trial = record.result.trial
            found = replace(
                draft, alpha=float(trial.alpha), beta=float(trial.beta), bound=record.result.bound
            )
        yield Record(record.done, record.total, record.stage, found)


def optimise(
    drawing: Drawing, session: Session, step: Step, steps: int, is_stopped: Callable[[], bool]
) -> Iterator[Way]:
    """Optimise the face of a session, before its edits, until CLIP sees a text in it.

    Args:
        drawing: Drawing.
        session: Session.
        step: neutral, target and region; the rest is filled in.
        steps: of the optimisation.
        is_stopped: asked behind each step; then what was reached so far is the result.
    Raises:
        UserError: as pipelines.optimization.optimize_faces.
    """
    editor, face = drawing.editor, session.face
    preset = default_preset(editor.bundle.name, is_sampled=False)
    config = read_optimization_preset(preset, steps=steps)
    if "identity" in config.objective.parts and editor.bundle.identity is None:
        config = read_optimization_preset(preset, steps=steps, identity=0.0)
    start = to_space(editor, face.w_plus, config.space)
    history = OptimizationHistory(editor, start, config)
    losses: list[float] = []
    for record in optimize_faces(
        editor,
        start,
        [step.target],
        config,
        neutral=step.neutral,
        identity=editor.bundle.identity,
        pictures_every=max(1, steps // PICTURES),
        history=history,
        region=step.region,
    ):
        losses.append(float(np.mean(record.terms["clip"])))
        picture = None if record.pictures is None else record.pictures[0]
        made = record.result
        if made is None and is_stopped():
            made = history.result()
        ended = None if made is None else replace(step, alpha=1.0, way=_way(drawing, session, made))
        yield Way(record.done, record.total, picture, list(losses), ended)
        if ended is not None:
            return


def _way(drawing: Drawing, session: Session, made: Optimized) -> np.ndarray:
    """The step `[S]` in style space from a face to what an optimisation made of it."""
    styles = drawing.editor.styles
    moved, start = styles(made.saveable).numpy(), styles(session.face.w_plus).numpy()
    return np.asarray(moved - start, np.float32)[0]


def contact_sheet(drawing: Drawing, session: Session) -> Iterator[Record[ContactSheet]]:
    """Draw the draft at several strengths and thresholds, on top of what was accepted; errors as solve."""
    draft = session.draft
    if draft is None or draft.method != "direction":
        raise UserError("a contact sheet shows a direction: write what the face should become first")
    yield from draw_contact_sheet(
        drawing.editor,
        session.face.w_plus,
        draft.edit(),
        others=drawing.parts(session.try_out(None)),
        masks=drawing.mask(session.face, draft),
    )


def seeds_page(drawing: Drawing, first: int, count: int) -> np.ndarray:
    """Pictures `[count, S, S, 3]` uint8 of the faces of consecutive seeds."""
    w_plus = drawing.editor.sample(list(range(first, first + count)))
    return to_pixels(drawing.editor.synthesize(w_plus))
