# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The server's end of a queue in Redis: jobs go to workers in other processes, and what they say comes back.

The table of jobs and its journal stay the only truth; Redis carries. Each job that waits has a ticket in
RQ's list. A ticket that is neither there nor in the hands of a worker that lives is lost: its worker was
killed, or Redis has forgotten. Its job gets a new one, or, after the last attempt, fails and says so.
Requests never wait for Redis: one thread does all this, and goes on where it was when Redis is back.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Callable

from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job as Ticket

from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.server import redis_link
from ppstyleclip.server.jobs import (
    CANCELLED,
    DIED,
    DONE,
    FAILED,
    QUEUED,
    RUNNING,
    End,
    Job,
    Jobs,
    Task,
)
from ppstyleclip.server.logs import log
from ppstyleclip.server.model import Model
from ppstyleclip.server.pictures import PictureStore
from ppstyleclip.server.settings import ServerSettings

_LISTEN_MS = 50  # after which new and cancelled jobs are looked at
_LOOK_SECONDS = 1.0  # from one look at all tickets and workers to the next
_AGAIN_SECONDS = 0.5  # after a failure of Redis
_MOST_SAID = 200  # messages that are read at once
_MOST_NEW = 100  # tickets that are given between two looks at what was said
_OFF_SECONDS = 86_400
_AWAY = "the queue's Redis does not answer"


class RedisQueue:
    """Hands jobs to workers and hears of them.

    Args:
        settings: ServerSettings with `queue` and `shared`.
        server: name of this server.
        jobs, store: of the server.
        end: called with a job and its End.
        is_ending: set when the server ends; jobs go on without it.
    Raises:
        UserError: the address is none, or Redis refuses this access.
    """

    def __init__(
        self,
        settings: ServerSettings,
        server: str,
        jobs: Jobs,
        store: PictureStore,
        end: Callable[[Job, End], None],
        is_ending: threading.Event,
    ) -> None:
        self.settings, self.server, self.jobs, self.store = settings, server, jobs, store
        self._end, self._is_ending = end, is_ending
        self._link = redis_link.connect(settings.queue or "")
        redis_link.check_access(self._link)
        self.num_workers, self.trouble = 0, _AWAY
        self._patience = settings.worker_seconds / 2  # the other half is that of the sign of life
        self._missing: dict[str, float] = {}  # since when a ticket is nowhere
        self._held: dict[str, Job] = {}  # tickets that were given and whose jobs have not ended
        self._next_look = 0.0

    def prepare(self, model: Model) -> None:
        """Nothing is compiled here; workers do that for themselves."""

    def work(self, model: Model) -> None:
        """See to the jobs until the server ends."""
        self._mark = redis_link.model_mark(model)
        self._queue = Queue(
            redis_link.queue_name(self._mark), connection=self._link, serializer=redis_link.SERIALIZER
        )
        self._held = {job.ticket: job for job in self.jobs.listed() if job.ticket and not job.is_over}
        while not self._is_ending.is_set():
            try:
                self._round()
            except RedisError as error:
                if not self.trouble:
                    log("queue away", logging.WARNING, kind=type(error).__name__)
                self.trouble, self.num_workers = _AWAY, 0
                self._missing.clear()  # nobody is judged by a silence of Redis
                self._is_ending.wait(_AGAIN_SECONDS)
            except CannotWrite:  # the journal's disk is full; the ticket is given later
                log("cannot write", logging.ERROR)
                self._is_ending.wait(_AGAIN_SECONDS)
            except Exception as error:  # a bug must not end the queue
                log("queue failed", logging.ERROR, error)
                self._is_ending.wait(_AGAIN_SECONDS)
        self._link.close()

    def _round(self) -> None:
        while self._listen():
            pass
        self._call_off()
        self._hand_out()
        if time.monotonic() >= self._next_look:
            self._look()
            self._next_look = time.monotonic() + _LOOK_SECONDS

    def _listen(self) -> bool:
        """Hear what workers have said; whether there may be more."""
        key = redis_link.said_key(self.server)
        found = self._link.xread({key: "0"}, count=_MOST_SAID, block=_LISTEN_MS)
        if self.trouble:
            log("queue back")
            self.trouble = ""
        entries = found[0][1] if found else []
        for number, fields in entries:
            try:
                self._hear(redis_link.heard(fields))
            except UserError as error:
                log("message not understood", logging.ERROR, error)
            self._link.xdel(key, number)  # after it was noted: a kill in between hears it once more
        return len(entries) == _MOST_SAID

    def _hear(self, said: redis_link.Said) -> None:
        """Take what a worker says of its ticket; what another one holds by now is not heard."""
        job = self.jobs.get(said.job)
        if job is None or job.is_over or said.ticket != job.ticket:
            if said.end is None:
                self._stop(said.ticket)
            elif job is not None and job.is_over and job.state != DONE:
                self.store.drop(list(job.names.values()))
            return
        if job.state == QUEUED:
            self.jobs.begin(job)
            log("started", job=job.id, method=job.method, attempt=job.attempts, worker=said.worker)
        if said.end is not None:
            self._forget(said.ticket)
            self._end(job, said.end)
        elif said.steps:
            self.jobs.progress(job, said.step, said.steps, said.stage)

    def _call_off(self) -> None:
        """Tell workers of jobs that are over or shall be, and take their tickets back."""
        for ticket, job in list(self._held.items()):
            if job.is_over or job.ticket != ticket:
                self._stop(ticket)
                del self._held[ticket]
            elif job.cancel_wanted:
                self._link.set(redis_link.off_key(ticket), 1, ex=_OFF_SECONDS)

    def _stop(self, ticket: str) -> None:
        with self._link.pipeline() as both:
            both.set(redis_link.off_key(ticket), 1, ex=_OFF_SECONDS)
            both.lrem(self._queue.key, 0, ticket)
            both.delete(Ticket.key_for(ticket))
            both.execute()

    def _forget(self, ticket: str) -> None:
        self._held.pop(ticket, None)
        self._missing.pop(ticket, None)

    def _hand_out(self) -> None:
        """Give each job that waits a ticket; one that has returned goes before those that have theirs."""
        waiting = self.jobs.waiting()
        first = next((k for k, job in enumerate(waiting) if job.ticket is not None), 0)
        for job in reversed(waiting[:first]):
            self._hand(job, at_front=True)
        for job in [job for job in waiting[first:] if job.ticket is None][:_MOST_NEW]:
            self._hand(job, at_front=False)

    def _hand(self, job: Job, *, at_front: bool) -> None:
        ticket = secrets.token_hex(16)
        task = vars(Task.of(job))
        if not self.jobs.give_ticket(job, ticket):
            return  # it was cancelled
        self._held[ticket] = job
        try:
            self._queue.enqueue_call(
                redis_link.FUNCTION,
                kwargs={"task": task, "server": self.server},
                job_id=ticket,
                description="ppstyleclip",  # RQ's own would quote the task
                timeout=-1,
                result_ttl=0,
                failure_ttl=3600,
                at_front=at_front,
            )
        except RedisError:
            self.jobs.give_ticket(
                job, None
            )  # whether it arrived is unknown: it is called off, and a new one given
            raise

    def _look(self) -> None:
        """Look where each ticket is; one that is nowhere for long is lost."""
        listed = [one.decode() for one in self._link.lrange(self._queue.key, 0, -1)]
        held = self._held_by_workers()  # after the list: a ticket goes from there to here
        now, there = time.monotonic(), {*listed, *held}
        for ticket, job in list(self._held.items()):
            if ticket in there or job.is_over:
                self._missing.pop(ticket, None)
            elif now - self._missing.setdefault(ticket, now) > self._patience:
                self._lost(ticket, job)
        self._count_strangers(listed)

    def _held_by_workers(self) -> set[str]:
        """Tickets in the hands of workers that live; counts these."""
        key = redis_link.workers_key(self._mark)
        names = sorted(name.decode() for name in self._link.smembers(key))
        signs = self._link.mget([redis_link.worker_key(name) for name in names]) if names else []
        gone = [name for name, sign in zip(names, signs) if sign is None]
        if gone:
            self._link.srem(key, *gone)
        alive = [sign for sign in signs if sign is not None]
        self.num_workers = len(alive)
        return {sign.decode() for sign in alive}

    def _lost(self, ticket: str, job: Job) -> None:
        """Begin a job once more, or end it by name."""
        log("lost", logging.WARNING, job=job.id, state=job.state, attempt=job.attempts)
        self._stop(ticket)
        self._forget(ticket)
        if job.state == QUEUED:
            self.jobs.give_ticket(job, None)
        elif job.state == RUNNING and job.cancel_wanted:
            self._end(job, End(CANCELLED))
        elif job.state == RUNNING and self.jobs.has_tries(job):
            self.jobs.put_back(job, was_attempt=True)
        elif job.state == RUNNING:
            self._end(job, End(FAILED, DIED.format(job.attempts)))

    def _count_strangers(self, listed: list[str]) -> None:
        """Count jobs of other servers among those that wait."""
        before, strangers = {}, 0
        for ticket in listed:
            job = self._held.get(ticket)
            if job is None:
                strangers += 1
            else:
                before[job.id] = strangers
        self.jobs.let_pass(before if strangers else {}, strangers)
