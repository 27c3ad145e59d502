# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What requests hold and answers say; the OpenAPI description is made of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from ppstyleclip.stylespace import UNITS
from ppstyleclip.text import TEMPLATES

METHODS = ("direction", "optimise", "mapper")
ROLES = ("edited", "before", "after")


def _printable(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("a text is one line of printable characters")
    return value


Text = Annotated[
    str, BeforeValidator(_printable), StringConstraints(strip_whitespace=True, min_length=1, max_length=300)
]
MapperName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Alpha = Union[Literal["auto"], Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]]
Beta = Union[Literal["auto"], Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]]


class JobRequest(BaseModel):
    """What shall be done; the face is that of `photo`, or of `seed`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"seed": 58, "target": "happy face"},
                {"seed": 7, "method": "optimise", "target": "sad face", "steps": 40},
                {"seed": 7, "method": "mapper", "mapper": "happy"},
            ]
        },
    )

    method: Literal["direction", "optimise", "mapper"] = Field("direction", description="how it is edited")
    neutral: Text = Field("face", description="what the face is")
    target: Text | None = Field(None, description="what it shall be; for a mapper its text, if it takes one")
    mapper: MapperName | None = Field(None, description="a name of GET /v1/mappers")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(
        None, description="of a face that does not exist, in place of a photo"
    )
    alpha: Alpha | None = Field(None, description="strength of a direction; default: the model's own")
    beta: Beta | None = Field(None, description="channels less related to the text stay still")
    unit: Literal[tuple(UNITS)] | None = Field(None, description="what alpha counts")  # type: ignore[valid-type]
    templates: Literal[tuple(TEMPLATES)] | None = Field(None, description="sentences around the words")  # type: ignore[valid-type]
    pull: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="lean towards how faces differ"
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

    @model_validator(mode="after")
    def _complete(self) -> JobRequest:
        if self.method == "mapper" and self.mapper is None:
            raise ValueError("method mapper needs 'mapper', a name of GET /v1/mappers")
        if self.method != "mapper" and self.target is None:
            raise ValueError(f"method {self.method} needs 'target', what the face shall be")
        if self.method != "mapper" and self.mapper is not None:
            raise ValueError("'mapper' is for method mapper")
        return self

    def edit_fields(self) -> dict[str, Any]:
        """The fields of editor.Edit that this request sets."""
        names = ("neutral", "target", "alpha", "beta", "unit", "templates", "pull")
        return {name: getattr(self, name) for name in names}


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
    """The answer of seed 004's POST /edit, and the job's id."""

    image_path: str
    restored_path: str
    job_id: str


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
