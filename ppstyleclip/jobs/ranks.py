# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Processes that paddle.distributed.launch has started together. They signal by empty files in a folder.

No collective is used: rank 0 says when the job is ready, the others say when they have done their share.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ppstyleclip.errors import UserError
from ppstyleclip.files import write_atomic

PATIENCE = 600.0  # seconds that loading the networks may take
_PAUSE = 0.2


@dataclass(frozen=True)
class Ranks:
    """This process among those of one launch.

    Attributes:
        rank, count: 0 <= rank < count; 0 of 1 without launch.
        launch: the same text in all of them, another one for each launch.
        parent: the process that started this one.
    """

    rank: int
    count: int
    launch: str
    parent: int

    def signal(self, folder: Path, word: str) -> None:
        """Leave the signal `word` of this rank."""
        write_atomic(self._place(folder, word, self.rank), b"")

    def wait_for(
        self,
        folder: Path,
        word: str,
        rank: int,
        *,
        news: Callable[[], object] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Wait until `rank` has left its signal.

        Args:
            folder: the shared folder.
            word: the signal.
            rank: whose.
            news: function whose value changes as long as the other processes work.
            patience: seconds without news after which that process counts as dead.
        Raises:
            UserError: launch has ended, or there has been no news for too long.
        """
        last, since = None, time.monotonic()
        while not self._place(folder, word, rank).exists():
            if os.getppid() != self.parent:
                raise UserError(
                    "paddle.distributed.launch has ended before the job was done; start it "
                    "again, what is finished is kept"
                )
            now = None if news is None else news()
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since > patience:
                raise UserError(
                    f"process {rank} of {self.count} has done nothing for {patience:.0f} s; look "
                    f"at its log and start again, what is finished is kept in {folder}"
                )
            time.sleep(_PAUSE)

    def clear_signals(self, folder: Path, everyone: bool = False) -> None:
        """Remove the signals of earlier launches, or of `everyone`."""
        for file in folder.glob(".rank-*") if folder.is_dir() else ():
            if everyone or f"-{self.launch}-" not in file.name:
                file.unlink(missing_ok=True)

    def _place(self, folder: Path, word: str, rank: int) -> Path:
        return Path(folder) / f".rank-{rank}-{self.launch}-{word}"


def single_process() -> Ranks:
    """This process alone."""
    return Ranks(0, 1, "", os.getppid())


def launched_ranks() -> Ranks:
    """Read from the environment which process of a launch this is."""
    count, rank = _number("PADDLE_TRAINERS_NUM", 1), _number("PADDLE_TRAINER_ID", 0)
    if not 0 <= rank < count:
        raise UserError(
            f"PADDLE_TRAINER_ID is {rank} and PADDLE_TRAINERS_NUM {count}; unset both, or start "
            "with python -m paddle.distributed.launch"
        )
    names = [os.environ.get(name, "") for name in ("PADDLE_MASTER", "PADDLE_TRAINER_ENDPOINTS")]
    if os.environ.get("PADDLE_NNODES", "1") == "1":
        names.append(str(os.getppid()))  # one machine: the same launch for all
    launch = hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]
    return Ranks(rank, count, launch, os.getppid())


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default
