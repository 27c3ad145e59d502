#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Many clients at once: is each job done once, are positions true, does memory stay, are files removed?

Starts a server on this machine, sends jobs on seeds and on photos of 512 px from several clients over some
minutes, asks for each until its end, fetches its picture, and prints what happened. Exit code 1 if a job was
lost or doubled, a position was false, or a file was left.

    python benchmarks/server_load.py --seeds 900 --photos 100 --clients 50 --minutes 10
    python benchmarks/server_load.py --seeds 40 --photos 4 --clients 8 --minutes 1
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from serving import httpx, resident_bytes, started

from ppstyleclip.finite import finite_number

SIDE, FACE = 512, 288  # pixels of a photo, of the face in it
WORDS = ("happy face", "sad face", "face with glasses", "face with long hair")
HUNDRED = 100


@dataclass
class Tally:
    """What the clients saw; they share it under its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    accepted: list[str] = field(default_factory=list)
    ends: Counter = field(default_factory=Counter)
    sent: int = 0
    busy: int = 0
    false_positions: int = 0
    wrong_pictures: int = 0
    seconds: list[float] = field(default_factory=list)
    memory: dict[int, int] = field(default_factory=dict)


def photo_of(web: httpx.Client, seed: int) -> bytes:
    """A photo with one face of the server's own kind."""
    drawn = web.post("/v1/edit", json={"seed": seed, "target": WORDS[0], "alpha": 0})
    face = Image.open(io.BytesIO(drawn.content)).resize((FACE, FACE), Image.Resampling.BICUBIC)
    shades = np.linspace(90, 200, SIDE, dtype=np.uint8)
    photo = Image.fromarray(np.broadcast_to(shades[:, None, None], (SIDE, SIDE, 3)).copy())
    photo.paste(face, ((SIDE - FACE) // 2, (SIDE - FACE) // 2))
    memory = io.BytesIO()
    photo.save(memory, "PNG")
    return memory.getvalue()


def client(url: str, wishes: list[dict], pause: float, tally: Tally, until: float) -> None:
    """Send some jobs one after the other, until a time, and see each to its end."""
    with httpx.Client(base_url=url, timeout=600, trust_env=False) as web:
        for wish in wishes:
            begin = time.monotonic()
            if begin > until:
                return
            with tally.lock:
                tally.sent += 1
            see_to_its_end(web, url, dict(wish), tally)
            time.sleep(max(0.0, pause - (time.monotonic() - begin)))


def see_to_its_end(web: httpx.Client, url: str, wish: dict, tally: Tally) -> None:
    """Send one job, again while the queue is full; look at its states and its picture."""
    photo, begin = wish.pop("photo", None), time.monotonic()
    while True:
        if photo is None:
            answer = web.post("/v1/jobs", json=wish)
        else:
            answer = web.post("/v1/jobs", data=wish, files={"photo": photo})
        if answer.status_code == 202:
            break
        assert answer.status_code in (429, 503), answer.text
        with tally.lock:
            tally.busy += 1
        time.sleep(float(answer.headers["retry-after"]) * random.uniform(0.5, 1))
    job, position, order = answer.json()["id"], None, ("queued", "running", "done", "failed")
    with tally.lock:
        tally.accepted.append(job)
    last = "queued"
    while last not in order[2:]:
        now = web.get(f"/v1/jobs/{job}", params={"wait": 10}).json()
        is_back = order.index(now["state"]) < order.index(last)
        is_further = position is not None and (now["position"] or 0) > position
        with tally.lock:
            tally.false_positions += is_back or is_further
        last, position = now["state"], now["position"] or position
    picture = web.get(f"/v1/jobs/{job}/pictures/edited")
    with tally.lock:
        tally.ends[last if last == "done" else f"failed: {now['error']}"] += 1
        tally.wrong_pictures += (last == "done") != picture.content.startswith(b"\x89PNG")
        tally.seconds.append(time.monotonic() - begin)
        done = sum(tally.ends.values())
    if done % HUNDRED == 0:
        tally.memory[done] = resident_bytes(url)
        print(f"{done} ended, memory {tally.memory[done] / 1e6:.0f} MB", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=900, help="jobs on seeds (default: 900)")
    parser.add_argument("--photos", type=int, default=100, help="jobs on photos of 512 px (default: 100)")
    parser.add_argument("--clients", type=int, default=50, help="clients at once (default: 50)")
    parser.add_argument("--minutes", type=finite_number, default=10, help="in which they send (default: 10)")
    parser.add_argument(
        "--limit", type=finite_number, default=60, help="minutes after which none is sent (default: 60)"
    )
    parser.add_argument("--fitting", type=int, default=60, help="steps of fitting for a photo (default: 60)")
    parser.add_argument("--keep_megabytes", type=finite_number, default=20, help="of results (default: 20)")
    parser.add_argument("--stand_in", action="store_true", help="jobs that draw nothing: the queue alone")
    args = parser.parse_args(argv)
    settings = {
        "client_jobs": 1000, "jobs_per_minute": 100_000, "requests_per_minute": 1_000_000,
        "keep_megabytes": args.keep_megabytes,
    }  # fmt: skip
    with started(stand_in=args.stand_in, **settings) as (url, data, _):
        tally = Tally()
        with httpx.Client(base_url=url, timeout=300, trust_env=False) as web:
            photos = [photo_of(web, seed) for seed in range(min(4, args.photos))]
            before = web.get("/metrics").text
        tally.memory[0] = resident_bytes(url)
        wishes: list[dict] = [{"seed": k, "target": WORDS[k % len(WORDS)]} for k in range(args.seeds)]
        wishes += [
            {"photo": photos[k % len(photos)], "target": WORDS[k % len(WORDS)], "fitting": args.fitting}
            for k in range(args.photos)
        ]
        random.Random(0).shuffle(wishes)
        shares = [wishes[k :: args.clients] for k in range(args.clients)]
        begin, threads = time.monotonic(), []
        until = begin + 60 * args.limit
        for share in shares:
            pause = 60 * args.minutes / max(1, len(share))
            threads.append(threading.Thread(target=client, args=(url, share, pause, tally, until)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begin
        tally.memory[tally.sent] = resident_bytes(url)
        with httpx.Client(base_url=url, timeout=300, trust_env=False) as web:
            after = web.get("/metrics").text
        ended = ended_jobs(after) - ended_jobs(before)
        stored = sum(path.stat().st_size for path in (data / "results").iterdir())
        uploads = len(list((data / "uploads").iterdir()))
    return report(args, tally, tally.sent, ended, stored, uploads, took)


def ended_jobs(figures: str) -> int:
    """Jobs that a server has ended so far."""
    lines = [line for line in figures.splitlines() if line.startswith("ppstyleclip_jobs_ended_total{")]
    return sum(int(line.split()[-1]) for line in lines)


def report(args, tally: Tally, sent: int, ended: int, stored: int, uploads: int, took: float) -> int:
    """Print the figures; 1 where something is wrong."""
    lost, doubled = sent - sum(tally.ends.values()), ended - len(tally.accepted)
    first = tally.memory.get(HUNDRED, tally.memory[0])
    grown = (tally.memory[max(tally.memory)] - first) / 1e6
    rows = {
        "jobs sent, accepted, ended": f"{sent}, {len(tally.accepted)}, {ended}",
        "ends": "; ".join(f"{end} {count}" for end, count in tally.ends.most_common()),
        "lost, doubled": f"{lost}, {doubled}",
        "answers 503 or 429 (sent again)": tally.busy,
        "false positions or states": tally.false_positions,
        "pictures that were wrong": tally.wrong_pictures,
        "seconds in all, for a job (median, most)": f"{took:.0f}, {statistics.median(tally.seconds):.1f}, "
        f"{max(tally.seconds):.1f}",
        f"memory grown since job {HUNDRED if HUNDRED in tally.memory else 0}": f"{grown:.1f} MB",
        "results on disk, uploads left": f"{stored / 1e6:.1f} MB, {uploads}",
    }
    print("\n".join(f"{name}: {value}" for name, value in rows.items()))
    is_over = stored > args.keep_megabytes * 1e6 + 1e6 or uploads
    return int(bool(lost or doubled or tally.false_positions or tally.wrong_pictures or is_over))


if __name__ == "__main__":
    raise SystemExit(main())
