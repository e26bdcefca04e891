"""Condition, Event, Semaphore, BoundedSemaphore and Lock as their users see them.

What happens to waiters that are cancelled or late is in test_waiters.
"""

import asyncio
import datetime
import re
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from zonda.ioloop import gen
from zonda.ioloop.locks import BoundedSemaphore, Condition, Event, Lock, Semaphore
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.testing import JumpingLoop

SOON = datetime.timedelta(milliseconds=5)
NEVER = datetime.timedelta(hours=1)


def failing() -> dict[str, Callable[[Any], "asyncio.Future[Any]"]]:
    """Waits that nobody ends, by what they do when time is up."""
    return {
        "Event": lambda timeout: Event().wait(timeout),
        "Semaphore": lambda timeout: Semaphore(0).acquire(timeout),
        "BoundedSemaphore": lambda timeout: BoundedSemaphore(0).acquire(timeout),
        "Lock": lambda timeout: _locked().acquire(timeout),
        "Condition": lambda timeout: Condition().wait(timeout),
    }


def _locked() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@pytest.mark.parametrize("name", failing())
@pytest.mark.parametrize("kind", ["timedelta", "deadline", "zero", "past"])
async def test_timeouts(name: str, kind: str) -> None:
    timeouts: dict[str, float | datetime.timedelta] = {
        "timedelta": SOON,
        "deadline": IOLoop.current().time() + 0.05,
        "zero": 0,
        "past": IOLoop.current().time() - 100,
    }
    timeout = timeouts[kind]
    waiter = failing()[name](timeout)
    # Not to wait is known at once; else it takes the loop.
    assert waiter.done() is (kind in ("zero", "past"))
    if name == "Condition":
        assert await waiter is False
    else:
        with pytest.raises(TimeoutError):
            await waiter


async def test_a_plain_number_is_a_deadline_on_the_loops_clock() -> None:
    # Seconds since the epoch: 5 was long ago.
    assert Event().wait(5).exception() is not None


@pytest.mark.parametrize("kind", ["timedelta", "deadline"])
def test_timeouts_take_their_time(kind: str) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        hour = 3600.0
        timeout = (
            datetime.timedelta(hours=1) if kind == "timedelta" else IOLoop.current().time() + hour
        )
        with pytest.raises(TimeoutError):
            await Event().wait(timeout)
        return loop.time()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        assert runner.run(main()) == pytest.approx(3600, abs=5)


@pytest.mark.parametrize("timeout", [None, NEVER])
async def test_what_comes_in_time_is_no_timeout(timeout: datetime.timedelta | None) -> None:
    event, semaphore, condition = Event(), Semaphore(0), Condition()
    waits = event.wait(timeout), semaphore.acquire(timeout), condition.wait(timeout)
    event.set()
    semaphore.release()
    condition.notify()
    nothing, permit, notified = await asyncio.gather(*waits)
    assert (nothing, notified) == (None, True)
    with permit:
        assert semaphore.acquire(0).exception() is not None


# -- Event


async def test_event() -> None:
    event = Event()
    assert not event.is_set()
    assert repr(event) == "<Event clear>"
    waiter = event.wait()
    event.set()
    event.set()
    assert event.is_set()
    assert repr(event) == "<Event set>"
    assert waiter.done()
    assert event.wait(0).done()
    event.clear()
    assert not event.wait().done()


# -- Condition


async def test_notify_wakes_those_who_waited_longest() -> None:
    condition = Condition()
    waits = [condition.wait() for _ in range(5)]
    assert repr(condition) == "<Condition waiters[5]>"
    condition.notify()
    condition.notify(2)
    assert [waiter.done() for waiter in waits] == [True] * 3 + [False] * 2
    waits[3].cancel()
    condition.notify_all()
    condition.notify(3)
    assert waits[4].result() is True
    assert repr(condition) == "<Condition>"
    late = condition.wait()
    assert not late.done()


async def test_notify_skips_those_who_gave_up() -> None:
    condition = Condition()
    late, cancelled, patient = condition.wait(SOON), condition.wait(), condition.wait()
    assert await late is False
    cancelled.cancel()
    condition.notify()
    assert patient.result() is True


# -- Semaphore


@pytest.mark.parametrize("kind", [Semaphore, BoundedSemaphore])
async def test_permits(kind: type[Semaphore]) -> None:
    semaphore = kind(2)
    first, second, third = (semaphore.acquire() for _ in range(3))
    assert (first.done(), second.done(), third.done()) == (True, True, False)
    semaphore.release()
    assert third.done()
    # Handed over: it was never free for somebody else.
    assert semaphore.acquire(0).exception() is not None
    semaphore.release()
    semaphore.release()
    assert semaphore.acquire().done()


@pytest.mark.parametrize(
    ("value", "waiting", "state"),
    [(2, 0, "unlocked,value:2"), (0, 0, "locked"), (0, 2, "locked,waiters:2")],
)
@pytest.mark.parametrize("kind", [Semaphore, BoundedSemaphore])
async def test_repr(kind: type[Semaphore], value: int, waiting: int, state: str) -> None:
    semaphore = kind(value)
    waits = [semaphore.acquire() for _ in range(waiting)]
    assert re.fullmatch(rf"<.*{kind.__name__} object at 0x\w+ \[{state}\]>", repr(semaphore))
    del waits


@pytest.mark.parametrize("kind", [Semaphore, BoundedSemaphore])
def test_negative_permits_are_refused(kind: type[Semaphore]) -> None:
    with pytest.raises(ValueError, match="-1 permits"):
        kind(-1)


async def test_a_bounded_semaphore_cannot_be_released_too_often() -> None:
    semaphore = BoundedSemaphore(1)
    with pytest.raises(ValueError, match="more often"):
        semaphore.release()
    await semaphore.acquire()
    semaphore.release()
    with pytest.raises(ValueError, match="more often"):
        semaphore.release()
    unbounded = Semaphore(0)
    unbounded.release()
    assert unbounded.acquire().done()


# -- Lock


async def test_lock() -> None:
    lock = Lock()
    with pytest.raises(RuntimeError, match="unlocked"):
        lock.release()
    await lock.acquire()
    second = lock.acquire()
    assert not second.done()
    lock.release()
    await second
    lock.release()
    assert repr(lock).startswith("<Lock _block=<")
    assert isinstance(lock._block, BoundedSemaphore)


# -- context managers

LOCKS = pytest.mark.parametrize("kind", [Semaphore, BoundedSemaphore, Lock])


@LOCKS
async def test_async_with(kind: Callable[[], Semaphore | Lock]) -> None:
    lock = kind()
    async with lock as value:
        assert value is None
        assert lock.acquire(0).exception() is not None
    with pytest.raises(KeyError):
        async with lock:
            raise KeyError
    order: list[int] = []

    async def enter(number: int) -> None:
        async with lock as nothing:
            assert nothing is None
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(enter(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert lock.acquire().done()


@LOCKS
async def test_with_the_result_of_acquire(kind: Callable[[], Semaphore | Lock]) -> None:
    lock = kind()
    with await lock.acquire() as value:
        assert value is None
        waiting = lock.acquire()
        assert not waiting.done()
    with await waiting:
        assert lock.acquire(0).exception() is not None
    with pytest.raises(KeyError), await lock.acquire():
        raise KeyError
    assert lock.acquire().done()


@LOCKS
async def test_in_a_generator_coroutine(kind: Callable[[], Semaphore | Lock]) -> None:
    lock = kind()

    @gen.coroutine
    def enter() -> Generator[Any, Any, str]:
        with (yield lock.acquire()):
            yield gen.moment
        return "left"

    assert list(await asyncio.gather(enter(), enter())) == ["left"] * 2


@LOCKS
async def test_a_generator_coroutine_cancelled_after_the_grant(
    kind: Callable[[], Semaphore | Lock],
) -> None:
    lock = kind()
    await lock.acquire()

    @gen.coroutine
    def enter() -> Generator[Any, Any, None]:
        with (yield lock.acquire()):
            pass

    entering = enter()
    await asyncio.sleep(0)
    lock.release()
    entering.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert lock.acquire().done()


@LOCKS
def test_plain_with_is_an_error(kind: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match="needs 'async with'"), kind():
        pass


@LOCKS
async def test_a_subclass_hears_of_every_acquire(kind: Any) -> None:
    class Counting(kind):  # type: ignore[misc]
        count = 0

        def acquire(self, timeout: Any = None) -> Any:
            self.count += 1
            return super().acquire(timeout)

    lock = Counting()
    async with lock:
        pass
    with await lock.acquire():
        pass
    assert lock.count == 2


async def test_exit_stacks() -> None:
    import contextlib  # noqa: PLC0415 - only here

    lock = Lock()
    manager: AbstractAsyncContextManager[None] = lock
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(manager)
        assert lock.acquire(0).exception() is not None
    assert lock.acquire().done()


async def test_what_async_with_calls_are_coroutines() -> None:
    lock = Lock()
    await asyncio.create_task(lock.__aenter__())
    assert lock.acquire(0).exception() is not None
    await asyncio.wait_for(lock.__aexit__(None, None, None), 5)
    entering = lock.__aenter__()
    with pytest.raises(KeyError):
        entering.throw(KeyError())
    entering.close()


def test_one_lock_may_serve_several_loops_in_turn() -> None:
    lock = Lock()

    async def use() -> None:
        async with lock:
            waiting = asyncio.ensure_future(lock.acquire())
            await asyncio.sleep(0)
        with await waiting:
            pass
        with await lock.acquire():
            pass

    for _ in range(3):
        asyncio.run(use())
