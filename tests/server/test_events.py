# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Events of our interface: a WebSocket and a stream tell each state in its order, and end with the job."""

from __future__ import annotations

import asyncio
import json

import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")
websockets = pytest.importorskip("websockets", reason="the extra 'server' is not installed")

from server_world import PATIENCE, serving  # noqa: E402

STATES = ["queued", "running", "done", "failed", "cancelled", "expired"]


def in_order(states):
    """Whether no state comes back once another has followed."""
    changes = [state for k, state in enumerate(states) if k == 0 or state != states[k - 1]]
    return changes == sorted(set(changes), key=STATES.index)


def test_a_stream_tells_of_a_job_until_its_end(served):
    served.work.free.clear()
    first, second = served.send(steps=5), served.send(steps=5)
    served.until(first, "running")
    told = []
    with served.client.stream("GET", f"/v1/jobs/{second}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                told.append(json.loads(line[6:]))
                served.work.free.set()
    assert told[0]["state"] == "queued" and told[0]["position"] == 1
    assert told[-1]["state"] == "done" and told[-1]["pictures"]["edited"].endswith("/pictures/edited")
    assert in_order([one["state"] for one in told])


def test_a_websocket_tells_of_a_job_until_its_end(served):
    async def listen(job):
        url = served.url.replace("http", "ws") + f"/v1/jobs/{job}/events"
        async with websockets.connect(url, proxy=None) as line:
            return [json.loads(text) async for text in line]

    served.work.free.clear()
    job = served.send(steps=5)
    served.until(job, "running")
    served.work.free.set()
    told = asyncio.run(asyncio.wait_for(listen(job), PATIENCE))
    assert told[-1]["state"] == "done" and in_order([one["state"] for one in told])
    assert asyncio.run(listen(job)) == [told[-1]]  # who comes late hears the end


def test_a_websocket_of_an_unknown_job_or_of_another_page_is_refused(served):
    async def listen(job, **options):
        url = served.url.replace("http", "ws") + f"/v1/jobs/{job}/events"
        async with websockets.connect(url, proxy=None, **options) as line:
            await line.recv()

    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        asyncio.run(listen("0" * 32))
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        asyncio.run(listen(served.send(), origin="https://elsewhere.example"))


def test_who_leaves_is_watched_no_more(served):
    served.work.free.clear()
    job = served.send()
    with served.client.stream("GET", f"/v1/jobs/{job}/events") as stream:
        next(stream.iter_lines())
    served.work.free.set()
    served.ended(job)
    for _ in range(100):
        if not served.service.hub._watchers:
            break
        served.client.get("/healthz")
    assert served.service.hub._watchers == {}


def test_status_can_wait_for_the_end(served):
    served.work.free.clear()
    job = served.send()
    assert served.status(job, wait=0.3)["state"] in ("queued", "running")
    served.work.free.set()
    assert served.status(job, wait=20)["state"] == "done"


def test_a_client_that_leaves_edit_has_cancelled_its_job(tmp_path):
    import httpx

    with serving(tmp_path) as served:
        served.work.free.clear()
        with pytest.raises(httpx.ReadTimeout):
            served.client.post("/v1/edit", json={"seed": 1, "target": "happy face"}, timeout=1.0)
        (job,) = served.service.jobs.listed()
        assert served.until(job.id, "cancelled")
