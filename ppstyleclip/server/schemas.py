# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What requests hold and answers say; the OpenAPI description is made of these."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from ppstyleclip.errors import shown
from ppstyleclip.pipelines.recipe_files import MOST_EDITS, NEUTRAL, EditWords, RecipeWords
from ppstyleclip.regions import AUTO, NAMES
from ppstyleclip.stylespace import UNITS
from ppstyleclip.text import TEMPLATES

METHODS = ("direction", "optimise", "mapper")
ROLES = ("edited", "before", "after")
_REGION = rf"^({AUTO}|({'|'.join(NAMES)})(\+({'|'.join(NAMES)})){{0,{len(NAMES) - 1}}})$"


def _printable(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("a text is one line of printable characters")
    return value


def _number_or_auto(least: float, most: float) -> Any:
    """What takes a number within bounds, or "auto"; of a union pydantic lists the faults of all members."""

    def checked(value: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value != "auto" and not (is_number and least <= value <= most):
            raise ValueError(f"it is a number from {least:g} to {most:g}, or auto; got {shown(value)}")
        return value

    return BeforeValidator(checked)


def _known_region(value: Any) -> Any:
    """A region by name alone: the path of a mask, which regions.check_region takes too, is none."""
    if not isinstance(value, str) or re.fullmatch(_REGION, value) is None:
        raise ValueError(f"it is one of {', '.join(NAMES)}, several joined by +, or auto; got {shown(value)}")
    return value


Text = Annotated[
    str, BeforeValidator(_printable), StringConstraints(strip_whitespace=True, min_length=1, max_length=300)
]
MapperName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Alpha = Annotated[
    Union[Literal["auto"], Annotated[float, Field(ge=-1000, le=1000)]], _number_or_auto(-1000, 1000)
]
Beta = Annotated[Union[Literal["auto"], Annotated[float, Field(ge=0, le=100)]], _number_or_auto(0, 100)]
RegionName = Annotated[str, Field(json_schema_extra={"pattern": _REGION}), BeforeValidator(_known_region)]
Share = Annotated[float, Field(ge=0, le=1)]
_DIRECTION = ("alpha", "beta", "unit", "templates", "soft", "pull")  # fields of an edit by words
_BUDGET = ("identity", "outside")
_OF_METHODS = {
    "direction": (*_DIRECTION, *_BUDGET, "recipe"),
    "optimise": ("steps",),
    "mapper": ("mapper", "strength"),
}


class EditFields(BaseModel):
    """How an edit by words goes; None is the model's own."""

    model_config = ConfigDict(extra="forbid")

    neutral: Text = Field(NEUTRAL, description="what the face is")
    alpha: Alpha | None = Field(None, description="strength; auto: the smallest that reaches the text")
    beta: Beta | None = Field(None, description="channels less related to the text stay still, or auto")
    unit: Literal[tuple(UNITS)] | None = Field(None, description="what alpha counts")  # type: ignore[valid-type]
    templates: Literal[tuple(TEMPLATES)] | None = Field(None, description="sentences around the words")  # type: ignore[valid-type]
    soft: Share = Field(0.0, description="of its movement that a channel below beta keeps")
    pull: Share | None = Field(None, description="lean towards how faces differ")
    region: RegionName | None = Field(
        None, description="where the picture may change: names of GET /v1/regions joined by +, or auto"
    )


class EditWish(EditFields):
    """One edit of a recipe."""

    target: Text = Field(description="what the face shall be")
    name: Text | None = Field(None, description="what to call it; default: its target")


class RecipeWish(BaseModel):
    """Several edits of one face, as a file of `ppstyleclip edit --recipe` holds them."""

    model_config = ConfigDict(extra="forbid")

    edits: Annotated[list[EditWish], Field(min_length=1, max_length=MOST_EDITS)]
    name: Text | None = None
    orthogonal: bool = Field(False, description="take out of each edit what it shares with the others")
    identity: Share | None = Field(None, description="of auto: how alike the face stays at least")
    outside: Share | None = Field(None, description="of auto: mean change outside of the edit at most")


class JobRequest(EditFields):
    """What shall be done; the face is that of `photo`, or of `seed`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"seed": 58, "target": "happy face"},
                {"seed": 58, "target": "happy face", "alpha": "auto", "region": "mouth"},
                {
                    "seed": 58,
                    "recipe": {
                        "edits": [
                            {"target": "happy face", "alpha": 3},
                            {"target": "face with glasses", "region": "glasses"},
                        ]
                    },
                },
                {"seed": 7, "method": "optimise", "target": "sad face", "steps": 40},
                {"seed": 7, "method": "mapper", "mapper": "happy"},
            ]
        },
    )

    method: Literal["direction", "optimise", "mapper"] = Field("direction", description="how it is edited")
    target: Text | None = Field(None, description="what it shall be; for a mapper its text, if it takes one")
    recipe: RecipeWish | None = Field(
        None, description="several edits, in place of target; in a form as text"
    )
    identity: Share | None = Field(None, description="of auto: how alike the face stays at least")
    outside: Share | None = Field(None, description="of auto: mean change outside of the edit at most")
    mapper: MapperName | None = Field(None, description="a name of GET /v1/mappers")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(
        None, description="of a face that does not exist, in place of a photo"
    )
    strength: Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)] = Field(
        1.0, description="of a mapper"
    )
    steps: Annotated[int, Field(ge=1, le=100000)] | None = Field(
        None, description="of optimisation; default: the preset's"
    )
    fitting: Annotated[int, Field(ge=0, le=100_000)] = Field(
        60, description="steps that fit a photo's latent"
    )
    face: Literal["best", "largest", "all"] | Annotated[int, Field(ge=1, le=1000)] = Field(
        "best", description="which face of a photo: a number, 1 for the leftmost, or a word"
    )
    paste: Literal["blend", "difference", "replace"] = Field("blend", description="how a face returns")
    card: bool = Field(False, description="measure what was done: its quality stands on the job's card")

    @model_validator(mode="after")
    def _complete(self) -> JobRequest:
        if self.method == "mapper" and self.mapper is None:
            raise ValueError("method mapper needs 'mapper', a name of GET /v1/mappers")
        if self.method != "mapper" and self.target is None and self.recipe is None:
            raise ValueError(f"method {self.method} needs 'target', what the face shall be")
        for method, names in _OF_METHODS.items():
            if method != self.method and (foreign := self.said(*names)):
                raise ValueError(f"'{foreign[0]}' is for method {method}, and this one is {self.method}")
        if self.seed is not None and (idle := self.said("face", "fitting", "paste")):
            raise ValueError(f"'{idle[0]}' is for photos, and this is a seed; leave it out")
        of_one = ("target", "neutral", "region", *_DIRECTION, *_BUDGET)
        if self.recipe is not None and (twice := self.said(*of_one)):
            raise ValueError(f"a recipe's edits say all themselves; leave out '{twice[0]}'")
        if self.method == "mapper" and self.region == AUTO:
            raise ValueError("the region auto follows a text, and a mapper has none; name a region")
        budget = self.budget
        is_open = any("auto" in (edit.alpha, edit.beta) for edit in self.edits)
        if not is_open and any(value is not None for value in budget.values()):
            raise ValueError("identity and outside are budgets of what is solved; set alpha or beta to auto")
        return self

    def said(self, *names: str) -> list[str]:
        """Those of some fields that are not as they are left out."""
        usual = type(self).model_fields
        return [name for name in names if getattr(self, name) != usual[name].default]

    @property
    def edits(self) -> list[EditFields]:
        """The edits by words."""
        return [self] if self.recipe is None else list(self.recipe.edits)

    @property
    def budget(self) -> dict[str, Any]:
        """Of what "auto" may cost."""
        of = self if self.recipe is None else self.recipe
        return {name: getattr(of, name) for name in _BUDGET}

    def recipe_words(self) -> RecipeWords:
        """The edits of method direction, as a recipe's file holds them."""
        names = [field.name for field in fields(EditWords)]
        each: list[dict[str, Any]] = [
            {name: getattr(one, name, None) for name in names} for one in self.edits
        ]
        whole: dict[str, Any] = {"orthogonal": self.recipe is not None and self.recipe.orthogonal}
        return RecipeWords(tuple(EditWords(**one) for one in each), **whole, **self.budget)


class JobStatus(BaseModel):
    """How a job stands."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled", "expired"]
    method: str
    position: int | None = Field(None, description="while queued: 1 is begun next")
    stage: str | None = Field(None, description="while running: what is being done")
    step: int | None = Field(None, description="while running: units done")
    steps: int | None = Field(None, description="while running: units in all")
    cancelling: bool = Field(False, description="it was cancelled and ends at its next step")
    warnings: list[str] = Field(
        default_factory=list,
        description="of texts, such as words that the model never saw, with the known ones that are nearest",
    )
    error: str | None = Field(None, description="failed: why")
    reason: str | None = Field(None, description="expired: why its pictures are gone")
    created: float
    started: float | None = None
    finished: float | None = None
    expires: float | None = Field(None, description="done: when its pictures are removed, at the latest")
    pictures: dict[str, str] = Field(default_factory=dict, description="done: role to path")
    card: str | None = Field(None, description="done: path of what was done, and how well")


class Problem(BaseModel):
    """Why a request was not served."""

    detail: str


class Edited(BaseModel):
    """The answer of seed 004's POST /edit, and the job's id and warnings."""

    image_path: str
    restored_path: str
    job_id: str
    warnings: list[str] = Field(default_factory=list, description="as a job's status has them")


class ModelEntry(BaseModel):
    """The model that is loaded."""

    name: str
    size: int
    methods: list[str]
    clip: str
    defaults: dict[str, Any]
    fingerprints: dict[str, str]
    takes_photos: bool
    auto: bool = Field(True, description="alpha and beta may be 'auto'")


class MapperEntry(BaseModel):
    """A trained mapper."""

    name: str
    texts: list[str]
    takes_text: Literal["none", "table", "clip"]
