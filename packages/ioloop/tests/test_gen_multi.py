import asyncio
from collections.abc import Callable
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop import gen

ExpectLog = Callable[..., Any]


def new_future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


async def later(value: object) -> object:
    await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


async def turns(count: int = 4) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("multi", [gen.multi, gen.multi_future, gen.Multi])
async def test_lists_and_dicts(multi: Callable[..., Any]) -> None:
    assert await multi([later(1), later(2)]) == [1, 2]
    assert await multi((later(1), None)) == [1, None]
    assert await multi({"a": later(1), "b": later(2)}) == {"a": 1, "b": 2}
    assert await multi(later(n) for n in range(3)) == [0, 1, 2]
    assert await multi({"a": later(1)}.values()) == [1]


async def test_nothing_to_wait_for() -> None:
    assert gen.multi([]).result() == []
    assert gen.multi({}).result() == {}
    done = new_future()
    done.set_result(1)
    assert gen.multi([done, gen.moment, done]).result() == [1, None, 1]


async def test_nested() -> None:
    assert await gen.multi([{"a": later(1)}, [later(2), (later(3),)]]) == [{"a": 1}, [2, [3]]]


async def test_the_same_future_twice() -> None:
    future = new_future()
    both = gen.multi([future, future])
    future.set_result(1)
    assert await both == [1, 1]


async def test_executors_futures() -> None:
    with futures.ThreadPoolExecutor(2) as pool:
        assert await gen.multi([pool.submit(abs, -n) for n in range(20)]) == [*range(20)]


async def test_first_exception_wins_and_all_are_waited_for(expect_log: ExpectLog) -> None:
    slow = new_future()
    both = gen.multi([later(ValueError("first")), slow, later(KeyError("second"))])
    await turns()
    assert not both.done()
    with expect_log("zonda.application", "Multiple exceptions in yield list"):
        slow.set_result(None)
        with pytest.raises(ValueError, match="first"):
            await both


@pytest.mark.parametrize("quiet", [KeyError, (KeyError, TypeError)])
async def test_quiet_exceptions(quiet: Any) -> None:
    with pytest.raises(ValueError):
        await gen.multi([later(ValueError()), later(KeyError())], quiet_exceptions=quiet)


async def test_others() -> None:
    with pytest.raises(gen.BadYieldError):
        gen.multi([1, 2])


class TestCancellation:
    async def test_passed_on(self) -> None:
        children = [new_future(), new_future()]
        both = gen.multi(children)
        both.cancel()
        await turns()
        assert all(child.cancelled() for child in children)
        assert both.cancelled()

    async def test_of_a_child(self) -> None:
        children = [new_future(), new_future()]
        both = gen.multi(children)
        children[0].cancel()
        await turns()
        assert not both.done()
        children[1].set_result(1)
        with pytest.raises(asyncio.CancelledError):
            await both

    async def test_errors_afterwards_are_logged(self, expect_log: ExpectLog) -> None:
        async def stubborn() -> None:
            try:
                await new_future()
            finally:
                raise ValueError("while cleaning up")

        both = gen.multi([stubborn(), new_future()])
        await turns()
        with expect_log("zonda.application", "Multiple exceptions in yield list"):
            both.cancel()
            await turns(6)
