# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Jobs over HTTP: each state is itself, in its order; pictures, cards, and the end of both."""

from __future__ import annotations

import json
import time

import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")

from server_world import picture_file, serving  # noqa: E402

from ppstyleclip.server.problems import LACKING  # noqa: E402


def test_a_job_is_queued_with_its_position_runs_with_its_step_and_is_done(served):
    served.work.free.clear()
    first, second, third = (served.send(steps=4, method="optimise") for _ in range(3))
    running = served.until(first, "running")
    assert running["steps"] in (0, 4) and "position" not in {k for k, v in running.items() if v is not None}
    assert [served.status(job)["position"] for job in (second, third)] == [1, 2]
    served.work.free.set()
    done = served.ended(third)
    assert done["state"] == "done" and set(done["pictures"]) == {"edited", "before"}
    assert done["started"] >= served.status(second)["finished"]  # one after the other


def test_a_picture_has_an_entity_tag_and_is_not_sent_twice(served):
    job = served.send(seed=7)
    done = served.ended(job)
    answer = served.client.get(done["pictures"]["edited"])
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    again = served.client.get(done["pictures"]["edited"], headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert served.client.get(done["card"]).json() == {"method": "direction"}
    assert served.client.get(f"/v1/jobs/{job}/pictures/after").status_code == 404  # of a seed there is none


def test_a_photo_comes_back_with_three_pictures_and_its_upload_is_gone(served):
    sent = {"photo": ("../../etc/passwd", picture_file(), "image/png")}
    job = served.client.post("/v1/jobs", files=sent, data={"target": "happy face"}).json()["id"]
    assert set(served.ended(job)["pictures"]) == {"edited", "before", "after"}
    assert list(served.service.store.uploads.iterdir()) == []


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_within_two_seconds_of_a_step(served):
    served.work.free.clear()
    running, waiting = served.send(), served.send(target="sad face")
    served.until(running, "running")
    assert served.client.delete(f"/v1/jobs/{waiting}").json()["state"] == "cancelled"
    begin = time.monotonic()
    answer = served.client.delete(f"/v1/jobs/{running}")
    assert answer.status_code == 200 and answer.json()["state"] == "cancelled"
    assert time.monotonic() - begin < 2
    assert served.work.ran == ["happy face"]
    assert served.client.get(f"/v1/jobs/{running}/pictures/edited").status_code == 409


def test_deleting_a_done_job_removes_its_pictures_and_says_so(served):
    job = served.send()
    place = served.ended(job)["pictures"]["edited"]
    expired = served.client.delete(f"/v1/jobs/{job}").json()
    assert expired["state"] == "expired" and expired["reason"] == "removed by request"
    assert served.client.get(place).status_code == 410
    assert list(served.service.store.results.iterdir()) == []


def test_a_failure_says_why_without_folders_and_a_bug_says_nothing(served):
    failed = served.ended(served.send(target="fail"))
    assert failed["state"] == "failed"
    assert failed["error"] == "no face was found in photo.png; use another photo"
    assert served.ended(served.send(target="lack"))["error"] == LACKING
    crashed = served.ended(served.send(target="crash"))
    assert crashed["state"] == "failed" and "secret" not in crashed["error"]


def test_an_unknown_job_has_no_state(served):
    for path in ("0" * 32, "x", "..%2f..%2fetc%2fpasswd"):
        answer = served.client.get(f"/v1/jobs/{path}")
        assert answer.status_code == 404


def test_results_end_by_age_and_by_room(tmp_path):
    with serving(tmp_path / "age", keep_seconds=1.0) as served:
        job = served.send()
        served.ended(job)
        assert served.until(job, "expired")["reason"] == "kept for 1 s"
    with serving(tmp_path / "room", keep_megabytes=0.0001) as served:
        first, second = served.send(seed=1), served.send(seed=2)
        served.ended(second)
        size = served.service.jobs.get(second).bytes if served.status(second)["state"] == "done" else 0
        assert served.until(first, "expired")["reason"] == "newer results took its place"
        assert size <= 100


def test_what_ended_long_ago_is_forgotten(tmp_path):
    with serving(tmp_path, remember_seconds=0.1) as served:
        job = served.send(target="fail")
        time.sleep(0.3)
        served.send()
        deadline = time.monotonic() + 30
        while served.client.get(f"/v1/jobs/{job}").status_code != 404:
            served.service.sweep()
            assert time.monotonic() < deadline


def test_a_full_queue_answers_503_and_when_to_come_back(tmp_path):
    with serving(tmp_path, queue_size=2) as served:
        served.work.free.clear()
        served.until(served.send(), "running")
        served.send(), served.send()
        for path, body in (
            ("/v1/jobs", {"json": {"seed": 1, "target": "sad"}}),
            ("/v1/edit", {"json": {"seed": 1}}),
        ):
            full = served.client.post(path, **body)
            assert full.status_code == 503 and int(full.headers["retry-after"]) >= 1
        seed = served.client.post("/edit", params={"prompt": "sad"}, files={"image": picture_file()})
        assert seed.status_code == 503 and int(seed.headers["retry-after"]) >= 1


def test_one_client_cannot_fill_the_queue(tmp_path):
    with serving(tmp_path, client_jobs=1) as served:
        served.work.free.clear()
        served.until(served.send(), "running")
        served.send()
        assert served.client.post("/v1/jobs", json={"seed": 1, "target": "sad"}).status_code == 503


def test_a_job_that_takes_too_long_is_ended(tmp_path):
    with serving(tmp_path, job_seconds=0.2) as served:
        served.work.free.clear()
        assert "longer than 0.2 s" in served.ended(served.send())["error"]


def test_edit_waits_for_the_picture(served):
    answer = served.client.post("/v1/edit", json={"seed": 9, "target": "happy face"})
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert served.status(answer.headers["x-job-id"])["state"] == "done"
    failed = served.client.post("/v1/edit", json={"seed": 9, "target": "fail"})
    assert failed.status_code == 422 and "no face" in failed.json()["detail"]


def test_edit_goes_on_when_its_time_is_up(tmp_path):
    with serving(tmp_path, wait_seconds=0.2) as served:
        served.work.free.clear()
        answer = served.client.post("/v1/edit", json={"seed": 9, "target": "happy face"})
        assert answer.status_code == 202 and answer.json()["state"] == "running"
        served.work.free.set()
        assert served.ended(answer.json()["id"])["state"] == "done"


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"seed": 1},
        {"seed": -1, "target": "a"},
        {"seed": 1, "target": ""},
        {"seed": 1, "target": "a\nb"},
        {"seed": 1, "target": "a" * 301},
        {"seed": 1, "target": "a", "alpha": 1e9},
        {"seed": 1, "target": "a", "steps": 501, "method": "optimise"},
        {"seed": 1, "target": "a", "unknown": 1},
        {"seed": 1, "target": "a", "method": "shell"},
        {"seed": 1, "method": "mapper"},
        {"seed": 1, "method": "mapper", "mapper": "../../images/real/evil"},
        {"seed": 1, "method": "mapper", "mapper": "none"},
        {"target": "a"},
        {"seed": 1, "target": "a", "photo": "!"},
        {"seed": 1, "target": "a", "photo": 7},
        {"seed": 1, "target": "a", "alpha": "strong"},
        {"seed": 1, "target": "a", "alpha": True},
        {"seed": 1, "target": "a", "alpha": 1, "method": "optimise"},
        {"seed": 1, "target": "a", "steps": 3},
        {"seed": 1, "target": "a", "face": 2},
        {"seed": 1, "target": "a", "fitting": 3},
        {"seed": 1, "target": "a", "paste": "replace"},
        {"seed": 1, "target": "a", "identity": 0.5},
        {"seed": 1, "target": "a", "alpha": "auto", "identity": 0.5},  # this model has no identity network
        {"seed": 1, "target": "a", "region": "../../etc/passwd"},
        {"seed": 1, "target": "a", "region": "mask.png"},
        {"seed": 1, "target": "a", "region": "nose"},  # none of this model's
        {"seed": 1, "target": "a", "region": "mouth+auto"},
        {"seed": 1, "method": "mapper", "mapper": "beard", "region": "auto"},
        {"seed": 1, "recipe": {}},
        {"seed": 1, "recipe": {"edits": []}},
        {"seed": 1, "recipe": {"edits": [{"target": "a", "region": "/etc/passwd"}]}},
        {"seed": 1, "recipe": {"edits": [{"target": "a"}] * 17}},
        {"seed": 1, "recipe": {"edits": [{"target": "a"}], "outside": 0.1}},
        {"seed": 1, "target": "b", "recipe": {"edits": [{"target": "a"}]}},
        {"seed": 1, "method": "optimise", "recipe": {"edits": [{"target": "a"}]}},
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_is_422(asked, wish):
    answer = asked.client.post("/v1/jobs", json=wish)
    said = answer.json()["detail"]
    assert answer.status_code == 422 and said.isprintable() and len(said) < 400
    assert not any(words in said for words in ("Value error", "literal", "more"))  # one fault, in our words
    assert asked.work.ran == []


def test_what_is_wished_for_arrives_as_json_and_as_a_form(served):
    seen, run = [], served.work.run

    def noted(model, request, photo):
        seen.append(request)
        return run(model, request, photo)

    served.service.queue._run = noted
    recipe = {"edits": [{"target": "sad face", "alpha": "auto", "region": "mouth+hair"}], "outside": 0.1}
    wishes = [
        {"target": "sad face", "region": "mouth", "alpha": "auto", "beta": 0.1, "outside": 0.2, "card": True},
        {"target": "sad face", "region": "auto", "method": "optimise", "steps": 3},
        {"method": "mapper", "mapper": "beard", "region": "hair"},
        {"recipe": recipe},
    ]
    for wish in wishes:
        form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in wish.items()}
        for sent in ({"json": {"seed": 1, **wish}}, {"data": {"seed": "1", **form}}):
            answer = served.client.post("/v1/jobs", **sent)
            assert answer.status_code == 202, answer.text
            served.ended(answer.json()["id"])
        for request in seen[-2:]:
            held = request.model_dump(exclude_none=True)
            assert {name: held[name] for name in wish if name != "recipe"} == {
                name: value for name, value in wish.items() if name != "recipe"
            }
    words = seen[-1].recipe_words()
    assert words == seen[-2].recipe_words() and words.outside == 0.1
    assert (words.edits[0].alpha, words.edits[0].region, words.edits[0].neutral) == (
        "auto",
        "mouth+hair",
        "face",
    )
    yaml = {"seed": "1", "recipe": "edits:\n  - {target: sad face, alpha: 2}\n"}
    served.ended(served.client.post("/v1/jobs", data=yaml).json()["id"])
    assert seen[-1].recipe.edits[0].alpha == 2
    bad = served.client.post("/v1/jobs", data={"seed": "1", "recipe": "edits: ["})
    assert bad.status_code == 422 and bad.json()["detail"].startswith("recipe: ")


def test_bodies_that_are_no_json_are_refused(served):
    kind = {"Content-Type": "application/json"}
    half = b'{"seed": 1, "target": "\\ud800"}'
    for body in (
        half,
        b"",
        b"[1]",
        b"{",
        b"[" * 100_000,
        b'{"seed": NaN}',
        b'{"a": 1, "a": 2}',
        b"\xff",
        b"1" * 5000,
    ):
        assert served.client.post("/v1/jobs", content=body, headers=kind).status_code == 422, body[:20]
    assert (
        served.client.post("/v1/jobs", content=b"a", headers={"Content-Type": "text/plain"}).status_code
        == 415
    )


def test_what_the_server_knows(served):
    assert served.client.get("/v1/models").json()[0]["name"] == "fake"
    assert served.client.get("/v1/mappers").json()[0]["name"] == "beard"
    assert served.client.get("/v1/regions").json() == ["mouth", "hair", "auto"]
    assert served.client.get("/healthz").status_code == served.client.get("/version").status_code == 200
    served.ended(served.send())
    figures = served.client.get("/metrics").text
    assert 'ppstyleclip_jobs_ended_total{method="direction",state="done"} 1' in figures
    assert 'ppstyleclip_jobs{state="done"} 1' in figures
    paths = served.client.get("/openapi.json").json()["paths"]
    body = paths["/v1/jobs"]["post"]["requestBody"]["content"]
    assert (
        body["application/json"]["examples"]
        and "photo" in body["multipart/form-data"]["schema"]["properties"]
    )
    assert served.client.get("/docs").status_code == 404  # its page would load scripts from elsewhere
