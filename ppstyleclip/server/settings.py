# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the operator of a server sets, and where it may stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, SettingsConfigDict

from ppstyleclip.errors import UserError, plain
from ppstyleclip.files import cache_home, read_file
from ppstyleclip.schema import MOST_YAML, Unreadable, parse_yaml
from ppstyleclip.server.keys import parse_key_lines

PREFIX = "PPSTYLECLIP_SERVER_"
QUEUES = ("redis://", "rediss://", "unix://")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_Words = Annotated[tuple[str, ...], NoDecode]


class ServerSettings(BaseSettings):
    """Settings; each may be an environment variable, PPSTYLECLIP_SERVER_NAME, or a line of a YAML file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, protected_namespaces=())

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    root_path: str = Field("", description="path below which a proxy shows the server, such as /faces")
    proxies: str = Field("127.0.0.1", description="addresses of proxies whose X-Forwarded-For is believed")
    data: Path = Field(
        default_factory=lambda: cache_home() / "server", description="folder of journal, uploads and results"
    )
    queue: str | None = Field(
        None,
        description="redis://... of the queue of workers in other processes; default: this process works",
    )
    shared: Path | None = Field(
        None, description="folder of uploads and results that server and workers see; needed with a queue"
    )
    model_type: str | None = Field(None, description="a known model; default: the embedded one")
    bundle: Path | None = Field(None, description="folder of a model of your own")
    mappers: Path | None = Field(None, description="folder with more mappers, NAME.safetensors")
    align: Literal["face", "none"] = Field(
        "face", description="of photos; none for models of what is no face: the square in the middle is taken"
    )
    cpu: bool = Field(False, description="use the CPU even where there is a GPU")
    warm: Literal["draw", "all"] = Field(
        "all", description="what is run once before the server is ready: drawing alone, or every method"
    )
    seed_method: Literal["optimise", "direction"] = Field(
        "optimise", description="what POST /edit does with a prompt; seed 004 optimises"
    )

    queue_size: int = Field(100, ge=1, le=100_000, description="jobs that may wait")
    client_jobs: int = Field(50, ge=1, le=100_000, description="of these, from one key or address")
    attempts: int = Field(2, ge=1, le=10, description="times that a job is begun when the process dies in it")
    worker_seconds: float = Field(
        15, ge=1, le=3600, description="without a sign of life, after which a worker counts as dead"
    )
    job_seconds: float = Field(900, gt=0, le=86_400, description="that a job may run")
    wait_seconds: float = Field(120, gt=0, le=3600, description="that POST /v1/edit waits")
    drain_seconds: float = Field(30, ge=0, le=3600, description="for accepted jobs after SIGTERM")
    max_steps: int = Field(500, ge=1, le=100_000, description="of optimisation or fitting in one job")

    upload_megabytes: float = Field(20, gt=0, le=1000, description="of a request")
    uploads_at_once: int = Field(64, ge=1, le=10_000, description="bodies that are read; beyond: 503")
    upload_seconds: float = Field(60, gt=0, le=3600, description="that a request may take to arrive")
    megapixels: float = Field(25, gt=0, le=80, description="of a photo, looked at before it is decoded")
    keep_seconds: float = Field(3600, gt=0, le=31_536_000, description="that results are kept")
    keep_megabytes: float = Field(1024, gt=0, le=1_000_000, description="of results in all; the oldest go")
    remember_seconds: float = Field(86_400, gt=0, description="that a job's state is told after its end")
    remember_jobs: int = Field(10_000, ge=10, le=1_000_000, description="ended jobs whose state is told")

    api_keys: _Words = Field((), description="NAME:SHA256 of each key; none: the server is open")
    jobs_per_minute: int = Field(120, ge=1, le=1_000_000, description="from one key or address")
    requests_per_minute: int = Field(3000, ge=1, le=10_000_000, description="from one key or address")
    sockets: int = Field(1000, ge=1, le=100_000, description="Socket.IO clients at once")
    connections: int = Field(2000, ge=10, le=100_000, description="connections at once; beyond: 503")
    cors: _Words = Field((), description="origins of web pages that may use the server")
    hosts: _Words = Field((), description="host names that are answered; default: any, or loopback's own")

    @field_validator("api_keys", "cors", "hosts", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("api_keys")
    @classmethod
    def _keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_key_lines(value)
        return value

    @field_validator("cors")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin == "*" or "://" not in origin or origin.rstrip("/").count("/") != 2:
                raise ValueError(f"an origin is scheme://host[:port], got '{origin}'")
        return tuple(origin.rstrip("/") for origin in value)

    @field_validator("queue")
    @classmethod
    def _of_redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(QUEUES):
            raise ValueError(f"a queue's address begins with {', '.join(QUEUES)}")
        return value

    @model_validator(mode="after")
    def _sharing(self) -> ServerSettings:
        if self.queue is not None and self.shared is None:
            raise ValueError("a queue needs 'shared', a folder that server and workers see")
        return self

    @property
    def answered_hosts(self) -> tuple[str, ...]:
        """Host names that are answered; empty for any."""
        if self.hosts or self.host not in LOOPBACK:
            return self.hosts
        return LOOPBACK

    @property
    def upload_bytes(self) -> int:
        """Bytes of a request, at most."""
        return int(self.upload_megabytes * 1e6)


def load_settings(file: str | Path | None = None, **given: Any) -> ServerSettings:
    """Read the settings: what is given comes first, then the environment, then the file, then the defaults.

    Args:
        file: YAML with the fields of ServerSettings; None for no file.
        given: of the command line; None stands for nothing given.
    Raises:
        MissingFile: there is no such file.
        UserError: an unknown setting or a value that cannot be; names it.
    """
    said = {name: value for name, value in given.items() if value is not None}
    in_file = {} if file is None else _read(file)

    class _Sources(ServerSettings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: Any, init_settings: Any, env_settings: Any, **_: Any
        ):
            return init_settings, env_settings, InitSettingsSource(settings_cls, in_file)

    try:
        found = _Sources(**said)
    except ValidationError as error:
        raise UserError(f"settings of the server: {in_words(error)}") from None
    return ServerSettings.model_construct(
        **{name: getattr(found, name) for name in ServerSettings.model_fields}
    )


def _read(file: str | Path) -> dict:
    try:
        values = parse_yaml(read_file(file, MOST_YAML))
    except Unreadable as error:
        raise UserError(f"{file}: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise UserError(f"{file}: it holds no named settings; write lines such as 'queue_size: 20'")
    return values


_OURS = "Value error, "  # what pydantic puts before the words of our own checks


def in_words(error: ValidationError, most: int = 3) -> str:
    """The faults of a validation in one line: field and reason; the values themselves are not repeated."""
    faults = [
        f"{plain('.'.join(map(str, one['loc'])) or 'the request')}: "
        + plain(one["msg"].removeprefix(_OURS), 300)
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = f"; and {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(faults[:most]) + more
