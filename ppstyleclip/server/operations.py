# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""For who runs the server: is it alive, is it ready, which version, and figures for Prometheus."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse

from ppstyleclip import __version__
from ppstyleclip.server.answers import PROBLEMS, service_of
from ppstyleclip.server.jobs import STATES
from ppstyleclip.server.service import Service

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: PROBLEMS[503]})
async def readyz(request: Request) -> dict[str, str]:
    """The model is loaded and warm, and jobs are accepted."""
    service = service_of(request)
    if service.is_ready:
        return {"status": "ready"}
    words = "it is about to end" if service.jobs.is_closed else "the model is being loaded"
    if service.model is not None and service.queue.trouble:
        words = service.queue.trouble
    raise HTTPException(503, "the model cannot be loaded; see the log" if service.failure else words)


@router.get("/version")
async def version() -> dict[str, str]:
    """The package's version."""
    return {"ppstyleclip": __version__}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Figures in Prometheus' text format."""
    service, answers = service_of(request), request.app.state.answers
    lines = _of_jobs(service)
    lines += [
        "# HELP ppstyleclip_answers_total Answers by status.",
        "# TYPE ppstyleclip_answers_total counter",
    ]
    lines += [
        f'ppstyleclip_answers_total{{status="{status}"}} {count}' for status, count in sorted(answers.items())
    ]
    if (resident := _resident_bytes()) is not None:
        lines += ["# TYPE process_resident_memory_bytes gauge", f"process_resident_memory_bytes {resident}"]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _of_jobs(service: Service) -> list[str]:
    counts = service.jobs.counts()
    stored = sum(job.bytes for job in service.jobs.listed())
    lines = ["# HELP ppstyleclip_jobs Known jobs by state.", "# TYPE ppstyleclip_jobs gauge"]
    lines += [f'ppstyleclip_jobs{{state="{state}"}} {counts[state]}' for state in STATES]
    lines += [
        "# HELP ppstyleclip_jobs_ended_total Jobs that ended.",
        "# TYPE ppstyleclip_jobs_ended_total counter",
    ]
    for (method, state), count in sorted(service.ended.items()):
        lines.append(f'ppstyleclip_jobs_ended_total{{method="{method}",state="{state}"}} {count}')
    lines += [
        "# HELP ppstyleclip_job_seconds_total Time in jobs.",
        "# TYPE ppstyleclip_job_seconds_total counter",
    ]
    for method, seconds in sorted(service.seconds.items()):
        lines.append(f'ppstyleclip_job_seconds_total{{method="{method}"}} {seconds:.3f}')
    lines += ["# TYPE ppstyleclip_workers gauge", f"ppstyleclip_workers {service.queue.num_workers}"]
    lines += ["# TYPE ppstyleclip_result_bytes gauge", f"ppstyleclip_result_bytes {stored}"]
    return [*lines, "# TYPE ppstyleclip_ready gauge", f"ppstyleclip_ready {int(service.is_ready)}"]


def _resident_bytes() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
