# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""API keys: 256 random bits, of which the server keeps the SHA-256 alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping

_LINE = re.compile(r"([A-Za-z0-9_.-]{1,40}):([0-9a-f]{64})")
_LONGEST = 200  # characters of a key that is looked at


def new_key(name: str) -> tuple[str, str]:
    """Make a key.

    Returns:
        (the key, which its user keeps; the line `NAME:SHA256`, which goes into the server's settings).
    Raises:
        ValueError: the name is none.
    """
    key = secrets.token_urlsafe(32)
    line = f"{name}:{_digest(key)}"
    parse_key_lines([line])
    return key, line


def parse_key_lines(lines: Iterable[str]) -> dict[str, str]:
    """Read `NAME:SHA256` lines, `{name: digest}`.

    Raises:
        ValueError: a line is something else, or a name stands twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(
                f"key {number} is not NAME:SHA256; make one with: ppstyleclip serve --new_key NAME"
            )
        if match[1] in found:
            raise ValueError(f"two keys are called '{match[1]}'")
        found[match[1]] = match[2]
    return found


def holder_of(key: str | None, digests: Mapping[str, str]) -> str | None:
    """The name of the key's holder; None for no key, or one that is unknown.

    Every known digest is compared, each in constant time.
    """
    if not key or len(key) > _LONGEST:
        return None
    given, holder = _digest(key), None
    for name, digest in digests.items():
        if hmac.compare_digest(given, digest):
            holder = name
    return holder


def key_in(headers: Mapping[str, str]) -> str | None:
    """The key that a request shows: `Authorization: Bearer KEY` or `X-API-Key: KEY`."""
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else headers.get("x-api-key")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
