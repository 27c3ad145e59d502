# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The ways in which work comes: new threads, threads that live on, asyncio, forked processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

from stress.tasks import Task

from ppstyleclip import engine

SECONDS = 600  # after which a pool of processes counts as hanging


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
