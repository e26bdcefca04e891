"""Queues and locks: what an operation costs, beside Tornado's.

    python benchmarks/queues.py [--tornado PYTHON] [--rounds N] [-k TEXT]

In the "loop" cases each operation makes a task wait, so that both frameworks pay mostly for
asyncio's turns and wake-ups; the others hardly need the loop. "waiting" cases have 100,000 others
in the line. Microseconds of CPU an operation: an item put and got, a lock taken and released.
"""

import asyncio
import collections
import datetime
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.sidebyside import Case, framework, main  # noqa: E402

if TYPE_CHECKING or framework() != "tornado":
    from zonda.ioloop import locks, queues
else:
    from tornado import locks, queues

CROWD = 100_000
LONG = datetime.timedelta(seconds=3600)

Make = Callable[[], "queues.Queue[Any]"]


async def ping_pong(n: int) -> None:
    """Two tasks, two queues, one item: a turn of the loop for each get."""
    ping: queues.Queue[int] = queues.Queue()
    pong: queues.Queue[int] = queues.Queue()

    async def answer() -> None:
        for _ in range(n):
            await pong.put(await ping.get())

    task = asyncio.create_task(answer())
    for number in range(n):
        await ping.put(number)
        await pong.get()
    await task


async def consumers(n: int) -> None:
    """A hundred tasks wait for items that come in batches."""
    queue: queues.Queue[int] = queues.Queue()
    batch = 100

    async def consume() -> None:
        for _ in range(n // batch):
            await queue.get()

    tasks = [asyncio.create_task(consume()) for _ in range(batch)]
    for _ in range(n // batch):
        await asyncio.sleep(0)
        for number in range(batch):
            await queue.put(number)
    await asyncio.gather(*tasks)


async def timed(n: int) -> None:
    """Gets that wait, with a time-out that never comes."""
    queue: queues.Queue[int] = queues.Queue()

    async def consume() -> None:
        for _ in range(n):
            await queue.get(timeout=LONG)

    task = asyncio.create_task(consume())
    await asyncio.sleep(0)
    for number in range(n):
        await queue.put(number)
        await asyncio.sleep(0)
    await task


async def contended(n: int) -> None:
    """Ten tasks that take turns with one lock."""
    lock = locks.Lock()

    async def work() -> None:
        for _ in range(n // 10):
            async with lock:
                await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(10)))


async def buffered(n: int) -> None:
    """A producer and a consumer with a thousand items between them."""
    queue: queues.Queue[int] = queues.Queue(maxsize=1000)

    async def consume() -> None:
        for _ in range(n):
            await queue.get()
            queue.task_done()

    task = asyncio.create_task(consume())
    for number in range(n):
        await queue.put(number)
    await task
    await queue.join()


async def iterated(n: int) -> None:
    """``async for`` over a queue that has items."""
    queue: queues.Queue[int] = queues.Queue()
    for number in range(n):
        await queue.put(number)
    async for _ in queue:
        if queue.empty():
            return


async def nowait(n: int) -> None:
    """Without futures."""
    queue: queues.Queue[int] = queues.Queue()
    for number in range(n):
        queue.put_nowait(number)
        queue.get_nowait()
        queue.task_done()


async def uncontended(n: int) -> None:
    """A lock that is always free."""
    lock = locks.Lock()
    for _ in range(n):
        async with lock:
            pass


async def crowd(n: int) -> None:
    """Get and put with others in the line before."""
    queue: queues.Queue[int] = queues.Queue()
    waiting = [queue.get() for _ in range(CROWD)]
    for number in range(n):
        waiting.append(queue.get())
        queue.put_nowait(number)
    del waiting


async def crowd_leaves(n: int) -> None:
    """All who wait give up, and an item finds that out; an operation is one who gave up."""
    queue: queues.Queue[int] = queues.Queue()
    waiting = [queue.get() for _ in range(n)]
    for waiter in waiting:
        waiter.cancel()
    queue.put_nowait(1)
    await queue.get()


async def crowd_notified(n: int) -> None:
    """Everybody waits for a condition and is notified one by one."""
    condition = locks.Condition()
    waiting: list[Awaitable[bool]] = [condition.wait() for _ in range(n)]
    for _ in range(n):
        condition.notify()
    await waiting[-1]


# The same with nothing but asyncio: the loop's share of the cases above.


async def bare_ping_pong(n: int) -> None:
    create_future = asyncio.get_running_loop().create_future
    ping, pong = create_future(), create_future()

    async def answer() -> None:
        nonlocal ping
        for _ in range(n):
            item = await ping
            ping = create_future()
            pong.set_result(item)

    task = asyncio.create_task(answer())
    for number in range(n):
        ping.set_result(number)
        await pong
        pong = create_future()
    await task


async def bare_consumers(n: int) -> None:
    create_future = asyncio.get_running_loop().create_future
    line: collections.deque[asyncio.Future[int]] = collections.deque()
    batch = 100

    async def consume() -> None:
        for _ in range(n // batch):
            item = create_future()
            line.append(item)
            await item

    tasks = [asyncio.create_task(consume()) for _ in range(batch)]
    for _ in range(n // batch):
        await asyncio.sleep(0)
        for number in range(batch):
            line.popleft().set_result(number)
    await asyncio.gather(*tasks)


async def bare_timed(n: int) -> None:
    loop = asyncio.get_running_loop()
    item = loop.create_future()

    async def consume() -> None:
        nonlocal item
        for _ in range(n):
            timer = loop.call_later(LONG.total_seconds(), item.cancel)
            await item
            timer.cancel()
            item = loop.create_future()

    task = asyncio.create_task(consume())
    await asyncio.sleep(0)
    for number in range(n):
        item.set_result(number)
        await asyncio.sleep(0)
    await task


async def bare_contended(n: int) -> None:
    create_future = asyncio.get_running_loop().create_future
    line: collections.deque[asyncio.Future[None]] = collections.deque()
    locked = False

    async def work() -> None:
        nonlocal locked
        for _ in range(n // 10):
            if locked:
                turn = create_future()
                line.append(turn)
                await turn
            locked = True
            await asyncio.sleep(0)
            if line:
                line.popleft().set_result(None)
            else:
                locked = False

    await asyncio.gather(*(work() for _ in range(10)))


CASES: dict[str, tuple[Case, int]] = {
    "loop: ping-pong": (ping_pong, 10_000),
    "loop: 100 consumers": (consumers, 20_000),
    "loop: get with a time-out": (timed, 10_000),
    "loop: 10 tasks, 1 lock": (contended, 20_000),
    "put and get, buffered": (buffered, 30_000),
    "async for": (iterated, 30_000),
    "put_nowait, get_nowait": (nowait, 50_000),
    "async with, free lock": (uncontended, 50_000),
    "100,000 waiting: get and put": (crowd, 30_000),
    "100,000 waiting: all give up": (crowd_leaves, CROWD),
    "100,000 waiting: notified": (crowd_notified, CROWD),
}

FLOORS: dict[str, Case] = {
    "loop: ping-pong": bare_ping_pong,
    "loop: 100 consumers": bare_consumers,
    "loop: get with a time-out": bare_timed,
    "loop: 10 tasks, 1 lock": bare_contended,
}

if __name__ == "__main__":
    sys.exit(main("Queues and locks", CASES, __file__, FLOORS))
