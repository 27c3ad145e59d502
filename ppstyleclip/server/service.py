# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The service: jobs come in from any thread, and one thread sees to it that they are done.

It does them itself, one after the other, or hands them to workers in other processes: see queues.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.locks import Lock, try_acquire
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.events import Hub
from ppstyleclip.server.jobs import DONE, QUEUED, RUNNING, End, Job, Jobs
from ppstyleclip.server.journal import Journal
from ppstyleclip.server.logs import log
from ppstyleclip.server.model import Model, load_model
from ppstyleclip.server.pictures import PictureStore, random_name
from ppstyleclip.server.queues import LocalQueue, Queue
from ppstyleclip.server.schemas import ROLES, JobRequest
from ppstyleclip.server.settings import ServerSettings
from ppstyleclip.server.work import Made, check_request, request_warnings, run_request, warm_methods


class Service:
    """What the routes call.

    Args:
        settings: ServerSettings.
        load: makes the Model; called in the service's thread.
        run: does a request, as work.run_request.
        warm: runs what shall be compiled before the server is ready, as work.warm_methods.
    Raises:
        UserError: another server uses the folder of data.
        CannotWrite: the folder cannot be written.
    """

    def __init__(
        self,
        settings: ServerSettings,
        *,
        load: Callable[[ServerSettings], Model] = load_model,
        run: Callable[[Model, JobRequest, np.ndarray | None], Iterator[Record[Made]]] = run_request,
        warm: Callable[[Model, bool], Iterator[Record[Any]]] = warm_methods,
    ) -> None:
        self.settings, self._load = settings, load
        self.model: Model | None = None
        self.failure = ""  # why there is no model
        self.hub = Hub()
        self.seconds: Counter[str] = Counter()  # of jobs, by method
        self.ended: Counter[tuple[str, str]] = Counter()  # (method, state)
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = try_acquire(settings.data / "lock")
        if lock is None:
            raise UserError(
                f"another server uses {settings.data}; end it, or give this one a folder of its own (--data)"
            )
        self._lock: Lock = lock
        self.store = PictureStore(_place_of(settings), settings.megapixels)
        self.jobs = Jobs(
            Journal(settings.data / "jobs.sqlite3"),
            queue_size=settings.queue_size,
            client_jobs=settings.client_jobs,
            attempts=settings.attempts,
            elsewhere=settings.queue is not None,
            on_change=self.hub.changed,
        )
        self.sweep()
        self._end_now = threading.Event()
        self.queue: Queue = (
            LocalQueue(settings, self.jobs, self.store, self._end, self._end_now, run=run, warm=warm)
            if settings.queue is None
            else _redis_queue(settings, self.jobs, self.store, self._end, self._end_now)
        )
        self._thread = threading.Thread(target=self._serve, name="ppstyleclip-jobs", daemon=True)

    def start(self) -> None:
        """Begin to load the model, then to work."""
        self._thread.start()

    def submit(
        self, request: JobRequest, owner: str, photo: bytes | None = None, sid: str | None = None
    ) -> Job:
        """Accept a job.

        Args:
            request: JobRequest.
            owner: of the key or address it comes from.
            photo: the file that was sent.
            sid: Socket.IO client that is told.
        Raises:
            QueueFull: not now.
            UserError: words, photo or combination that cannot be; see work.check_request.
            CannotWrite: the disk refuses; nothing was accepted.
        """
        self.jobs.check_room(owner)
        roles = ROLES if photo is not None else ROLES[:2]
        job = self.jobs.new(request.model_dump(exclude_none=True), owner, roles, sid)
        if self.model is not None:
            check_request(self.model, request, has_photo=photo is not None, max_steps=self.settings.max_steps)
            job.warnings = request_warnings(self.model, request)
        try:
            if photo is not None:
                self.store.take_upload(job.id, photo)
                job.has_photo = True
            self.jobs.accept(job)
        except BaseException:
            self.store.drop_upload(job.id)
            raise
        log("accepted", job=job.id, method=job.method, photo=job.has_photo)
        return job

    def cancel(self, job: Job) -> None:
        """Cancel a job that waits or runs; of one that is done, remove the pictures."""
        if job.state in (QUEUED, RUNNING):
            was_waiting = job.state == QUEUED
            self.jobs.cancel(job)
            if was_waiting and job.is_over:
                self.store.drop_upload(job.id)
                self._note_end(job)
        if job.state == DONE:
            self._expire(job, "removed by request")

    def _expire(self, job: Job, reason: str) -> None:
        names = list(job.names.values())
        self.jobs.expire(job, reason)
        self.store.drop(names)
        log("expired", job=job.id, reason=reason)

    def sweep(self) -> None:
        """Remove results that are old or too many, what belongs to nobody, and jobs that ended long ago."""
        own, now = self.settings, time.time()
        done = [job for job in self.jobs.listed() if job.state == DONE]
        for job in done:
            if (job.finished or 0) + own.keep_seconds < now:
                self._expire(job, f"kept for {own.keep_seconds:g} s")
        done = [job for job in done if job.state == DONE]
        room = own.keep_megabytes * 1e6
        for job in reversed(done):  # the newest stay
            room -= job.bytes
            if room < 0:
                self._expire(job, "newer results took its place")
        self.jobs.forget(older_than=now - own.remember_seconds, most=own.remember_jobs)
        self.jobs.rewrite()
        # Only at the start: later, a file may be on its way to its job.
        if not hasattr(self, "_thread"):
            jobs = self.jobs.listed()
            uploads = {job.id for job in jobs if not job.is_over and job.has_photo}
            held = [job for job in jobs if job.state == DONE or not job.is_over]  # a worker may be writing
            results = {name for job in held for name in job.names.values()}
            self.store.sweep(uploads, results)

    def _serve(self) -> None:
        try:
            model = self._load(self.settings)
            self.queue.prepare(model)
        except Exception as error:  # told by /readyz, and by the process's end
            self.failure = (
                str(error) if isinstance(error, UserError) else f"{type(error).__name__} while loading"
            )
            log("no model", logging.ERROR, error)
            return
        self.model = model
        log("ready", model=model.editor.bundle.name)
        self.queue.work(model)

    def _end(self, job: Job, end: End) -> None:
        """Note how a running job ended; one that was interrupted waits again."""
        if end.state == QUEUED:
            self.jobs.put_back(job)
            return log("put back", job=job.id)
        self.jobs.finish(job, end.state, error=end.error, sizes=end.sizes, card=end.card)
        if end.state != DONE:
            self.store.drop(list(job.names.values()))
        self.store.drop_upload(job.id)
        self._note_end(job)
        self.sweep()

    def _note_end(self, job: Job) -> None:
        took = (job.finished or 0) - (job.started or job.finished or 0)
        self.seconds[job.method] += took  # type: ignore[assignment]
        self.ended[job.method, job.state] += 1
        log("ended", job=job.id, method=job.method, state=job.state, seconds=round(took, 3))

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded, and jobs are accepted and can be begun."""
        return self.model is not None and not self.jobs.is_closed and not self.queue.trouble

    @property
    def is_drained(self) -> bool:
        """Whether no accepted job is left to do."""
        return self.jobs.is_idle or self.model is None

    def close(self, seconds: float = 0.0) -> None:
        """Accept no more; give accepted jobs so many seconds. What is left waits for the next start."""
        self.jobs.close()
        until = time.monotonic() + seconds
        while not self.is_drained and time.monotonic() < until and self._thread.is_alive():
            time.sleep(0.05)
        self._end_now.set()
        self.jobs.wake()
        if self._thread.is_alive():
            self._thread.join(30)
        self.jobs.journal.close()
        self._lock.release()


def _place_of(settings: ServerSettings) -> Path:
    """The folder of uploads and results: below a shared one, each server has its own."""
    if settings.shared is None:
        return settings.data
    return settings.shared / server_name(settings)


def server_name(settings: ServerSettings) -> str:
    """The random name of the server whose folder of data this is."""
    return random_name(settings.data / "name")


def _redis_queue(settings: ServerSettings, *args: Any) -> Queue:
    from ppstyleclip.server.redis_queue import RedisQueue  # its packages are an extra of their own

    return RedisQueue(settings, server_name(settings), *args)
