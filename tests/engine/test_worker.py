# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The worker: one thread for all calls, results and errors for each caller, time-outs, cancelling, steps."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import CancelledError

import paddle
import pytest
from engine_world import in_threads

from ppstyleclip import worker
from ppstyleclip.worker import on_worker, run, submit

LONG = 30.0  # seconds after which a test has failed


@pytest.fixture
def busy():
    """Keep the worker busy until the event that this gives is set."""
    begun, release = threading.Event(), threading.Event()
    future = submit(lambda: (begun.set(), release.wait(LONG)))
    assert begun.wait(LONG)
    yield release
    release.set()
    future.result(LONG)


def test_all_calls_run_on_one_thread_and_each_caller_gets_its_own_result():
    seen = in_threads(30, lambda k: run(lambda: (k, threading.get_ident())))
    assert [k for k, _ in seen] == list(range(30))
    assert len({ident for _, ident in seen}) == 1
    assert seen[0][1] != threading.get_ident()


def test_an_error_is_raised_in_the_caller_and_the_worker_goes_on():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)
    with pytest.raises(TimeoutError, match="of the function"):
        run(raise_time_out, timeout=LONG)
    with pytest.raises(SystemExit):
        run(exit, 3)
    assert run(int, "7") == 7


def raise_time_out():
    raise TimeoutError("of the function")


def test_calls_of_the_worker_itself_run_at_once():
    assert run(lambda: (worker.is_worker(), run(lambda: run(int, "7")), submit(int, "8").result()))
    assert not worker.is_worker()


def test_a_call_that_has_not_begun_in_time_is_dropped(busy):
    called = []
    with pytest.raises(TimeoutError, match="has not answered in 0.05 seconds"):
        run(called.append, 1, timeout=0.05)
    busy.set()
    run(int)
    assert called == []


def test_a_call_that_runs_when_its_time_is_over_goes_on():
    ended, release = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        run(lambda: (release.wait(LONG), ended.set()), timeout=0.05)
    assert not ended.is_set()
    release.set()
    assert ended.wait(LONG)


def test_a_cancelled_call_is_dropped(busy):
    called = []
    future = submit(called.append, 1)
    assert future.cancel()
    busy.set()
    run(int)
    assert called == []
    with pytest.raises(CancelledError):
        future.result(LONG)


def test_asyncio_tasks_wait_for_it_side_by_side_and_can_be_cancelled(busy):
    called = []

    async def ask(k):
        return await asyncio.wrap_future(submit(lambda: called.append(k) or k))

    async def main():
        tasks = [asyncio.create_task(ask(k)) for k in range(5)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        await asyncio.wait([tasks[3]])
        busy.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    *results, last = asyncio.run(asyncio.wait_for(main(), LONG))
    assert results[:3] == [0, 1, 2] and isinstance(results[3], asyncio.CancelledError) and last == 4
    assert called == [0, 1, 2, 4]


def test_a_decorated_function_runs_on_the_worker_with_every_argument():
    @on_worker
    def describe(first, *, timeout):
        """Its words."""
        return worker.is_worker(), first, timeout

    assert describe(1, timeout=2) == (True, 1, 2)
    assert describe.__name__ == "describe" and describe.__doc__ == "Its words."


def test_each_step_of_a_generator_runs_on_the_worker_and_others_have_their_turn_between():
    closed = []

    @on_worker
    def count():
        try:
            for k in range(3):
                assert worker.is_worker()
                yield k
            return "end"
        finally:
            closed.append(worker.is_worker())

    steps = count()
    assert next(steps) == 0 and run(int, "7") == 7 and list(steps) == [1, 2]
    assert closed == [True]
    again = count()
    next(again)
    again.close()
    assert closed == [True, True]

    def outer():
        return (yield from count())

    steps = outer()
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert end.value.value == "end"


def test_gradients_are_recorded_as_in_the_caller():
    assert run(paddle.is_grad_enabled)
    with paddle.no_grad():
        assert not run(paddle.is_grad_enabled)
    assert run(paddle.is_grad_enabled)


def test_a_generator_keeps_its_own_mode_for_gradients_between_its_steps():
    @on_worker
    def steps():
        with paddle.no_grad():
            yield paddle.is_grad_enabled()
            yield paddle.is_grad_enabled()
        yield paddle.is_grad_enabled()

    modes = []
    for mode in steps():
        modes.append((mode, run(paddle.is_grad_enabled)))
    assert modes == [(False, True), (False, True), (True, True)]


def test_what_a_destructor_posts_is_done_some_time():
    done = threading.Event()
    run(int)
    worker.post(done.set)
    assert done.wait(LONG)


def test_an_interrupt_waits_for_the_call_that_runs(monkeypatch):
    ended = []

    def interrupted(future, timeout):
        while not future.running():
            time.sleep(0.001)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(lambda: (time.sleep(0.1), ended.append(1)))
    assert ended == [1]
