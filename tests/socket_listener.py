# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A client of seed 004's server that sends photos and hears its events."""

from __future__ import annotations

import asyncio

import httpx
import socketio
from server_world import PATIENCE


class Listener:
    """A client as test_websocket.py's, which notes what it hears."""

    def __init__(self, url, transports=None, key=None):
        self.url, self.transports, self.heard = url, transports, []
        self.headers = {} if key is None else {"X-API-Key": key}
        self.client = socketio.AsyncClient(reconnection=False)
        for name in ("image_processing", "image_edited", "image_edit_error"):
            self.client.on(name, lambda data, name=name: self.heard.append((name, data)))

    async def __aenter__(self):
        await self.client.connect(
            self.url, self.headers, socketio_path="/ws/socket.io", transports=self.transports
        )
        return self

    async def __aexit__(self, *args):
        await self.client.disconnect()


async def hear(served, transports, image, *wishes, patience=PATIENCE):
    """Events that a client hears of photos that it sends with some wishes, until each has its end."""
    work = served.work.run

    def in_25_steps(model, request, photo):
        return work(model, request.model_copy(update={"steps": 25}), photo)

    served.service.queue._run = in_25_steps
    async with httpx.AsyncClient(base_url=served.url, timeout=PATIENCE, trust_env=False) as web:
        async with Listener(served.url, transports) as one:
            answers = []
            for wish in wishes:
                query = {"sid": one.client.get_sid(), **wish}
                answer = await web.post("/edit", params=query, files={"image": image})
                answers.append(("answer", answer.json()))
            for _ in range(int(10 * patience)):
                if sum(name != "image_processing" for name, _ in one.heard) == len(wishes):
                    break
                await asyncio.sleep(0.1)
            return answers + one.heard
