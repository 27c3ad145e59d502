#!/usr/bin/env python
# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A server that is killed under load, and one whose disk is full: does every accepted job have an end?

Kills a server (SIGKILL) again and again while clients send jobs, starts it anew on the same folder, and then
asks for each job that was accepted: done with its picture, or failed with a reason. With --small, a folder on
a file system of a few megabytes, it fills that, too, and frees it again. Exit code 1 if a job was lost.

    python benchmarks/server_faults.py --kills 10
    mount -t tmpfs -o size=8m none small
    python benchmarks/server_faults.py --kills 0 --small small
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving import httpx, started

from ppstyleclip.finite import finite_number

SETTINGS: dict[str, Any] = {
    "warm": "draw",
    "jobs_per_minute": 10**6,
    "requests_per_minute": 10**7,
    "client_jobs": 1000,
}
WORDS = ("happy face", "sad face", "face with glasses", "face with long hair")
PATIENCE = 1800.0  # seconds for what is left at the end
FILL = 2**14  # bytes at a time


@dataclass
class Load:
    """Clients that send jobs to wherever the server is now.

    Attributes:
        url: of the server; "" while there is none.
        accepted: ids of jobs that the server has taken.
        refused: how often it was busy or away.
        is_over: the clients shall end.
    """

    url: str = ""
    accepted: list[str] = field(default_factory=list)
    refused: int = 0
    is_over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, number: int) -> None:
        """Send jobs, one each half second, until it is over."""
        chance = random.Random(number)
        with httpx.Client(timeout=60, trust_env=False) as web:
            while not self.is_over:
                wish = {"seed": chance.randrange(10**6), "target": chance.choice(WORDS)}
                try:
                    answer = web.post(f"{self.url}/v1/jobs", json=wish) if self.url else None
                except httpx.HTTPError:  # killed before it answered: nobody was told that it was accepted
                    answer = None
                with self.lock:
                    if answer is not None and answer.status_code == 202:
                        self.accepted.append(answer.json()["id"])
                    else:
                        self.refused += 1
                time.sleep(0.5)


def ends_of(url: str, jobs: list[str]) -> tuple[Counter, list[str]]:
    """How jobs have ended, and what is wrong with some."""
    ends, wrong, until = Counter[str](), [], time.monotonic() + PATIENCE
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as web:
        for job in jobs:
            now: dict[str, Any] = {"state": "queued"}
            while now["state"] in ("queued", "running") and time.monotonic() < until:
                answer = web.get(f"/v1/jobs/{job}", params={"wait": 20})
                now = (
                    answer.json() if answer.status_code == 200 else {"state": f"status {answer.status_code}"}
                )
            error = now.get("error")
            ends[now["state"] + (f": {error}" if error else "")] += 1
            if now["state"] == "done":
                picture = web.get(f"/v1/jobs/{job}/pictures/edited")
                if picture.status_code != 200 or not picture.content.startswith(b"\x89PNG"):
                    wrong.append(f"{job}: done, and its picture is status {picture.status_code}")
            elif now["state"] != "failed" or not error:
                wrong.append(f"{job}: {now['state']}")
    return ends, wrong


def report(what: str, ends: Counter, wrong: list[str]) -> bool:
    """Print how jobs ended; whether all have an end."""
    print(f"{what}: {sum(ends.values())} jobs accepted")
    print("\n".join(f"  {count} {end}" for end, count in ends.most_common()))
    print(
        "\n".join(f"  wrong: {line}" for line in wrong[:20]) or "  each has a result, or a reason", flush=True
    )
    return not wrong


def kill_again_and_again(kills: int, clients: int, seconds: float) -> bool:
    """SIGKILL a server so many times while clients send; whether every accepted job ended."""
    load, chance = Load(), random.Random(0)
    threads = [threading.Thread(target=load.send, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, kills + 1):
            with started(Path(folder) / "data", **SETTINGS) as (url, _, process):
                load.url = url
                time.sleep(chance.uniform(0.2, 1) * seconds)
                process.send_signal(signal.SIGKILL)
                process.wait()
                load.url = ""
            print(f"kill {number}: {len(load.accepted)} jobs accepted so far", flush=True)
        load.is_over = True
        for thread in threads:
            thread.join(120)
        with started(Path(folder) / "data", **SETTINGS) as (url, *_):
            ends, wrong = ends_of(url, load.accepted)
    print(f"answers that were not 202, or none: {load.refused}")
    return report(f"{kills} kills", ends, wrong)


def fill(path: Path) -> None:
    """Write until the file system is full."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(FILL))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise


def full_disk(small: Path, jobs: int) -> bool:
    """Send jobs while the disk is full, free it, and start anew; whether each job ended, and stayed so."""
    data, filler, statuses = small / "data", small / "filler", Counter[int]()
    accepted: list[str] = []

    def send(url: str, count: int) -> None:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as web:
            for number in range(count):
                answer = web.post("/v1/jobs", json={"seed": number, "target": WORDS[number % len(WORDS)]})
                statuses[answer.status_code] += 1
                if answer.status_code == 202:
                    accepted.append(answer.json()["id"])

    with started(data, **SETTINGS) as (url, *_):
        send(url, 5)
        fill(filler)  # while jobs wait
        send(url, jobs)
        before, wrong = ends_of(url, accepted)
        during = Counter(statuses)
        filler.unlink()
        time.sleep(35)  # the sweep journals what could not be written
        send(url, 5)
        after, more = ends_of(url, accepted[-5:])
        wrong += more + [f"a job after the disk was freed: {end}" for end in after if end != "done"]
    with started(data, **SETTINGS) as (url, *_):
        again, more = ends_of(url, accepted)
    wrong += more
    if again != before + after:
        wrong.append(f"other ends after a restart: {dict(again)}")
    wrong += [f"status {status}" for status in statuses if status not in (202, 503)]
    print(f"answers while the disk was full and before: {dict(during)}")
    return report("full disk", again, wrong)


def main(argv: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=10, help="of the server under load (default: 10)")
    parser.add_argument("--clients", type=int, default=8, help="that send (default: 8)")
    parser.add_argument("--seconds", type=finite_number, default=8.0, help="that it lives (default: 8)")
    parser.add_argument("--small", type=Path, help="folder on a file system of a few megabytes, to be filled")
    parser.add_argument("--jobs", type=int, default=40, help="sent while the disk is full (default: 40)")
    parser.add_argument("--stand_in", action="store_true", help="jobs that draw nothing: the queue alone")
    args = parser.parse_args(argv)
    SETTINGS["stand_in"] = args.stand_in
    if httpx is None:
        raise SystemExit("this needs httpx; do: pip install httpx")
    is_well = args.kills == 0 or kill_again_and_again(args.kills, args.clients, args.seconds)
    if args.small is not None:
        with contextlib.suppress(FileNotFoundError):
            (args.small / "filler").unlink()
        is_well = full_disk(args.small, args.jobs) and is_well
    return int(not is_well)


if __name__ == "__main__":
    raise SystemExit(main())
