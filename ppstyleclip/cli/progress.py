# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A progress bar around any generator of records."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from tqdm import tqdm

from ppstyleclip.progress import Record


def show_progress(
    records: Iterable[Record],
    *,
    title: str,
    unit: str = "",
    initial: float = 0,
    describe: Callable[[Any], str] | None = None,
    amount: Callable[[Any], tuple[float, float]] | None = None,
    disable: bool = False,
    **options: Any,
) -> Generator[Record, None, None]:
    """Yield the records and move a bar to each one's `done`; closing this closes the work behind it.

    Args:
        records: a generator of records with `done` and `total`.
        title: stands in front of the bar.
        unit: of `done`, such as " channels".
        initial: what earlier runs have done.
        describe: words behind the bar, of each record.
        amount: (done, total) of each record, where the bar is to count something else.
        disable: show nothing.
        options: more of tqdm's.
    """
    try:
        with tqdm(desc=title, unit=unit, initial=initial, disable=disable, **options) as bar:
            for record in records:
                done, total = (record.done, record.total) if amount is None else amount(record)
                if bar.total != total:
                    bar.total = total
                if describe is not None:
                    bar.set_postfix_str(describe(record), refresh=False)
                bar.update(done - bar.n)
                yield record
    finally:
        close = getattr(records, "close", None)
        if close is not None:
            close()
