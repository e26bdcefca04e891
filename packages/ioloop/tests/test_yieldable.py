import asyncio
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop.errors import BadYieldError
from zonda.ioloop.platform.asyncio import to_asyncio_future, to_tornado_future
from zonda.ioloop.yieldable import Moment, convert_yielded, moment


async def native(value: object, wait: bool) -> object:
    if wait:
        await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


async def test_futures_stay_the_same() -> None:
    one: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    two: futures.Future[Any] = futures.Future()
    assert convert_yielded(one) is one
    assert convert_yielded(two) is two
    assert to_asyncio_future(one) is to_tornado_future(one) is one


@pytest.mark.parametrize("nothing", [None, moment])
async def test_moment(nothing: Any) -> None:
    assert convert_yielded(nothing) is moment
    assert isinstance(moment, Moment)
    assert moment.done()
    moment.result()
    assert repr(moment) == "moment"


@pytest.mark.parametrize("wait", [True, False])
async def test_coroutines(wait: bool) -> None:
    future: Any = convert_yielded(native(1, wait))
    assert future.done() is not wait
    assert await future == 1
    with pytest.raises(ValueError):
        await convert_yielded(native(ValueError(), wait))  # type: ignore[misc]
    cancelled: Any = convert_yielded(native(asyncio.CancelledError(), wait))
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert cancelled.cancelled()


async def test_awaitables() -> None:
    class Awaitable:
        def __await__(self) -> Any:
            yield
            return 2

    assert await convert_yielded(Awaitable()) == 2  # type: ignore[misc]
    assert await to_asyncio_future([native(1, True)]) == [1]  # type: ignore[misc]


@pytest.mark.parametrize("other", [42, "text", object(), b"", 1.5, {1, 2}])
async def test_others(other: object) -> None:
    with pytest.raises(BadYieldError, match="yielded unknown object"):
        convert_yielded(other)
