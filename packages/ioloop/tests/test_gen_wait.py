import asyncio
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop import gen


def new_future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_by_position() -> None:
    first, second, third = new_future(), new_future(), new_future()
    second.set_result("second")
    waiting: Any = gen.WaitIterator(first, second, third)
    assert not waiting.done()
    assert await waiting.next() == "second"
    assert (waiting.current_index, waiting.current_future) == (1, second)
    upcoming = waiting.next()
    await turns()
    assert not upcoming.done()
    third.set_result("third")
    assert await upcoming == "third"
    assert (waiting.current_index, waiting.current_future) == (2, third)
    first.set_result("first")
    await turns()
    assert await waiting.next() == "first"
    assert waiting.done()
    assert waiting.current_index is waiting.current_future is None


async def test_by_name() -> None:
    slow, fast = new_future(), new_future()
    waiting = gen.WaitIterator(slow=slow, fast=fast)
    fast.set_result(1)
    assert (await waiting.next(), waiting.current_index) == (1, "fast")
    slow.set_result(2)
    assert (await waiting.next(), waiting.current_index) == (2, "slow")


async def test_async_for_and_exceptions() -> None:
    async def fail() -> None:
        raise ValueError("no")

    waiting = gen.WaitIterator(asyncio.sleep(0, 1), fail(), gen.moment, asyncio.sleep(0.001, 4))
    seen: dict[Any, Any] = {}
    while not waiting.done():
        try:
            async for result in waiting:
                seen[waiting.current_index] = result
        except ValueError as error:
            seen[waiting.current_index] = str(error)
    assert seen == {0: 1, 1: "no", 2: None, 3: 4}


async def test_in_a_generator_coroutine() -> None:
    @gen.coroutine
    def main() -> Any:
        later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = gen.WaitIterator(later, gen.sleep(0))
        order = []
        while not waiting.done():
            yield waiting.next()
            order.append(waiting.current_index)
            if not later.done():
                later.set_result(None)
        return order

    assert await main() == [1, 0]


async def test_executors_futures() -> None:
    with futures.ThreadPoolExecutor(4) as pool:
        waiting = gen.WaitIterator(*[pool.submit(abs, -n) for n in range(20)])
        assert sorted([result async for result in waiting]) == [*range(20)]


async def test_none_left() -> None:
    with pytest.raises(RuntimeError, match="no futures left"):
        gen.WaitIterator().next()
    assert gen.WaitIterator().done()
    waiting = gen.WaitIterator(new_future())
    waiting.next()
    with pytest.raises(RuntimeError, match="not done yet"):
        waiting.next()


async def test_both_kinds() -> None:
    with pytest.raises(ValueError, match="not both"):
        gen.WaitIterator(new_future(), a=new_future())


async def test_cancelled_next_loses_nothing() -> None:
    future = new_future()
    waiting = gen.WaitIterator(future)
    waiting.next().cancel()
    future.set_result("kept")
    await turns()
    assert await waiting.next() == "kept"
