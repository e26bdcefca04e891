import asyncio
import datetime
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop import IOLoop, gen, locks, queues

ExpectLog = Callable[..., Any]
NOW = datetime.timedelta(0)
LONG = datetime.timedelta(minutes=1)


def new_future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


async def turns(count: int = 4) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_in_time() -> None:
    assert await gen.with_timeout(LONG, asyncio.sleep(0, 1)) == 1
    assert await gen.with_timeout(time.time() + 60, gen.sleep(0)) is None
    assert await gen.with_timeout(LONG, [asyncio.sleep(0, 1)]) == [1]
    assert await gen.with_timeout(LONG, gen.moment) is None
    with pytest.raises(ValueError):
        await gen.with_timeout(LONG, gen.coroutine(int)("x"))


async def test_done_already_costs_no_timer() -> None:
    future = new_future()
    future.set_result(1)
    assert gen.with_timeout(NOW, future).result() == 1


@pytest.mark.parametrize(
    ("message", "text"), [(None, "Timeout"), ("too slow", "too slow"), ("", "")]
)
@pytest.mark.parametrize("timeout", [NOW, 0.0, datetime.timedelta(milliseconds=2)])
async def test_too_late(timeout: Any, message: str | None, text: str) -> None:
    future = new_future()
    with pytest.raises(gen.TimeoutError) as caught:
        await gen.with_timeout(timeout, future, message=message)
    assert str(caught.value) == text
    assert isinstance(caught.value, TimeoutError)
    assert not future.done()


async def test_late_exceptions_are_logged(expect_log: ExpectLog) -> None:
    future = new_future()
    with pytest.raises(TimeoutError):
        await gen.with_timeout(NOW, future)
    with expect_log("zonda.application", r"Exception in Future .* after timeout"):
        future.set_exception(ValueError("late"))
        await turns()


@pytest.mark.parametrize("quiet", [ValueError, (KeyError, ValueError)])
async def test_quiet_exceptions(quiet: Any) -> None:
    future = new_future()
    with pytest.raises(TimeoutError):
        await gen.with_timeout(NOW, future, quiet_exceptions=quiet)
    future.set_exception(ValueError("late"))
    await turns()


async def test_cancelled_too_late() -> None:
    future = new_future()
    with pytest.raises(TimeoutError):
        await gen.with_timeout(NOW, future)
    future.cancel()
    await turns()


async def test_executors_future() -> None:
    with futures.ThreadPoolExecutor(1) as pool:
        assert await gen.with_timeout(LONG, pool.submit(abs, -1)) == 1
        with pytest.raises(TimeoutError):
            await gen.with_timeout(NOW, pool.submit(time.sleep, 0.01))


async def test_cancellation_is_passed_on() -> None:
    future = new_future()
    waiting = gen.with_timeout(LONG, future)
    waiting.cancel()
    await turns()
    assert future.cancelled()
    future = new_future()
    waiting = gen.with_timeout(LONG, future)
    future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_timer_goes_with_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = IOLoop.current()
    removed: list[Any] = []
    monkeypatch.setattr(loop, "remove_timeout", removed.append)
    future = new_future()
    waiting = gen.with_timeout(LONG, future)
    future.set_result(None)
    await waiting
    await turns()
    assert len(removed) == 1
    removed[0].cancel()


async def test_others() -> None:
    with pytest.raises(gen.BadYieldError):
        gen.with_timeout(LONG, 42)


SOON = datetime.timedelta(milliseconds=1)


class TestPlacesInLine:
    """What a queue or lock has to give does not go to those who have left."""

    async def test_an_item_is_not_lost(self) -> None:
        queue: queues.Queue[int] = queues.Queue()
        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(SOON, queue.get())
        queue.put_nowait(1)
        assert queue.qsize() == 1
        assert await gen.with_timeout(LONG, queue.get()) == 1

    async def test_a_notification_is_not_lost(self) -> None:
        condition = locks.Condition()
        with pytest.raises(TimeoutError):
            await gen.with_timeout(SOON, condition.wait())
        waiting = condition.wait()
        condition.notify()
        assert await waiting

    async def test_an_item_is_not_lost_by_a_generator(self) -> None:
        queue: queues.Queue[int] = queues.Queue()

        @gen.coroutine
        def get() -> Any:
            yield gen.with_timeout(SOON, queue.get())

        with pytest.raises(gen.TimeoutError):
            await get()
        queue.put_nowait(1)
        assert queue.qsize() == 1

    @pytest.mark.parametrize("kind", [locks.Lock, locks.Semaphore, locks.BoundedSemaphore])
    async def test_a_permit_is_not_lost(self, kind: Callable[[], Any]) -> None:
        lock = kind()
        await lock.acquire()
        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(SOON, lock.acquire())
        lock.release()
        await asyncio.wait_for(lock.acquire(), 5)

    async def test_a_put_that_timed_out_is_not_made(self) -> None:
        queue: queues.Queue[int] = queues.Queue(maxsize=1)
        queue.put_nowait(1)
        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(SOON, queue.put(2))
        assert await queue.get() == 1
        assert queue.empty()

    async def test_who_keeps_the_future_may_wait_again(self) -> None:
        queue: queues.Queue[int] = queues.Queue()
        item = queue.get()
        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(SOON, item)
        queue.put_nowait(1)
        assert await gen.with_timeout(LONG, item) == 1

    async def test_a_coroutine_goes_on(self) -> None:
        queue: queues.Queue[int] = queues.Queue()
        got = new_future()

        async def consume() -> None:
            got.set_result(await queue.get())

        with pytest.raises(gen.TimeoutError):
            await gen.with_timeout(SOON, consume())
        queue.put_nowait(1)
        assert await got == 1
        await turns()


async def test_what_came_in_the_same_turn_came_in_time() -> None:
    future = new_future()
    result = gen.with_timeout(NOW, future)
    # The timer is due in this turn too, and comes first on some loops.
    future.set_result(1)
    assert await result == 1
