# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Workers in other processes: a real Redis, real workers, each of them killed; no job is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("rq", reason="the extra 'redis' is not installed")

import rq  # noqa: E402
import socketio  # noqa: E402
from nursery import begun, environment, process, send, status, until  # noqa: E402
from redis_world import RedisServer, Workers, gunicorn, needs_redis  # noqa: E402
from server_world import PATIENCE, FakeModel, picture_file, serving, wait_ready  # noqa: E402

from ppstyleclip.cli.serving import worker as worker_command  # noqa: E402
from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.server import redis_link  # noqa: E402
from ppstyleclip.server.jobs import End  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402

pytestmark = [needs_redis, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]
APP = "ppstyleclip.server.app:create_from_environment()"
SECONDS = "worker_seconds=2"


@pytest.fixture
def redis_server(tmp_path):
    """A Redis that forgets when it ends."""
    one = RedisServer(tmp_path / "redis")
    yield one
    one.kill()


@pytest.fixture
def workers(nursery, tmp_path, redis_server):
    """Start of workers, which are killed in the end."""
    (tmp_path / "work").mkdir()
    one = Workers(nursery, tmp_path / "work", 0.05, *options(tmp_path, redis_server))
    yield one
    one.kill()


def options(folder, redis_server):
    """Settings of server and workers."""
    return (f"queue={redis_server.url}", f"shared={folder / 'shared'}", SECONDS)


def wait_for_position(served, job, position):
    """Wait until a server knows of the jobs of another one."""
    end = time.monotonic() + PATIENCE
    while (now := served.status(job)["position"]) != position:
        assert time.monotonic() < end, f"it is {now}, not {position}"
        time.sleep(0.05)


@pytest.mark.slow
def test_the_same_interface_over_workers_elsewhere(tmp_path, redis_server, workers):
    with serving(
        tmp_path / "data", queue=redis_server.url, shared=tmp_path / "shared", worker_seconds=2
    ) as served:
        assert "ppstyleclip_workers 0" in served.client.get("/metrics").text
        jobs = [served.send(target=str(k)) for k in range(4)]
        assert [served.status(job)["position"] for job in jobs] == [1, 2, 3, 4]
        served.client.delete(f"/v1/jobs/{jobs[1]}")
        assert [served.status(job)["position"] for job in jobs] == [1, None, 2, 3]
        assert served.status(jobs[1])["state"] == "cancelled"
        workers.start()
        assert {served.ended(job)["state"] for job in (jobs[0], *jobs[2:])} == {"done"}
        assert begun(workers.folder) == ["0", "2", "3"] and served.work.ran == []
        photo = served.client.post("/v1/jobs", data={"target": "x"}, files={"photo": picture_file()}).json()
        assert served.ended(photo["id"])["state"] == "done"
        picture = served.client.get(f"/v1/jobs/{photo['id']}/pictures/edited")
        assert picture.content.startswith(b"\x89PNG") and picture.headers["etag"]
        assert served.client.get(f"/v1/jobs/{photo['id']}/card").json() == {"method": "direction"}
        assert list(served.service.store.uploads.iterdir()) == []
        failed, crashed = served.send(target="fail"), served.send(target="crash")
        assert "no face was found in photo.png" in served.ended(failed)["error"]
        assert "secret" not in served.ended(crashed)["error"]
        until_true(lambda: "ppstyleclip_workers 1" in served.client.get("/metrics").text, "no worker counts")
        long = served.send(steps=400, method="optimise")
        running = served.until(long, "running")
        while not running["step"]:
            running = served.status(long)
        assert running["steps"] == 400 and running["stage"] == "optimising"
        served.client.delete(f"/v1/jobs/{long}")
        assert served.ended(long)["state"] == "cancelled"
        assert served.client.delete(f"/v1/jobs/{photo['id']}").json()["state"] == "expired"
        assert not list(served.service.store.results.glob(f"*{photo['id']}*"))


def until_true(is_so, words):
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, words
        time.sleep(0.02)


def test_the_server_hears_who_holds_a_jobs_ticket_and_nobody_else(tmp_path, redis_server):
    shared = {"queue": redis_server.url, "shared": tmp_path / "shared", "worker_seconds": 1}
    with serving(tmp_path / "data", **shared) as served:
        link, server = redis_link.connect(redis_server.url), served.service.queue.server
        job = served.service.jobs.get(served.send())
        until_true(lambda: job.ticket, "it has no ticket")

        def say(ticket, **more):
            redis_link.say(link, server, redis_link.Said(job.id, ticket, "worker", **more))

        def is_off(ticket):
            return link.exists(redis_link.off_key(ticket))

        stale = "0" * 32
        link.xadd(redis_link.said_key(server), {"said": "no message"})
        say(stale, end=End("done", sizes={"edited": 1}))
        say(stale)
        until_true(lambda: is_off(stale), "a worker with an old ticket is not stopped")
        assert served.status(job.id)["state"] == "queued"
        first = job.ticket
        link.flushall()  # as a Redis that forgets
        until_true(lambda: job.ticket not in (None, first), "a lost ticket is not given anew")
        say(job.ticket)
        say(job.ticket, step=3, steps=5, stage="optimising")
        until_true(lambda: served.status(job.id)["step"] == 3, "no step is heard")
        assert job.attempts == 1
        served.service.jobs.cancel(job)
        until_true(lambda: is_off(job.ticket), "its worker is not told")
        say(job.ticket, end=End("cancelled"))
        until_true(lambda: job.state == "cancelled", "its end is not heard")
        until_true(lambda: link.xlen(redis_link.said_key(server)) == 0, "what was heard stays")
        link.close()


@pytest.mark.slow
def test_nothing_that_redis_names_is_run(tmp_path, redis_server, workers):
    shared = {"queue": redis_server.url, "shared": tmp_path / "shared", "worker_seconds": 2}
    with serving(tmp_path / "data", **shared) as served:
        link = redis_link.connect(redis_server.url)
        name = redis_link.queue_name(redis_link.model_mark(FakeModel()))
        queue = rq.Queue(name, connection=link, serializer=redis_link.SERIALIZER)
        for words in ({"args": [str(tmp_path / "made")]}, {"kwargs": {"name": str(tmp_path / "made")}}):
            queue.enqueue_call("os.mkdir", **words)
        workers.start()
        assert served.ended(served.send())["state"] == "done"
        assert not (tmp_path / "made").exists()
        link.close()


@pytest.mark.slow
def test_a_killed_workers_job_goes_on_elsewhere_and_one_that_kills_twice_is_named(
    nursery, tmp_path, redis_server, workers
):
    with process(nursery, tmp_path / "data", 0, *options(tmp_path, redis_server)) as (_, client):
        first = workers.start()
        long, short = send(client, "long", steps=20), send(client, "short")
        until(client, long, "running")
        first.kill()
        workers.start()
        assert [status(client, job)["state"] for job in (long, short)] == ["done", "done"]
        assert sorted(begun(workers.folder)) == ["long", "long", "short"]
        deadly = send(client, "deadly", steps=500)
        for _ in range(2):
            until(client, deadly, "running")
            workers.kill()
            until(client, deadly, "queued", "failed")
            workers.start()
        ended = status(client, deadly)
        assert ended["state"] == "failed" and "2 times" in ended["error"]


@pytest.mark.slow
def test_a_worker_that_was_believed_dead_ends_nothing(nursery, tmp_path, redis_server, workers):
    with process(nursery, tmp_path / "data", 0, *options(tmp_path, redis_server)) as (_, client):
        frozen = workers.start()
        job = send(client, "frozen", steps=40)
        until(client, job, "running")
        frozen.send_signal(signal.SIGSTOP)
        until(client, job, "queued")
        other = workers.start()
        until(client, job, "running")
        frozen.send_signal(signal.SIGCONT)
        assert status(client, job)["state"] == "done"
        other.kill()
        assert status(client, send(client, "next"))["state"] == "done"  # the first one works again


@pytest.mark.slow
@pytest.mark.parametrize("keeps", [False, True], ids=["forgets", "remembers"])
def test_redis_may_be_killed_and_come_back(nursery, tmp_path, keeps):
    redis_server = RedisServer(tmp_path / "redis", keeps=keeps)
    (tmp_path / "work").mkdir()
    workers = Workers(nursery, tmp_path / "work", 0.05, *options(tmp_path, redis_server))
    try:
        with process(nursery, tmp_path / "data", 0, *options(tmp_path, redis_server)) as (_, client):
            workers.start()
            jobs = [send(client, f"job {k}", steps=30) for k in range(3)]
            until(client, jobs[0], "running")
            redis_server.kill()
            jobs.append(send(client, "while it is away"))
            while client.get("/readyz").status_code == 200:
                time.sleep(0.05)
            assert "Redis" in client.get("/readyz").json()["detail"]
            redis_server.start()
            assert [status(client, job, 30)["state"] for job in jobs] == ["done"] * 4
            wait_ready(client)
    finally:
        workers.kill()
        redis_server.kill()


@pytest.mark.slow
def test_a_server_may_be_killed_and_come_back_while_workers_go_on(nursery, tmp_path, redis_server, workers):
    given = options(tmp_path, redis_server)
    workers.start()
    with process(nursery, tmp_path / "data", 0, *given) as (running, client):
        jobs = [send(client, name, steps=20) for name in ("first", "second", "third")]
        until(client, jobs[0], "running")
        running.kill()
    while begun(workers.folder)[-1] != "second":  # they need no server
        time.sleep(0.05)
    with process(nursery, tmp_path / "data", 0, *given) as (_, client):
        assert [status(client, job)["state"] for job in jobs] == ["done"] * 3
        assert begun(workers.folder) == ["first", "second", "third"]
        assert client.get(f"/v1/jobs/{jobs[0]}/pictures/edited").status_code == 200


@pytest.mark.slow
def test_a_term_lays_a_job_down_and_another_worker_takes_it_up(nursery, tmp_path, redis_server, workers):
    with process(nursery, tmp_path / "data", 0, *options(tmp_path, redis_server)) as (_, client):
        workers.more += ("drain_seconds=0.2",)
        first = workers.start()
        job = send(client, "job", steps=60)
        until(client, job, "running")
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
        until(client, job, "queued")
        second = workers.start()
        assert status(client, job)["state"] == "done"
        second.send_signal(signal.SIGTERM)  # idle
        assert second.wait(PATIENCE) == 0
        assert "Traceback" not in (workers.folder / "worker-log").read_text()


@pytest.mark.slow
def test_positions_count_the_jobs_of_other_servers_and_sockets_hear_through_any(
    tmp_path, redis_server, workers
):
    common = {"queue": redis_server.url, "shared": tmp_path / "shared", "worker_seconds": 2}
    with serving(tmp_path / "a", **common) as one, serving(tmp_path / "b", **common) as other:
        mine, theirs = one.send(), [other.send() for _ in range(3)]
        wait_for_position(other, theirs[-1], 4)
        last = one.send()
        wait_for_position(one, last, 5)
        places = [other.status(job)["position"] for job in theirs]
        assert places == sorted(places)  # mine is handed over by another server, before or between them
        assert sorted([one.status(mine)["position"], *places]) == [1, 2, 3, 4]
        workers.start()
        assert {served.ended(job)["state"] for served, job in ((one, mine), (one, last))} == {"done"}
        assert {other.ended(job)["state"] for job in theirs} == {"done"}

        async def listen():
            client, heard = socketio.AsyncClient(reconnection=False), []
            client.on("image_edited", lambda data: heard.append(data))
            await client.connect(other.url, socketio_path="/ws/socket.io")
            loop = asyncio.get_running_loop()
            query = {"sid": client.get_sid(), "prompt": "sad"}
            answer = await loop.run_in_executor(
                None, lambda: one.client.post("/edit", params=query, files={"image": picture_file()})
            )
            for _ in range(200):
                if heard:
                    break
                await asyncio.sleep(0.05)
            await client.disconnect()
            return answer.json(), heard

        answer, heard = asyncio.run(listen())
        assert heard == [{key: answer[key] for key in ("image_path", "restored_path")}]


@pytest.mark.slow
def test_gunicorn_serves_with_a_queue_in_redis(tmp_path, redis_server, workers):
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    pytest.importorskip("uvicorn_worker", reason="uvicorn-worker is not installed")
    settings = {"queue": redis_server.url, "shared": tmp_path / "shared", "worker_seconds": 2}
    with gunicorn(tmp_path, "server_process:create()", **settings) as (server, client):
        workers.start()
        assert status(client, send(client, "over gunicorn"))["state"] == "done"
        server.terminate()
        assert server.wait(PATIENCE) == 0


@pytest.mark.slow
def test_gunicorn_serves_as_the_documents_say(tmp_path):
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    pytest.importorskip("uvicorn_worker", reason="uvicorn-worker is not installed")
    with gunicorn(tmp_path, "ppstyleclip.server.app:create_from_environment()", warm="draw") as (
        server,
        client,
    ):
        job = send(client, "happy face")
        assert status(client, job)["state"] == "done"
        assert client.get(f"/v1/jobs/{job}/pictures/edited").content.startswith(b"\x89PNG")
        server.terminate()
        assert server.wait(PATIENCE) == 0


def test_a_wrong_address_password_or_redis_is_one_line(tmp_path, redis_server):
    with pytest.raises(UserError, match="begins with redis://"):
        load_settings(data=tmp_path, queue="http://127.0.0.1", shared=tmp_path)
    with pytest.raises(UserError, match="needs 'shared'"):
        load_settings(data=tmp_path, queue="redis://127.0.0.1:1/0")
    with pytest.raises(UserError, match="cannot be read") as caught:
        redis_link.connect("redis://:secret@127.0.0.1:port/0")
    assert "secret" not in str(caught.value)
    redis_link.check_access(redis_link.connect("redis://127.0.0.1:1/0"))  # waited for
    redis_link.check_access(redis_link.connect(redis_server.url))
    redis_link.connect(redis_server.url).config_set("requirepass", "another")
    with pytest.raises(UserError, match="refuses this access") as caught:
        redis_link.check_access(redis_link.connect(redis_server.url.replace("//", "//:secret@")))
    assert "secret" not in str(caught.value)
    with pytest.raises(UserError, match="needs the queue of its server"):
        worker_command.run(worker_command.parse_args([]))


def test_the_command_says_which_packages_are_absent(tmp_path):
    code = (
        "import sys; sys.modules['rq'] = None\n"
        "from ppstyleclip.cli.main import main\n"
        f"sys.exit(main(['worker', '--queue', 'redis://127.0.0.1:1/0', '--shared', {str(tmp_path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 2 and 'pip install "ppstyleclip[server,redis]"' in done.stderr
