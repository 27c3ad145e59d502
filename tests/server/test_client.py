# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The typed client against a running server."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="FastAPI, of the extra 'server', is not installed")
from server_world import PATIENCE, picture_file, serving  # noqa: E402

from ppstyleclip.client import Client, ServerError  # noqa: E402
from ppstyleclip.errors import MissingFile  # noqa: E402
from ppstyleclip.server.keys import new_key  # noqa: E402


def test_a_photo_and_a_seed_go_there_and_back(served, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(picture_file())
    with Client(served.url, timeout=PATIENCE) as server:
        job = server.submit(photo=path, target="happy face", alpha=2, face=1)
        states = [status.state for status in server.follow(job)]
        assert states[-1] == "done" and server.picture(job, "after").startswith(b"\x89PNG")
        other = server.wait(server.submit(seed=3, target="happy face")).id
        assert server.edit(seed=3, target="happy face") == server.picture(other)
        assert server.card(job) == {"method": "direction"}
        assert server.cancel(job).state == "expired"
        assert server.models()[0]["name"] == "fake" and server.mappers()[0]["name"] == "beard"
        assert server.regions() == ["mouth", "hair", "auto"]
        recipe = {"edits": [{"target": "happy face", "alpha": "auto", "region": "mouth"}]}
        for more in ({"photo": path}, {"seed": 3}):
            job = server.submit(**more, recipe=recipe, card=True)
            assert server.wait(job).state == "done"


def test_what_goes_wrong_is_told_apart(served):
    with Client(served.url, timeout=PATIENCE) as server:
        with pytest.raises(ServerError, match="no face was found"):
            server.wait(server.submit(seed=1, target="fail"))
        with pytest.raises(ServerError) as refused:
            server.submit(seed=1)
        assert refused.value.status == 422 and refused.value.retry_after is None
        with pytest.raises(ServerError, match="no such job"):
            server.status("0" * 32)
        with pytest.raises(MissingFile):
            server.submit(photo="there is none.png", target="a")
        served.work.free.clear()
        with pytest.raises(TimeoutError):
            server.wait(server.submit(seed=1, target="a"), timeout=0.1)
    with (
        Client("http://127.0.0.1:9", timeout=1) as nobody,
        pytest.raises(ServerError, match="does not answer"),
    ):
        nobody.models()


def test_a_key_and_a_full_queue(tmp_path):
    key, line = new_key("alice")
    with serving(tmp_path, api_keys=line, queue_size=1) as served:
        served.work.free.clear()
        with Client(served.url, key=key, timeout=PATIENCE) as server:
            first = server.submit(seed=1, target="a")
            while server.status(first).state != "running":
                pass
            server.submit(seed=1, target="a")
            with pytest.raises(ServerError) as full:
                server.submit(seed=1, target="a")
            assert full.value.status == 503 and full.value.retry_after >= 1
        with Client(served.url) as stranger, pytest.raises(ServerError, match="API key"):
            stranger.mappers()
