# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Jobs: their states, their order, and who may change them when.

    queued --> running --> done      --> expired (its results were removed: age, space, or by request)
       |          |------> failed
       |------> cancelled <--|

A job leaves the table a good while after its end; from then on it is unknown, which is no state.
"""

# No `from __future__ import annotations`: the journal is read by the annotations of Job.
import dataclasses
import secrets
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.schema import from_value
from ppstyleclip.server.journal import Journal

QUEUED, RUNNING, DONE, FAILED, CANCELLED, EXPIRED = STATES = (
    "queued",
    "running",
    "done",
    "failed",
    "cancelled",
    "expired",
)
ENDED = (DONE, FAILED, CANCELLED, EXPIRED)
_PASSING = ("step", "steps", "stage", "cancel_wanted")  # fields that are not journaled
DIED = "the process that ran this was ended or lost, {} times; it is not tried again"


class QueueFull(Exception):
    """No further job is accepted now.

    Attributes:
        seconds: after which it is worth another try.
    """

    def __init__(self, words: str, seconds: float) -> None:
        super().__init__(words)
        self.seconds = max(1, round(seconds))


@dataclass
class Job:
    """A request that was accepted.

    Attributes:
        id: random; who knows it may ask for the job.
        number: order of acceptance.
        created, started, finished: seconds since 1970.
        owner: of the key or address that sent it.
        request: fields of schemas.JobRequest; None after the end, so that texts are not kept.
        names: `{role: random name}` of the pictures that it will have.
        sid: Socket.IO client that is told.
        has_photo: a photo lies among the uploads.
        attempts: how often it was begun.
        ticket: of its place in the queue of workers in other processes; a new one each time it is put there.
        warnings: what is said of its texts; of a done one the card says it.
        error: why it failed.
        reason: why its results are gone.
        sizes: `{role: bytes}` of the pictures that it has.
        card: what was done, and how well.
        step, steps, stage: how far it is while it runs.
        cancel_wanted: somebody has cancelled it; the next record ends it.
    """

    id: str
    number: int
    created: float
    owner: str
    method: str
    request: Optional[dict[str, Any]]
    names: dict[str, str]
    sid: Optional[str] = None
    has_photo: bool = False
    state: str = QUEUED
    attempts: int = 0
    ticket: Optional[str] = None
    started: Optional[float] = None
    finished: Optional[float] = None
    warnings: list[str] = field(default_factory=list)
    error: Optional[str] = None
    reason: Optional[str] = None
    sizes: dict[str, int] = field(default_factory=dict)
    card: Optional[dict[str, Any]] = None
    step: int = 0
    steps: int = 0
    stage: str = ""
    cancel_wanted: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in ENDED

    @property
    def bytes(self) -> int:
        """Of its pictures."""
        return sum(self.sizes.values())

    def values(self) -> dict[str, Any]:
        """The plain values that are journaled."""
        return {
            one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.name not in _PASSING
        }


@dataclass(frozen=True)
class Task:
    """What who does a job needs to know of it; the fields are those of Job."""

    id: str
    request: dict[str, Any]
    names: dict[str, str]
    has_photo: bool

    @classmethod
    def of(cls, job: Job) -> "Task":
        """The task of a job that has not ended."""
        return cls(job.id, job.request or {}, job.names, job.has_photo)


@dataclass(frozen=True)
class End:
    """How a job ended: DONE, FAILED, CANCELLED, or QUEUED where the end of its process interrupted it."""

    state: str
    error: Optional[str] = None
    sizes: dict[str, int] = field(default_factory=dict)
    card: Optional[dict[str, Any]] = None


class Jobs:
    """All jobs that are known; any thread may call it.

    Args:
        journal: where they are kept.
        queue_size, client_jobs, attempts: as in ServerSettings.
        elsewhere: jobs run in other processes, which go on while this one is away.
        on_change: called with the job after each change of it, in the thread that changed it; with None
            after a change of the order.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        queue_size: int,
        client_jobs: int,
        attempts: int,
        elsewhere: bool = False,
        on_change: Callable[[Job | None], None] = lambda job: None,
    ) -> None:
        self.journal, self.queue_size, self.client_jobs, self.attempts = (
            journal,
            queue_size,
            client_jobs,
            attempts,
        )
        self.on_change = on_change
        self._condition = threading.Condition(threading.RLock())
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: deque[str] = deque()
        self._by_name: dict[str, str] = {}
        self._number, self._closed = 0, False
        self._strangers: tuple[dict[str, int], int] = {}, 0
        self._seconds = 1.0  # that a job takes, on the mean of the last ones
        self._recover(elsewhere)

    def _recover(self, elsewhere: bool) -> None:
        """Take up what the last process left: queued jobs wait again, one that ran is begun once more."""
        for values in self.journal.read():
            try:
                job = from_value(Job, values, "the journal")
            except UserError:  # a row of another version
                self.journal.remove([values["id"]] if isinstance(values.get("id"), str) else [])
                continue
            self._add(job)
            self._number = max(self._number, job.number)
            if job.state == RUNNING and elsewhere and job.ticket is not None:
                continue
            if job.state == RUNNING and not self.has_tries(job):
                self._end(job, FAILED, error=DIED.format(job.attempts))
            elif job.state in (QUEUED, RUNNING):
                job.state, job.ticket = QUEUED, job.ticket if elsewhere else None
                self._queue.append(job.id)
                self.journal.write(job.values())

    def has_tries(self, job: Job) -> bool:
        """Whether a job that was interrupted may be begun once more."""
        return job.attempts < self.attempts

    def _add(self, job: Job) -> None:
        self._jobs[job.id] = job
        self._by_name.update({name: job.id for name in job.names.values()})

    def new(self, request: dict[str, Any], owner: str, roles: tuple[str, ...], sid: str | None = None) -> Job:
        """Make a job that is not accepted yet; it has its random names."""
        names = {role: secrets.token_hex(16) for role in roles}
        return Job(secrets.token_hex(16), 0, time.time(), owner, request["method"], request, names, sid)

    def check_room(self, owner: str) -> None:
        """Refuse early, before an upload is read, what accept would refuse.

        Raises:
            QueueFull: the queue is full, this client has many jobs in it, or the server is about to end.
        """
        with self._condition:
            if self._closed:
                raise QueueFull("the server is about to end", 30)
            if len(self._queue) >= self.queue_size:
                raise QueueFull(f"the queue is full ({self.queue_size} jobs)", self._seconds)
            own = sum(self._jobs[one].owner == owner for one in self._queue)
            if own >= self.client_jobs:
                raise QueueFull(f"{own} jobs of yours are waiting; wait for one of them", self._seconds)

    def accept(self, job: Job) -> int:
        """Journal a job and queue it; from then on it ends in a result or a named failure.

        Returns:
            its position, 1 for the next one.
        Raises:
            QueueFull: as check_room.
            CannotWrite: the journal refuses; the job is not accepted.
        """
        with self._condition:
            self.check_room(job.owner)
            self._number += 1
            job.number = self._number
            self.journal.write(job.values())
            self._add(job)
            self._queue.append(job.id)
            self._condition.notify_all()
            position = len(self._queue)
        self.on_change(job)
        return position

    def take(self, seconds: float) -> Job | None:
        """Begin the next job, journaled as running; None where there is none in so many seconds."""
        with self._condition:
            if not self._queue:
                self._condition.wait(seconds)
            if not self._queue:
                return None
            job = self._jobs[self._queue[0]]
            self._begin(job)
        self._tell_begun(job)
        return job

    def begin(self, job: Job) -> None:
        """Begin a job that waits, as take; one that waits no more stays as it is."""
        with self._condition:
            if job.state != QUEUED:
                return
            self._begin(job)
        self._tell_begun(job)

    def _begin(self, job: Job) -> None:
        self._queue.remove(job.id)
        job.state, job.started, job.attempts = RUNNING, time.time(), job.attempts + 1
        self._keep(job)

    def _tell_begun(self, job: Job) -> None:
        self.on_change(None)
        self.on_change(job)

    def wake(self) -> None:
        """Let `take` return at once."""
        with self._condition:
            self._condition.notify_all()

    def progress(self, job: Job, step: int, steps: int, stage: str) -> None:
        """Note how far a running job is; it is not journaled."""
        job.step, job.steps, job.stage = step, steps, stage
        self.on_change(job)

    def finish(self, job: Job, state: str, **ends: Any) -> None:
        """End a job that runs; `ends` are its fields error, card and sizes."""
        with self._condition:
            self._end(job, state, **ends)
            took = job.finished - (job.started or job.finished) if job.finished else 0.0
            self._seconds = 0.8 * self._seconds + 0.2 * took
            self._condition.notify_all()
        self.on_change(job)

    def put_back(self, job: Job, *, was_attempt: bool = False) -> None:
        """Queue a running job again, first: its process ends in order, or died, which was an attempt."""
        with self._condition:
            job.state, job.started, job.ticket = QUEUED, None, None
            job.attempts -= not was_attempt
            self._queue.appendleft(job.id)
            self._keep(job)
        self.on_change(None)
        self.on_change(job)

    def waiting(self) -> list[Job]:
        """The jobs that wait, next first."""
        with self._condition:
            return [self._jobs[one] for one in self._queue]

    def give_ticket(self, job: Job, ticket: str | None) -> bool:
        """Journal a job's ticket, unless it waits no more; whether it does."""
        with self._condition:
            if job.state != QUEUED:
                return False
            job.ticket = ticket
            self.journal.write(job.values())
            return True

    def let_pass(self, before: dict[str, int], in_all: int) -> None:
        """Note how many jobs of other servers wait in the same queue, which positions count.

        Args:
            before: `{id: how many of them are begun before this job}`.
            in_all: how many there are; a job that is not in `before` comes after them.
        """
        if self._strangers != (before, in_all):
            self._strangers = before, in_all
            self.on_change(None)

    def cancel(self, job: Job) -> None:
        """Cancel a job: one that waits at once, one that runs at its next record; an ended one stays."""
        with self._condition:
            if job.state == QUEUED:
                self._queue.remove(job.id)
                self._end(job, CANCELLED)
            elif job.state == RUNNING:
                job.cancel_wanted = True
            self._condition.notify_all()
        self.on_change(None)
        self.on_change(job)

    def expire(self, job: Job, reason: str) -> None:
        """Note that a done job's pictures are gone, and forget what they showed."""
        with self._condition:
            if job.state != DONE:
                return
            job.state, job.reason, job.card, job.sizes = EXPIRED, reason, None, {}
            self._keep(job)
        self.on_change(job)

    def forget(self, *, older_than: float, most: int) -> list[Job]:
        """Drop jobs that ended before a time, and the oldest beyond a number; DONE ones stay."""
        with self._condition:
            over = [job for job in self._jobs.values() if job.is_over and job.state != DONE]
            beyond = over[: max(0, len(over) - most)]
            old = [job for job in over if (job.finished or job.created) < older_than]
            gone = {job.id: job for job in (*beyond, *old)}
            try:
                self.journal.remove(list(gone))
            except CannotWrite:  # on a full disk they stay; the next round tries again
                return []
            for job in gone.values():
                del self._jobs[job.id]
                for name in job.names.values():
                    self._by_name.pop(name, None)
            return list(gone.values())

    def _end(self, job: Job, state: str, **ends: Any) -> None:
        job.state, job.finished, job.request, job.cancel_wanted = state, time.time(), None, False
        if state != FAILED:
            job.warnings = []
        for name, value in ends.items():
            setattr(job, name, value)
        self._keep(job)

    def _keep(self, job: Job) -> None:
        """Journal a change; on a full disk memory alone knows, and a restart would run it again."""
        try:
            self.journal.write(job.values())
        except CannotWrite:
            self.unwritten = True

    unwritten = False  # a change could not be journaled

    def rewrite(self) -> None:
        """Journal everything again after the disk was full."""
        with self._condition:
            if self.unwritten:
                self.unwritten = False
                for job in self._jobs.values():
                    self._keep(job)

    def get(self, job_id: str) -> Job | None:
        """The job of an id, or None."""
        return self._jobs.get(job_id)

    def of_picture(self, name: str) -> tuple[Job, str] | None:
        """(job, role) of a picture's name, or None."""
        job = self._jobs.get(self._by_name.get(name, ""))
        if job is None:
            return None
        return job, next(role for role, own in job.names.items() if own == name)

    def position(self, job: Job) -> int | None:
        """1 for the job that is begun next; None for one that does not wait."""
        with self._condition:
            try:
                if job.state != QUEUED:
                    return None
                before, in_all = self._strangers
                return self._queue.index(job.id) + 1 + before.get(job.id, in_all)
            except ValueError:
                return None

    def wait(self, job: Job, seconds: float) -> bool:
        """Wait for a job's end; whether it has come."""
        with self._condition:
            return self._condition.wait_for(lambda: job.is_over, seconds)

    def listed(self) -> list[Job]:
        """All jobs, oldest first."""
        with self._condition:
            return list(self._jobs.values())

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        states = [job.state for job in self.listed()]
        return {state: states.count(state) for state in STATES}

    @property
    def num_waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._queue)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._queue and not any(job.state == RUNNING for job in self.listed())

    @property
    def is_closed(self) -> bool:
        """Whether no more jobs are accepted."""
        return self._closed

    def close(self) -> None:
        """Accept no more jobs."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
