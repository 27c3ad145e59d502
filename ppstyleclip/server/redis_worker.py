# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A worker of a queue in Redis: RQ's SimpleWorker, with the model loaded once and a sign of life of seconds.

RQ brings the next ticket. What it says is data: the worker does its own work with it, and no name in Redis
decides what is run. While it works, a thread shows that it lives and asks whether the job was called off.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Callable

import numpy as np
import redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, StopRequested
from rq.job import Job as Ticket
from rq.utils import now

from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record
from ppstyleclip.schema import from_value
from ppstyleclip.server import redis_link
from ppstyleclip.server.execution import execute
from ppstyleclip.server.jobs import FAILED, QUEUED, End, Task
from ppstyleclip.server.logs import configure_logs, log
from ppstyleclip.server.model import Model, load_model
from ppstyleclip.server.pictures import NAME, PictureStore
from ppstyleclip.server.problems import DISK
from ppstyleclip.server.queues import warm_up
from ppstyleclip.server.redis_link import Said
from ppstyleclip.server.schemas import JobRequest
from ppstyleclip.server.settings import ServerSettings
from ppstyleclip.server.work import Made, run_request, warm_methods

_TTL = 30  # seconds of RQ's own registration; it waits 15 s for a ticket, then looks around
_AGAIN_SECONDS = 0.5
_LAST_SECONDS = 10.0  # that a worker which shall end tries to say how its job ended
_NOT_SHARED = "a worker does not see the pictures of its server; its setting 'shared' is another folder"
_HANGING_SECONDS = 60.0  # past job_seconds, after which a worker gives no sign of life any more


class Heart(threading.Thread):
    """Shows that a worker lives and which ticket it holds, and asks whether that was called off.

    Args:
        settings: ServerSettings.
        mark: of the model.
        name: of the worker.
    """

    def __init__(self, settings: ServerSettings, mark: str, name: str) -> None:
        super().__init__(name="ppstyleclip-heart", daemon=True)
        self._link, self._mark, self.worker = redis_link.connect(settings.queue or ""), mark, name
        self._ttl = int(1000 * settings.worker_seconds / 2)
        self._seconds = min(0.5, settings.worker_seconds / 10)
        self._patience = settings.job_seconds + _HANGING_SECONDS
        self._ticket, self._until, self._beating = "", 0.0, threading.Lock()
        self.is_called_off, self.is_ending = False, threading.Event()

    def run(self) -> None:
        """Beat until the worker ends."""
        is_away = False
        while not self.is_ending.wait(self._seconds):
            try:
                self.beat()
                is_away = False
            except RedisError as error:
                if not is_away:
                    log("queue away", logging.WARNING, kind=type(error).__name__)
                is_away = True

    def beat(self) -> None:
        """Give one sign of life; errors as redis-py."""
        with self._beating:
            ticket = self._ticket
            if ticket and time.monotonic() > self._until:  # a step that never ends counts as death
                return
            with self._link.pipeline(transaction=False) as all_at_once:
                all_at_once.sadd(redis_link.workers_key(self._mark), self.worker)
                all_at_once.set(redis_link.worker_key(self.worker), ticket, px=self._ttl)
                all_at_once.exists(redis_link.off_key(ticket))
                self.is_called_off = bool(ticket) and bool(all_at_once.execute()[-1])

    def hold(self, ticket: str) -> None:
        """Take a ticket; errors as redis-py. An empty one lays it down."""
        with self._beating:
            self._ticket, self._until, self.is_called_off = ticket, time.monotonic() + self._patience, False
        self.beat()

    def stop(self) -> None:
        """Stop, and leave: nobody waits for a sign of life."""
        self.is_ending.set()
        try:
            with self._link.pipeline() as both:
                both.srem(redis_link.workers_key(self._mark), self.worker)
                both.delete(redis_link.worker_key(self.worker))
                both.execute()
        except RedisError:
            pass  # it expires


class Desk:
    """Does tickets' tasks and tells their servers.

    Args:
        settings: ServerSettings with `queue` and `shared`.
        model: Model.
        run: does a request, as work.run_request.
        name: of the worker.
    """

    def __init__(self, settings: ServerSettings, model: Model, run: Any, name: str) -> None:
        self.settings, self.model, self.name, self._run = settings, model, name, run
        self.heart = Heart(settings, redis_link.model_mark(model), name)
        self.link = redis_link.connect(settings.queue or "")
        self.until: float | None = None  # when to lay down what is not done, once it shall end

    def ask_to_end(self, *_: Any) -> None:
        """End after the job, or after drain_seconds; asked again, at its next step."""
        self.until = time.monotonic() + self.settings.drain_seconds if self.until is None else 0.0

    def do(self, ticket: str, values: dict[str, Any]) -> None:
        """Do a ticket's task and tell its server; errors as redis-py before it is begun.

        Raises:
            UserError: the task cannot be read.
        """
        task, server = from_value(Task, values.get("task"), "a task"), values.get("server")
        if not isinstance(server, str) or not NAME.fullmatch(server):
            raise UserError("a task without its server")
        watch = _TicketWatch(self, task, ticket, server)
        try:
            self.heart.hold(ticket)
            watch.say()
            log("started", job=task.id, worker=self.name)
            end = self._end_of(task, server, watch)
            log("ended", job=task.id, state="put back" if end.state == QUEUED else end.state)
            watch.say_surely(end)
        finally:
            try:
                self.heart.hold("")
            except RedisError:
                pass  # the next beat says it

    def _end_of(self, task: Task, server: str, watch: _TicketWatch) -> End:
        folder = Path(self.settings.shared or "") / server
        if not folder.is_dir():  # its server has made it
            log("not shared", logging.ERROR, job=task.id)
            return End(FAILED, _NOT_SHARED)
        try:
            store = PictureStore(folder, self.settings.megapixels)
        except OSError as error:
            log("disk", logging.ERROR, error, job=task.id)
            return End(FAILED, DISK)
        return execute(task, self.model, store, self.settings, self._run, watch)


class _TicketWatch:
    """A ticket's Watch: tells its server, and asks the heart and the desk whether to go on."""

    def __init__(self, desk: Desk, task: Task, ticket: str, server: str) -> None:
        self._desk, self._server = desk, server
        self._said = Said(task.id, ticket, desk.name)

    def say(self, **more: Any) -> None:
        """Tell the server; errors as redis-py."""
        redis_link.say(self._desk.link, self._server, replace(self._said, **more))

    def say_surely(self, end: End) -> None:
        """Tell the server how the job ended, as soon as Redis answers."""
        begin = time.monotonic()
        while True:
            try:
                return self.say(end=end)
            except RedisError as error:
                if self._desk.until is not None and time.monotonic() > begin + _LAST_SECONDS:
                    return log("end not told", logging.WARNING, kind=type(error).__name__)
                time.sleep(_AGAIN_SECONDS)

    def progress(self, step: int, steps: int, stage: str) -> None:
        """As Watch; a step that Redis does not hear of is no loss."""
        try:
            self.say(step=step, steps=steps, stage=stage)
        except RedisError:
            pass

    @property
    def is_cancelled(self) -> bool:
        """As Watch."""
        return self._desk.heart.is_called_off

    @property
    def is_ending(self) -> bool:
        """As Watch."""
        return self._desk.until is not None and time.monotonic() >= self._desk.until


class PictureWorker(SimpleWorker):
    """RQ's worker, which does a Desk's work and nothing that Redis names."""

    max_connection_wait_time = 2.0
    log_result_lifespan = False
    _is_busy = False

    def __init__(self, queues: list[str], *args: Any, desk: Desk, **options: Any) -> None:
        super().__init__(queues, *args, **options)
        self.desk = desk

    def execute_job(self, job: Ticket, queue: Queue) -> None:
        """Do one ticket, with RQ's own records around it."""
        self._is_busy = True
        try:
            execution = self.prepare_execution(job)
            self.prepare_job_execution(job, True)
            job.started_at = now()
            try:
                self.desk.do(job.id, dict(job.kwargs))
            except UserError as error:  # not one of ours; its server, if there is one, will see it lost
                log("task refused", logging.ERROR, error)
            job.ended_at = now()
            try:
                self.handle_job_success(job, queue, queue.started_job_registry, execution)
            except InvalidJobOperation:  # its server has taken the ticket back, or Redis has forgotten it
                self.executions.clear()
        finally:
            self._is_busy = False

    def get_heartbeat_ttl(self, job: Ticket, working_time: float = 0.0) -> int:
        """Seconds for which RQ's registry believes in a job; whether the worker lives, the heart says."""
        return int(self.desk.settings.job_seconds + _HANGING_SECONDS)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Take a signal: an idle worker ends, a busy one when its job has ended or is laid down."""
        self.desk.ask_to_end()
        self._stop_requested = True
        if not self._is_busy:
            raise StopRequested

    def subscribe(self) -> None:
        """Take no commands through Redis."""

    def teardown(self) -> None:
        """Leave RQ's registry, where Redis is there."""
        try:
            super().teardown()
        except RedisError:
            pass


def serve_queue(
    settings: ServerSettings,
    *,
    load: Callable[[ServerSettings], Model] = load_model,
    run: Callable[[Model, JobRequest, np.ndarray | None], Iterator[Record[Made]]] = run_request,
    warm: Callable[[Model, bool], Iterator[Record[Any]]] = warm_methods,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Do the queue's jobs until a signal comes.

    Args:
        settings: ServerSettings with `queue` and `shared`.
        load, run, warm: as in Service.
        announce: called with the worker's name once it takes jobs.
    Raises:
        UserError: the model cannot be loaded, or Redis refuses this access.
    """
    configure_logs()
    redis_link.check_access(redis_link.connect(settings.queue or ""))
    model = load(settings)
    warm_up(model, warm, settings, threading.Event())
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    desk = Desk(settings, model, run, name)
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, desk.ask_to_end)
    desk.heart.start()
    log("ready", worker=name, model=model.editor.bundle.name)
    if announce is not None:
        announce(name)
    try:
        while desk.until is None:
            _work_until_redis_fails(desk, redis_link.connect(settings.queue or ""))
            for one in (signal.SIGTERM, signal.SIGINT):
                signal.signal(one, desk.ask_to_end)  # RQ's are those of a worker that has ended
    except StopRequested:  # a signal between two of RQ's loops
        pass
    finally:
        desk.heart.stop()


def _work_until_redis_fails(desk: Desk, link: redis.Redis) -> None:
    """Let RQ's loop run until it shall end or Redis fails, which the heart logs; wait a little after that."""
    try:
        worker = PictureWorker(
            [redis_link.queue_name(redis_link.model_mark(desk.model))],
            desk=desk,
            connection=link,
            serializer=redis_link.SERIALIZER,
            worker_ttl=_TTL,
            log_job_description=False,
        )
        worker.work(logging_level="ERROR")
    except RedisError:
        pass
    finally:
        link.close()
    if desk.until is None:
        time.sleep(_AGAIN_SECONDS)
