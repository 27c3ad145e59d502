# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The process of a server: uvicorn, and an end in order.

At SIGTERM or Ctrl-C no further job is accepted, and /readyz says so, while the accepted ones go on and their
senders can still ask and fetch. When none is left, or after drain_seconds, the process ends; what is left
stays in the journal and is done after the next start. A second signal ends it at once, in the same order.
"""

from __future__ import annotations

import contextlib
import time
from types import FrameType
from typing import Any

import uvicorn

from ppstyleclip.errors import UserError
from ppstyleclip.server.app import create_app
from ppstyleclip.server.events import Sockets
from ppstyleclip.server.logs import configure_logs, log
from ppstyleclip.server.service import Service
from ppstyleclip.server.settings import ServerSettings


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which drains before it ends.

    Args:
        config: uvicorn's.
        service: Service.
        sockets: Sockets.
        seconds: drain_seconds.
    """

    def __init__(self, config: uvicorn.Config, service: Service, sockets: Sockets, seconds: float) -> None:
        super().__init__(config)
        self.service, self.sockets, self.seconds = service, sockets, seconds
        self.until: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.until is not None or self.service.model is None:
            self.until = 0.0
            return super().handle_exit(sig, frame)
        self.until = time.monotonic() + self.seconds

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether the time to end has come."""
        if self.service.failure:
            self.should_exit = True
        if self.until is not None:
            if not self.service.jobs.is_closed:
                log("draining", waiting=self.service.jobs.num_waiting)
                self.service.jobs.close()
            if self.service.is_drained or time.monotonic() > self.until:
                self.service.hub.end()
                await self.sockets.answer_polls()
                self.should_exit = True
        return await super().on_tick(counter)


def serve(
    settings: ServerSettings, *, service: Service | None = None, announce: Any = None, extend: Any = None
) -> None:
    """Serve until a signal comes.

    Args:
        settings: ServerSettings.
        service: Service; None makes one.
        extend: called with the application before it runs, to put more on it.
        announce: called with the server's address once it listens.
    Raises:
        UserError: the model cannot be loaded, the port or the folder of data is taken.
    """
    configure_logs()
    _allow_many_files()
    # Its life does not drain it once more: that is done when it ends.
    app = create_app(settings.model_copy(update={"drain_seconds": 0.0}), service)
    if extend is not None:
        extend(app)
    service = app.state.service
    assert service is not None
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        root_path=settings.root_path,
        forwarded_allow_ips=settings.proxies,
        limit_concurrency=settings.connections,
        ws_max_size=65_536,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=65_536,
    )
    server = DrainingServer(config, service, app.state.sockets, settings.drain_seconds)
    try:
        socket = config.bind_socket()
    except SystemExit:
        service.jobs.journal.close()
        raise UserError(
            f"{settings.host}:{settings.port} cannot be listened on; choose another --port"
        ) from None
    host, port = socket.getsockname()[:2]
    if announce is not None:
        announce(f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.root_path}")
    with contextlib.suppress(KeyboardInterrupt):
        server.run([socket])
    if service.failure:
        raise UserError(f"the model cannot be loaded: {service.failure}")


def _allow_many_files() -> None:
    """Raise the limit of open files, of which each connection is one, as far as the system lets."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
