# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The record that every pipeline of this folder yields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ppstyleclip.progress import last

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Record(Generic[Result]):
    """How far some work is.

    Attributes:
        done, total: units of the work, such as steps of fitting and pictures.
        stage: what is being done, such as "latents".
        result: what the work made; only the last record has it.
    """

    done: int
    total: int
    stage: str
    result: Result | None = None


def result_of(records: Iterable[Record[Result]]) -> Result:
    """Run work to its end and return its result.

    Raises:
        ValueError: the last record has none.
    """
    result = last(records).result
    if result is None:
        raise ValueError("the work ended without a result")
    return result
