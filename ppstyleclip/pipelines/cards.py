# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Cards of whole tasks, and edits made again from their cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppstyleclip.align import faces_of_landmarks
from ppstyleclip.card import Card, Source, describe_edits
from ppstyleclip.card.describe import pixels_digest
from ppstyleclip.card.model import EditNote, PhotoOptions
from ppstyleclip.card.origin import differences, versions, weights_of
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig, TuningConfig
from ppstyleclip.pipelines.editing import TextEdit, edit_face
from ppstyleclip.pipelines.photo import PhotoConfig, PhotoEdit, edit_photo
from ppstyleclip.pipelines.recipes import Applied, Recipe, RecipeEdit, edit_by_recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.schema import from_value


@dataclass(frozen=True, eq=False)
class Replayed:
    """An edit made again.

    Attributes:
        before: `[H, W, 3]` uint8, the face as the generator drew it.
        pictures: `[A, H, W, 3]` uint8, edited at each of the card's strengths.
        is_same: whether both are pixel for pixel those of the card.
        differences: what is not as it was when the card was made: versions, machine.
    """

    before: np.ndarray
    pictures: np.ndarray
    is_same: bool
    differences: list[str]

    @property
    def after(self) -> np.ndarray:
        """`[H, W, 3]` uint8, the picture of the last strength."""
        return self.pictures[-1]


def card_of_face(
    editor: Editor,
    made: TextEdit | RecipeEdit,
    source: Source,
    seconds: float,
    *,
    orthogonal: bool = False,
) -> Card:
    """The card of edits of one face; of one that was drawn at several strengths, at the last one.

    `orthogonal`: whether the steps of a recipe were made so.
    """
    if isinstance(made, TextEdit):
        parts: dict[str, Any] = {"edits": [made.edit], "masks": [made.mask], "alphas": made.alphas}
    else:
        parts = {**_parts_of(made.applied), "recipe": True}
    return describe_edits(
        editor,
        before=made.before,
        after=made.after,
        source=source,
        seconds=seconds,
        orthogonal=orthogonal,
        **parts,
    )


def _parts_of(applied: Applied) -> dict[str, Any]:
    steps = [part.step for part in applied.parts]
    return {"edits": applied.edits, "masks": applied.masks, "bounds": applied.bounds, "steps": steps}


def cards_of_photo(
    made: PhotoEdit,
    config: PhotoConfig,
    source: Source,
    seconds: float,
    *,
    orthogonal: bool = False,
) -> Iterator[Card]:
    """Yield the cards of the faces of an edited photo, as the generator drew them; each is measured then."""
    options: dict[str, Any] = {
        "steps": config.fitting.steps,
        "tune": config.tuning.steps if config.tuning else 0,
        "paste": config.paste,
        "align": config.align,
        "landmarks": [face.face.landmarks.tolist() for face in made.faces if face.face is not None],
    }
    if len(made.faces) > 1 and any(found for one in made.applied for found in one.solutions):
        options["strengths"] = [[[edit.alpha, edit.beta] for edit in one.edits] for one in made.applied]
    each = zip(made.inversion.editors, made.before, made.after, made.applied)
    for number, (own, before, after, applied) in enumerate(each, 1):
        yield describe_edits(
            own,
            before=before,
            after=after,
            source=source,
            seconds=seconds / len(made.faces),
            options={**options, "face": number},
            orthogonal=orthogonal,
            **_parts_of(applied),
        )


def replay_photo(card: Card, editor: Editor, photo: np.ndarray) -> tuple[Replayed, np.ndarray]:
    """Make a card's edit of a photo again; the photo with all its edited faces comes with it.

    Raises:
        UserError: the card is of another bundle, or holds no landmarks.
    """
    check_weights(card, editor)
    editor = _limited(card, editor)
    options = from_value(PhotoOptions, card.options, "the card", field="options")
    if card.drawn == "compiled":
        editor.compile_next()
    config = photo_config(options)
    faces = faces_of_landmarks(options.landmarks) if options.align == "face" else None
    recipe = Recipe(tuple(edit_of_note(note) for note in card.edits), orthogonal=card.orthogonal)
    each = [_with_strengths(recipe, strengths) for strengths in options.strengths]
    made = result_of(edit_photo(editor, photo, recipe, config, faces=faces, each=each))
    k = min(options.face, len(made.faces)) - 1
    return compared(card, made.before[k], made.after[k : k + 1]), made.pixels


def _limited(card: Card, editor: Editor) -> Editor:
    """An editor whose edits keep as near their means as those of a card, where the card says so."""
    within = card.options.get("within")
    return editor if within is None else editor.limited(within)  # type: ignore[arg-type]


def _with_strengths(recipe: Recipe, strengths: Sequence[Sequence[float]]) -> Recipe:
    """The recipe with the strengths and thresholds that were solved for one face.

    Raises:
        UserError: there are not as many as edits.
    """
    if len(strengths) != len(recipe.edits):
        raise UserError("the card's strengths are not as many as its edits; make the card again")
    edits = [replace(edit, alpha=one[0], beta=one[1]) for edit, one in zip(recipe.edits, strengths)]
    return replace(recipe, edits=tuple(edits))


def photo_config(options: PhotoOptions) -> PhotoConfig:
    """How the photo of a card was edited."""
    tuning = TuningConfig(steps=options.tune) if options.tune else None
    return PhotoConfig("all", FittingConfig(steps=options.steps), tuning, options.paste, options.align)


def edit_of_note(note: EditNote) -> Edit:
    """The edit that a card notes."""
    region = None if note.region is None else note.region.region()
    return Edit(
        note.neutral,
        note.target,
        alpha=note.alpha,
        beta=note.beta,
        unit=note.unit,
        templates=note.templates,
        soft=note.soft,
        pull=note.pull,
        region=region,
        reference=note.known_reference(),
    )


def check_weights(card: Card, editor: Editor) -> None:
    """Refuse a card of another bundle.

    Raises:
        UserError: names the parts that are others, and those that are not here at all.
    """
    here, name = weights_of(editor.bundle), editor.bundle.name
    missing = [part for part in card.fingerprints if part not in here]
    changed = differences("", card.fingerprints, here)
    if len(changed) > len(missing):
        options = "--model_type, --bundle"
        if card.fingerprints.get("encoder", here.get("encoder")) != here.get("encoder"):
            options += ", --encoder"
        raise UserError(
            f"the card is of '{card.model}' with other weights than '{name}' here: "
            f"{'; '.join(changed)}; name the model that it was made with ({options})"
        )
    if missing:
        raise UserError(
            f"the card is of '{card.model}', whose other weights are here, but '{name}' lacks its "
            f"{' and '.join(missing)}; add {' and '.join(f'{part}.safetensors' for part in missing)} to the "
            "bundle's folder, or name the model that the card was made with (--model_type, --bundle)"
        )


def replay_face(card: Card, editor: Editor, face: Any) -> Replayed:
    """Make a card's edit again.

    Args:
        card: of a sampled face or of a latent.
        editor: Editor of the same model; a fresh one, so that it draws as the first one did.
        face: w_plus `[1, L, D]` or s `[1, S]`.
    Raises:
        UserError: the card is of another bundle, or as edit_face.
    """
    check_weights(card, editor)
    editor = _limited(card, editor)
    if card.drawn == "compiled":
        editor.compile_next()
    edits = tuple(edit_of_note(note) for note in card.edits)
    if card.recipe:
        drawn = result_of(edit_by_recipe(editor, face, Recipe(edits, orthogonal=card.orthogonal)))
        return compared(card, drawn.before, drawn.pictures)
    if len(edits) == 1:
        made = result_of(edit_face(editor, face, edits[0], card.alphas))
        return compared(card, made.before, made.pictures)
    before, after = editor.edit(face, *edits)
    return compared(card, before, after[None])


def compared(card: Card, before: np.ndarray, pictures: np.ndarray) -> Replayed:
    """Compare a face `[H, W, 3]` and its edited pictures `[A, H, W, 3]`, made again, with a card."""
    is_same = (pixels_digest(before), pixels_digest(pictures[-1])) == (card.before, card.after)
    return Replayed(before, pictures, is_same, differences("", card.versions, versions()))
