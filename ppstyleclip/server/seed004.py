# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The interface of styleclip-gan3's server (seed 004), as its README prints it and as its code has it.

GET /mappers, POST /edit, GET /images/PATH and /image/PATH; its events are in events.py. What its code left
open is closed: a path is looked up among the pictures that the server made, a mapper among those that it has
loaded, and a client's file name is not used at all.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ppstyleclip.server.answers import PROBLEMS, owner_of, picture_answer, reading, service_of
from ppstyleclip.server.events import seed_paths
from ppstyleclip.server.requests import content_type, read_form
from ppstyleclip.server.schemas import Edited, JobRequest

router = APIRouter(tags=["seed 004"])
ROLES = {"styled": "after", "restored": "before"}
_PATH = re.compile(r"(?:\./)?/?(?:images/)?(styled|restored)/([0-9a-f]{32})\.png")
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {"image": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.get("/mappers", responses=PROBLEMS)
async def list_mappers(request: Request) -> list[str]:
    """Names of the server's mappers, without those that need a text: POST /edit tells them none."""
    model = service_of(request).model
    if model is None:
        raise HTTPException(503, "the model is being loaded", {"Retry-After": "5"})
    return [one.name for one in model.mapper_entries() if one.takes_text == "none"]


@router.post("/edit", responses=PROBLEMS, openapi_extra=_FORM)
async def edit(
    request: Request,
    sid: Annotated[str | None, Query(max_length=200, description="Socket.IO client that is told")] = None,
    prompt: Annotated[str | None, Query(max_length=300, description="a text; it wins over a mapper")] = None,
    mapper: Annotated[str | None, Query(max_length=100, description="a name of GET /mappers")] = None,
) -> Edited:
    """Edit the best face of a picture by a text, or by a trained mapper; answers at once.

    Socket.IO tells `image_processing {step, steps}`, then `image_edited {image_path, restored_path}` or
    `image_edit_error {error}`.
    """
    if not prompt and not mapper:
        raise HTTPException(400, "choose a mapper of GET /mappers, or write a prompt")
    service = service_of(request)
    service.jobs.check_room(owner_of(request))
    if content_type(request) != "multipart/form-data":
        raise HTTPException(415, "send the picture as multipart/form-data, in the field 'image'")
    seconds = request.app.state.job_rates.wait(owner_of(request))
    if seconds:
        raise HTTPException(429, "too many jobs in a minute", {"Retry-After": str(max(1, round(seconds)))})
    values = (
        {"method": service.settings.seed_method, "target": prompt}
        if prompt
        else {"method": "mapper", "mapper": mapper}
    )
    wish = JobRequest.model_validate(values)
    with reading(request):
        _, photo = await read_form(request)
        if photo is None:
            raise HTTPException(422, "the picture is missing; send it in the field 'image'")
        job = await run_in_threadpool(service.submit, wish, owner_of(request), photo, sid or None)
    return Edited(job_id=job.id, warnings=job.warnings, **seed_paths(job))


@router.get("/images/{path:path}", responses=PROBLEMS, response_class=Response)
async def picture(request: Request, path: str) -> Response:
    """A picture by the path that POST /edit answered."""
    match = _PATH.fullmatch(path)
    found = service_of(request).jobs.of_picture(match[2]) if match else None
    if match is None or found is None or found[1] != ROLES[match[1]]:
        raise HTTPException(404, "there is no such picture")
    return await picture_answer(request, found[0], found[1], unfinished=404)


@router.get("/image/{path:path}", responses=PROBLEMS, response_class=Response)
async def picture_as_coded(request: Request, path: str) -> Response:
    """The same under the name that seed 004's code has."""
    return await picture(request, path)
