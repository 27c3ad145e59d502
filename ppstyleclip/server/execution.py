# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A job done from its request to its end, by the thread of this process or by a worker elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Callable, Protocol

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.jobs import CANCELLED, DONE, FAILED, QUEUED, End, Task
from ppstyleclip.server.logs import log
from ppstyleclip.server.model import Model
from ppstyleclip.server.pictures import PictureStore
from ppstyleclip.server.problems import DISK, told
from ppstyleclip.server.schemas import JobRequest
from ppstyleclip.server.settings import ServerSettings
from ppstyleclip.server.work import Made, check_request

Run = Callable[[Model, JobRequest, "np.ndarray | None"], Iterator[Record[Made]]]
_NO_MEMORY = "there is not enough memory for this; send a smaller photo"
_INTERNAL = "the server has failed at this job; its log names it"


class Watch(Protocol):
    """What is told of each record, and asked whether to go on."""

    def progress(self, step: int, steps: int, stage: str) -> None:
        """Take note of a record."""

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has cancelled the job."""

    @property
    def is_ending(self) -> bool:
        """Whether the process ends and its patience is over."""


class _Cancelled(Exception):
    """Somebody has cancelled the job."""


class _Ending(Exception):
    """The process ends and its patience is over."""


def execute(
    task: Task, model: Model, store: PictureStore, settings: ServerSettings, run: Run, watch: Watch
) -> End:
    """Do a job; whatever happens, it has an end.

    Args:
        task: Task.
        model: Model.
        store: has its photo, and takes its pictures.
        settings: ServerSettings, for max_steps and job_seconds.
        run: does a request, as work.run_request.
        watch: Watch.
    """
    try:
        return _pictures_of(task, model, store, settings, run, watch)
    except _Cancelled:
        return End(CANCELLED)
    except _Ending:
        return End(QUEUED)
    except UserError as error:
        return End(FAILED, told(error))
    except MemoryError:
        return End(FAILED, _NO_MEMORY)
    except OSError as error:
        log("disk", logging.ERROR, error, job=task.id)
        return End(FAILED, DISK)
    except Exception as error:  # a bug, of which the client needs to know no more
        log("job failed", logging.ERROR, error, job=task.id)
        return End(FAILED, _INTERNAL)


def _pictures_of(
    task: Task, model: Model, store: PictureStore, settings: ServerSettings, run: Run, watch: Watch
) -> End:
    """Work through a job's records and write its pictures."""
    request = JobRequest.model_validate(task.request)
    check_request(model, request, has_photo=task.has_photo, max_steps=settings.max_steps)
    photo = store.load_upload(task.id) if task.has_photo else None
    until, made = time.monotonic() + settings.job_seconds, None
    with closing(run(model, request, photo)) as records:  # type: ignore[type-var]
        for record in records:
            made = record.result
            if watch.is_cancelled:
                raise _Cancelled
            if watch.is_ending and made is None:
                raise _Ending
            if time.monotonic() > until and made is None:
                raise UserError(f"it took longer than {settings.job_seconds:g} s, and was ended")
            watch.progress(record.done, record.total, record.stage)
    if made is None:
        raise UserError("the work ended without a result")
    sizes = {role: store.save(task.names[role], pixels) for role, pixels in made.pictures.items()}
    return End(DONE, sizes=sizes, card=made.card)
