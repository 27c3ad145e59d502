# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw and edit from threads, asyncio, web servers and forked processes; count failures and wrong pictures.

    python benchmarks/thread_stress.py                                   # 200 pictures of each kind at 64 px
    python benchmarks/thread_stress.py --pictures 2500 --threads 50      # 10,000 pictures and more
    python benchmarks/thread_stress.py --size 256 --pictures 75 --cold   # compiled anew for each kind
    python benchmarks/thread_stress.py --only flask gunicorn             # pip install flask gunicorn
    python benchmarks/thread_stress.py --only cost rates                 # what the worker costs, and its rate
    python benchmarks/thread_stress.py --tasks edit                      # through Editor alone

Kinds: `new` starts a thread for each picture, `--threads` at once; `pool` has threads that live on; `asyncio`
has one task for each picture; `fork` is a pool of forked processes while two threads go on drawing; `flask`
answers each request in a new thread; `gunicorn` has threads in two processes that were forked from one with
Paddle loaded. Each kind draws styles by the engine and edits faces by an Editor, which begins in eager mode.
A picture is wrong if a pixel is more than one grey level from eager mode's in one thread. Exits with 1 if any
failed or was wrong.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

from stress.sources import from_asyncio, from_forks, from_new_threads, from_pool
from stress.tasks import FACES, TASKS, Task, random_generator

from ppstyleclip import engine

CALLS, ROUNDS = 10_000, 7
SOURCES = {"new": from_new_threads, "pool": from_pool, "asyncio": from_asyncio, "fork": from_forks}
WEB = ("flask", "gunicorn")
USUAL = (*SOURCES, "cost", "rates")


def print_cost(task: Task) -> None:
    """Microseconds of a call that does nothing, on the worker itself and handed over to it."""
    rows = {"on the worker": engine.run(_time_calls), "handed over": _time_calls()}
    for name, times in rows.items():
        print(
            f"an empty call {name}: median {statistics.median(times) * 1e6:.1f} us, "
            f"99 % {sorted(times)[int(0.99 * CALLS)] * 1e6:.1f} us of {CALLS}"
        )
    drawn = {"on the worker": [], "handed over": []}
    for _ in range(ROUNDS):
        drawn["on the worker"].append(engine.run(_time_pictures, task))
        drawn["handed over"].append(_time_pictures(task))
    for name, times in drawn.items():
        median = statistics.median(times) * 1e3
        print(f"one {task.word} {name}: median {median:.2f} ms, {_spread(times, 1e3)} ms")


def _time_calls() -> list[float]:
    times = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        engine.run(int)
        times.append(time.perf_counter() - begun)
    return times


def _time_pictures(task: Task, count: int = 20) -> float:
    begun = time.perf_counter()
    for k in range(count):
        task.make(task.faces[k % FACES])
    return (time.perf_counter() - begun) / count


def print_rates(task: Task, count: int, width: int) -> None:
    """Pictures a second from one thread and from several, in turns."""
    rates: dict[int, list[float]] = {1: [], width: []}
    for _ in range(ROUNDS):
        for threads, found in rates.items():
            begun = time.perf_counter()
            from_pool(task, count, threads)
            found.append(count / (time.perf_counter() - begun))
    for threads, found in rates.items():
        print(f"{threads} threads: {statistics.median(found):.1f} {task.word}s a second, {_spread(found)}")
    ratios = [several / one for one, several in zip(rates[1], rates[width])]
    print(f"{width} threads to one: {statistics.median(ratios):.3f}, {_spread(ratios)}")


def _spread(values: list[float], scale: float = 1.0) -> str:
    return f"{min(values) * scale:.3f} to {max(values) * scale:.3f} in {len(values)} rounds"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64, help="of the pictures")
    parser.add_argument("--pictures", type=int, default=200, help="of each kind")
    parser.add_argument("--threads", type=int, default=8, help="at once")
    parser.add_argument("--cold", action="store_true", help="compile anew for each kind")
    parser.add_argument(
        "--only", nargs="+", choices=(*USUAL, *WEB), default=USUAL, metavar="KIND", help="some kinds"
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help="some")
    return parser.parse_args(argv)


def main() -> int:
    args, faults = parse_args(), 0
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of forks, from Python 3.12 on
    generator = random_generator(args.size)
    with tempfile.TemporaryDirectory() as folder:
        for name in args.tasks:
            faults += run_task(name, TASKS[name](generator), Path(folder, name), args)
    return 1 if faults else 0


def run_task(name: str, task: Task, folder: Path, args: argparse.Namespace) -> int:
    """Do a task in every way that is asked for; how often it failed or was wrong."""
    faults = 0
    for kind in (kind for kind in (*SOURCES, *WEB) if kind in args.only):
        place = folder / (kind if args.cold else "programs")
        task.compile(place)
        begun = time.perf_counter()
        results = results_of(kind, name, task, place, args)
        wrong = results.count("wrong")
        failed = [result for result in results if result not in ("right", "wrong")]
        faults += wrong + len(failed)
        print(
            f"{kind}: {len(results)} {task.word}s of {args.size} px, {len(failed)} failed, {wrong} wrong, "
            f"{time.perf_counter() - begun:.1f} s",
            *sorted(set(failed))[:3],
            sep="\n  ",
            flush=True,
        )
    task.compile(folder / "programs")
    task(0)
    if "cost" in args.only:
        print_cost(task)
    if "rates" in args.only:
        print_rates(task, args.pictures, args.threads)
    return faults


def results_of(kind: str, name: str, task: Task, place: Path, args: argparse.Namespace) -> list[str]:
    """What became of each picture: "right", "wrong" or an error."""
    if kind in SOURCES:
        return SOURCES[kind](task, args.pictures, args.threads)
    from stress.web import from_flask, from_gunicorn

    if kind == "flask":
        return from_flask(task, args.pictures, args.threads)
    return from_gunicorn(name, args.size, place, args.pictures, args.threads)


if __name__ == "__main__":
    sys.exit(main())
