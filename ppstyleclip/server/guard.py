# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What every request passes first: host, origin, key, rate, and how much it may send in what time."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from ppstyleclip.server.keys import holder_of, key_in, parse_key_lines
from ppstyleclip.server.problems import Receive, Send, problem
from ppstyleclip.server.settings import ServerSettings

OPEN = ("/healthz", "/readyz", "/version", "/openapi.json")  # answered without a key
_MOST_CLIENTS = 20_000  # whose rates are remembered
_DRAINED_BYTES = 2**24
_DRAINED_SECONDS = 3.0  # that an oversize body is read on, so that its sender sees the answer


class TooLarge(Exception):
    """A body went on past its limit, or its time."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Rates:
    """Token buckets: so many of something a minute for each client, of which a burst may use all at once.

    Args:
        per_minute: how many.
        clock: seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute, self.clock = per_minute, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take one; 0, or the seconds after which there is one again."""
        now = self.clock()
        left, then = self._left.pop(client, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - then) * self.per_minute / 60)
        is_free = left >= 1
        self._left[client] = (left - 1 if is_free else left, now)
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        return 0.0 if is_free else (1 - left) * 60 / self.per_minute


class Guard:
    """ASGI middleware that refuses what no route shall see; sets `scope["owner"]` for the others.

    Args:
        app: what comes next.
        settings: ServerSettings.
        salt: of addresses, which are kept nowhere as they are.
    """

    def __init__(self, app: Any, settings: ServerSettings, salt: bytes) -> None:
        self.app, self.settings, self.salt = app, settings, salt
        self.keys = parse_key_lines(settings.api_keys)
        self.requests = Rates(settings.requests_per_minute)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            return await _refuse(scope, receive, send, *refusal)
        if scope["type"] == "websocket":
            return await self.app(scope, receive, send)
        await self._with_limits(scope, receive, send, headers)

    def _refusal(self, scope: dict[str, Any], headers: dict[str, str]) -> tuple[int, str, float] | None:
        """(status, words, seconds to wait) of what is refused."""
        own, host = self.settings, headers.get("host", "")
        if own.answered_hosts and _host_name(host) not in own.answered_hosts:
            return 421, "this server does not answer to this host name (setting: hosts)", 0
        holder = holder_of(key_in(headers), self.keys)
        address = address_of(scope, self.salt)
        scope["owner"] = f"key:{holder}" if holder else address
        seconds = self.requests.wait(scope["owner"])
        if seconds:
            return 429, "too many requests", seconds
        path = route_path(scope)
        is_preflight = scope.get("method") == "OPTIONS"
        if self.keys and holder is None and path not in OPEN and not is_preflight:
            return 401, "an API key is needed: Authorization: Bearer KEY", 0
        origin = headers.get("origin")
        is_read = scope.get("method") in ("GET", "HEAD", "OPTIONS")
        is_own = origin is None or origin in own.cors or origin.partition("://")[2] == host
        if not is_own and not is_read:  # a page of somebody else's in the user's browser
            return 403, "pages of this origin may not use this server (setting: cors)", 0
        return None

    async def _with_limits(
        self, scope: dict[str, Any], receive: Receive, send: Send, headers: dict[str, str]
    ) -> None:
        most, length = self.settings.upload_bytes, headers.get("content-length", "")
        if headers.get("content-encoding", "identity").lower() != "identity":
            return await _refuse(scope, receive, send, 415, "a compressed body is not taken", 0)
        if length.isdigit() and int(length[:20]) > most:
            return await self._too_large(scope, receive, send, 413, self._words())
        has_body = length not in ("", "0") or "transfer-encoding" in headers
        limited = _Limited(receive, most, self.settings.upload_seconds, self._words())
        is_started = False

        async def noted(message: dict[str, Any]) -> None:
            nonlocal is_started
            is_started = True
            is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if is_last and has_body and not limited.is_whole:  # refused before its body was read
                return await self._end_with(message.get("body", b""), receive, send)
            await send(message)

        try:
            await self.app(scope, limited, noted)
        except TooLarge as error:
            if not is_started:
                await self._too_large(scope, receive, send, error.status, str(error))

    def _words(self) -> str:
        return f"a request may have {self.settings.upload_megabytes:g} megabytes"

    async def _too_large(
        self, scope: dict[str, Any], receive: Receive, send: Send, status: int, words: str
    ) -> None:
        answer = problem(status, words, {"Connection": "close"})
        headers = [(name, value) for name, value in answer.raw_headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await self._end_with(bytes(answer.body), receive, send)

    async def _end_with(self, body: bytes, receive: Receive, send: Send) -> None:
        """Answer, then read on a little: a sender that is cut off while it sends never sees the answer."""
        await send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            await asyncio.wait_for(
                _drain(receive, 2 * self.settings.upload_bytes + _DRAINED_BYTES), _DRAINED_SECONDS
            )
        except asyncio.TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Limited:
    """A `receive` that counts bytes and seconds."""

    def __init__(self, receive: Receive, most: int, seconds: float, words: str) -> None:
        self.receive, self.left, self.words = receive, most, words
        self.until = time.monotonic() + seconds
        self.is_whole = False

    async def __call__(self) -> dict[str, Any]:
        if self.is_whole:  # what comes now is the client's leaving
            return await self.receive()
        try:
            message = await asyncio.wait_for(self.receive(), max(0.0, self.until - time.monotonic()))
        except asyncio.TimeoutError:
            raise TooLarge(408, "the request took too long to arrive") from None
        if message["type"] == "http.request":
            self.left -= len(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)
        if self.left < 0:
            raise TooLarge(413, self.words)
        return message


async def _drain(receive: Receive, most: int) -> None:
    while most > 0:
        message = await receive()
        most -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


async def _refuse(
    scope: dict[str, Any], receive: Receive, send: Send, status: int, words: str, seconds: float
) -> None:
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008})
    headers = {"Retry-After": str(max(1, round(seconds)))} if status == 429 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    await problem(status, words, headers)(scope, receive, send)  # type: ignore[arg-type]


def route_path(scope: dict[str, Any]) -> str:
    """The path of a request below the place where a proxy shows the server."""
    path, root = scope.get("path", ""), scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def address_of(scope: dict[str, Any], salt: bytes) -> str:
    """A mark of the address that a request comes from; of IPv6 its network, which one household has whole."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ipaddress.ip_address(host)
        if address.version == 6:
            host = str(ipaddress.ip_network((address, 64), strict=False))
    except ValueError:
        pass
    return "address:" + hashlib.blake2s(host.encode(), key=salt, digest_size=8).hexdigest()


def _host_name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


class OwnPath:
    """ASGI middleware for a mounted application that compares whole paths, as Socket.IO's does.

    Args:
        app: the application.
        mount: where it is mounted, such as "/ws/"; what a proxy puts before that does not matter.
    """

    def __init__(self, app: Any, mount: str) -> None:
        self.app, self.mount = app, mount

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection under its path below the mount."""
        path = "/" + scope["path"].rpartition(self.mount)[2]
        return self.app({**scope, "path": path, "root_path": ""}, receive, send)
