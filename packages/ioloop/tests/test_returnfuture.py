"""The older way to make a future of a function with a callback."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from zonda.ioloop import gen
from zonda.ioloop.concurrent import ReturnValueIgnoredError, return_future


@return_future
def add(a: int, b: int, callback: Callable[[int], object]) -> None:
    """Answers later."""
    asyncio.get_running_loop().call_soon(callback, a + b)


@return_future
def at_once(callback: Callable[..., object], *, result: tuple[int, ...] = ()) -> None:
    callback(*result)


async def test_the_result() -> None:
    assert await add(1, 2) == 3
    assert await add(a=1, b=2) == 3
    assert await at_once(result=(5,)) == 5
    assert await at_once() is None


async def test_in_a_generator() -> None:
    @gen.coroutine
    def run() -> Any:
        return (yield add(1, 2))

    assert await run() == 3


@pytest.mark.parametrize("by_name", [False, True])
async def test_the_callers_callback(by_name: bool) -> None:
    got = asyncio.get_running_loop().create_future()
    future = add(1, 2, callback=got.set_result) if by_name else add(1, 2, got.set_result)
    assert await got == 3
    assert await future == 3


async def test_callbacks_get_what_was_given() -> None:
    calls: list[tuple[int, ...]] = []
    await at_once(lambda *args: calls.append(args))
    await at_once(lambda *args: calls.append(args), result=(7,))
    await asyncio.sleep(0)
    assert calls == [(), (7,)]


async def test_an_exception_is_the_futures() -> None:
    @return_future
    def fails(callback: Callable[[], object]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()


async def test_an_exception_with_a_callback_is_logged() -> None:
    @return_future
    def fails(callback: Callable[[], object]) -> None:
        raise ZeroDivisionError

    logged: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    fails(lambda: pytest.fail("called"))
    while not logged:
        await asyncio.sleep(0)
    assert isinstance(logged[0]["exception"], ZeroDivisionError)


async def test_an_exception_after_the_answer_is_raised() -> None:
    @return_future
    def fails(callback: Callable[[int], object]) -> None:
        callback(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()


async def test_a_returned_value() -> None:
    @return_future
    def returns(callback: Callable[[], object]) -> Any:
        return 1

    with pytest.raises(ReturnValueIgnoredError, match=r"returns .*pass it to callback"):
        await returns()


async def test_an_answer_to_nobody() -> None:
    future = add(1, 2, callback=lambda _: pytest.fail("called"))
    future.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert future.cancelled()
