# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Seed 004's five client scripts: the same requests, against a server that runs."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")

import httpx  # noqa: E402
from server_world import FakeModel, picture_file, raw, serving  # noqa: E402
from socket_listener import Listener, hear  # noqa: E402

from ppstyleclip.server.app import create_app  # noqa: E402
from ppstyleclip.server.keys import new_key  # noqa: E402
from ppstyleclip.server.service import Service  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402

IMAGE = picture_file(kind="JPEG")


def post_edit(served, sid=None, **params):
    """As test_mapper.py and test_optimization.py do: query and one file."""
    query = params if sid is None else {"sid": sid, **params}
    return served.client.post("/edit", params=query, files={"image": ("1.jpg", IMAGE, "image/jpeg")})


def test_get_mappers(served):
    answer = served.client.get("/mappers")
    assert answer.status_code == 200 and answer.json() == ["beard"]


def test_a_mapper_that_needs_a_text_is_not_offered(tmp_path):
    with serving(tmp_path, load=lambda _: FakeModel({"beard": "none", "words": "clip"})) as served:
        assert served.client.get("/mappers").json() == ["beard"]
        assert [one["name"] for one in served.client.get("/v1/mappers").json()] == ["beard", "words"]


def test_no_list_of_mappers_is_told_before_the_model_is_there(tmp_path):
    settings = load_settings(data=tmp_path)
    service = Service(settings, load=lambda _: FakeModel({"beard": "none"}))

    async def ask():  # outside of the app's lifespan, so nothing is loaded
        transport = httpx.ASGITransport(create_app(settings, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/mappers")

    answer = asyncio.run(ask())
    service.close()
    assert answer.status_code == 503 and answer.headers["retry-after"] == "5"


def test_mapper(served):
    answer = post_edit(served, "1", mapper="beard")
    assert answer.status_code == 200
    assert set(answer.json()) == {"image_path", "restored_path", "job_id", "warnings"}
    assert answer.json()["image_path"].startswith("./images/styled/")
    assert answer.json()["restored_path"].startswith("./images/restored/")
    served.ended(answer.json()["job_id"])
    assert served.work.ran == ["beard"]


@pytest.mark.parametrize("route", ["image", "images"])
def test_get_image_by_the_path_that_edit_answered(served, route):
    made = post_edit(served, "1", prompt="sad").json()
    served.ended(made["job_id"])
    for name in ("image_path", "restored_path"):
        assert served.client.get(f"/{route}/{made[name]}").content.startswith(b"\x89PNG")
        request = f"GET /{route}/{made[name]} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        assert raw(served, request.encode()).startswith(b"HTTP/1.1 200")  # its dots as they are
    crossed = made["image_path"].replace("styled", "restored")
    assert served.client.get(f"/{route}/{crossed}").status_code == 404


def test_a_picture_that_is_not_made_yet_is_404(served):
    served.work.free.clear()
    made = post_edit(served, prompt="sad").json()
    assert served.client.get(f"/images/{made['image_path']}").status_code == 404


def test_optimisation_wins_over_a_mapper_and_neither_is_400(served):
    made = post_edit(served, "1", prompt="sad", mapper="beard").json()
    served.ended(made["job_id"])
    assert served.work.ran == ["sad"] and served.status(made["job_id"])["method"] == "optimise"
    nothing = post_edit(served, "1")
    assert nothing.status_code == 400 and nothing.json()["detail"]
    assert post_edit(served, "1", prompt="", mapper="").status_code == 400


def test_sid_may_be_absent_empty_or_of_nobody(served):
    for sid in (None, "", "1", "../../x"):
        served.ended(post_edit(served, sid, prompt="sad").json()["job_id"])


def test_an_unknown_mapper_and_a_missing_picture_are_422(served):
    for name in ("../images/real/evil", "nose", "beard.pt", "/etc/passwd", "beard\x00"):
        assert post_edit(served, "1", mapper=name).status_code == 422, name
    assert served.client.post("/edit", params={"prompt": "sad"}, data={"a": "b"}).status_code == 415
    sent = served.client.post("/edit", params={"prompt": "sad"}, files={"other": IMAGE})
    assert sent.status_code == 422


# Its own client waits for a minute until the server lets its last request go.
POLLING = pytest.param(["polling"], marks=pytest.mark.slow)


@pytest.mark.parametrize("transports", [["websocket"], POLLING, None], ids=str)
def test_websocket_the_client_gets_the_events_with_their_payloads(served, transports):
    heard = asyncio.run(hear(served, transports, IMAGE, {"prompt": "sad"}, {"prompt": "fail"}))
    made = next(payload for name, payload in heard if name == "answer")
    assert ("image_processing", {"step": 10, "steps": 25}) in heard
    assert ("image_processing", {"step": 20, "steps": 25}) in heard
    assert ("image_edited", {key: made[key] for key in ("image_path", "restored_path")}) in heard
    assert ("image_edit_error", {"error": "no face was found in photo.png; use another photo"}) in heard
    assert len([name for name, _ in heard if name != "answer"]) == 4  # nothing twice


def test_a_job_of_another_client_does_not_reach_a_socket(tmp_path):
    (alice, alices), (bob, bobs) = new_key("alice"), new_key("bob")

    async def listen(url, key):
        """What Alice's socket hears when the holder of a key sends a job with her id."""
        async with (
            httpx.AsyncClient(base_url=url, trust_env=False, headers={"X-API-Key": key}) as web,
            Listener(url, key=alice) as one,
        ):
            answer = await web.post(
                "/edit", params={"sid": one.client.get_sid(), "prompt": "sad"}, files={"image": IMAGE}
            )
            while (await web.get(f"/v1/jobs/{answer.json()['job_id']}")).json()["state"] != "done":
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)
            return [name for name, _ in one.heard]

    with serving(tmp_path, api_keys=(alices, bobs)) as served:
        assert asyncio.run(listen(served.url, bob)) == []
        assert asyncio.run(listen(served.url, alice)) == ["image_edited"]
