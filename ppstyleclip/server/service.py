# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The service: jobs come in from any thread, one thread does them, one after the other.

That thread takes a record of a job's work, looks whether the job was cancelled, the server is to end or the
time is up, and takes the next. Paddle itself belongs to the thread of worker.py, to which each step goes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Callable

import numpy as np

from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.locks import Lock, try_acquire
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.events import Hub
from ppstyleclip.server.jobs import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job, Jobs
from ppstyleclip.server.journal import Journal
from ppstyleclip.server.logs import log
from ppstyleclip.server.model import Model, load_model
from ppstyleclip.server.pictures import PictureStore
from ppstyleclip.server.problems import DISK, told
from ppstyleclip.server.schemas import ROLES, JobRequest
from ppstyleclip.server.settings import ServerSettings
from ppstyleclip.server.work import Made, check_request, run_request, warm_methods

_TAKE_SECONDS = 0.5
_NO_MEMORY = "there is not enough memory for this; send a smaller photo"
_INTERNAL = "the server has failed at this job; its log names it"


class _Cancelled(Exception):
    """Somebody has cancelled the job."""


class _Ending(Exception):
    """The server ends and its patience is over."""


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
        self.settings, self._load, self._run_request, self._warm = settings, load, run, warm
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
        self.store = PictureStore(settings.data, settings.megapixels)
        self.jobs = Jobs(
            Journal(settings.data / "jobs.sqlite3"),
            queue_size=settings.queue_size,
            client_jobs=settings.client_jobs,
            attempts=settings.attempts,
            on_change=self.hub.changed,
        )
        self.sweep()
        self._end_now = threading.Event()
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
        if self.model is not None:
            check_request(self.model, request, has_photo=photo is not None, max_steps=self.settings.max_steps)
        roles = ROLES if photo is not None else ROLES[:2]
        job = self.jobs.new(request.model_dump(exclude_none=True), owner, roles, sid)
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
            uploads = {job.id for job in jobs if job.state == QUEUED and job.has_photo}
            results = {name for job in jobs if job.state == DONE for name in job.names.values()}
            self.store.sweep(uploads, results)

    def _serve(self) -> None:
        try:
            model = self._load(self.settings)
            self._warm_up(model)
        except Exception as error:  # told by /readyz, and by the process's end
            self.failure = (
                str(error) if isinstance(error, UserError) else f"{type(error).__name__} while loading"
            )
            log("no model", logging.ERROR, error)
            return
        self.model = model
        log("ready", model=model.editor.bundle.name)
        while not self._end_now.is_set():
            job = self.jobs.take(_TAKE_SECONDS)
            if job is not None:
                self._do(model, job)
                self.sweep()

    def _warm_up(self, model: Model) -> None:
        """Run the methods once, so that programs are compiled before the first request."""
        try:
            with closing(self._warm(model, self.settings.warm == "all")) as records:  # type: ignore[type-var]
                for _ in records:
                    if self._end_now.is_set():
                        return
        except UserError as error:  # words that this model does not know; the first jobs wait a little
            log("not warmed", logging.WARNING, error)

    def _do(self, model: Model, job: Job) -> None:
        """Do one job; whatever happens, it has an end, or waits again."""
        log("started", job=job.id, method=job.method, attempt=job.attempts)
        ends: dict[str, Any] = {}
        try:
            state, ends = DONE, self._pictures_of(model, job)
        except _Cancelled:
            state = CANCELLED
        except _Ending:
            self.jobs.put_back(job)
            return log("put back", job=job.id)
        except CannotWrite:
            state, ends = FAILED, {"error": DISK}
        except UserError as error:
            state, ends = FAILED, {"error": told(error)}
        except MemoryError:
            state, ends = FAILED, {"error": _NO_MEMORY}
        except OSError as error:
            log("disk", logging.ERROR, error, job=job.id)
            state, ends = FAILED, {"error": DISK}
        except Exception as error:  # a bug, of which the client needs to know no more
            log("job failed", logging.ERROR, error, job=job.id)
            state, ends = FAILED, {"error": _INTERNAL}
        self.jobs.finish(job, state, **ends)
        if state != DONE:
            self.store.drop(list(job.names.values()))
        self.store.drop_upload(job.id)
        self._note_end(job)

    def _note_end(self, job: Job) -> None:
        took = (job.finished or 0) - (job.started or job.finished or 0)
        self.seconds[job.method] += took  # type: ignore[assignment]
        self.ended[job.method, job.state] += 1
        log("ended", job=job.id, method=job.method, state=job.state, seconds=round(took, 3))

    def _pictures_of(self, model: Model, job: Job) -> dict[str, Any]:
        """Work through a job's records and write its pictures; the fields of its end."""
        request = JobRequest.model_validate(job.request)
        check_request(model, request, has_photo=job.has_photo, max_steps=self.settings.max_steps)
        photo = self.store.load_upload(job.id) if job.has_photo else None
        until, made = time.monotonic() + self.settings.job_seconds, None
        with closing(self._run_request(model, request, photo)) as records:  # type: ignore[type-var]
            for record in records:
                made = record.result
                if job.cancel_wanted:
                    raise _Cancelled
                if self._end_now.is_set() and made is None:
                    raise _Ending
                if time.monotonic() > until and made is None:
                    raise UserError(f"it took longer than {self.settings.job_seconds:g} s, and was ended")
                self.jobs.progress(job, record.done, record.total, record.stage)
        if made is None:
            raise UserError("the work ended without a result")
        sizes = {role: self.store.save(job.names[role], pixels) for role, pixels in made.pictures.items()}
        return {"sizes": sizes, "card": made.card}

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded, and jobs are accepted."""
        return self.model is not None and not self.jobs.is_closed

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
