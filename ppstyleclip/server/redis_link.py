# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a server and its workers say to each other through Redis.

    rq:queue:ppstyleclip-MODEL    RQ's list of tickets, one for each job that waits; MODEL is a digest, so
                                  that only workers with the server's own model and version see its jobs
    rq:job:TICKET                 RQ's record; its task is JSON, and nothing in it names what is run
    ppstyleclip:said:SERVER       stream of what workers say to a server: begun, steps, ended
    ppstyleclip:workers:MODEL     names of workers
    ppstyleclip:worker:NAME       the ticket that a worker holds, or nothing; it expires with its worker
    ppstyleclip:off:TICKET        the job was cancelled, or given to another worker: its worker stops

A ticket is random and given once. What is said of a ticket that the job no longer has is not heard, so that a
worker which was believed dead cannot end a job that another one does.
"""

# No `from __future__ import annotations`: messages are read by the annotations of Said.
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Optional

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.serializers import JSONSerializer

from ppstyleclip import __version__
from ppstyleclip.errors import UserError
from ppstyleclip.schema import from_json
from ppstyleclip.server.jobs import End
from ppstyleclip.server.model import Model

SERIALIZER = JSONSerializer
FUNCTION = "ppstyleclip.server.redis_worker"  # what RQ shows; it is never looked up
_CONNECT_SECONDS, _ANSWER_SECONDS = 3.0, 10.0
_KEPT_SECONDS = 7 * 86_400  # that a server which is away finds what was said
_MOST = 2**25  # characters of a message; a card of a photo with many faces is large


def connect(url: str) -> redis.Redis:
    """A connection to Redis, opened when it is first used; each failure is told at once.

    Raises:
        UserError: the address is none.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except (ValueError, TypeError):
        raise UserError("the queue's address cannot be read; write redis://HOST:PORT/NUMBER") from None


def check_access(link: redis.Redis) -> None:
    """Refuse what waiting would not cure; a Redis that does not answer yet is waited for later.

    Raises:
        UserError: Redis refuses the name or password, or is too old.
    """
    try:
        link.ping()
        version = str(link.info("server").get("redis_version", "0"))
    except (redis.exceptions.AuthenticationError, redis.exceptions.ResponseError) as error:
        raise UserError(
            f"Redis refuses this access ({type(error).__name__}); check the queue's address and password"
        ) from None
    except redis.exceptions.RedisError:
        return
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < (6, 2):
        raise UserError(f"Redis {version} is too old for the queue; it needs 6.2 or later")


def model_mark(model: Model) -> str:
    """A digest of what a worker must have in common with its server: version, model, mappers, alignment."""
    fingerprints = sorted(model.editor.bundle.fingerprints.items())
    own = [__version__, fingerprints, sorted(model.mappers), model.align]
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()[:16]


def queue_name(mark: str) -> str:
    """RQ's name of the queue of a model's jobs."""
    return f"ppstyleclip-{mark}"


def workers_key(mark: str) -> str:
    """Of the set of a model's workers."""
    return f"ppstyleclip:workers:{mark}"


def worker_key(name: str) -> str:
    """Of a worker's sign of life."""
    return f"ppstyleclip:worker:{name}"


def off_key(ticket: str) -> str:
    """Of the wish that a ticket's worker stops."""
    return f"ppstyleclip:off:{ticket}"


def said_key(server: str) -> str:
    """Of the stream of what workers say to a server."""
    return f"ppstyleclip:said:{server}"


@dataclass(frozen=True)
class Said:
    """What a worker says of a ticket.

    Attributes:
        job, ticket, worker: of whom.
        step, steps, stage: how far it is; no steps: it has begun.
        end: how it ended.
    """

    job: str
    ticket: str
    worker: str
    step: int = 0
    steps: int = 0
    stage: str = ""
    end: Optional[End] = None


def say(link: redis.Redis, server: str, said: Said) -> None:
    """Tell a server something; errors as redis-py."""
    with link.pipeline() as both:
        both.xadd(said_key(server), {"said": json.dumps(asdict(said))})
        both.expire(said_key(server), _KEPT_SECONDS)
        both.execute()


def heard(fields: dict[bytes, bytes]) -> Said:
    """What a stream's entry says.

    Raises:
        UserError: it cannot be read.
    """
    return from_json(Said, fields.get(b"said", b""), "what a worker said", most=_MOST)
