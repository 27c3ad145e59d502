# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How Paddle is started: with every core of the machine, and without its remarks about that.

Paddle fixes its number of threads while it is imported, at one unless OMP_NUM_THREADS says otherwise, and
warns of anything but one. So every command calls `import_paddle()` after it has read its arguments and before
it imports what computes. What the user has set in the environment stays as it is. Processes that
paddle.distributed.launch started on one machine share its cores.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import math
import os
import sys
import warnings
import zlib  # noqa: F401  before Paddle: Paddle 2.6 brings zlib symbols of its own that crash Python's
from pathlib import Path

from ppstyleclip.errors import MissingExtra

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # of glibc's mallopt(3)
_REMARKS = ("WARNING: OMP_NUM_THREADS set to", "PLEASE USE OMP_NUM_THREADS WISELY")


def import_paddle(threads: int | None = None):
    """Import Paddle on all cores and return the module; once it is imported, only return it.

    Args:
        threads: how many instead, where the user has not set OMP_NUM_THREADS.
    Raises:
        MissingExtra: Paddle, or a module that it needs, is not installed.
    """
    if "paddle" in sys.modules:
        return sys.modules["paddle"]
    use_all_cores(threads)
    keep_freed_memory()
    os.environ.setdefault("GLOG_minloglevel", "1")  # no "New Executor is Running" among the tools' words
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No ccache found")
            import paddle
    except ModuleNotFoundError as error:
        if error.name != "paddle":  # Paddle 2.6.2 names setuptools nowhere, and Python 3.12 brings it no more
            raise MissingExtra(
                f"Paddle needs {error.name}, which is not installed; do: pip install {error.name}"
            ) from error
        raise MissingExtra(
            "Paddle is not installed; do: pip install paddlepaddle "
            "(or paddlepaddle-gpu, see paddlepaddle.org.cn)"
        ) from None
    finally:
        sys.stderr.writelines(
            line
            for line in said.getvalue().splitlines(keepends=True)
            if line.strip() and not line.startswith(_REMARKS)
        )
    return paddle


def use_all_cores(threads: int | None = None) -> None:
    """Set, where unset, the environment variables that decide how fast Paddle's CPU arithmetic is.

    Args:
        threads: how many instead of this process's share of the cores.
    """
    if given_threads() is None:
        os.environ["OMP_NUM_THREADS"] = str(threads or max(1, count_cores() // _local_processes()))
    if _is_amd_with_avx2():
        # The MKL inside Paddle takes its slow path on AMD; 5 is its AVX2 path. Twice as fast, measured.
        os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "5")


def given_threads() -> int | None:
    """The number of threads that the user has set in OMP_NUM_THREADS; None where it is unset.

    paddle.distributed.launch imports Paddle, which sets the variable to 1 for the processes that it starts;
    only what was in launch's own environment comes from the user.
    """
    text = os.environ.get("OMP_NUM_THREADS", "")
    if not text.isdigit() or text == "1" and _is_launched() and not _parent_was_given("OMP_NUM_THREADS"):
        return None
    return int(text) or None


def thread_count() -> int:
    """The number of threads of this process, once Paddle is imported, which takes one for anything unset."""
    return given_threads() or 1


def _is_launched() -> bool:
    return "PADDLE_LOCAL_SIZE" in os.environ


def _local_processes() -> int:
    """Processes that paddle.distributed.launch has started on this machine; 1 without it."""
    text = os.environ.get("PADDLE_LOCAL_SIZE", "")
    return max(1, int(text)) if text.isdigit() else 1


def _parent_was_given(name: str) -> bool:
    """Whether the parent process was started with an environment variable; False where nothing tells."""
    try:
        environment = Path(f"/proc/{os.getppid()}/environ").read_bytes()
    except OSError:
        return False
    return any(entry.startswith(f"{name}=".encode()) for entry in environment.split(b"\0"))


def keep_freed_memory() -> None:
    """Tell glibc to keep what is freed for the next allocation; elsewhere do nothing.

    Every eager operation allocates its result. Large results would be mapped, faulted in and given back each
    time, which costs elementwise operations five to ten times what they compute. Threads other than the main
    one, such as the worker that owns Paddle, have arenas of their own that give memory back all the same; so
    all threads share the main one.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_ARENA_MAX, 1)


def count_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its container if there is one."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, int(min(cores, _container_quota())))


def _container_quota() -> float:
    """Cores that the control group grants, rounded up; infinity without a limit or a control group."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return math.inf if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return math.inf


def _is_amd_with_avx2() -> bool:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            first_core = lines.read(4096)
    except OSError:
        return False
    return "AuthenticAMD" in first_core and "avx2" in first_core
