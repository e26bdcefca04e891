"""Waiters: nothing granted is lost, whatever is cancelled when.

The machine below runs random interleavings of puts, gets, cancellations, time-outs and turns of
the loop, and accounts for every item and permit.
"""

import asyncio
import contextvars
import datetime
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.ioloop import gen
from zonda.ioloop.locks import BoundedSemaphore, Condition, Event, Lock, Semaphore
from zonda.ioloop.locks.condition import _return_false
from zonda.ioloop.queues import LifoQueue, PriorityQueue, Queue
from zonda.ioloop.waiters import Waiters, fail_with_timeout, seconds_left

KINDS = [Queue, PriorityQueue, LifoQueue]


async def settle(turns: int = 4) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_getter_cancelled_after_the_grant_gives_the_item_back(
    kind: type[Queue[int]],
) -> None:
    queue = kind()
    task = asyncio.create_task(_get(queue))
    await settle()
    queue.put_nowait(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert queue.get_nowait() == 1


async def _get(queue: Queue[int]) -> int:
    return await queue.get()


async def test_the_item_goes_to_the_next_getter_rather_than_to_the_queue() -> None:
    queue: Queue[int] = Queue()
    first, second = asyncio.create_task(_get(queue)), asyncio.create_task(_get(queue))
    await settle()
    queue.put_nowait(1)
    first.cancel()
    assert await second == 1
    assert queue.empty()
    await asyncio.gather(first, return_exceptions=True)


async def test_an_item_given_back_is_the_next_again() -> None:
    queue: Queue[int] = Queue()
    task = asyncio.create_task(_get(queue))
    await settle()
    for item in (1, 2, 3):
        queue.put_nowait(item)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [queue.get_nowait() for _ in range(3)] == [1, 2, 3]


async def test_an_item_given_back_to_a_full_queue_does_not_let_putters_overfill_it() -> None:
    queue: Queue[int] = Queue(maxsize=1)
    task = asyncio.create_task(_get(queue))
    await settle()
    queue.put_nowait(1)
    queue.put_nowait(2)
    putter = queue.put(3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert queue.qsize() == 2
    assert queue.get_nowait() == 1
    assert queue.qsize() == 1
    assert not putter.done()
    assert queue.get_nowait() == 2
    assert putter.done()
    assert queue.get_nowait() == 3


async def _hold(semaphore: Semaphore | Lock) -> None:
    with await semaphore.acquire():
        pass


async def _hold_async_with(semaphore: Semaphore | Lock) -> None:
    async with semaphore:
        pass


@pytest.mark.parametrize("hold", [_hold, _hold_async_with])
@pytest.mark.parametrize("kind", [Semaphore, BoundedSemaphore, Lock])
async def test_a_permit_survives_the_cancellation_of_its_new_owner(
    kind: Callable[[], Semaphore | Lock], hold: Callable[[Semaphore | Lock], Awaitable[None]]
) -> None:
    semaphore = kind()
    await semaphore.acquire()
    task = asyncio.ensure_future(hold(semaphore))
    await settle()
    semaphore.release()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert semaphore.acquire().done()


async def test_a_coroutine_closed_in_the_line_leaves_it() -> None:
    lock = Lock()
    await lock.acquire()
    entering = lock.__aenter__()
    entering.send(None)
    second = lock.acquire()
    entering.close()
    lock.release()
    assert second.done()


async def test_a_coroutine_closed_after_the_grant_passes_it_on() -> None:
    lock = Lock()
    await lock.acquire()
    entering = lock.__aenter__()
    entering.send(None)
    second = lock.acquire()
    lock.release()
    assert not second.done()
    entering.close()
    assert second.done()


async def test_a_notification_survives_the_cancellation_of_the_notified() -> None:
    condition = Condition()

    async def wait() -> bool:
        return await condition.wait()

    first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
    await settle()
    condition.notify()
    first.cancel()
    assert await second is True
    await asyncio.gather(first, return_exceptions=True)


@pytest.mark.parametrize("look", [False, True])
async def test_time_is_up_between_the_grant_and_its_arrival(look: bool) -> None:
    queue: Queue[int] = Queue()
    waiter = queue.get(datetime.timedelta(hours=1))
    if look:
        waiter.add_done_callback(lambda _: None)
    else:
        task = asyncio.ensure_future(_awaited(waiter))
        await settle()
    queue.put_nowait(1)
    waiter._expired(fail_with_timeout)  # type: ignore[attr-defined]
    await settle()
    if look:
        assert isinstance(waiter.exception(), TimeoutError)
        assert queue.get_nowait() == 1
    else:
        assert await task == 1
    assert queue.empty()


async def test_a_waiter_told_that_its_time_is_up_has_no_notification_to_pass_on() -> None:
    condition = Condition()
    late = condition.wait(datetime.timedelta(hours=1))
    waiting = asyncio.create_task(_notified(late))
    other = condition.wait()
    await settle()
    late._expired(_return_false)  # type: ignore[attr-defined]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not other.done()


async def _notified(waiter: asyncio.Future[bool]) -> bool:
    return await waiter


async def test_a_held_waiter_cancelled_after_the_grant_refuses_it() -> None:
    queue: Queue[int] = Queue()
    waiter = queue.get()
    task = asyncio.create_task(_awaited(waiter))
    await settle()
    queue.put_nowait(1)
    assert not waiter.done()
    assert waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert queue.get_nowait() == 1


async def test_others_keep_what_the_cancelled_one_loses() -> None:
    queue: Queue[int] = Queue()
    waiter = queue.get()
    first, second = (asyncio.create_task(_awaited(waiter)) for _ in range(2))
    await settle()
    queue.put_nowait(1)
    first.cancel()
    assert await second == 1
    assert queue.empty()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_wait_for_and_timeout_lose_nothing() -> None:
    queue: Queue[int] = Queue()

    async def under_timeout() -> int:
        async with asyncio.timeout(60):
            return await queue.get()

    async def under_wait_for() -> int:
        return await asyncio.wait_for(queue.get(), 60)

    for wait in (under_wait_for, under_timeout):
        task = asyncio.create_task(wait())
        await settle()
        queue.put_nowait(1)
        task.cancel()
        result = (await asyncio.gather(task, return_exceptions=True))[0]
        # wait_for of Python 3.11 prefers the result to the cancellation.
        assert result == 1 or queue.get_nowait() == 1
        assert queue.empty()


async def test_a_waiter_nobody_awaits_is_done_at_once() -> None:
    queue: Queue[int] = Queue()
    waiter = queue.get()
    queue.put_nowait(1)
    assert waiter.done()
    assert waiter.result() == 1


async def test_two_awaiters_of_one_waiter_both_get_the_item() -> None:
    queue: Queue[int] = Queue()
    waiter = queue.get()

    async def wait() -> int:
        return await waiter

    tasks = [asyncio.create_task(wait()) for _ in range(2)]
    await settle()
    queue.put_nowait(7)
    assert await asyncio.gather(*tasks) == [7, 7]


async def test_a_grant_reaches_an_ordinary_callback_in_its_context() -> None:
    queue: Queue[int] = Queue()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    seen: list[tuple[int, str]] = []
    waiter = queue.get()
    context = contextvars.copy_context()
    context.run(variable.set, "mine")
    waiter.add_done_callback(lambda f: seen.append((f.result(), variable.get())), context=context)
    queue.put_nowait(5)
    await settle()
    assert seen == [(5, "mine")]


async def test_a_callback_removed_after_the_grant_is_not_called() -> None:
    queue: Queue[int] = Queue()
    seen: list[object] = []
    waiter = queue.get()
    waiter.add_done_callback(seen.append)
    queue.put_nowait(5)
    waiter.remove_done_callback(seen.append)
    await settle()
    assert seen == []
    assert waiter.result() == 5


def test_a_waiter_whose_loop_was_closed_passes_its_grant_on() -> None:
    queue: Queue[int] = Queue()
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Future[int]:
        waiter = queue.get()
        waiter.add_done_callback(lambda f: None)
        return waiter

    loop.run_until_complete(start())
    loop.close()
    queue.put_nowait(1)
    assert queue.get_nowait() == 1


async def test_the_wake_up_takes_no_additional_turn_of_the_loop() -> None:
    queue: Queue[int] = Queue()
    order: list[str] = []

    async def getter() -> None:
        await queue.get()
        order.append("getter")

    task = asyncio.create_task(getter())
    await settle()
    queue.put_nowait(1)
    asyncio.get_running_loop().call_soon(order.append, "later")
    await task
    assert order[0] == "getter"


# -- the line


async def test_the_dead_are_swept_so_that_the_line_stays_bounded() -> None:
    line: Waiters[None] = Waiters()
    alive = [line.wait_for(None) for _ in range(50)]
    for _ in range(10_000):
        line.wait_for(None).cancel()
    assert line.alive() == 50
    assert len(line) <= 2 * 50 + 64 + 1
    assert [waiter for waiter in line if not waiter.done()] == alive


async def test_waits_that_do_not_wait_never_stand_in_the_line() -> None:
    line: Waiters[None] = Waiters()
    for timeout in (0, 0.0, -1, 1, datetime.timedelta(0), datetime.timedelta(seconds=-1)):
        waiter = line.wait_for(None, timeout)
        assert isinstance(waiter.exception(), TimeoutError)
    assert not line


async def test_a_timer_goes_with_its_waiter() -> None:
    line: Waiters[int] = Waiters()
    hour = datetime.timedelta(hours=1)
    granted, cancelled = line.wait_for(None, hour), line.wait_for(None, hour)
    timers = [granted._timer, cancelled._timer]  # type: ignore[attr-defined]
    assert line.popleft().grant(1)
    cancelled.cancel()
    assert all(timer.cancelled() for timer in timers)


@pytest.mark.parametrize("timeout", ["1", object(), 1j])
def test_other_types_are_not_timeouts(timeout: object) -> None:
    with pytest.raises(TypeError, match="number or a timedelta"):
        seconds_left(timeout)  # type: ignore[arg-type]


# -- properties

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put_nowait", "get", "get_nowait", "expiring", "cancel", "turn"]),
        st.integers(0, 7),
    ),
    max_size=60,
)


@given(OPERATIONS, st.sampled_from(KINDS), st.integers(0, 3))
def test_every_item_is_accounted_for(
    operations: list[tuple[str, int]], kind: type[Queue[int]], maxsize: int
) -> None:
    asyncio.run(_account_items(operations, kind(maxsize)))


async def _account_items(operations: list[tuple[str, int]], queue: Queue[int]) -> None:
    items = iter(range(1000))
    accepted: set[int] = set()
    got: list[int] = []
    tasks: deque[asyncio.Task[None]] = deque()

    async def put(item: int) -> None:
        future = queue.put(item)
        try:
            await future
        finally:
            # What the future says counts, not whether the task heard of it.
            if future.done() and not future.cancelled() and future.exception() is None:
                accepted.add(item)

    async def get(timeout: datetime.timedelta | None) -> None:
        try:
            got.append(await queue.get(timeout))
        except TimeoutError:
            pass

    def start(coroutine: object) -> None:
        tasks.append(asyncio.ensure_future(coroutine))  # type: ignore[call-overload]

    for name, number in operations:
        if name == "put":
            start(put(next(items)))
        elif name == "put_nowait":
            item = next(items)
            if not queue.full():
                queue.put_nowait(item)
                accepted.add(item)
        elif name == "get":
            start(get(None))
        elif name == "expiring":
            start(get(datetime.timedelta(microseconds=number)))
        elif name == "get_nowait":
            if not queue.empty():
                got.append(queue.get_nowait())
        elif name == "cancel" and tasks:
            tasks[number % len(tasks)].cancel()
        elif name == "turn":
            await settle(number % 3)
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settle()
    rest = [queue.get_nowait() for _ in range(queue.qsize())]
    assert sorted(got + rest) == sorted(accepted)
    for _ in accepted:
        queue.task_done()
    assert queue.join().done()


async def _awaited(waiter: asyncio.Future[int]) -> int:
    return await waiter


async def _called_back(waiter: asyncio.Future[int]) -> int:
    called = asyncio.Event()
    waiter.add_done_callback(lambda _: called.set())
    await called.wait()
    return waiter.result()


@gen.coroutine
def _yielded(waiter: asyncio.Future[int]) -> Any:
    return (yield waiter)


async def _awaited_by_two(waiter: asyncio.Future[int]) -> int:
    one, _ = await asyncio.gather(_awaited(waiter), _awaited(waiter))
    return one


async def _timed(waiter: asyncio.Future[int]) -> int:
    return await asyncio.wait_for(waiter, 0.0001)


WAYS: list[Callable[[asyncio.Future[int]], Awaitable[int]]] = [
    _awaited,
    _called_back,
    _yielded,
    _awaited_by_two,
    _timed,
]

LOOKS: list[Callable[[asyncio.Future[int]], object]] = [
    lambda waiter: waiter.done(),
    lambda waiter: waiter.cancelled(),
    lambda waiter: waiter.get_loop(),
    lambda waiter: waiter.cancel(),
    lambda waiter: waiter.add_done_callback(lambda _: None),
    lambda waiter: waiter.done() and not waiter.cancelled() and waiter.exception(),
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["get", "expiring", "wait", "look", "put", "race", "cancel", "turn"]),
            st.integers(0, 7),
            st.integers(0, 7),
        ),
        max_size=40,
    )
)
def test_what_a_waiter_says_is_so_in_whatever_way_it_is_waited_for(
    operations: list[tuple[str, int, int]],
) -> None:
    asyncio.run(_account_waiters(operations))


async def _account_waiters(operations: list[tuple[str, int, int]]) -> None:
    queue: Queue[int] = Queue()
    put = 0
    waiters: list[asyncio.Future[int]] = []
    waits: list[tuple[asyncio.Future[int], asyncio.Future[int]]] = []
    for name, number, other in operations:
        if name == "get":
            waiters.append(queue.get())
        elif name == "expiring":
            waiters.append(queue.get(datetime.timedelta(microseconds=100 * number)))
        elif name in ("put", "race"):
            queue.put_nowait(put)
            put += 1
        elif name == "turn":
            await settle(number % 3)
        if name in ("cancel", "race") and waits:
            waits[number % len(waits)][1].cancel()
        elif waiters:
            waiter = waiters[number % len(waiters)]
            if name == "wait":
                wait = WAYS[other % len(WAYS)](waiter)
                waits.append((waiter, asyncio.ensure_future(wait)))
            elif name == "look":
                LOOKS[other % len(LOOKS)](waiter)
    await settle()
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*(task for _, task in waits), return_exceptions=True)
    await settle()
    assert all(waiter.done() for waiter in waiters)
    got = {
        waiter: waiter.result()
        for waiter in waiters
        if not waiter.cancelled() and waiter.exception() is None
    }
    for waiter, task in waits:
        if not task.cancelled() and task.exception() is None:
            assert task.result() == got[waiter]
    rest = [queue.get_nowait() for _ in range(queue.qsize())]
    assert sorted([*got.values(), *rest]) == list(range(put))


@given(OPERATIONS, st.integers(0, 3))
def test_every_permit_is_accounted_for(operations: list[tuple[str, int]], permits: int) -> None:
    asyncio.run(_account_permits(operations, permits))


async def _account_permits(operations: list[tuple[str, int]], permits: int) -> None:
    semaphore = Semaphore(permits)
    inside = 0
    tasks: deque[asyncio.Task[None]] = deque()

    async def hold(number: int, how: str) -> None:
        nonlocal inside
        try:
            if how == "get":
                await semaphore.__aenter__()
            elif how == "put":
                await semaphore.acquire()
            else:
                await semaphore.acquire(datetime.timedelta(microseconds=number))
        except TimeoutError:
            return
        inside += 1
        assert inside <= permits
        try:
            await settle(number % 4)
        finally:
            inside -= 1
            semaphore.release()

    for name, number in operations:
        if name in ("get", "put", "expiring"):
            tasks.append(asyncio.create_task(hold(number, name)))
        elif name == "cancel" and tasks:
            tasks[number % len(tasks)].cancel()
        else:
            await settle(number % 3)
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settle()
    assert inside == 0
    assert semaphore._value == permits


@given(st.lists(st.booleans(), max_size=30))
def test_waiters_are_served_in_order(cancelled: list[bool]) -> None:
    async def main() -> None:
        queue: Queue[int] = Queue()
        order: list[int] = []

        async def get(number: int) -> None:
            await queue.get()
            order.append(number)

        tasks = [asyncio.create_task(get(number)) for number in range(len(cancelled))]
        await settle()
        for task, gone in zip(tasks, cancelled, strict=True):
            if gone:
                task.cancel()
        for number in range(len(cancelled)):
            queue.put_nowait(number)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == [number for number, gone in enumerate(cancelled) if not gone]

    asyncio.run(main())


# -- cost


def _queue() -> tuple[Waiters[int], Callable[[], asyncio.Future[int]], Callable[[], None]]:
    queue: Queue[int] = Queue()
    return queue._getters, queue.get, lambda: queue.put_nowait(1)


def _semaphore() -> tuple[Waiters[Any], Callable[[], asyncio.Future[Any]], Callable[[], None]]:
    semaphore = Semaphore(0)
    return semaphore._waiters, semaphore.acquire, semaphore.release


def _condition() -> tuple[Waiters[bool], Callable[[], asyncio.Future[bool]], Callable[[], None]]:
    condition = Condition()
    return condition._waiters, condition.wait, condition.notify


@pytest.mark.parametrize("make", [_queue, _semaphore, _condition])
async def test_operations_cost_the_same_with_100_000_waiters(
    make: Callable[[], tuple[Waiters[Any], Callable[[], asyncio.Future[Any]], Callable[[], None]]],
) -> None:
    # Counted, not timed: nothing walks the line but a sweep, which moves its next one, and which so
    # few operations must not cause.
    waiters, wait, give = make()
    waiting = [wait() for _ in range(100_000)]
    sweep_at = waiters._sweep_at
    for _ in range(1000):
        wait()
        give()
    assert waiters._sweep_at == sweep_at
    assert len(waiters) == 100_000
    assert [waiter.done() for waiter in waiting[:1001]] == [True] * 1000 + [False]


async def test_100_000_dead_waiters_cost_one_pass() -> None:
    queue: Queue[int] = Queue()
    waiting = [queue.get() for _ in range(100_000)]
    for waiter in waiting:
        waiter.cancel()
    queue.put_nowait(1)
    assert queue.get_nowait() == 1
    assert not queue._getters


async def test_an_event_wakes_all_that_wait() -> None:
    event = Event()
    waiting = [event.wait() for _ in range(100)]
    waiting[3].cancel()
    event.set()
    assert all(waiter.done() for waiter in waiting)
    assert event.wait().done()
