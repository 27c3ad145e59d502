# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What long work yields while it runs.

A function that runs longer than a second is a generator. It yields records, each with `done` and `total`,
and the last record carries the result. The caller shows progress and saves; closing the generator cancels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Progress(Protocol):
    """A record of long work: `done` of `total` units are finished; other attributes are the work's own."""

    @property
    def done(self) -> int:
        """Units that are finished."""

    @property
    def total(self) -> int:
        """Units in all."""


Record = TypeVar("Record", bound=Progress)


def last(records: Iterable[Record]) -> Record:
    """Run long work to its end and return its last record.

    Raises:
        ValueError: the work yielded nothing.
    """
    record = None
    for record in records:  # noqa: B007  the last one counts
        pass
    if record is None:
        raise ValueError("the work yielded no record")
    return record
