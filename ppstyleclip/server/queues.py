# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Who does the jobs that wait: the interface, and the thread of this process that does them one by one.

Jobs, their states, journal and order are in jobs.py whoever does them. A queue takes them from there, and
says there how far they are; redis_queue.py has the one whose workers are other processes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Callable, Protocol

from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.execution import Run, execute
from ppstyleclip.server.jobs import End, Job, Jobs, Task
from ppstyleclip.server.logs import log
from ppstyleclip.server.model import Model
from ppstyleclip.server.pictures import PictureStore
from ppstyleclip.server.settings import ServerSettings

_TAKE_SECONDS = 0.5
Warm = Callable[[Model, bool], Iterator[Record[Any]]]


class Queue(Protocol):
    """Who does the jobs."""

    num_workers: int
    trouble: str  # why no job can be begun now, for /readyz; empty where all is well

    def prepare(self, model: Model) -> None:
        """Do what shall be done before the server is ready."""

    def work(self, model: Model) -> None:
        """See to the jobs until the server ends."""


class LocalQueue:
    """The calling thread does the jobs. Paddle itself belongs to the thread of worker.py.

    Args:
        settings: ServerSettings.
        jobs, store: of the server.
        end: called with a job and its End.
        is_ending: set when the server ends.
        run, warm: as in Service.
    """

    trouble = ""

    def __init__(
        self,
        settings: ServerSettings,
        jobs: Jobs,
        store: PictureStore,
        end: Callable[[Job, End], None],
        is_ending: threading.Event,
        *,
        run: Run,
        warm: Warm,
    ) -> None:
        self.settings, self.jobs, self.store, self._end, self._is_ending = (
            settings,
            jobs,
            store,
            end,
            is_ending,
        )
        self._run, self._warm = run, warm
        self.num_workers = 0

    def prepare(self, model: Model) -> None:
        """Run the methods once, so that programs are compiled before the first request."""
        warm_up(model, self._warm, self.settings, self._is_ending)

    def work(self, model: Model) -> None:
        """Do the jobs until the server ends."""
        self.num_workers = 1
        while not self._is_ending.is_set():
            job = self.jobs.take(_TAKE_SECONDS)
            if job is not None:
                log("started", job=job.id, method=job.method, attempt=job.attempts)
                watch = _JobWatch(self.jobs, job, self._is_ending)
                self._end(job, execute(Task.of(job), model, self.store, self.settings, self._run, watch))
        self.num_workers = 0


class _JobWatch:
    """A job's Watch in its own process."""

    def __init__(self, jobs: Jobs, job: Job, is_ending: threading.Event) -> None:
        self._jobs, self._job, self._is_ending = jobs, job, is_ending

    def progress(self, step: int, steps: int, stage: str) -> None:
        """As Watch."""
        self._jobs.progress(self._job, step, steps, stage)

    @property
    def is_cancelled(self) -> bool:
        """As Watch."""
        return self._job.cancel_wanted

    @property
    def is_ending(self) -> bool:
        """As Watch."""
        return self._is_ending.is_set()


def warm_up(model: Model, warm: Warm, settings: ServerSettings, is_ending: threading.Event) -> None:
    """Run the methods once, of a server or a worker, until it shall end."""
    try:
        with closing(warm(model, settings.warm == "all")) as records:  # type: ignore[type-var]
            for _ in records:
                if is_ending.is_set():
                    return
    except UserError as error:  # words that this model does not know; the first jobs wait a little
        log("not warmed", logging.WARNING, error)
