# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Who is told of a job's way: a Socket.IO client, a WebSocket, a stream of server-sent events.

Jobs change in the service's thread. A change wakes the event loop, and everything is sent from there, for
neither Socket.IO nor a WebSocket may be used from another thread. A watcher is woken and then reads the job
as it stands: a slow one misses steps in between, never the end, and nothing piles up for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator
from typing import Any

import socketio
from engineio.exceptions import EngineIOError
from engineio.packet import NOOP, Packet

from ppstyleclip.server.guard import OwnPath
from ppstyleclip.server.jobs import CANCELLED, DONE, FAILED, RUNNING, Job
from ppstyleclip.server.logs import log
from ppstyleclip.server.settings import ServerSettings

EVERY = 10  # steps from one image_processing to the next, as seed 004
_MOST_WAITING = 10_000  # Socket.IO events
_PING_SECONDS = 20.0


class Hub:
    """Takes changes from any thread and tells those who watch."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._is_called = False
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self.sockets: Sockets | None = None
        self.is_ending = False

    def start(self, sockets: Sockets) -> None:
        """Begin to tell, on the running loop."""
        self._loop, self.sockets = asyncio.get_running_loop(), sockets

    def end(self) -> None:
        """Let all who watch go, on the loop: the server ends."""
        self.is_ending = True
        for woken in [one for own in self._watchers.values() for one in own]:
            woken.set()

    def stop(self) -> None:
        """Tell nobody any more."""
        self._loop = None

    def changed(self, job: Job | None) -> None:
        """Note a change, from any thread; None stands for the order of the queue."""
        loop = self._loop
        if loop is None:
            return
        if job is not None and job.sid is not None and self.sockets is not None:
            message = seed_event(job)
            if message is not None:
                _call(loop, self.sockets.send, job, message)
        with self._lock:
            self._changed.add("" if job is None else job.id)
            if self._is_called:
                return
            self._is_called = True
        _call(loop, self._wake)

    def _wake(self) -> None:
        with self._lock:
            changed, self._changed, self._is_called = self._changed, set(), False
        for job_id in list(self._watchers) if "" in changed else changed:
            for one in self._watchers.get(job_id, ()):
                one.set()

    async def watch(self, job: Job, seconds: float = _PING_SECONDS) -> AsyncGenerator[bool, None]:
        """Yield True now and after each change of a job until its end; False after so many quiet seconds."""
        woken = asyncio.Event()
        self._watchers.setdefault(job.id, set()).add(woken)
        try:
            is_change = True
            while True:
                is_over = job.is_over or self.is_ending  # before who watches reads the job: the end is told
                yield is_change or is_over
                if is_over:
                    return
                try:
                    await asyncio.wait_for(woken.wait(), seconds)
                    woken.clear()
                    is_change = True
                except asyncio.TimeoutError:
                    is_change = False
        finally:
            own = self._watchers.get(job.id, set())
            own.discard(woken)
            if not own:
                self._watchers.pop(job.id, None)


def _call(loop: asyncio.AbstractEventLoop, function: Any, *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:  # the loop has ended
        pass


def seed_event(job: Job) -> tuple[str, dict[str, Any]] | None:
    """(event, payload) of seed 004 for a job as it stands, or None."""
    if job.state == RUNNING and job.stage == "optimising" and job.step % EVERY == 0 and job.step:
        return "image_processing", {"step": job.step, "steps": job.steps}
    if job.state == DONE:
        return "image_edited", seed_paths(job)
    if job.state in (FAILED, CANCELLED):
        return "image_edit_error", {"error": job.error or f"the job was {job.state}"}
    return None


def seed_paths(job: Job) -> dict[str, str]:
    """Paths of a job's pictures as seed 004 writes them."""
    return {
        "image_path": f"./images/styled/{job.names['after']}.png",
        "restored_path": f"./images/restored/{job.names['before']}.png",
    }


class Sockets:
    """The Socket.IO server, at /ws/socket.io, and who its clients are.

    A client's id is told to the server that edits. It is random, but may leak; so an event goes to a room of
    the client and its key or address, which is that of the job's sender or has nobody in it. With a queue in
    Redis, rooms reach over all its servers.

    Args:
        settings: ServerSettings.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings, self.clients = settings, set[str]()
        self.server = socketio.AsyncServer(
            client_manager=_manager(settings),
            async_mode="asgi",
            cors_allowed_origins=list(settings.cors) or None,  # None: the page's own origin
            cors_credentials=False,
            max_http_buffer_size=65_536,
            ping_interval=25,
            ping_timeout=60,  # a busy machine may answer late
            logger=False,
            engineio_logger=False,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.app = OwnPath(socketio.ASGIApp(self.server, socketio_path="socket.io"), "/ws/")
        self._waiting: asyncio.Queue[tuple[str, str, dict[str, Any]]] = asyncio.Queue(_MOST_WAITING)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        if len(self.clients) >= self.settings.sockets:
            raise socketio.exceptions.ConnectionRefusedError("too many clients")
        self.clients.add(sid)
        await self.server.enter_room(sid, _room(sid, environ["asgi.scope"]["owner"]))

    async def _disconnect(self, sid: str, reason: Any = None) -> None:
        self.clients.discard(sid)

    def send(self, job: Job, message: tuple[str, dict[str, Any]]) -> None:
        """Queue an event for a job's client, on the loop; it reaches nobody where it is not the sender's."""
        if job.sid is None or self.settings.queue is None and job.sid not in self.clients:
            return
        try:
            self._waiting.put_nowait((_room(job.sid, job.owner), *message))
        except asyncio.QueueFull:
            log("event dropped", logging.WARNING, job=job.id)

    async def run(self) -> None:
        """Send what is queued, in its order, until cancelled."""
        while True:
            room, event, payload = await self._waiting.get()
            try:
                await self.server.emit(event, payload, to=room)
            except Exception as error:  # a client that left in between
                log("event not sent", logging.WARNING, error)

    async def answer_polls(self) -> None:
        """Answer every client that waits in a poll with nothing, so that the server's end need not wait.

        Their next poll finds no server, so they connect anew until there is one. Engine.IO's packet of an end
        would be another thing: after that the library's clients for Python wait for a minute and stay away.
        """
        for one in list(self.server.eio.sockets.values()):
            if not one.upgraded:
                with contextlib.suppress(EngineIOError):  # a client that has left is forgotten a little later
                    await one.send(Packet(NOOP))


async def close_manager(server: socketio.AsyncServer) -> None:
    """Close a Redis manager's connections, which the library leaves to chance."""
    manager = server.manager
    if not isinstance(manager, socketio.AsyncRedisManager):
        return
    if getattr(manager, "thread", None) is not None:
        manager.thread.cancel()
    for name in ("pubsub", "redis"):
        one = getattr(manager, name, None)
        if one is not None:
            with contextlib.suppress(Exception):
                await one.aclose()


def _room(sid: str, owner: str) -> str:
    return f"{sid} {owner}"


def _manager(settings: ServerSettings) -> Any:
    """What tells clients of other servers too; None, the library's own, for this server alone."""
    if settings.queue is None:
        return None
    return socketio.AsyncRedisManager(settings.queue, channel="ppstyleclip-events")
