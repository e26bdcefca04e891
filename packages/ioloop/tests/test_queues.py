"""Queue, PriorityQueue and LifoQueue as their users see them.

What happens to waiters that are cancelled or late is in test_waiters.
"""

import asyncio
import datetime
import re
from collections.abc import Callable, Generator
from typing import Any

import pytest

from zonda.ioloop import gen
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.queues import LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull

SOON = datetime.timedelta(milliseconds=5)
NEVER = datetime.timedelta(hours=1)

ORDERS: dict[type[Queue[Any]], list[int]] = {
    Queue: [3, 1, 2],
    PriorityQueue: [1, 2, 3],
    LifoQueue: [2, 1, 3],
}
KINDS = pytest.mark.parametrize("kind", ORDERS)


@KINDS
async def test_order(kind: type[Queue[Any]]) -> None:
    queue = kind()
    for item in (3, 1, 2):
        queue.put_nowait(item)
    assert queue.qsize() == 3
    assert [await queue.get() for _ in range(3)] == ORDERS[kind]
    assert queue.empty()


@KINDS
async def test_a_full_queue_takes_in_those_who_wait_as_room_comes(kind: type[Queue[Any]]) -> None:
    queue = kind(maxsize=1)
    puts = [queue.put(item) for item in (3, 1, 2)]
    assert [put.done() for put in puts] == [True, False, False]
    assert queue.full()
    got = []
    for turn in range(3):
        got.append(queue.get_nowait())
        assert [put.done() for put in puts] == [n <= turn + 1 for n in range(3)]
    # One comes in before one goes out, so that the order among them is the queue's.
    assert got == ([3, 1, 2] if kind is Queue else [1, 2, 3])


@KINDS
async def test_getters_are_served_in_order(kind: type[Queue[int]]) -> None:
    queue = kind()
    gets = [queue.get() for _ in range(3)]
    for item in (3, 1, 2):
        await queue.put(item)
    assert [get.result() for get in gets] == [3, 1, 2]
    assert queue.empty()


@pytest.mark.parametrize(
    ("maxsize", "error"), [(None, TypeError), (-1, ValueError), ("x", TypeError)]
)
def test_sizes_that_are_none(maxsize: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Queue(maxsize)


def test_sizes() -> None:
    assert Queue().maxsize == 0
    assert not Queue(0).full()
    queue: Queue[int] = Queue(2)
    assert queue.maxsize == 2
    assert (queue.empty(), queue.full()) == (True, False)
    queue.put_nowait(1)
    assert (queue.empty(), queue.full()) == (False, False)
    queue.put_nowait(1)
    assert (queue.empty(), queue.full()) == (False, True)
    with pytest.raises(QueueFull):
        queue.put_nowait(1)
    with pytest.raises(QueueEmpty):
        Queue().get_nowait()


@pytest.mark.parametrize("kind", ["timedelta", "deadline", "zero", "past"])
@pytest.mark.parametrize("wait", ["get", "put", "join"])
async def test_timeouts(kind: str, wait: str) -> None:
    timeouts: dict[str, float | datetime.timedelta] = {
        "timedelta": SOON,
        "deadline": IOLoop.current().time() + 0.005,
        "zero": 0,
        "past": 1,
    }
    timeout = timeouts[kind]
    queue: Queue[int] = Queue(maxsize=1)
    if wait == "get":
        future: asyncio.Future[Any] = queue.get(timeout)
    else:
        queue.put_nowait(1)
        future = queue.put(2, timeout) if wait == "put" else queue.join(timeout)
    assert future.done() is (kind in ("zero", "past"))
    with pytest.raises(TimeoutError):
        await future
    # Whoever gave up neither takes nor leaves anything.
    if wait == "get":
        queue.put_nowait(1)
    assert queue.get_nowait() == 1
    assert queue.empty()


async def test_what_is_possible_is_no_timeout() -> None:
    queue: Queue[int] = Queue()
    await queue.put(1, timeout=0)
    assert await queue.get(timeout=0) == 1
    queue.task_done()
    await queue.join(timeout=0)
    getting = queue.get(NEVER)
    queue.put_nowait(2)
    assert await getting == 2


async def test_join_waits_for_task_done() -> None:
    queue: Queue[int] = Queue(maxsize=1)
    assert queue.join().done()
    with pytest.raises(ValueError, match="more often"):
        queue.task_done()
    first, second = queue.put(1), queue.put(2)
    joining = queue.join()
    assert queue.get_nowait() == 1
    queue.task_done()
    assert not joining.done()
    assert queue.get_nowait() == 2
    queue.task_done()
    assert joining.done()
    assert first.done()
    assert second.done()
    with pytest.raises(ValueError, match="more often"):
        queue.task_done()


async def test_an_item_handed_to_a_getter_is_a_task_too() -> None:
    queue: Queue[int] = Queue()
    getting = queue.get()
    queue.put_nowait(1)
    assert not queue.join().done()
    assert await getting == 1
    queue.task_done()
    assert queue.join().done()


@KINDS
async def test_producers_and_consumers(kind: type[Queue[int]]) -> None:
    queue = kind(maxsize=3)
    seen: list[int] = []

    async def consume() -> None:
        async for item in queue:
            seen.append(item)
            await asyncio.sleep(0)
            queue.task_done()

    async def produce(start: int) -> None:
        for item in range(start, start + 50):
            await queue.put(item)

    consumers = [asyncio.create_task(consume()) for _ in range(3)]
    await asyncio.gather(*(produce(start) for start in (0, 50, 100)))
    await queue.join()
    for consumer in consumers:
        consumer.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    assert sorted(seen) == list(range(150))


async def test_in_generator_coroutines() -> None:
    queue: Queue[int] = Queue(maxsize=1)

    @gen.coroutine
    def produce() -> Generator[Any, Any, None]:
        for item in range(5):
            yield queue.put(item)

    @gen.coroutine
    def consume() -> Generator[Any, Any, list[int]]:
        items = []
        for _ in range(5):
            items.append((yield queue.get()))
        return items

    assert (await asyncio.gather(consume(), produce()))[0] == [0, 1, 2, 3, 4]


async def test_a_generator_coroutine_cancelled_after_the_grant_gives_the_item_back() -> None:
    queue: Queue[int] = Queue()

    @gen.coroutine
    def consume() -> Generator[Any, Any, int]:
        item: int = yield queue.get()
        return item

    consuming = consume()
    await asyncio.sleep(0)
    queue.put_nowait(1)
    consuming.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert queue.get_nowait() == 1


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (lambda q: None, "maxsize=2"),
        (lambda q: q.put_nowait(1), r"maxsize=2 queue=deque\(\[1\]\) tasks=1"),
        (lambda q: (q.get(), q.get()), r"maxsize=2 getters\[2\]"),
        (
            lambda q: [q.put(n) for n in range(3)],
            r"maxsize=2 queue=deque\(\[0, 1\]\) putters\[1\] tasks=2",
        ),
    ],
)
async def test_repr(prepare: Callable[[Queue[int]], object], text: str) -> None:
    queue: Queue[int] = Queue(2)
    kept = prepare(queue)
    assert re.fullmatch(rf"<Queue at 0x\w+ {text}>", repr(queue))
    assert re.fullmatch(rf"<Queue {text}>", str(queue))
    del kept


async def test_a_subclass_keeps_items_its_own_way() -> None:
    class Distinct(Queue[int]):
        """Items once each, doubled on their way in."""

        def _init(self) -> None:
            self._queue: dict[int, None] = {}

        def _put(self, item: int) -> None:
            self._queue[item * 2] = None

        def _get(self) -> int:
            item = next(iter(self._queue))
            del self._queue[item]
            return item

    queue = Distinct()
    for item in (1, 1, 2):
        queue.put_nowait(item)
    assert [queue.get_nowait(), queue.get_nowait()] == [2, 4]
    getting = queue.get()
    queue.put_nowait(5)
    assert await getting == 10


async def test_a_subclass_hears_of_every_get() -> None:
    class Counting(Queue[int]):
        count = 0

        def get(self, timeout: Any = None) -> "asyncio.Future[int]":
            self.count += 1
            return super().get(timeout)

    queue = Counting()
    queue.put_nowait(1)
    async for _ in queue:
        break
    assert queue.count == 1


async def test_items_that_cannot_be_compared_leave_the_queue_countable() -> None:
    queue: PriorityQueue[Any] = PriorityQueue()
    queue.put_nowait(1)
    with pytest.raises(TypeError):
        queue.put_nowait("x")
    assert queue._unfinished_tasks == 1


def test_one_queue_may_serve_several_loops_in_turn() -> None:
    queue: Queue[int] = Queue()

    async def use() -> int:
        getting = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        await queue.put(1)
        return await getting

    for _ in range(3):
        assert asyncio.run(use()) == 1


def test_types_are_generic() -> None:
    assert Queue[int] is not Queue
    assert issubclass(PriorityQueue, Queue)
    assert issubclass(LifoQueue, Queue)
    assert issubclass(QueueEmpty, Exception)
    assert issubclass(QueueFull, Exception)
