# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One edit in words, as a user writes it and with everything filled in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Union

from ppstyleclip.errors import UserError, shown
from ppstyleclip.methods.checks import check_kind, check_signed
from ppstyleclip.methods.global_directions import AUTO, Budget
from ppstyleclip.references import Reference, check_reference, name_of_side
from ppstyleclip.regions import Region, check_region


@dataclass(frozen=True)
class Edit:
    """One edit in words; None stands for the bundle's own default.

    Attributes:
        neutral: what the face is, such as "face".
        target: what it should become, such as "smiling face".
        alpha: strength; negative goes the other way, 0 changes nothing. "auto": the smallest at which a face
            reaches the text within the budget, see Editor.solve.
        beta: channels whose `|relevance @ dt|` is below it are left alone; typically 0.08 to 0.3. "auto": of
            several the one with which a face reaches the text and loses least.
        unit: what alpha counts: "style" (raw values, as PaddleGAN), "sigma" (deviations, as the paper) or
            "effect" (expected move of the CLIP feature; one alpha fits all texts).
        templates: "paddlegan" (46), "official" (79) or "plain" (the words alone).
        soft: share of its movement that a channel below beta keeps; 0 in the paper.
        pull: how far the step leans towards how faces differ in truth, 0 (the paper's) to 1; see
            style_direction.
        region: where the picture may change: a name such as "mouth", names joined by "+", "auto", the path
            of a mask or an array `[H, W]`; None: everywhere. See regions.check_region.
        budget: of what "auto" may cost; None is Budget().
        reference: pictures before and after that show the edit in place of the words, see of_pictures; the
            words are then its name.

    Examples:
        >>> from ppstyleclip import Edit
        >>> print(Edit("face", "happy face", alpha=3))
        face -> happy face
    """

    neutral: str
    target: str
    alpha: float | str | None = None
    beta: float | str | None = None
    unit: str | None = None
    templates: str | None = None
    soft: float = 0.0
    pull: float | None = None
    region: Any = None
    budget: Budget | None = None
    reference: Any = None

    def __post_init__(self) -> None:
        for name in ("neutral", "target", "unit", "templates"):
            _check_words(name, getattr(self, name), name in ("unit", "templates"))
        if self.budget is not None:
            check_kind("budget", self.budget, Budget, ", such as Budget(identity=0.7)")
        object.__setattr__(self, "region", check_region(self.region))
        object.__setattr__(self, "reference", check_reference(self.reference))

    @classmethod
    def of_pictures(cls, before: Any, after: Any, **options: Any) -> Edit:
        """The edit that pictures show: from those before to those after, gated by beta as a text is.

        Args:
            before, after: a picture or several: paths, arrays `[H, W, 3]` uint8 of any size, or PIL images.
            options: the other attributes.
        Raises:
            UserError, MissingFile: as references.check_reference.

        Examples:
            >>> from ppstyleclip import Edit, Editor
            >>> editor = Editor.from_pretrained()
            >>> happy = editor.edit(editor.sample(seed=58), Edit("face", "happy face"))
            >>> edit = Edit.of_pictures(*happy)
            >>> print(edit, editor.direction(edit).num_channels > 100)
            before -> after True
        """
        names = (name_of_side(before, "before"), name_of_side(after, "after"))
        return cls(*names, reference=(before, after), **options)

    def __str__(self) -> str:
        return f"{self.neutral} -> {self.target}"


@dataclass(frozen=True)
class ResolvedEdit:
    """An edit with everything filled in, as Editor.resolve returns it; the attributes are Edit's."""

    neutral: str
    target: str
    alpha: float
    beta: float
    unit: str
    templates: str
    soft: float
    pull: float
    region: Region | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "soft", "pull"):
            check_signed(name, getattr(self, name))

    def __str__(self) -> str:
        return f"{self.neutral} -> {self.target}"


AnyEdit = Union[Edit, ResolvedEdit]


def _check_words(name: str, value: Any, or_none: bool) -> None:
    if not isinstance(value, str) and not (value is None and or_none):
        raise UserError(f"{name} of an edit must be a text, got {shown(value)}")


def check_edit(edit: object) -> None:
    """Refuse what is no edit, such as its bare words.

    Raises:
        UserError: it is so.
    """
    if not isinstance(edit, (Edit, ResolvedEdit)):
        raise UserError(f'an edit such as Edit("face", "happy face") is needed, got {shown(edit)}')


def is_auto(edit: AnyEdit) -> bool:
    """Whether something of an edit is solved for each face; errors as check_edit."""
    check_edit(edit)
    return AUTO in (edit.alpha, edit.beta)


def refuse_auto(edit: AnyEdit) -> None:
    """Refuse an edit whose numbers are wanted now, and of which something is solved for each face.

    Raises:
        UserError: it is so, or it is no edit.
    """
    check_edit(edit)
    for name in ("alpha", "beta"):
        if getattr(edit, name) == AUTO:
            raise UserError(
                f'{name} "auto" is solved for a face: use Editor.solve or fixed, or give a number'
            )


def without_auto(edit: AnyEdit) -> AnyEdit:
    """The edit with the bundle's own alpha and beta in place of "auto"; errors as check_edit."""
    check_edit(edit)
    open_ones: dict[str, Any] = {name: None for name in ("alpha", "beta") if getattr(edit, name) == AUTO}
    return replace(edit, **open_ones) if open_ones else edit
