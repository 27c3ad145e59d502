# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bank of latents split into groups, one for each text, by CLIP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.methods.checks import check_number
from ppstyleclip.methods.mapper.split import SharesRecord, groups_of, text_shares


@dataclass(frozen=True, eq=False)
class SplitResult:
    """Which faces belong to which text.

    Attributes:
        texts: T texts.
        shares: `[N, T]` of each text, as CLIP sees the faces; a row adds up to 1.
        groups: T arrays of the faces' numbers.
    """

    texts: tuple[str, ...]
    shares: np.ndarray
    groups: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class SplitRecord:
    """Progress of a split: `done` of `total` faces; the last record has the result, others None."""

    done: int
    total: int
    result: SplitResult | None


def split_faces(
    editor: Editor,
    faces: np.ndarray,
    texts: Sequence[str],
    *,
    least: float = 0.0,
    templates: str = "plain",
    batch_size: int = 8,
) -> Iterator[SplitRecord]:
    """Sort faces by texts.

    Args:
        editor: of the faces' model.
        faces: `[N, L, D]` or `[N, S]`.
        texts, templates, batch_size: as in text_shares.
        least: a face whose largest share is below it belongs to no text.
    Returns:
        iterator of a SplitRecord for each batch; the last one has the result.
    Raises:
        UserError: at once, as text_shares and groups_of.
    """
    check_number("least", least, most=1.0)
    records = text_shares(
        editor.synthesize, editor.bundle.clip, faces, texts, templates=templates, batch_size=batch_size
    )
    return _collected(records, tuple(texts), least)


def _collected(
    records: Iterator[SharesRecord], texts: tuple[str, ...], least: float
) -> Iterator[SplitRecord]:
    shares = []
    for record in records:
        shares.append(record.shares)
        result = None
        if record.done == record.total:
            found = np.concatenate(shares)
            result = SplitResult(texts, found, tuple(groups_of(found, least)))
        yield SplitRecord(record.done, record.total, result)
