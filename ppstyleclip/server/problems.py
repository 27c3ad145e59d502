# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a client is told of a fault: a status, one line, and never how the server looks inside."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from ppstyleclip.errors import CannotWrite, MissingExtra, MissingFile, UserError, one_line, plain
from ppstyleclip.server.jobs import QueueFull
from ppstyleclip.server.logs import log
from ppstyleclip.server.pictures import NoPictureKind, TooManyPixels
from ppstyleclip.server.settings import in_words

_PATH = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?[/\\](?:[^\s/\\'\",;()]+[/\\])*(?=[^\s/\\'\",;()])")
DISK = "the server cannot write now; try again later"
LACKING = "this server lacks what is needed for this; the cure is in its log"
NO_FINDER = (
    "what finds people in photos, dlib or its landmark model, is not on this server; its log has the cure"
)
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def told(error: BaseException) -> str:
    """An error's message for a client: one line, files without their folders.

    What the server's machine lacks is a matter of who runs it: the log has that message.
    """
    if isinstance(error, CannotWrite):
        return DISK
    if isinstance(error, (MissingFile, MissingExtra)):
        log_missing(error)
        return LACKING
    return one_line(_PATH.sub("", str(error)), 500)


def log_missing(error: MissingFile | MissingExtra) -> None:
    """Tell who runs the server what its machine lacks, and the cure."""
    log("missing", logging.ERROR, words=str(error))


@contextmanager
def finding_people() -> Iterator[None]:
    """Say of what finds people in photos, where it is not on this machine, so much as a client can use.

    Raises:
        UserError: NO_FINDER.
    """
    try:
        yield
    except (MissingFile, MissingExtra) as error:
        log_missing(error)
        raise UserError(NO_FINDER) from None


def add_handlers(app: FastAPI) -> None:
    """Answer the faults that routes raise."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[:3]
        words = "; ".join(
            f"{plain('.'.join(map(str, one.get('loc', ()))))}: {plain(one.get('msg', ''), 200)}"
            for one in first
        )
        return problem(422, words)

    @app.exception_handler(ValidationError)
    async def _unfit(request: Request, error: ValidationError) -> JSONResponse:
        return problem(422, in_words(error))

    @app.exception_handler(QueueFull)
    async def _full(request: Request, error: QueueFull) -> JSONResponse:
        return problem(503, f"{error}; try again in {error.seconds} s", {"Retry-After": str(error.seconds)})

    @app.exception_handler(UserError)
    async def _refused(request: Request, error: UserError) -> JSONResponse:
        if isinstance(error, CannotWrite):
            log("cannot write", logging.ERROR)
            return problem(503, DISK, {"Retry-After": "30"})
        status = 415 if isinstance(error, NoPictureKind) else 413 if isinstance(error, TooManyPixels) else 422
        return problem(status, told(error))

    @app.exception_handler(OSError)
    async def _disk(request: Request, error: OSError) -> JSONResponse:
        log("cannot write", logging.ERROR, error)
        return problem(503, DISK, {"Retry-After": "30"})


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer that says what is wrong."""
    return JSONResponse({"detail": detail}, status, headers=headers)


class CatchAll:
    """Outermost: what nobody has handled becomes a plain 500 and a line in the log.

    Starlette's own would answer too, but raise the error once more, and uvicorn then prints its traceback.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        is_started = False

        async def noted(message: dict[str, Any]) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            mark = secrets.token_hex(4)
            log("internal error", logging.ERROR, error, mark=mark)
            if is_started:
                return
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011})
                return
            answer = problem(500, f"the server has failed at this; its log has more under {mark}")
            await answer(scope, receive, send)  # type: ignore[arg-type]
