# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One thread of the process owns Paddle; every other thread hands it work.

Paddle cannot be used by several threads at once. A trace changes state that all threads share (the default
program, flags, counters of names), and what oneDNN has prepared belongs to the thread that prepared it: a
compiled program that runs in a new thread fails with "could not execute a primitive". Therefore the public
functions of this package that compute with Paddle are decorated with `on_worker`, and any thread may call
them:

    run(function, *args)                 call it on the worker and wait for the result
    submit(function, *args)              the same without waiting: a concurrent.futures.Future
    await wrap_future(submit(...))       in asyncio, with `asyncio.wrap_future`
    @on_worker                           every call of a function or method, and every step of a generator

Handing over costs about 20 microseconds. Calls made on the worker itself run directly, so decorated functions
may call each other. They must not wait for another thread that calls one, because it would wait for them.
Cancelling a Future drops work that has not begun; a call that runs is never broken off, and Ctrl-C waits for
it. Context variables and `paddle.no_grad` hold for what is handed over, `paddle.amp.auto_cast` does not.

Fork: `os.fork` waits until the worker has finished what it is doing. The child gets a worker of its own at
its first call and loads the compiled programs again.

Only this package is protected: a program that calls Paddle in other threads itself must hand that work to the
worker too.
"""

from __future__ import annotations

import atexit
import contextvars
import functools
import os
import queue
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as _FutureTimeout
from typing import Any, TypeVar

Result = TypeVar("Result")
Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_STACK_BYTES = 16 << 20  # tracing recurses deeply, and threads of macOS have 512 kB otherwise
_EXIT_SECONDS = 10.0  # that the end of the process waits for a call that nobody waits for any more
# On Windows a wait without a limit cannot be interrupted by Ctrl-C.
_WAIT_SECONDS = 1.0 if sys.platform == "win32" else None

_worker: _Worker | None = None
_lock = threading.RLock()  # re-entrant, because a destructor may need the worker while it starts
_exiting = False
_forking = threading.local()  # `.release`: the event that lets the paused worker go on


def run(function: Callable[..., Result], *args: Any, timeout: float | None = None, **kwargs: Any) -> Result:
    """Call a function on the worker and wait for its result.

    Args:
        function: what to call with the other arguments. Whether gradients are recorded is as in the caller.
        timeout: seconds; None waits for as long as it takes.
    Returns:
        what the function returns; what it raises is raised here.
    Raises:
        TimeoutError: the call did not end in time. If it had not begun it never will; otherwise it goes on.
    """
    if _runs_directly():
        return function(*args, **kwargs)
    future = _hand_over(function, args, kwargs)
    try:
        return _wait(future, timeout)
    except BaseException as error:
        if future.done():  # the function itself has raised
            raise
        if isinstance(error, _FutureTimeout):
            future.cancel()
            raise TimeoutError(f"Paddle's thread has not answered in {timeout:g} seconds") from None
        if not future.cancel():  # interrupted by Ctrl-C; a running call ends first
            _wait_until_done(future)
        raise
    finally:
        del future  # else an error and its traceback would keep each other alive


def submit(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
    """Hand a call to the worker without waiting; `cancel()` drops it if it has not begun.

    Args:
        function: what to call with the other arguments.
    Returns:
        its Future. On the worker itself the call is made at once and the Future is already done.
    """
    if not _runs_directly():
        return _hand_over(function, args, kwargs)
    future: Future = Future()
    _answer(future, function, args, kwargs)
    return future


def on_worker(function: Decorated) -> Decorated:
    """Decorate a function so that each call runs on the worker.

    If it returns a generator, that is a generator still, of which each step runs on the worker. Between two
    steps other calls have their turn, and closing it closes the original there.

    >>> @on_worker
    ... def thread_name():
    ...     return threading.current_thread().name
    >>> thread_name()
    'ppstyleclip'
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _runs_directly():
            return function(*args, **kwargs)
        result = run(functools.partial(function, *args, **kwargs))
        return _each_step(result) if isinstance(result, types.GeneratorType) else result

    return call  # type: ignore[return-value]


def post(function: Callable[..., Any], *args: Any) -> None:
    """Have the worker call a function some time, without an answer; safe in destructors.

    It does nothing where there is no worker, for then no program is loaded either.
    """
    worker = _worker
    if worker is not None and not _exiting:
        worker.requests.put((None, contextvars.Context(), function, args, {}, None))


def is_worker() -> bool:
    """Whether this thread is the one that owns Paddle."""
    return _worker is not None and _worker.ident == threading.get_ident()


class _Worker:
    """The thread and what it is asked to do.

    Attributes:
        requests: (Future or None, context, function, args, kwargs, whether gradients are recorded or None);
            None ends the thread.
        ident: of the thread.
    """

    def __init__(self) -> None:
        self.requests: queue.SimpleQueue = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._serve, name="ppstyleclip", daemon=True)
        before = threading.stack_size(_STACK_BYTES)
        try:
            self.thread.start()
        finally:
            threading.stack_size(before)
        self.ident = self.thread.ident

    def _serve(self) -> None:
        while True:
            request = self.requests.get()
            if request is None:
                return
            future, context, function, args, kwargs, grad = request
            del request
            future = Future() if future is None else future
            if future.set_running_or_notify_cancel():
                context.run(_answer, future, _with_grad, (grad, function, args, kwargs), {})
            del future, context, function, args, kwargs  # nothing is kept alive until the next request


def _answer(future: Future, function: Callable[..., Any], args: tuple, kwargs: dict) -> None:
    try:
        result = function(*args, **kwargs)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


def _hand_over(function: Callable[..., Any], args: tuple, kwargs: dict) -> Future:
    worker = _worker or _start()
    future: Future = Future()
    worker.requests.put((future, contextvars.copy_context(), function, args, kwargs, _is_grad_enabled()))
    return future


def _start() -> _Worker:
    global _worker
    with _lock:
        if _worker is None:
            _worker = _Worker()
            atexit.register(_stop)
        return _worker


def _runs_directly() -> bool:
    """On the worker, while this thread has paused it for a fork, and when it has ended with the process."""
    worker = _worker
    if worker is not None and worker.ident == threading.get_ident():
        return True
    return _exiting or getattr(_forking, "release", None) is not None


def _wait(future: Future, timeout: float | None) -> Any:
    if timeout is not None or _WAIT_SECONDS is None:
        return future.result(timeout)
    while True:
        try:
            return future.result(_WAIT_SECONDS)
        except _FutureTimeout:
            if future.done():
                raise


def _wait_until_done(future: Future) -> None:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    while not done.wait(1.0):
        pass


def _is_grad_enabled() -> bool | None:
    """Whether this thread records gradients, which Paddle decides for each thread; None if not imported."""
    paddle = sys.modules.get("paddle")
    if paddle is None or getattr(paddle.__spec__, "_initializing", False):  # in another thread, perhaps
        return None
    return paddle.is_grad_enabled()


def _with_grad(grad: bool | None, function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    if grad is None:
        return function(*args, **kwargs)
    with sys.modules["paddle"].set_grad_enabled(grad):
        return function(*args, **kwargs)


def _each_step(iterator: Iterator) -> Iterator:
    """Take each step of a generator on the worker; between steps it keeps its mode for gradients."""
    grad = _is_grad_enabled()

    def step() -> tuple:
        nonlocal grad
        try:
            item = next(iterator)
        except StopIteration as end:  # which no Future can carry into a generator
            return True, end.value
        grad = _is_grad_enabled()
        return False, item

    try:
        while True:
            is_over, item = run(_with_grad, grad, step, (), {})
            if is_over:
                return item
            yield item
    finally:
        run(iterator.close)  # type: ignore[attr-defined]


def _stop() -> None:
    """End the worker before Python is taken apart, for no thread may be inside Paddle then."""
    global _exiting
    worker = _worker
    if worker is not None and not is_worker():
        worker.requests.put(None)
        worker.thread.join(_EXIT_SECONDS)
    _exiting = True


def _before_fork() -> None:
    """Wait until the worker is between two calls, and keep it there."""
    worker = _worker
    if worker is None or _runs_directly() or not worker.thread.is_alive():
        return
    reached, release = threading.Event(), threading.Event()

    def pause() -> None:
        reached.set()
        release.wait()

    worker.requests.put((None, contextvars.Context(), pause, (), {}, None))
    while not reached.wait(1.0) and worker.thread.is_alive():
        pass
    _forking.release = release


def _after_fork_in_parent() -> None:
    release = getattr(_forking, "release", None)
    if release is not None:
        _forking.release = None
        release.set()


def _after_fork_in_child() -> None:
    """The worker does not exist here; its locks and its queue are in an unknown state."""
    global _worker, _lock, _forking
    _worker, _lock, _forking = None, threading.RLock(), threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
