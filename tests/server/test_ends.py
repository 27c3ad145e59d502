# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How a server ends, and what becomes of its jobs: killed, asked to end, its disk full."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("fastapi", reason="FastAPI, of the extra 'server', is not installed")

import httpx  # noqa: E402
from nursery import begun, process, send  # noqa: E402
from nursery import status as state  # noqa: E402
from server_world import PATIENCE, picture_file, serving  # noqa: E402

from ppstyleclip.errors import CannotWrite, UserError  # noqa: E402
from ppstyleclip.server.jobs import Jobs, QueueFull  # noqa: E402
from ppstyleclip.server.journal import Journal  # noqa: E402

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.mark.slow
@posix
def test_after_a_kill_each_job_is_run_once_more_and_one_that_kills_twice_is_named(nursery, tmp_path):
    with process(nursery, tmp_path, 0.5) as (running, client):
        jobs = [send(client, name, steps=20) for name in ("first", "second")]
        photo = client.post("/v1/jobs", data={"target": "third"}, files={"photo": picture_file()}).json()[
            "id"
        ]
        while state(client, jobs[0], 0)["state"] != "running":
            time.sleep(0.05)
        running.kill()
    with process(nursery, tmp_path, 0.05, "attempts=2") as (running, client):
        assert [state(client, job)["state"] for job in (*jobs, photo)] == ["done"] * 3
        assert begun(tmp_path) == ["first", "first", "second", "third"]
        deadly = send(client, "deadly", steps=400)
        while state(client, deadly, 0)["state"] != "running":
            time.sleep(0.05)
        running.kill()
    with process(nursery, tmp_path, 0.05, "attempts=2") as (running, client):
        while state(client, deadly, 0)["state"] != "running":
            time.sleep(0.05)
        running.kill()
    with process(nursery, tmp_path, 0.05, "attempts=2") as (running, client):
        failed = state(client, deadly)
        assert failed["state"] == "failed" and "2 times" in failed["error"]
        assert begun(tmp_path).count("deadly") == 2


@pytest.mark.slow
@posix
def test_a_term_drains_and_what_is_left_is_done_after_the_next_start(nursery, tmp_path):
    with process(nursery, tmp_path, 0.2, "drain_seconds=60") as (running, client):
        jobs = [send(client, name) for name in ("first", "second")]
        running.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert client.get("/readyz").status_code == 503 and client.get("/healthz").status_code == 200
        late = client.post("/v1/jobs", json={"seed": 1, "target": "late"})
        assert late.status_code == 503 and "about to end" in late.json()["detail"]
        states = [state(client, job, 5)["state"] for job in jobs]
        assert set(states) <= {"done", "running", "queued"}
        assert running.wait(PATIENCE) == 0
        assert "Traceback" not in (tmp_path / "log").read_text()
    with process(nursery, tmp_path, 0.3, "drain_seconds=0.1") as (running, client):
        assert [state(client, job)["state"] for job in jobs] == ["done", "done"]
        long, waiting = send(client, "long", steps=8), send(client, "waiting")
        while state(client, long, 0)["state"] != "running":
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
    with process(nursery, tmp_path, 0.01) as (running, client):
        assert [state(client, job)["state"] for job in (long, waiting)] == ["done", "done"]


def poll(client):
    """A Socket.IO client that has connected by polling; the parameters of its next poll."""
    params = {"EIO": "4", "transport": "polling"}
    opened = client.get("/ws/socket.io/", params=params).text
    params["sid"] = json.loads(opened[1:])["sid"]
    assert client.post("/ws/socket.io/", params=params, content="40").text == "OK"
    assert client.get("/ws/socket.io/", params=params).text.startswith("40")
    return params


@pytest.mark.slow
@posix
def test_a_client_that_polls_does_not_hold_the_end(nursery, tmp_path):
    with process(nursery, tmp_path, 0.01) as (running, client), ThreadPoolExecutor(1) as pool:
        params = poll(client)
        waiting = pool.submit(client.get, "/ws/socket.io/", params=params)
        time.sleep(0.3)
        assert not waiting.done()
        begin = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert waiting.result(PATIENCE).text == "6"  # Engine.IO's packet of nothing
        assert running.wait(PATIENCE) == 0
        assert time.monotonic() - begin < 4  # uvicorn waits 5 seconds for answers that do not come
        with pytest.raises(httpx.ConnectError):
            client.get("/ws/socket.io/", params=params)
        assert "Traceback" not in (tmp_path / "log").read_text()


def test_polls_are_answered_with_nothing_and_go_on(served):
    params, sockets = poll(served.client), served.app.state.sockets
    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            waiting = pool.submit(served.client.get, "/ws/socket.io/", params=params)
            time.sleep(0.2)
            assert not waiting.done() and len(sockets.clients) == 1
            asyncio.run_coroutine_threadsafe(sockets.answer_polls(), served.service.hub._loop).result(
                PATIENCE
            )
            assert waiting.result(PATIENCE).text == "6"


def test_a_client_that_has_left_does_not_spoil_the_end(served):
    params, sockets = poll(served.client), served.app.state.sockets
    assert served.client.post("/ws/socket.io/", params=params, content="1").text == "OK"  # Engine.IO's end
    assert [one.closed for one in sockets.server.eio.sockets.values()] == [True]  # forgotten a little later
    asyncio.run_coroutine_threadsafe(sockets.answer_polls(), served.service.hub._loop).result(PATIENCE)


OPEN = []  # journals of this test


@pytest.fixture(autouse=True)
def _closing():
    yield
    while OPEN:
        OPEN.pop().close()


def make_jobs(folder, **options):
    """The table of jobs of a folder, whose journal is closed with the test."""
    OPEN.append(Journal(folder / "jobs.sqlite3"))
    return Jobs(OPEN[-1], **{"queue_size": 9, "client_jobs": 9, "attempts": 2, **options})


def test_the_journal_holds_what_another_process_needs(tmp_path):
    jobs = make_jobs(tmp_path)
    made = [jobs.new({"method": "direction", "target": str(k)}, "me", ("edited",)) for k in range(4)]
    assert [jobs.accept(job) for job in made] == [1, 2, 3, 4]
    assert jobs.take(0) is made[0]
    jobs.finish(made[0], "done", sizes={"edited": 5}, card={"a": 1})
    assert jobs.take(0) is made[1]  # runs when the process ends
    jobs.cancel(made[3])
    again = make_jobs(tmp_path)
    assert [job.state for job in again.listed()] == ["done", "queued", "queued", "cancelled"]
    assert again.get(made[0].id).card == {"a": 1} and again.get(made[0].id).request is None
    assert again.of_picture(made[0].names["edited"]) == (again.get(made[0].id), "edited")
    assert [again.take(0).request["target"] for _ in range(2)] == ["1", "2"] and again.take(0) is None
    third = make_jobs(tmp_path)
    assert [job.state for job in third.listed()][1] == "failed" and third.listed()[2].state == "queued"


def test_what_runs_elsewhere_runs_on(tmp_path):
    jobs = make_jobs(tmp_path, elsewhere=True)
    made = [jobs.new({"method": "direction"}, "me", ("edited",)) for _ in range(3)]
    for job in made:
        jobs.accept(job)
        assert jobs.give_ticket(job, job.id)
    jobs.begin(made[0])
    jobs.let_pass({made[1].id: 2}, 5)
    assert [jobs.position(job) for job in made] == [None, 3, 7]  # five of another server wait too
    again = make_jobs(tmp_path, elsewhere=True)
    assert [(job.state, job.ticket) for job in again.listed()] == [
        ("running", made[0].id),
        ("queued", made[1].id),
        ("queued", made[2].id),
    ]
    lost = again.get(made[0].id)
    again.put_back(lost, was_attempt=True)
    assert (lost.state, lost.ticket, lost.attempts, again.position(lost)) == ("queued", None, 1, 1)
    assert not jobs.give_ticket(made[0], "late") and made[0].ticket == made[0].id  # it waits no more
    alone = make_jobs(tmp_path)  # the same folder with the queue of its own process
    assert [(job.state, job.ticket) for job in alone.listed()] == [("queued", None)] * 3


def test_a_row_or_a_file_that_cannot_be_read_stops_nothing(tmp_path):
    journal = Journal(tmp_path / "jobs.sqlite3")
    journal.write({"id": "a", "number": 1, "other": 1})
    journal.close()
    assert make_jobs(tmp_path).listed() == []
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "jobs.sqlite3").write_bytes(b"no database" * 1000)
    assert make_jobs(tmp_path / "x").listed() == []


def test_what_is_interrupted_is_no_attempt(tmp_path):
    jobs = make_jobs(tmp_path)
    job = jobs.new({"method": "direction"}, "me", ("edited",))
    jobs.accept(job)
    jobs.put_back(jobs.take(0))
    assert (job.state, job.attempts, jobs.position(job)) == ("queued", 0, 1)
    jobs.close()
    with pytest.raises(QueueFull, match="about to end"):
        jobs.accept(jobs.new({"method": "direction"}, "me", ("edited",)))


def test_a_full_disk_keeps_jobs_from_being_forgotten_and_nothing_else(tmp_path, monkeypatch):
    def full(*args):
        raise CannotWrite("no space left")

    jobs = make_jobs(tmp_path)
    job = jobs.new({"method": "direction"}, "me", ("edited",))
    jobs.accept(job)
    jobs.finish(jobs.take(0), "failed", error="no face")
    monkeypatch.setattr(jobs.journal, "remove", full)
    assert jobs.forget(older_than=time.time() + 1, most=10) == [] and jobs.get(job.id) is job
    monkeypatch.undo()
    assert jobs.forget(older_than=time.time() + 1, most=10) == [job] and jobs.get(job.id) is None


def test_a_full_disk_refuses_or_fails_and_nothing_is_lost(served, monkeypatch):
    def full(*args):
        raise CannotWrite("no space left")

    kept = served.send()
    served.ended(kept)
    monkeypatch.setattr(served.service.store, "save", full)
    failed = served.ended(served.send())
    assert failed["state"] == "failed" and "cannot write" in failed["error"]
    monkeypatch.setattr(served.service.jobs.journal, "write", full)
    refused = served.client.post("/v1/jobs", json={"seed": 1, "target": "sad"})
    assert refused.status_code == 503 and int(refused.headers["retry-after"]) >= 1
    assert served.status(kept)["state"] == "done"
    monkeypatch.undo()
    assert served.ended(served.send())["state"] == "done"


def test_two_servers_do_not_share_a_folder(tmp_path):
    with serving(tmp_path):
        with pytest.raises(UserError, match="another server uses"):
            with serving(tmp_path):
                pass
    with serving(tmp_path):  # it is free again
        pass


def test_files_that_belong_to_no_job_are_removed_at_the_start(tmp_path):
    with serving(tmp_path) as served:
        job = served.send()
        served.ended(job)
        names = {path.name for path in served.service.store.results.iterdir()}
    (tmp_path / "uploads" / f"{'a' * 32}.png").write_bytes(b"of a killed process")
    (tmp_path / "results" / f"{'b' * 32}.png").write_bytes(b"of a killed process")
    (tmp_path / "results" / "draft").write_bytes(b"half a picture")
    with serving(tmp_path) as served:
        assert list(served.service.store.uploads.iterdir()) == []
        assert {path.name for path in served.service.store.results.iterdir()} == names
        assert served.status(job)["state"] == "done"


def test_a_model_that_cannot_be_loaded_is_said(tmp_path):
    from ppstyleclip.server.service import Service
    from ppstyleclip.server.settings import load_settings

    def load(settings):
        raise UserError("there is no file generator.safetensors; check the path")

    service = Service(load_settings(data=tmp_path), load=load)
    service.start()
    service._thread.join(PATIENCE)
    assert not service.is_ready and "generator.safetensors" in service.failure
    service.close()
