# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A lock has one holder, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ppstyleclip import locks
from ppstyleclip.errors import CannotWrite
from ppstyleclip.locks import acquire, exclusive, try_acquire


def test_one_at_a_time_also_among_threads(tmp_path):
    inside, most = [], []

    def work():
        for _ in range(20):
            with exclusive(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80 and max(most) == 1 and list(tmp_path.iterdir()) == []


def test_who_does_not_want_to_wait_is_told(tmp_path):
    lock = acquire(tmp_path / "lock")
    assert lock.is_real and try_acquire(tmp_path / "lock") is None
    lock.release()
    again = try_acquire(tmp_path / "lock")
    assert again is not None and try_acquire(tmp_path / "lock") is None
    again.release(remove=False)
    assert (tmp_path / "lock").is_file()
    try_acquire(tmp_path / "lock").release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_removed_while_it_was_opened_is_made_anew(tmp_path, monkeypatch):
    """Another process removes the file between opening and locking; who comes then has another file."""
    lock, removed = locks._lock, []

    def slowly(file, wait):
        if not removed:
            removed.append(1)
            (tmp_path / "lock").unlink()
        return lock(file, wait=wait)

    monkeypatch.setattr(locks, "_lock", slowly)
    with exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").is_file() and try_acquire(tmp_path / "lock") is None


def test_a_file_system_without_locks_guards_nothing_and_waits_for_nobody(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(file, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    first, second = acquire(tmp_path / "lock"), acquire(tmp_path / "lock")
    assert not first.is_real and not second.is_real
    first.release()
    second.release()


def test_a_lock_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite, match="cannot write .*lock"):
        try_acquire(tmp_path / "file" / "lock")
    with pytest.raises(CannotWrite, match="cannot write .*lock"):
        acquire(tmp_path / "file" / "lock")


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = "import sys\nfrom ppstyleclip.locks import acquire\nlock = acquire(sys.argv[1])\nprint()\ninput()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    assert try_acquire(tmp_path / "lock") is None
    holder.kill()
    holder.communicate(timeout=30)
    lock = try_acquire(tmp_path / "lock")
    assert lock is not None and lock.is_real
    lock.release()


AS_USER = """
import fcntl, os, sys
from ppstyleclip.locks import acquire
for user in (1001, 1002):
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        acquire(sys.argv[1]).release()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be two users")
def test_one_user_after_another_takes_the_lock_in_a_folder_of_all(open_folder):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    subprocess.run([sys.executable, "-c", AS_USER, str(open_folder / "lock")], env=environment, check=True)
    assert list(open_folder.iterdir()) == []


def test_the_lock_of_windows(tmp_path, monkeypatch):
    tries = []

    class FakeMsvcrt:
        LK_NBLCK = 2

        @staticmethod
        def locking(number, mode, count):
            tries.append((mode, count))
            if len(tries) < 3:
                raise PermissionError("held")

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", FakeMsvcrt)
    monkeypatch.setattr(locks, "_POLL", 0)
    waited = []
    with exclusive(tmp_path / "lock", lambda: waited.append(1)):
        assert tries == [(2, 1)] * 3 and waited == [1]
