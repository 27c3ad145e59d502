# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw and edit from threads, asyncio and forked processes; count failures and wrong pictures; time them.

    python benchmarks/thread_stress.py                                   # 200 pictures of each kind at 64 px
    python benchmarks/thread_stress.py --pictures 2500 --threads 50      # 10,000 pictures
    python benchmarks/thread_stress.py --size 256 --pictures 75 --cold   # compiled anew for each kind
    python benchmarks/thread_stress.py --only cost rates                 # what the worker costs, and its rate
    python benchmarks/thread_stress.py --tasks edit                      # through Editor alone

Kinds: `new` starts a thread for each picture, `--threads` at once; `pool` has threads that live on; `asyncio`
has one task for each picture; `fork` is a pool of forked processes while two threads go on drawing. Each kind
draws styles by the engine and edits faces by an Editor, which begins in eager mode. A picture is wrong if a
pixel is more than one grey level from eager mode's in one thread. Exits with 1 if any failed or was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
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

from ppstyleclip import Edit, Editor, engine  # noqa: E402
from ppstyleclip.models.stylegan2 import StyleGANv2Generator  # noqa: E402
from ppstyleclip.pictures import to_pixels  # noqa: E402
from ppstyleclip.stylespace import StyleStats  # noqa: E402
from ppstyleclip.zoo import Bundle, load_bundle  # noqa: E402

FACES, CALLS, ROUNDS = 8, 10_000, 7
SECONDS = 600  # after which a pool of processes counts as hanging
KINDS = ("new", "pool", "asyncio", "fork", "cost", "rates")
EDIT = Edit("face", "happy face", alpha=3.0, beta=0.0)


class Task:
    """Work on one of FACES faces: a callable that gives "right", "wrong" or the error.

    Attributes:
        word: what one piece of it is called.
        faces: of each, what `make` takes.
        expected: of each, the pixels that eager mode draws in one thread.
    """

    word: str

    def __init__(self, generator: StyleGANv2Generator) -> None:
        self.generator = generator
        self.faces: list = []
        self.expected: list[np.ndarray] = []

    def compile(self, folder: Path) -> None:
        """Take programs from this folder from now on; they are made when they are needed."""
        raise NotImplementedError

    def make(self, face) -> np.ndarray:
        """Draw one face."""
        raise NotImplementedError

    def __call__(self, k: int) -> str:
        try:
            pixels = self.make(self.faces[k % FACES])
        except Exception as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())[-80:]}"
        is_right = np.abs(pixels.astype(int) - self.expected[k % FACES]).max() <= 1
        return "right" if is_right else "wrong"


class DrawTask(Task):
    """Styles, drawn by the engine."""

    word = "picture"

    def __init__(self, generator: StyleGANv2Generator) -> None:
        super().__init__(generator)
        styles = draw_styles(generator)
        self.faces = [[style[k : k + 1] for style in styles] for k in range(FACES)]
        self.expected = [eager(generator, face).astype(int) for face in self.faces]

    def compile(self, folder: Path) -> None:
        self.draw = engine.compile_synthesis(self.generator, folder=folder)

    def make(self, face) -> np.ndarray:
        return to_pixels(self.draw(face))


class EditTask(Task):
    """Faces, edited by an Editor; the pixels are those before the edit and after it."""

    word = "edit"

    def __init__(self, generator: StyleGANv2Generator) -> None:
        super().__init__(generator)
        layout, clip = generator.layout, load_bundle().clip
        styles = np.concatenate(draw_styles(generator), axis=1)
        stats = StyleStats(styles.mean(axis=0), styles.std(axis=0), FACES)
        rows = np.random.RandomState(1).randn(layout.num_editable, clip.dim).astype(np.float32)
        relevance = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.bundle = Bundle("random", generator, layout, stats, relevance, clip)
        self.faces = [styles[k : k + 1] for k in range(FACES)]
        step = Editor(self.bundle).step(EDIT)
        for face in self.faces:
            drawn = [eager(generator, layout.unflatten(one)) for one in (face, face + step)]
            self.expected.append(np.concatenate(drawn).astype(int))

    def compile(self, folder: Path) -> None:
        os.environ["PPSTYLECLIP_HOME"] = str(folder)
        self.editor = Editor(self.bundle)

    def make(self, face) -> np.ndarray:
        return np.stack(self.editor.edit(face, EDIT))


def random_generator(size: int) -> StyleGANv2Generator:
    """A generator with narrow layers and weights that were drawn."""
    paddle.seed(0)
    channels = {side: max(8, 512 // side) for side in (4, 8, 16, 32, 64, 128, 256, 512, 1024)}
    generator = StyleGANv2Generator(size, 64, 4, channels=channels)
    generator.eval()
    return generator


@paddle.no_grad()
def draw_styles(generator: StyleGANv2Generator) -> list[np.ndarray]:
    """Styles of FACES sampled faces."""
    z = np.random.RandomState(0).randn(FACES, generator.style_dim).astype(np.float32)
    return [style.numpy() for style in generator.style_affine(generator.get_latent(paddle.to_tensor(z)))]


@paddle.no_grad()
def eager(generator: StyleGANv2Generator, styles: list) -> np.ndarray:
    """Pixels of styles as eager mode draws them."""
    tensors = [paddle.to_tensor(style) for style in styles]
    return to_pixels(generator.synthesis_from_styles(tensors, noise="const"))


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


TASKS = {"draw": DrawTask, "edit": EditTask}
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
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help="some")
    return parser.parse_args(argv)


def main() -> int:
    args, faults = parse_args(), 0
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of forks, from Python 3.12 on
    generator = random_generator(args.size)
    with tempfile.TemporaryDirectory() as folder:
        for name in args.tasks:
            faults += run_task(TASKS[name](generator), Path(folder, name), args)
    return 1 if faults else 0


def run_task(task: Task, folder: Path, args: argparse.Namespace) -> int:
    """Do a task in every way that is asked for; how often it failed or was wrong."""
    faults = 0
    for kind in (kind for kind in SOURCES if kind in args.only):
        task.compile(folder / (kind if args.cold else "programs"))
        begun = time.perf_counter()
        results = SOURCES[kind](task, args.pictures, args.threads)
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


if __name__ == "__main__":
    sys.exit(main())
