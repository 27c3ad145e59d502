# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The application: every request goes through CatchAll, the log, Guard, CORS, and then to a route."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from ppstyleclip import __version__
from ppstyleclip.server import operations, seed004, v1
from ppstyleclip.server.events import Sockets, close_manager
from ppstyleclip.server.guard import Guard, Rates
from ppstyleclip.server.logs import log
from ppstyleclip.server.pictures import random_name
from ppstyleclip.server.problems import CatchAll, Receive, Send, add_handlers
from ppstyleclip.server.service import Service
from ppstyleclip.server.settings import ServerSettings, load_settings

_SWEEP_SECONDS = 30.0


def create_app(settings: ServerSettings | None = None, service: Service | None = None) -> FastAPI:
    """Make the application; its service begins when the application does, and ends with it.

    Args:
        settings: ServerSettings; None reads them from the environment.
        service: Service; None makes one.
    Raises:
        UserError, CannotWrite: as Service.
    """
    settings = load_settings() if settings is None else settings
    service = Service(settings) if service is None else service
    app = FastAPI(
        title="ppstyleclip",
        version=__version__,
        description="Edits faces by words.",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        lifespan=_life,
        root_path=settings.root_path,
    )
    app.state.settings, app.state.service, app.state.sockets = settings, service, Sockets(settings)
    app.state.job_rates, app.state.answers = Rates(settings.jobs_per_minute), Counter()
    app.state.num_read = 0  # bodies that are being read
    add_handlers(app)
    for part in (operations, seed004, v1):
        app.include_router(part.router)
    app.mount("/ws", app.state.sockets.app)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Job-Id"],
        )
    app.add_middleware(Guard, settings=settings, salt=_salt_of(settings))
    app.add_middleware(AccessLog, answers=app.state.answers)
    app.add_middleware(CatchAll)  # the last one added is the outermost
    return app


def _salt_of(settings: ServerSettings) -> bytes:
    """Of addresses: servers that share a folder mark a client alike, so that its events reach it anywhere."""
    if settings.shared is None:
        return secrets.token_bytes(16)
    return random_name(settings.shared / "salt").encode()


def create_from_environment() -> FastAPI:
    """What gunicorn calls, with the worker uvicorn_worker.UvicornWorker; settings are in the environment."""
    from ppstyleclip.server.logs import configure_logs
    from ppstyleclip.threads import import_paddle

    configure_logs()
    import_paddle()
    return create_app()


@contextlib.asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    service, sockets = app.state.service, app.state.sockets
    service.hub.start(sockets)
    service.start()
    tasks = [asyncio.create_task(sockets.run()), asyncio.create_task(_sweep(service))]
    try:
        yield
    finally:
        service.hub.end()
        await run_in_threadpool(service.close, app.state.settings.drain_seconds)
        service.hub.stop()
        for task in tasks:
            task.cancel()
        await close_manager(sockets.server)


async def _sweep(service: Service) -> None:
    while True:
        await asyncio.sleep(min(_SWEEP_SECONDS, service.settings.keep_seconds / 4))
        try:
            await run_in_threadpool(service.sweep)
        except Exception as error:  # a full disk; the next round tries again
            log("sweep failed", error=error)


class AccessLog:
    """ASGI middleware: a line for each answer, with method, route, status and time; no query, no address.

    Args:
        app: what comes next.
        answers: counts statuses.
    """

    def __init__(self, app: Any, answers: Counter[int]) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begin, status = time.perf_counter(), 0

        async def noted(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self.answers[status] += 1
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route, ids = scope.get("route"), scope.get("path_params") or {}
            fields = {"job": ids["job_id"][:32]} if isinstance(ids.get("job_id"), str) else {}
            log(
                "answered",
                method=scope["method"],
                route=getattr(route, "path", None) or "none",
                status=status,
                ms=round(1000 * (time.perf_counter() - begin), 1),
                **fields,
            )
