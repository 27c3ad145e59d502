# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Jobs on disk: an SQLite file with a row for each, written before anybody is told of a change."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ppstyleclip.errors import CannotWrite
from ppstyleclip.schema import Unreadable, parse_json

_TABLE = "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, number INTEGER NOT NULL, job TEXT NOT NULL)"
_MOST = 2**25  # characters of a row; a card of a photo with many faces is large


class Journal:
    """The rows of one folder's jobs; any thread may call it.

    Args:
        path: of the SQLite file; it is made if need be.
    Raises:
        CannotWrite: it cannot be opened. A file that is damaged is set aside under another name first.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.Lock()
        with _refusals(path):
            try:
                self._connection = self._open()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                path.replace(path.with_suffix(".damaged"))
                self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=10)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")  # texts of a removed job do not stay in free pages
            connection.execute(_TABLE)
        except BaseException:
            connection.close()
            raise
        return connection

    def write(self, values: dict[str, Any]) -> None:
        """Write one job, new or changed; `id` and `number` are among its plain values.

        Raises:
            CannotWrite: the disk is full or refuses.
        """
        row = (values["id"], values["number"], json.dumps(values))
        with self._lock, _refusals(self.path):
            self._connection.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)", row)

    def remove(self, ids: list[str]) -> None:
        """Remove jobs; errors as write."""
        with self._lock, _refusals(self.path):
            self._connection.executemany("DELETE FROM jobs WHERE id = ?", [(one,) for one in ids])

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the jobs in their order; a row that cannot be read is left out."""
        with self._lock:
            rows = self._connection.execute("SELECT job FROM jobs ORDER BY number").fetchall()
        for (text,) in rows:
            with contextlib.suppress(Unreadable):
                values = parse_json(text, most=_MOST)
                if isinstance(values, dict):
                    yield values

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise CannotWrite(f"the journal {path} cannot be written: {error}") from None
