#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Kill workers, server and Redis under load: does each job end, once, in a result or a named failure?

Starts a redis-server, a server and workers on this machine; whatever is killed is started again, as systemd
does. Clients send jobs all the while, ask for each until its end and fetch its picture; pictures of the same
wish must have the same bytes. Exit code 1 if a job was lost, ended twice or differently, or a file was left.

    python benchmarks/queue_faults.py
    python benchmarks/queue_faults.py --worker_kills 20 --redis_kills 5 --server_kills 10 --workers 3
    python benchmarks/queue_faults.py --redis_keeps     (Redis with its append-only file)
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path

from server_load import WORDS, photo_of
from serving import Supervised, free_port, httpx, wait_ready

from ppstyleclip.finite import finite_number

ENDS = ("done", "failed", "cancelled", "expired")
PATIENCE = 600  # seconds after the last fault, for what was accepted


class Site:
    """The processes of a server in a folder of its own.

    Args:
        folder: of everything.
        args: of the command line.
    """

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self.folder, self.data = folder, folder / "data"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        settings = {
            "warm": "draw", "worker_seconds": args.worker_seconds, "keep_megabytes": 10_000,
            "client_jobs": 10_000, "jobs_per_minute": 100_000, "requests_per_minute": 1_000_000,
        }  # fmt: skip
        redis_port, keeps = free_port(), "yes" if args.redis_keeps else "no"
        command = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--appendonly", keeps, "--dir", str(folder)]
        self.redis = Supervised(command, folder / "redis-log")
        settings |= {"queue": f"redis://127.0.0.1:{redis_port}/0", "shared": folder / "shared"}
        logs = [folder / f"worker-{number}-log" for number in range(args.workers)]
        self.workers = [Supervised.of_ppstyleclip(["worker"], log, settings) for log in logs]
        serve = ["serve", "--port", str(port), "--data", str(self.data)]
        self.server = Supervised.of_ppstyleclip(serve, folder / "server-log", settings)

    def all(self) -> list[Supervised]:
        """Every process."""
        return [self.redis, *self.workers, self.server]

    def pictures(self, kind: str) -> list[Path]:
        """Files of `uploads` or `results`."""
        return list(self.folder.glob(f"shared/*/{kind}/*"))


class Clients:
    """Threads that send jobs and see each to its end, however often the server is away."""

    def __init__(self, site: Site, args: argparse.Namespace, photo: bytes) -> None:
        self.site, self.args, self.photo = site, args, photo
        self.lock, self.is_over = threading.Lock(), threading.Event()
        self.ends: dict[str, str] = {}  # job: its end, "" while it has none
        self.errors: collections.Counter[str] = collections.Counter()
        self.pictures: dict[str, set[bytes]] = collections.defaultdict(set)
        self.seconds: list[float] = []
        self.threads = [
            threading.Thread(target=self._run, args=[k], daemon=True) for k in range(args.clients)
        ]
        for one in self.threads:
            one.start()

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        with httpx.Client(base_url=self.site.address, timeout=60, trust_env=False) as web:
            while not self.is_over.is_set():
                is_photo = chance.random() < self.args.photos
                wish = {"target": chance.choice(WORDS)}
                wish |= {"fitting": 3} if is_photo else {"seed": chance.randrange(4)}
                sent = {"data": wish, "files": {"photo": self.photo}} if is_photo else {"json": wish}
                begin = time.monotonic()
                with contextlib.suppress(httpx.TransportError):  # no answer: not accepted, as far as is known
                    answer = web.post("/v1/jobs", **sent)
                    if answer.status_code == 202:
                        self._see(web, answer.json()["id"], f"{is_photo} {wish}", begin)
                        continue
                time.sleep(0.3)

    def _see(self, web: httpx.Client, job: str, wish: str, begin: float) -> None:
        with self.lock:
            self.ends[job] = ""
        end = self._ask(web, f"/v1/jobs/{job}?wait=5", lambda answer: answer.json().get("state") in ENDS)
        state, error = end.json()["state"], end.json().get("error")
        picture = b""
        if state == "done":
            picture = self._ask(web, f"/v1/jobs/{job}/pictures/edited", lambda answer: True).content
        with self.lock:
            self.ends[job] = state
            self.seconds.append(time.monotonic() - begin)
            if state == "done":
                self.pictures[wish].add(picture)
            else:
                self.errors[f"{state}: {error}"] += 1

    def _ask(self, web: httpx.Client, path: str, is_enough) -> httpx.Response:
        """An answer of the server as soon as there is one, however often it is away."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = web.get(path)
                if answer.status_code == 200 and is_enough(answer):
                    return answer
                if answer.status_code == 404:
                    raise SystemExit(f"the server does not know {path}, which it had accepted")
            time.sleep(0.1)


def do_faults(site: Site, args: argparse.Namespace, chance: random.Random) -> collections.Counter[str]:
    """Kill what was asked for, in a random order, with pauses."""
    counts = {"worker": args.worker_kills, "redis": args.redis_kills, "server": args.server_kills}
    faults = [kind for kind, count in counts.items() for _ in range(count)]
    chance.shuffle(faults)
    done: collections.Counter[str] = collections.Counter()
    for kind in faults:
        time.sleep(chance.uniform(0.5, 1) * args.pause)
        if kind == "server":
            site.server.kill()
            site.server.start()
            wait_ready(site.address)
        elif kind == "redis":
            site.redis.kill()
            time.sleep(chance.uniform(0, 3))
            site.redis.start()
        else:
            worker = next_worker(site)
            worker.kill()
            worker.start()
        done[kind] += 1
        print(f"killed: {dict(done)}", flush=True)
    return done


def next_worker(site: Site) -> Supervised:
    """A worker that has a job in its hands, by its log; any other where none has, once one is at work."""
    end = time.monotonic() + 120
    while True:
        states = {one: last_event(one.log) for one in site.workers}
        busy = [one for one, event in states.items() if event == "started"]
        if busy or time.monotonic() > end:
            return random.choice(busy or site.workers)
        time.sleep(0.02)


def events(log: Path) -> list[dict]:
    """The lines of a JSON log that are whole."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [one for one in found if isinstance(one, dict)]


def last_event(log: Path) -> str:
    """The last event of a log."""
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 1000))
        lines = file.read().splitlines()
    with contextlib.suppress(ValueError, IndexError, AttributeError):
        return json.loads(lines[-1]).get("event", "")
    return ""


def main(argv: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--server_kills", type=int, default=10, help="kills of the server (default: 10)")
    add("--worker_kills", type=int, default=20, help="kills of a worker (default: 20)")
    add("--redis_kills", type=int, default=5, help="kills of Redis (default: 5)")
    add(
        "--redis_keeps", action="store_true", help="Redis keeps its data over a kill; default: it forgets all"
    )
    add("--workers", type=int, default=2, help="workers (default: 2)")
    add("--clients", type=int, default=8, help="clients at once (default: 8)")
    add("--photos", type=finite_number, default=0.1, help="share of jobs with a photo (default: 0.1)")
    add("--pause", type=finite_number, default=10, help="seconds between two kills, at most (default: 10)")
    add("--worker_seconds", type=finite_number, default=4, help="as the server's setting (default: 4)")
    add("--seed", type=int, default=0, help="of the order of kills (default: 0)")
    args = parser.parse_args(argv)
    if shutil.which("redis-server") is None:
        raise SystemExit("this needs redis-server; do: apt-get install redis-server")
    if httpx is None:
        raise SystemExit("this needs httpx; do: pip install httpx")
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), args)
        try:
            for one in site.all():
                one.start()
            wait_ready(site.address)
            with httpx.Client(base_url=site.address, timeout=300, trust_env=False) as web:
                photo = photo_of(web, 0)
            begin, clients = time.monotonic(), Clients(site, args, photo)
            faults = do_faults(site, args, random.Random(args.seed))
            clients.is_over.set()
            for thread in clients.threads:
                thread.join(PATIENCE)
            return report(site, clients, faults, time.monotonic() - begin)
        finally:
            for one in reversed(site.all()):
                one.kill()


def report(site: Site, clients: Clients, faults: collections.Counter[str], took: float) -> int:
    """Print the figures; 1 where something is wrong."""
    with httpx.Client(base_url=site.address, timeout=60, trust_env=False) as web:
        now = {job: web.get(f"/v1/jobs/{job}").json().get("state") for job in clients.ends}
        time.sleep(2)
        figures = web.get("/metrics").text
    own = events(site.server.log)
    ended = collections.Counter(one.get("job") for one in own if one.get("event") == "ended")
    begun = collections.Counter(one.get("job") for one in own if one.get("event") == "started")
    accepted = [one for one in own if one.get("event") == "accepted"]
    lost = [job for job, end in clients.ends.items() if not end]
    changed = [job for job, end in clients.ends.items() if end and now[job] != end]
    twice = [job for job in clients.ends if ended[job] > 1]
    differ = [wish for wish, pictures in clients.pictures.items() if len(pictures) > 1]
    broken = [p for all_of_one in clients.pictures.values() for p in all_of_one if p[:4] != b"\x89PNG"]
    open_jobs = sum(
        int(line.split()[-1])
        for line in figures.splitlines()
        if line.startswith(('ppstyleclip_jobs{state="queued"', 'ppstyleclip_jobs{state="running"'))
    )
    rows = {
        "killed": ", ".join(f"{kind} {count}" for kind, count in faults.items()),
        "jobs whose acceptance was told; in the journal": f"{len(clients.ends)}; {len(accepted)}",
        "done": sum(end == "done" for end in clients.ends.values()),
        "failed by name": "; ".join(f"{count} {words}" for words, count in clients.errors.items()) or 0,
        "begun more than once": sum(count > 1 for count in begun.values()),
        "lost": len(lost),
        "ended twice": len(twice),
        "changed after their end": len(changed),
        "pictures that differ from those of the same wish, or are none": f"{len(differ)}, {len(broken)}",
        "jobs open, uploads left": f"{open_jobs}, {len(site.pictures('uploads'))}",
        "seconds in all, longest job": f"{took:.0f}, {max(clients.seconds, default=0):.0f}",
    }
    print("\n".join(f"{name}: {value}" for name, value in rows.items()))
    return int(bool(lost or twice or changed or differ or broken or open_jobs or site.pictures("uploads")))


if __name__ == "__main__":
    raise SystemExit(main())
