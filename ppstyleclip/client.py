# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A client of `ppstyleclip serve`, for programs in Python.

    from ppstyleclip.client import Client

    with Client("http://127.0.0.1:8000") as server:
        job = server.submit(photo="photo.png", target="happy face")
        for status in server.follow(job):
            ...                                  # status.state, status.step of status.steps
        open("edited.png", "wb").write(server.picture(job))

It needs httpx: pip install "ppstyleclip[server]", or httpx alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ppstyleclip.errors import MissingExtra, UserError, one_line
from ppstyleclip.files import check_file

if TYPE_CHECKING:
    from typing_extensions import Unpack

ENDED = ("done", "failed", "cancelled", "expired")
_WAIT = 20.0  # seconds that one question for a job's end takes at most


class ServerError(UserError):
    """The server has refused, or could not be reached.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        retry_after: seconds after which another try is worth it; None where none is.
    """

    def __init__(self, words: str, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.status, self.retry_after = status, retry_after


@dataclass(frozen=True)
class JobStatus:
    """How a job stands; see the server's documents for each field.

    Attributes:
        id: of the job.
        state: queued, running, done, failed, cancelled or expired.
        method: direction, optimise or mapper.
        position: while queued, 1 for the next one.
        stage, step, steps: while running.
        cancelling: it ends at its next step.
        warnings: of texts, such as words that the model never saw.
        error: failed, and why.
        reason: expired, and why.
        created, started, finished, expires: seconds since 1970.
        pictures: `{role: path}`.
        card: path of the card.
    """

    id: str
    state: str
    method: str = ""
    position: int | None = None
    stage: str | None = None
    step: int | None = None
    steps: int | None = None
    cancelling: bool = False
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    reason: str | None = None
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    expires: float | None = None
    pictures: dict[str, str] = field(default_factory=dict)
    card: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDED


class EditFields(TypedDict, total=False):
    """An edit by words; the fields are those of `Edit`, and what is left out is the model's own.

    Attributes:
        target, neutral: what the face shall be, and is.
        alpha, beta: numbers, or "auto".
        unit, templates, soft, pull: as in Edit.
        region: names of `Client.regions` joined by "+", or "auto".
    """

    target: str
    neutral: str
    alpha: float | Literal["auto"]
    beta: float | Literal["auto"]
    unit: str
    templates: str
    soft: float
    pull: float
    region: str


class EditWords(EditFields, total=False):
    """One edit of a recipe; `name` is what to call it."""

    name: str


class RecipeWords(TypedDict, total=False):
    """Several edits of one face, as in a recipe's file.

    Attributes:
        edits: at least one.
        orthogonal: take out of each what it shares with the others.
        identity, outside: budgets of "auto".
    """

    edits: list[EditWords]
    name: str
    orthogonal: bool
    identity: float
    outside: float


class Wish(EditFields, total=False):
    """The fields of a request; see the server's documents for each.

    Attributes:
        seed: of a face that does not exist, in place of a photo.
        method: "direction", "optimise" or "mapper".
        recipe: several edits, in place of target.
        identity, outside: budgets of "auto".
        mapper, strength: of method mapper.
        steps: of method optimise.
        face, fitting, paste: of a photo.
        card: measure what was done.
    """

    seed: int
    method: Literal["direction", "optimise", "mapper"]
    recipe: RecipeWords
    identity: float
    outside: float
    mapper: str
    strength: float
    steps: int
    face: int | Literal["best", "largest", "all"]
    fitting: int
    paste: Literal["blend", "difference", "replace"]
    card: bool


class Client:
    """Talks to one server; close it, or use it in a `with`.

    Args:
        url: of the server, such as "http://127.0.0.1:8000".
        key: API key, where the server wants one.
        timeout: seconds for one answer.
    Raises:
        MissingExtra: httpx is not installed.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", *, key: str | None = None, timeout: float = 180.0
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtra(
                "the client needs httpx, which is not installed; do: pip install httpx"
            ) from None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._httpx: Any = httpx
        self._web: Any = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def submit(self, photo: str | Path | bytes | None = None, **wish: Unpack[Wish]) -> str:
        """Send a job.

        Args:
            photo: a picture's path or its bytes; None with a `seed`.
            wish: fields of the request, see Wish, such as `target="happy face"`, `region="mouth"`, `seed=7`.
        Returns:
            the job's id.
        Raises:
            ServerError: the server refuses; `retry_after` where it is only busy.
            MissingFile: there is no such photo.
        """
        return self._sent("/v1/jobs", photo, wish).json()["id"]

    def edit(self, photo: str | Path | bytes | None = None, **wish: Unpack[Wish]) -> bytes:
        """Send a job and wait for the edited picture, a PNG's bytes; arguments and errors as submit's."""
        answer = self._sent("/v1/edit", photo, wish)
        if answer.status_code == 200:
            return answer.content
        return self.picture(self.wait(answer.json()["id"]).id)

    def _sent(self, path: str, photo: str | Path | bytes | None, wish: Any) -> Any:
        wish = {name: value for name, value in wish.items() if value is not None}
        if photo is None:
            return self._asked("POST", path, json=wish)
        data = photo if isinstance(photo, bytes) else check_file(photo).read_bytes()
        words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in wish.items()}
        return self._asked("POST", path, data=words, files={"photo": ("photo", data)})

    def status(self, job: str, wait: float = 0.0) -> JobStatus:
        """How a job stands, or its end if it comes within `wait` seconds.

        Raises:
            ServerError: status 404, there is no such job.
        """
        values = self._asked("GET", f"/v1/jobs/{job}", params={"wait": min(wait, _WAIT)}).json()
        known = {one.name for one in fields(JobStatus)}
        return JobStatus(**{name: value for name, value in values.items() if name in known})

    def follow(self, job: str, seconds: float = 0.5) -> Iterator[JobStatus]:
        """Yield a job's status each time it is another one, the last when the job has ended."""
        before = None
        while before is None or not before.is_over:
            now = self.status(job, wait=0.0 if before is None else seconds)
            if now != before:
                yield now
            before = now

    def wait(self, job: str, timeout: float | None = None) -> JobStatus:
        """Wait for a job's end.

        Raises:
            TimeoutError: it has not come in so many seconds.
            ServerError: the job has failed.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _WAIT if end is None else max(0.0, end - time.monotonic())
            now = self.status(job, wait=left)
            if now.state == "failed":
                raise ServerError(f"the job has failed: {now.error}")
            if now.is_over:
                return now
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"the job is {now.state} after {timeout:g} seconds")

    def picture(self, job: str, role: str = "edited") -> bytes:
        """A picture of a done job, a PNG's bytes; `role` is "edited", "before" or, of a photo, "after"."""
        return self._asked("GET", f"/v1/jobs/{job}/pictures/{role}").content

    def card(self, job: str) -> dict[str, Any]:
        """What a done job did, and how well."""
        return self._asked("GET", f"/v1/jobs/{job}/card").json()

    def cancel(self, job: str) -> JobStatus:
        """Cancel a job; of one that is done, remove the pictures."""
        self._asked("DELETE", f"/v1/jobs/{job}")
        return self.status(job)

    def models(self) -> list[dict[str, Any]]:
        """The model that the server has loaded."""
        return self._asked("GET", "/v1/models").json()

    def mappers(self) -> list[dict[str, Any]]:
        """The mappers that the server has, and the texts that they take."""
        return self._asked("GET", "/v1/mappers").json()

    def regions(self) -> list[str]:
        """Names of the regions that an edit can be kept to."""
        return self._asked("GET", "/v1/regions").json()

    def _asked(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._web.request(method, path, **options)
        except self._httpx.HTTPError as error:
            raise ServerError(f"{self._web.base_url} does not answer: {one_line(error, 200)}") from None
        if answer.status_code >= 400:
            after = answer.headers.get("retry-after", "")
            seconds = float(after) if after.isdigit() else None
            raise ServerError(_detail(answer), answer.status_code, seconds)
        return answer


def _detail(answer: Any) -> str:
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        said = "the server has refused"
    return f"{said} (status {answer.status_code})"
