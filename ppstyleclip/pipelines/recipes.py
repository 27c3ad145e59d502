# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Several edits of one face in one pass, "auto" solved among them, and where they are in each other's way.

Their steps add up. The cosine of two steps, in deviations, and the channels that both move say how much one
edit does of the other. Made orthogonal (in Loewdin's symmetric way, which changes all steps as little as can
be), each step keeps its length along what it was, and loses what it shares with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Union

import numpy as np
import paddle

from ppstyleclip.editor import Edit, Editor, ResolvedEdit
from ppstyleclip.edits import check_edit, is_auto, without_auto
from ppstyleclip.errors import UserError
from ppstyleclip.inputs import as_list
from ppstyleclip.methods.global_directions import AUTO, Budget, Solution, StyleDirection
from ppstyleclip.methods.global_directions.solve import with_solution
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.recipe_files import EditWords, RecipeWords
from ppstyleclip.pipelines.records import Record, result_of
from ppstyleclip.pipelines.rendering import check_one_face
from ppstyleclip.regions import RegionEdit
from ppstyleclip.worker import on_worker

ALIKE, OPPOSED = 0.5, -0.3  # cosines from which two edits are said to overlap, or to work against each other
LEAST_INDEPENDENT = 0.02  # smallest eigenvalue of the cosines of steps that can be made orthogonal
ROUNDS = 2  # in which strengths are solved; in the second, with those of all other edits


@dataclass(frozen=True)
class Recipe:
    """Several edits of one face.

    Attributes:
        edits: at least one, or one alone; "auto" is solved in their order.
        names: what messages call them; none: their targets.
        orthogonal: whether their steps are made orthogonal to each other.
    """

    edits: tuple[Edit | ResolvedEdit, ...]
    names: tuple[str, ...] = ()
    orthogonal: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "edits", tuple(as_list(self.edits, "edit", least=0)))
        object.__setattr__(self, "names", tuple(as_list(self.names, "name", least=0)))
        if not self.edits or len(self.names) not in (0, len(self.edits)):
            raise UserError("a recipe needs an edit, and as many names as edits, or none")
        for edit in self.edits:
            check_edit(edit)

    def name(self, number: int) -> str:
        """What messages call an edit."""
        return self.names[number] if self.names else self.edits[number].target

    def __str__(self) -> str:
        return "; ".join(str(edit) for edit in self.edits)


Edits = Union[Edit, ResolvedEdit, Recipe, Sequence[Union[Edit, ResolvedEdit]]]
FindMasks = Callable[[Union[Edit, ResolvedEdit]], Union[np.ndarray, None]]  # as Editor.region_masks of a face


@dataclass(frozen=True)
class Conflict:
    """How two edits of a recipe are in each other's way.

    Attributes:
        first, second: their names.
        shared: channels that reach beta in both.
        opposed: those of them that move in opposite ways.
        cosine: of the steps, in deviations.
    """

    first: str
    second: str
    shared: int
    opposed: int
    cosine: float

    @property
    def line(self) -> str:
        """One line."""
        words = ""
        if self.cosine >= ALIKE:
            words = "; they do much of the same"
        if self.cosine <= OPPOSED:
            words = "; they work against each other"
        return (
            f"{self.first} and {self.second}: cosine {self.cosine:+.2f}, {self.shared} channels shared, "
            f"{self.opposed} of them in opposite ways{words}"
        )


@dataclass(frozen=True, eq=False)
class Applied:
    """A face with the edits of a recipe.

    Attributes:
        s: `[1, S]` float32, as if no edit kept to a region.
        parts: the step of each edit, `[S]`, and where it may change the face.
        edits: with everything filled in.
        solutions: of each edit, where "auto" was solved; else None.
        names: of the edits.
    """

    s: np.ndarray
    parts: tuple[RegionEdit, ...]
    edits: tuple[ResolvedEdit, ...]
    solutions: tuple[Solution | None, ...]
    names: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """What was solved, a line for each."""
        is_one = len(self.edits) == 1
        return [
            found.line if is_one else f"{name}: {found.line}"
            for name, found in zip(self.names, self.solutions)
            if found is not None
        ]

    @property
    def masks(self) -> list[np.ndarray | None]:
        """`[H, W]` where each edit may change the picture; None: everywhere."""
        return [None if part.masks is None else part.masks[0] for part in self.parts]

    @property
    def bounds(self) -> list[str]:
        """What each strength was bound by, as Solution.bound; "" where it was given."""
        return ["" if found is None else found.bound for found in self.solutions]

    def settled(self, orthogonal: bool = False) -> Recipe:
        """A recipe with the strengths that were found, for other pictures."""
        return Recipe(self.edits, self.names, orthogonal)


@dataclass(frozen=True, eq=False)
class RecipeEdit:
    """A face before and after the edits of a recipe.

    Attributes:
        before: `[H, W, 3]` uint8, the face as it is.
        pictures: `[1, H, W, 3]` uint8, the face edited.
        styles: K style tensors `[1, C_k]` behind it.
        alphas: the strength of each edit.
        applied: Applied.
        conflicts: of each two edits.
    """

    before: np.ndarray
    pictures: np.ndarray
    styles: list[Any]
    alphas: list[float]
    applied: Applied
    conflicts: list[Conflict]

    @property
    def after(self) -> np.ndarray:
        """`[H, W, 3]` uint8."""
        return self.pictures[-1]


def as_recipe(edits: Edits) -> Recipe:
    """Take a Recipe as it is, and one edit or several for a recipe of them."""
    return edits if isinstance(edits, Recipe) else Recipe(tuple(as_list(edits, "edit")))


def recipe_of(words: RecipeWords) -> Recipe:
    """The Recipe that a file or a command line describes.

    Raises:
        UserError: a region that is not known, as regions.check_region; a picture that cannot be read.
    """
    budget = None
    if words.identity is not None or words.outside is not None:
        given = {"identity": words.identity, "outside": words.outside}
        budget = Budget(**{name: value for name, value in given.items() if value is not None})
    edits = tuple(_edit_of(one, budget) for one in words.edits)
    return Recipe(edits, tuple(one.name or one.target for one in words.edits), words.orthogonal)


def _edit_of(words: EditWords, budget: Budget | None) -> Edit:
    apart = ("name", "reference", "reference_to")
    values = {field.name: getattr(words, field.name) for field in fields(words) if field.name not in apart}
    reference = (words.reference, words.reference_to) if words.reference else None
    return Edit(**values, budget=budget, reference=reference)


def check_recipe(editor: Editor, edits: Edits) -> list[Conflict]:
    """Look at the words of all edits before a face is drawn, and say how they are in each other's way.

    Raises:
        UserError: as Editor.direction; steps that cannot be made orthogonal.
    """
    recipe = as_recipe(edits)
    known = [editor.direction(edit) for edit in recipe.edits]
    steps = _in_deviations(known)
    if recipe.orthogonal:
        _orthogonal(steps, recipe)
    found = []
    for one in range(len(known)):
        for two in range(one + 1, len(known)):
            both = known[one].chosen & known[two].chosen
            opposed = both & (known[one].ds * known[two].ds < 0)
            cosine = float(_unit(steps[one]) @ _unit(steps[two]))
            names = recipe.name(one), recipe.name(two)
            found.append(Conflict(*names, int(both.sum()), int(opposed.sum()), cosine))
    return found


def apply_recipe(
    editor: Editor, face: Any, edits: Edits, find_masks: FindMasks | None = None
) -> Iterator[Record[Applied]]:
    """Edit one face by all edits of a recipe.

    Args:
        editor: Editor.
        face: w_plus `[1, L, D]` or s `[1, S]`, a tensor or an array.
        edits: a Recipe, or one edit. "auto" is solved in order, each on top of what is there already, and
            once more with all others in place where a text is not reached in the end.
        find_masks: gives the masks of an edit, where they are not Editor.region_masks.
    Yields:
        Record of stage "strength" for each picture that solving draws; the result is an Applied.
    Raises:
        UserError: as Editor.direction, Editor.solve and Editor.region_masks.
    """
    check_one_face(editor, face)
    recipe, start = as_recipe(edits), editor.styles(face).numpy()
    find = partial(editor.region_masks, face) if find_masks is None else find_masks
    masks = [find(edit) for edit in recipe.edits]
    fixed = [editor.resolve(without_auto(edit)) for edit in recipe.edits]
    open_ones = [number for number, edit in enumerate(recipe.edits) if is_auto(edit)]
    present = [number not in open_ones for number in range(len(fixed))]
    solutions: list[Solution | None] = [None] * len(fixed)

    def parts() -> list[RegionEdit]:
        steps = [_step(editor, recipe, fixed, number) for number in range(len(fixed))]
        return [RegionEdit(step, mask) for step, mask in zip(steps, masks)]

    drawn = 0
    for turn in range(1 if len(fixed) == 1 else ROUNDS):
        for number in open_ones:
            edit, known = recipe.edits[number], fixed[number]
            if turn and edit.alpha != AUTO:
                continue
            others = [part for k, part in enumerate(parts()) if present[k] and k != number]
            record = None
            for record in editor.solve(
                face,
                replace(edit, beta=known.beta) if turn else edit,
                others=others,
                masks=masks[number],
                direction=_direction_in(editor, recipe, fixed, number),
                first=known.alpha if turn else None,
            ):
                yield Record(drawn + record.done, drawn + record.total, "strength")
            assert record is not None and record.result is not None
            drawn, solutions[number] = drawn + record.done, record.result
            fixed[number], present[number] = with_solution(known, record.result), True
    made = parts()
    s = editor.added(start, sum((part.step for part in made), np.zeros_like(start[0])))
    names = tuple(recipe.name(number) for number in range(len(fixed)))
    applied = Applied(s, tuple(made), tuple(fixed), tuple(solutions), names)
    yield Record(drawn + 1, drawn + 1, "strength", applied)


@on_worker
def edit_by_recipe(editor: Editor, face: Any, edits: Edits) -> Iterator[Record[RecipeEdit]]:
    """Draw one face before and after the edits of a recipe.

    Args and errors as apply_recipe and check_recipe.
    Yields:
        Record; the result is a RecipeEdit.
    """
    conflicts = check_recipe(editor, edits)
    applied, done = None, 0
    for record in apply_recipe(editor, face, edits):
        applied, done = record.result, record.done
        yield Record(done, record.total + 2, record.stage)
    assert applied is not None
    if any(part.masks is not None for part in applied.parts):
        image = editor.synthesize(face)
        before = to_pixels(image)[0]
        after = to_pixels(editor.synthesize_edits(face, applied.parts, before=image))[0]
    else:
        before, after = editor.render(np.concatenate([editor.styles(face).numpy(), applied.s]))
    alphas = [edit.alpha for edit in applied.edits]
    styles = [paddle.to_tensor(style) for style in editor.bundle.layout.unflatten(applied.s)]
    made = RecipeEdit(before, after[None], styles, alphas, applied, conflicts)
    yield Record(done + 2, done + 2, "pictures", made)


def edit_values(editor: Editor, applied: Applied) -> list[dict[str, Any]]:
    """What was done to a face, each edit as plain values with what was solved, for JSON."""
    each = []
    for edit, name, found in zip(applied.edits, applied.names, applied.solutions):
        told: dict[str, Any] = {"name": name, "neutral": edit.neutral, "target": edit.target}
        told |= {key: float(getattr(edit, key)) for key in ("alpha", "beta", "soft", "pull")}
        told |= {"unit": edit.unit, "templates": edit.templates}
        if edit.region is not None:
            told["region"] = str(edit.region)
        told["channels"] = int(editor.direction(edit).num_channels)
        told["editable_channels"] = editor.bundle.layout.num_editable
        if found is not None:
            trial = found.trial
            told["auto"] = {
                "bound": found.bound,
                "reach": round(float(trial.reach), 4),
                "identity": None if trial.identity is None else round(float(trial.identity), 4),
                "outside": round(float(trial.outside), 5),
                "renders": found.renders,
            }
        each.append(told)
    return each


def needs_solving(edits: Edits) -> bool:
    """Whether something of the edits is solved for each face."""
    return any(is_auto(edit) for edit in as_recipe(edits).edits)


def edit_styles(editor: Editor, face: Any, edits: Edits) -> np.ndarray:
    """Many faces, each with all edits as if they kept to no region: s `[N, S]`; else as apply_recipe."""
    s, recipe = editor.styles(face).numpy(), as_recipe(edits)
    bare = replace(recipe, edits=tuple(replace(edit, region=None) for edit in recipe.edits))
    if needs_solving(bare):
        return np.concatenate([result_of(apply_recipe(editor, one[None], bare)).s for one in s])
    parts = result_of(apply_recipe(editor, s[:1], bare)).parts
    return editor.added(s, sum((part.step for part in parts), np.zeros_like(s[0])))


def _step(editor: Editor, recipe: Recipe, edits: Sequence[ResolvedEdit], number: int) -> np.ndarray:
    """What edit `number` adds beside the others, `[S]`."""
    edit = edits[number]
    return np.float32(edit.alpha) * _direction_in(editor, recipe, edits, number)(edit).ds


def _direction_in(editor: Editor, recipe: Recipe, edits: Sequence[ResolvedEdit], number: int) -> Any:
    """What gives the direction of edit `number`, for any beta, beside those of the other edits."""
    if not recipe.orthogonal or len(edits) == 1:
        return editor.direction

    def direction(edit: ResolvedEdit) -> StyleDirection:
        all_edits = [edit if other == number else one for other, one in enumerate(edits)]
        known = [editor.direction(one) for one in all_edits]
        own = _orthogonal(_in_deviations(known), recipe)[number] * _deviations(known)
        return replace(known[number], ds=own.astype(np.float32))

    return direction


def _in_deviations(known: Sequence[StyleDirection]) -> np.ndarray:
    """Steps `[K, S]` in standard deviations of the channels."""
    return np.stack([one.ds for one in known]) / _deviations(known)


def _deviations(known: Sequence[StyleDirection]) -> np.ndarray:
    return np.maximum(known[0].std, 1e-12)


def _orthogonal(steps: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Steps `[K, S]` made orthogonal; each keeps its length along what it was."""
    units = np.stack([_unit(step) for step in steps])
    values, vectors = np.linalg.eigh(units @ units.T)
    if values[0] < LEAST_INDEPENDENT:
        raise UserError(
            f"the edits '{recipe}' cannot be made orthogonal: one does what the others do; leave it out, or "
            "leave out orthogonal"
        )
    made = (vectors / np.sqrt(values)) @ vectors.T @ units
    along = (made * units).sum(axis=1, keepdims=True)
    return made * np.linalg.norm(steps, axis=1, keepdims=True) / along


def _unit(step: np.ndarray) -> np.ndarray:
    return step / max(float(np.linalg.norm(step)), 1e-12)
