# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What several routes need: the service, who asks, a job's status, a picture with its entity tag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from ppstyleclip.server.jobs import DONE, EXPIRED, QUEUED, RUNNING, Job, QueueFull
from ppstyleclip.server.schemas import JobStatus, Problem
from ppstyleclip.server.service import Service

_WORDS = {
    400: "what is wished for is missing",
    401: "no key, or an unknown one",
    404: "unknown",
    409: "the job has no such picture, or not yet",
    410: "the job's pictures are gone",
    413: "the request or its picture is too large",
    415: "another kind of body or picture",
    422: "a value that cannot be",
    429: "too many requests",
    503: "the queue is full, the model is not loaded, or the disk is",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words} for status, words in _WORDS.items()
}


def service_of(connection: HTTPConnection) -> Service:
    """The service of the application."""
    return connection.app.state.service


def owner_of(connection: HTTPConnection) -> str:
    """The key or address of who asks."""
    return connection.scope.get("owner", "")


def find_job(connection: HTTPConnection, job_id: str) -> Job:
    """A job by its id; where keys are used, the asker's own.

    Raises:
        HTTPException: 404.
    """
    service, owner = service_of(connection), owner_of(connection)
    job = service.jobs.get(job_id)
    if job is None or service.settings.api_keys and job.owner != owner:
        raise HTTPException(404, "there is no such job; it may have ended long ago")
    return job


@contextmanager
def reading(connection: HTTPConnection) -> Iterator[None]:
    """Count a body that is read; it may take memory until its job is accepted.

    Raises:
        QueueFull: so many are being read already.
    """
    state = connection.app.state
    if state.num_read >= state.settings.uploads_at_once:
        raise QueueFull("many uploads arrive at once", 2)
    state.num_read += 1
    try:
        yield
    finally:
        state.num_read -= 1


def status_of(connection: HTTPConnection, job: Job) -> JobStatus:
    """How a job stands."""
    service, root = service_of(connection), connection.scope.get("root_path", "")
    place = f"{root}/v1/jobs/{job.id}"
    state = job.state
    values: dict[str, Any] = {
        name: getattr(job, name) for name in ("id", "method", "warnings", "created", "started", "finished")
    }
    if state == QUEUED:
        position = service.jobs.position(job)
        state = QUEUED if position is not None else job.state  # it began between the two looks
        values["position"] = position
    if state == RUNNING:
        values |= {"stage": job.stage, "step": job.step, "steps": job.steps, "cancelling": job.cancel_wanted}
    if state == DONE:
        values["pictures"] = {role: f"{place}/pictures/{role}" for role in job.sizes}
        values["card"] = f"{place}/card"
        values["warnings"] = (job.card or {}).get("warnings", [])
        values["expires"] = (job.finished or 0) + service.settings.keep_seconds
    return JobStatus(state=state, error=job.error, reason=job.reason, **values)  # type: ignore[arg-type]


def check_done(job: Job, unfinished: int = 409) -> None:
    """Refuse what only a done job has.

    Raises:
        HTTPException: 410 for one that has expired, else `unfinished`.
    """
    if job.state == EXPIRED:
        raise HTTPException(410, f"the pictures are gone: {job.reason}")
    if job.state != DONE:
        said = f": {job.error}" if job.error else ""
        waits = {"Retry-After": "1"} if not job.is_over else None
        raise HTTPException(unfinished, f"the job is {job.state}{said}", headers=waits)


async def picture_answer(connection: Any, job: Job, role: str, *, unfinished: int = 409) -> Response:
    """A picture of a job, or 304 where the asker has it already; errors as check_done."""
    check_done(job, unfinished)
    if role not in job.sizes:
        raise HTTPException(404, "the job has no such picture")
    store, name = service_of(connection).store, job.names[role]
    try:
        etag = await run_in_threadpool(store.etag, name)
    except FileNotFoundError:
        raise HTTPException(410, "the picture is gone") from None
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    wanted = [
        tag.strip().removeprefix("W/") for tag in connection.headers.get("if-none-match", "").split(",")
    ]
    if etag in wanted or "*" in wanted:
        return Response(status_code=304, headers=headers)
    try:
        data = await run_in_threadpool(store.path(name).read_bytes)
    except FileNotFoundError:
        raise HTTPException(410, "the picture is gone") from None
    return Response(data, media_type="image/png", headers=headers)
