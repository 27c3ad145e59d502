# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The server's log: one JSON object a line, without pictures, texts, queries, keys or addresses."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
import warnings
from typing import Any

LOG = logging.getLogger("ppstyleclip.server")
_FRAMES = 12  # of an unexpected error, innermost last


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, event, and what `extra={"fields": {...}}` adds.

    Only this package's own messages are written as they are. Those of other libraries may quote a request; of
    them the logger's name and the kind of error are written.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        own = record.name == LOG.name
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage()
            if own or record.name == "uvicorn.error" and not record.exc_info
            else "library",
        }
        if not own:
            line["logger"] = record.name
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line.update(error_fields(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=True, default=str)


def error_fields(error: BaseException) -> dict[str, Any]:
    """The kind of an error and where it arose; not its message, which may quote what a client sent."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def log(event: str, level: int = logging.INFO, error: BaseException | None = None, **fields: Any) -> None:
    """Write one line."""
    if error is not None:
        fields.update(error_fields(error))
    LOG.log(level, event, extra={"fields": fields})


def configure_logs(level: str = "INFO") -> None:
    """Let everything that this process logs or warns of go to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        one = logging.getLogger(name)
        one.handlers.clear()
        one.propagate = name != "uvicorn.access"  # it quotes queries, in which prompts stand
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    warnings.showwarning = _warned


def _warned(
    message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    where = f"{filename.rpartition('/')[2]}:{lineno}"
    log("warning", logging.WARNING, kind=getattr(category, "__name__", "Warning"), at=where)
