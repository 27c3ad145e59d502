# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How a request's body is read: JSON, or a form with a picture. What its file is called plays no part."""

from __future__ import annotations

import base64
import binascii
import logging
from typing import Any

from fastapi import HTTPException, Request
from python_multipart.exceptions import MultipartParseError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from ppstyleclip.errors import UserError, plain
from ppstyleclip.schema import Unreadable, parse_json, parse_yaml
from ppstyleclip.server.schemas import JobRequest

PHOTO = ("photo", "image")  # what a form may call its picture
_NUMBERS = (
    "seed", "steps", "fitting", "alpha", "beta", "soft", "pull", "strength", "face", "identity", "outside",
)  # fmt: skip
_MOST_FIELDS = 40
_MOST_FIELD_BYTES = 65_536
_MOST_JSON = 65_536  # characters of JSON without its photo
logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it quotes what it skips


async def read_job(request: Request) -> tuple[JobRequest, bytes | None]:
    """Read a job from a request's body.

    Returns:
        (JobRequest, the photo's file or None).
    Raises:
        HTTPException: 415 for another kind of body; 422 for one that cannot be read.
        pydantic.ValidationError: a field that cannot be.
    """
    kind = content_type(request)
    if kind == "application/json":
        values, photo = await _read_json(request)
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        values, photo = await read_form(request)
        values = {name: _typed(name, value) for name, value in values.items()}
        if "recipe" in values:
            values["recipe"] = await run_in_threadpool(_parse_recipe, values["recipe"])
    else:
        raise HTTPException(415, "send application/json or multipart/form-data")
    return JobRequest.model_validate(values), photo


def content_type(request: Request) -> str:
    """The kind of a request's body, in small letters, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read_json(request: Request) -> tuple[dict[str, Any], bytes | None]:
    body = await request.body()
    try:
        values = await run_in_threadpool(parse_json, body, most=max(_MOST_JSON, len(body)))
    except Unreadable as error:
        raise HTTPException(422, f"the body: {plain(error, 200)}") from None
    if not isinstance(values, dict):
        raise HTTPException(422, "the body is no JSON object; see /openapi.json")
    text = values.pop(PHOTO[0], None)
    if text is None:
        photo = None
    elif isinstance(text, str):
        try:
            photo = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise HTTPException(422, "photo: it is no base64") from None
    else:
        raise HTTPException(422, "photo: it is the picture's file in base64")
    return values, photo


async def read_form(request: Request) -> tuple[dict[str, str], bytes | None]:
    """The texts and the picture of a form.

    Raises:
        HTTPException: it cannot be read, or holds more than a form of ours.
    """
    try:
        async with request.form(
            max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_FIELD_BYTES
        ) as form:
            values: dict[str, str] = {}
            photo: bytes | None = None
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    if name not in PHOTO:
                        raise HTTPException(
                            422, f"the picture's field is called '{PHOTO[0]}' or '{PHOTO[1]}'"
                        )
                    photo = await value.read()
                elif name in values:
                    raise HTTPException(422, f"{plain(name)} stands twice")
                else:
                    values[name] = value
    except (MultiPartException, MultipartParseError) as error:
        raise HTTPException(422, f"the form cannot be read: {plain(error, 100)}") from None
    except (UnicodeDecodeError, LookupError, ValueError, KeyError) as error:
        if isinstance(error, UserError):
            raise
        raise HTTPException(422, "the form cannot be read") from None
    return values, photo


def _parse_recipe(text: str) -> Any:
    """The values of a recipe's text, JSON or YAML as its file has it.

    Raises:
        HTTPException: it is neither.
    """
    parse = parse_json if text.lstrip().startswith("{") else parse_yaml
    try:
        return parse(text)
    except Unreadable as error:
        raise HTTPException(422, f"recipe: {plain(error, 200)}") from None


def _typed(name: str, value: str) -> Any:
    """A form's text as JSON has it; what is no number stays a text, which the schema then judges."""
    if name in _NUMBERS and len(value) <= 40:
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value
