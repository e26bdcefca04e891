import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop.concurrent import (
    FUTURES,
    DummyExecutor,
    Future,
    chain_future,
    dummy_executor,
    future_add_done_callback,
    future_set_exc_info,
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
    is_future,
    run_on_executor,
)

ExpectLog = Callable[..., Any]
AnyFuture = Any


def asyncio_future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


def executors_future() -> "futures.Future[Any]":
    return futures.Future()


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


KINDS = [asyncio_future, executors_future]
both_kinds = pytest.mark.parametrize("make", KINDS)


async def test_is_future() -> None:
    assert Future is asyncio.Future
    assert all(is_future(make()) for make in KINDS)
    assert isinstance(asyncio_future(), FUTURES)
    assert not is_future(asyncio.sleep)
    assert not is_future(None)


class TestDummyExecutor:
    def test_runs_at_once_here(self) -> None:
        def report(a: int, *, b: int) -> tuple[int, int, int]:
            return a, b, threading.get_ident()

        future = dummy_executor.submit(report, 1, b=2)
        assert future.result() == (1, 2, threading.get_ident())

    def test_exceptions(self) -> None:
        assert isinstance(DummyExecutor().submit(int, "x").exception(), ValueError)

    def test_as_an_executor(self) -> None:
        with DummyExecutor() as executor:
            assert list(executor.map(abs, [-1, -2])) == [1, 2]
        executor.shutdown(wait=False, cancel_futures=True)


class Worker:
    def __init__(self, executor: futures.Executor) -> None:
        self.executor = self._other = executor

    @run_on_executor
    def add(self, a: int, b: int = 0) -> int:
        """Text."""
        return a + b

    @run_on_executor(executor="_other")
    def fail(self) -> None:
        raise ValueError("no")

    @run_on_executor()
    def thread(self) -> str:
        return threading.current_thread().name


class TestRunOnExecutor:
    async def test_dummy(self) -> None:
        worker = Worker(dummy_executor)
        assert await worker.add(1, b=2) == 3
        with pytest.raises(ValueError):
            await worker.fail()

    async def test_threads(self) -> None:
        with futures.ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
            worker = Worker(pool)
            assert (await worker.thread()).startswith("mine")
            assert await worker.add(1, 2) == 3
            with pytest.raises(ValueError, match="no"):
                await worker.fail()

    def test_name(self) -> None:
        assert (Worker.add.__name__, Worker.add.__doc__) == ("add", "Text.")

    def test_arguments(self) -> None:
        with pytest.raises(ValueError):
            run_on_executor(1, 2)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="io_loop"):
            run_on_executor(io_loop=None)  # type: ignore[call-overload]


class TestChainFuture:
    @pytest.mark.parametrize("make_a", KINDS)
    @pytest.mark.parametrize("make_b", KINDS)
    @pytest.mark.parametrize("early", [True, False])
    @pytest.mark.parametrize("how", ["result", "exception", "cancel"])
    async def test_copies(
        self, make_a: Callable[[], Any], make_b: Callable[[], Any], early: bool, how: str
    ) -> None:
        a, b = make_a(), make_b()

        def settle() -> None:
            if how == "result":
                a.set_result(1)
            elif how == "exception":
                a.set_exception(ValueError("no"))
            elif a.cancel() and isinstance(a, futures.Future):
                a.set_running_or_notify_cancel()

        if early:
            settle()
        chain_future(a, b)
        if early:
            assert b.done()
        else:
            settle()
            await turns()
        if how == "result":
            assert b.result() == 1
        elif how == "exception":
            with pytest.raises(ValueError):
                b.result()
            assert a.exception() is b.exception()
        else:
            assert b.cancelled()

    @pytest.mark.parametrize("make_a", KINDS)
    @pytest.mark.parametrize("make_b", KINDS)
    async def test_finished_target_is_left_alone(
        self, make_a: Callable[[], Any], make_b: Callable[[], Any]
    ) -> None:
        a, b = make_a(), make_b()
        chain_future(a, b)
        b.set_result("mine")
        a.set_result("other")
        await turns()
        assert b.result() == "mine"

    async def test_from_a_thread(self) -> None:
        with futures.ThreadPoolExecutor(1) as pool:
            for n in range(20):
                result = asyncio_future()
                chain_future(pool.submit(abs, -n), result)
                assert await result == n

    def test_after_the_loop_was_closed(self) -> None:
        loop = asyncio.new_event_loop()
        work: futures.Future[int] = futures.Future()
        result: asyncio.Future[int] = loop.create_future()
        chain_future(work, result)
        loop.close()
        work.set_result(1)
        assert not result.done()


@both_kinds
class TestSetting:
    async def test_result(self, make: Callable[[], AnyFuture]) -> None:
        future, cancelled = make(), make()
        cancelled.cancel()
        future_set_result_unless_cancelled(future, 1)
        future_set_result_unless_cancelled(cancelled, 1)
        assert future.result() == 1
        assert cancelled.cancelled()
        with pytest.raises((asyncio.InvalidStateError, futures.InvalidStateError)):
            future_set_result_unless_cancelled(future, 2)

    async def test_exception(self, make: Callable[[], AnyFuture], expect_log: ExpectLog) -> None:
        future, cancelled = make(), make()
        cancelled.cancel()
        future_set_exception_unless_cancelled(future, ValueError("no"))
        with expect_log("zonda.application", "after Future was cancelled"):
            future_set_exception_unless_cancelled(cancelled, ValueError("no"))
        assert isinstance(future.exception(), ValueError)

    async def test_exc_info(self, make: Callable[[], AnyFuture]) -> None:
        future = make()
        try:
            int("x")
        except ValueError:
            future_set_exc_info(future, sys.exc_info())
        with pytest.raises(ValueError) as caught:
            future.result()
        assert "test_exc_info" in [entry.name for entry in caught.traceback]
        with pytest.raises(ValueError, match="no exception"):
            future_set_exc_info(make(), (None, None, None))

    async def test_done_callback(self, make: Callable[[], AnyFuture]) -> None:
        seen: list[object] = []
        future = make()
        future_add_done_callback(future, seen.append)
        assert seen == []
        future.set_result(1)
        await turns()
        assert seen == [future]
        future_add_done_callback(future, seen.append)
        assert seen == [future, future]
