# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Our interface: jobs with their states, pictures and cards; events; what the server knows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, WebSocket
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from ppstyleclip.server.answers import (
    PROBLEMS,
    check_done,
    find_job,
    owner_of,
    picture_answer,
    reading,
    service_of,
    status_of,
)
from ppstyleclip.server.guard import Rates
from ppstyleclip.server.jobs import Job
from ppstyleclip.server.model import Model
from ppstyleclip.server.requests import read_job
from ppstyleclip.server.schemas import JobRequest, JobStatus, MapperEntry, ModelEntry

router = APIRouter(prefix="/v1", tags=["jobs"])
_CANCEL_SECONDS = 2.0  # that DELETE waits for a running job to end
_MOST_WAIT = 30.0


def _body() -> dict[str, Any]:
    """The request body of a job for OpenAPI: the same fields as JSON and as a form."""
    schema = JobRequest.model_json_schema()
    examples, properties = schema["examples"], _inlined(schema["properties"], schema["$defs"])
    as_json, as_form = dict(properties), dict(properties)
    as_json["photo"] = {"type": "string", "format": "byte", "description": "a picture's file in base64"}
    as_form["photo"] = {"type": "string", "format": "binary", "description": "a picture's file"}
    as_form["recipe"] = {"type": "string", "description": "several edits: the text of a recipe, JSON or YAML"}
    shape = {"type": "object", "additionalProperties": False}
    names = (
        "a happy face",
        "as happy as need be, by the mouth alone",
        "two edits, one of them in its region",
        "optimised in 40 steps",
        "by a trained mapper",
    )
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {**shape, "properties": as_json},
                    "examples": {name: {"value": value} for name, value in zip(names, examples)},
                },
                "multipart/form-data": {"schema": {**shape, "properties": as_form}},
            },
        }
    }


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema with its parts in their places, for it stands in another document than they."""
    if isinstance(schema, dict) and "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    if isinstance(schema, dict):
        return {name: _inlined(value, parts) for name, value in schema.items()}
    return [_inlined(one, parts) for one in schema] if isinstance(schema, list) else schema


_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "a PNG"},
    304: {"description": "as you have it"},
}
_ENDING: dict[int | str, dict[str, Any]] = {202: {"model": JobStatus, "description": "it is ending"}}
_GOES_ON: dict[int | str, dict[str, Any]] = {
    202: {"model": JobStatus, "description": "it goes on; ask for the job"}
}
Wait = Annotated[float, Query(ge=0, le=_MOST_WAIT, description="seconds to wait for the job's end")]


async def _submitted(request: Request) -> Job:
    service, owner = service_of(request), owner_of(request)
    rates: Rates = request.app.state.job_rates
    service.jobs.check_room(owner)  # before anything is read
    seconds = rates.wait(owner)
    if seconds:
        raise HTTPException(429, "too many jobs in a minute", {"Retry-After": str(max(1, round(seconds)))})
    with reading(request):
        wish, photo = await read_job(request)
        return await run_in_threadpool(service.submit, wish, owner, photo)


@router.post("/jobs", status_code=202, responses=PROBLEMS, openapi_extra=_body())
async def submit(request: Request, response: Response) -> JobStatus:
    """Send a job: a photo or a seed, and what the face shall be. It is queued, and done in its turn."""
    job = await _submitted(request)
    status = status_of(request, job)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"
    return status


@router.get("/jobs/{job_id}", responses=PROBLEMS)
async def status(request: Request, job_id: str, wait: Wait = 0) -> JobStatus:
    """How a job stands; with `wait`, its end, if that comes in time."""
    job = find_job(request, job_id)
    await _end_of(request, job, wait)
    return status_of(request, job)


async def _end_of(request: Request, job: Job, seconds: float) -> bool:
    """Wait for a job's end; False where the time is up or the asker has left."""
    until = time.monotonic() + seconds
    if seconds <= 0 or job.is_over:
        return job.is_over
    async with aclosing(service_of(request).hub.watch(job, seconds=0.25)) as changes:
        async for _ in changes:
            if job.is_over or time.monotonic() >= until or await request.is_disconnected():
                break
    return job.is_over


@router.delete("/jobs/{job_id}", responses={**PROBLEMS, **_ENDING})
async def cancel(request: Request, job_id: str) -> JobStatus:
    """Cancel a job that waits or runs; of one that is done, remove the pictures."""
    job, service = find_job(request, job_id), service_of(request)
    await run_in_threadpool(service.cancel, job)
    if not await _end_of(request, job, _CANCEL_SECONDS):
        return JSONResponse(status_of(request, job).model_dump(), 202)  # type: ignore[return-value]
    return status_of(request, job)


@router.get("/jobs/{job_id}/pictures/{role}", responses={**PROBLEMS, **_PICTURE}, response_class=Response)
async def picture(request: Request, job_id: str, role: Literal["edited", "before", "after"]) -> Response:
    """A picture of a done job: the edited photo or face, or the face before or after as it was drawn."""
    return await picture_answer(request, find_job(request, job_id), role)


@router.get("/jobs/{job_id}/card", responses=PROBLEMS)
async def card(request: Request, job_id: str) -> dict[str, Any]:
    """What was done: words, strengths, model and its fingerprints, faces, how well they were met, seconds."""
    job = find_job(request, job_id)
    check_done(job)
    return job.card or {}


@router.get("/jobs/{job_id}/events", responses=PROBLEMS, response_class=StreamingResponse)
async def stream(request: Request, job_id: str) -> StreamingResponse:
    """Server-sent events: one of the state's name for each change, its data the job's status."""
    job = find_job(request, job_id)

    async def lines() -> AsyncIterator[str]:
        async with aclosing(service_of(request).hub.watch(job)) as changes:
            async for is_change in changes:
                if is_change:
                    now = status_of(request, job)
                    yield f"event: {now.state}\ndata: {now.model_dump_json(exclude_none=True)}\n\n"
                else:
                    yield ": still there\n\n"
                if await request.is_disconnected():
                    return

    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)


@router.websocket("/jobs/{job_id}/events")
async def socket(websocket: WebSocket, job_id: str) -> None:
    """The job's status as JSON for each change; closed after the last one."""
    try:
        job = find_job(websocket, job_id)
    except HTTPException:
        return await websocket.close(4404)
    await websocket.accept()
    left = asyncio.ensure_future(_until_left(websocket))
    try:
        async with aclosing(service_of(websocket).hub.watch(job, seconds=1.0)) as changes:
            async for is_change in changes:
                if left.done():
                    break
                if is_change:
                    now = status_of(websocket, job).model_dump(exclude_none=True)
                    await websocket.send_text(json.dumps(now))
        if not left.done():
            await websocket.close(1000)
    except (WebSocketDisconnect, RuntimeError):  # it left while it was told
        pass
    finally:
        left.cancel()


async def _until_left(websocket: WebSocket) -> None:
    """Read what a client says, which nobody wants, until it leaves."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


@router.post(
    "/edit",
    responses={**PROBLEMS, **_PICTURE, **_GOES_ON},
    response_class=Response,
    openapi_extra=_body(),
)
async def edit(request: Request) -> Response:
    """Edit and wait: the edited picture, or 202 and the job's status when the time is up.

    A client that leaves has cancelled its job.
    """
    service = service_of(request)
    job = await _submitted(request)
    place = f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"
    headers = {"Location": place, "X-Job-Id": job.id}
    if not await _end_of(request, job, service.settings.wait_seconds):
        if await request.is_disconnected():
            await run_in_threadpool(service.cancel, job)
        return JSONResponse(status_of(request, job).model_dump(), 202, headers=headers)
    if job.error is not None:
        raise HTTPException(422, "; ".join([job.error, *job.warnings]), headers)
    answer = await picture_answer(request, job, "edited")
    answer.headers.update(headers)
    return answer


@router.get("/models", responses=PROBLEMS, tags=["model"])
async def models(request: Request) -> list[ModelEntry]:
    """The model that is loaded."""
    return [_model(request).entry()]


@router.get("/mappers", responses=PROBLEMS, tags=["model"])
async def mappers(request: Request) -> list[MapperEntry]:
    """The trained mappers, and the texts that they take."""
    return _model(request).mapper_entries()


@router.get("/regions", responses=PROBLEMS, tags=["model"])
async def regions(request: Request) -> list[str]:
    """Names of the regions that an edit can be kept to, and "auto", where its text lives."""
    return _model(request).regions()


def _model(request: Request) -> Model:
    model = service_of(request).model
    if model is None:
        raise HTTPException(503, "the model is being loaded", {"Retry-After": "5"})
    return model
