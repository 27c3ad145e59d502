# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw pictures from threads, asyncio and forked processes; count failures and wrong pictures; time them.

    python benchmarks/thread_stress.py                                   # 200 pictures of each kind at 64 px
    python benchmarks/thread_stress.py --pictures 2500 --threads 50      # 10,000 pictures
    python benchmarks/thread_stress.py --size 256 --pictures 75 --cold   # compiled anew for each kind
    python benchmarks/thread_stress.py --only cost rates                 # what the worker costs, and its rate

Kinds: `new` starts a thread for each picture, `--threads` at once; `pool` has threads that live on; `asyncio`
has one task for each picture; `fork` is a pool of forked processes while two threads go on drawing. A picture
is wrong if a pixel is more than one grey level from eager mode's. Exits with 1 if any failed or was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ppstyleclip.threads import import_paddle

paddle = import_paddle()

import numpy as np  # noqa: E402

from ppstyleclip import engine  # noqa: E402
from ppstyleclip.models.stylegan2 import StyleGANv2Generator  # noqa: E402

FACES, CALLS, ROUNDS = 8, 10_000, 7
SECONDS = 600  # after which a pool of processes counts as hanging
KINDS = ("new", "pool", "asyncio", "fork", "cost", "rates")


class Task:
    """Drawing one of FACES faces: a callable that gives "right", "wrong" or the error.

    Attributes:
        draw: the compiled synthesis.
        faces: styles of each face.
        expected: pixels of each face in eager mode.
    """

    def __init__(self, size: int) -> None:
        paddle.seed(0)
        channels = {side: max(8, 512 // side) for side in (4, 8, 16, 32, 64, 128, 256, 512, 1024)}
        self.generator = StyleGANv2Generator(size, 64, 4, channels=channels)
        self.generator.eval()
        z = np.random.RandomState(0).randn(FACES, 64).astype(np.float32)
        with paddle.no_grad():
            styles = self.generator.style_affine(self.generator.get_latent(paddle.to_tensor(z)))
            images = self.generator.synthesis_from_styles(styles, noise="const").numpy()
        self.faces = [[style.numpy()[k : k + 1] for style in styles] for k in range(FACES)]
        self.expected = [levels(image) for image in images]

    def compile(self, folder: Path) -> None:
        """Draw with a program from this folder from now on; it is made at the first call."""
        self.draw = engine.compile_synthesis(self.generator, folder=folder)

    def __call__(self, k: int) -> str:
        try:
            image = self.draw(self.faces[k % FACES])[0]
        except Exception as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())[-80:]}"
        is_right = np.abs(levels(image) - self.expected[k % FACES]).max() <= 1
        return "right" if is_right else "wrong"


def levels(image: np.ndarray) -> np.ndarray:
    """Grey levels 0 to 255 of an image in [-1, 1]."""
    return np.round(np.clip(image * 127.5 + 127.5, 0, 255)).astype(np.int32)


def from_new_threads(task: Task, count: int, width: int) -> list[str]:
    """Each picture in a thread of its own, `width` of them at once."""
    results: list[str] = []
    for start in range(0, count, width):
        threads = [
            threading.Thread(target=lambda k=k: results.append(task(k)))
            for k in range(start, min(start + width, count))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results


def from_pool(task: Task, count: int, width: int) -> list[str]:
    """Threads that live on."""
    with ThreadPoolExecutor(width) as pool:
        return list(pool.map(task, range(count)))


def from_asyncio(task: Task, count: int, width: int) -> list[str]:
    """A task for each picture, `width` of them at once."""

    async def draw_all() -> list[str]:
        gate = asyncio.Semaphore(width)

        async def draw(k: int) -> str:
            async with gate:
                return await asyncio.wrap_future(engine.submit(task, k))

        return await asyncio.gather(*(draw(k) for k in range(count)))

    return asyncio.run(draw_all())


def from_forks(task: Task, count: int, width: int) -> list[str]:
    """New pools of two forked processes, 20 pictures each, while two threads of the parent go on drawing."""
    is_over, beside = threading.Event(), []

    def go_on() -> None:
        while not is_over.is_set():
            beside.append(task(len(beside)))

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    results = []
    for start in range(0, count, 20):
        pool = multiprocessing.get_context("fork").Pool(2, _keep, (task,))
        results += pool.map_async(_draw_kept, range(start, min(start + 20, count))).get(SECONDS)
        pool.close()
        pool.join()
    is_over.set()
    for thread in threads:
        thread.join()
    return results + beside


def _keep(task: Task) -> None:
    global _kept
    _kept = task


def _draw_kept(k: int) -> str:
    return _kept(k)


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
        print(f"a picture {name}: median {statistics.median(times) * 1e3:.2f} ms, {_spread(times, 1e3)} ms")


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
        task.draw(task.faces[k % FACES])
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
        print(f"{threads} threads: {statistics.median(found):.1f} pictures a second, {_spread(found)}")
    ratios = [several / one for one, several in zip(rates[1], rates[width])]
    print(f"{width} threads to one: {statistics.median(ratios):.3f}, {_spread(ratios)}")


def _spread(values: list[float], scale: float = 1.0) -> str:
    return f"{min(values) * scale:.3f} to {max(values) * scale:.3f} in {len(values)} rounds"


SOURCES = {"new": from_new_threads, "pool": from_pool, "asyncio": from_asyncio, "fork": from_forks}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64, help="of the pictures")
    parser.add_argument("--pictures", type=int, default=200, help="of each kind")
    parser.add_argument("--threads", type=int, default=8, help="at once")
    parser.add_argument("--cold", action="store_true", help="compile anew for each kind")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help="some kinds")
    return parser.parse_args(argv)


def main() -> int:
    args, faults = parse_args(), 0
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of forks, from Python 3.12 on
    task = Task(args.size)
    with tempfile.TemporaryDirectory() as folder:
        for kind in (kind for kind in SOURCES if kind in args.only):
            task.compile(Path(folder, kind if args.cold else "programs"))
            begun = time.perf_counter()
            results = SOURCES[kind](task, args.pictures, args.threads)
            wrong = results.count("wrong")
            failed = [result for result in results if result not in ("right", "wrong")]
            faults += wrong + len(failed)
            print(
                f"{kind}: {len(results)} pictures of {args.size} px, {len(failed)} failed, {wrong} wrong, "
                f"{time.perf_counter() - begun:.1f} s",
                *sorted(set(failed))[:3],
                sep="\n  ",
                flush=True,
            )
        task.compile(Path(folder, "programs"))
        task(0)
        if "cost" in args.only:
            print_cost(task)
        if "rates" in args.only:
            print_rates(task, args.pictures, args.threads)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
