"""Tasks that are woken at once: who is, and that nothing is lost on the way."""

import asyncio
import contextvars

import pytest

from zonda.iostream.testing import stream_pair
from zonda.iostream.waking import guard_wakeups, take_waiter

LARGE = b"x" * 20_000


async def test_take_waiter_takes_a_lone_task_only() -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bytes] = loop.create_future()
    assert take_waiter(future, loop) is None  # nobody

    async def wait() -> bytes:
        return await future

    async def take_from_a_task() -> object:
        return take_waiter(future, loop)

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    assert await take_from_a_task() is None  # a task runs now

    taken: asyncio.Future[object] = loop.create_future()
    loop.call_soon(lambda: taken.set_result(take_waiter(future, loop)))
    waiter = await taken
    assert isinstance(waiter, tuple)
    future.set_result(b"data")
    await asyncio.sleep(0)
    assert not task.done()  # the future has forgotten it
    loop.call_soon(waiter[1].run, waiter[0], future)
    assert await task == b"data"


@pytest.mark.parametrize("count", [1, 2])
async def test_take_waiter_leaves_others_alone(count: int) -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    called: list[asyncio.Future[None]] = []
    for _ in range(count):
        future.add_done_callback(called.append)
    taken: asyncio.Future[object] = loop.create_future()
    loop.call_soon(lambda: taken.set_result(take_waiter(future, loop)))
    assert await taken is None
    future.set_result(None)
    await asyncio.sleep(0)
    assert called == [future] * count


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
async def test_a_task_that_never_sees_the_result_is_told_of(before: bool) -> None:
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    unseen: list[str] = []

    async def wait() -> bytes:
        return await future

    seeing, leaving = asyncio.ensure_future(wait()), asyncio.ensure_future(wait())
    if before:
        future.add_done_callback(lambda _: leaving.cancel())
    await asyncio.sleep(0)
    guard_wakeups(future, lambda: unseen.append("unseen"))
    future.set_result(b"data")
    if not before:
        leaving.cancel()
    assert await seeing == b"data"
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert unseen == ["unseen"]


async def test_guarded_callbacks_keep_their_order_and_context() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    called: list[int] = []

    async def wait() -> None:
        await future
        called.append(variable.get())

    for number in range(3):
        variable.set(number)
        if number == 1:
            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
        else:
            future.add_done_callback(lambda _: called.append(variable.get()))
    guard_wakeups(future, called.clear)
    future.set_result(None)
    await task
    await asyncio.sleep(0)
    assert called == [0, 1, 2]


@pytest.mark.parametrize("data", [b"x", LARGE], ids=["small", "large"])
async def test_chunk_runs_its_task_from_the_event(data: bytes) -> None:
    stream, peer = stream_pair(len(data))
    seen: list[int] = []

    async def read() -> None:
        while True:
            seen.append(len(await stream.read_bytes(65536, partial=True)))

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    ran: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    def event() -> None:
        stream._on_readable()
        ran.set_result(list(seen))

    stream._incoming.tell_reader = None  # the event is ours
    peer.send(data)
    asyncio.get_running_loop().call_soon(event)
    assert await ran == [len(data)]
    task.cancel()
    await asyncio.wait([task])
    stream.close()
    peer.close()


async def test_large_chunk_that_is_not_the_answer_waits_with_its_task() -> None:
    stream, peer = stream_pair(3 * len(LARGE))

    async def read() -> bytes:
        return await stream.read_bytes(len(LARGE) + 5)

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    peer.send(LARGE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    peer.send(b"12345678")
    assert await task == LARGE + b"12345"
    assert await stream.read_bytes(3) == b"678"
    stream.close()
    peer.close()


async def test_large_chunk_for_a_cancelled_read_stays() -> None:
    stream, peer = stream_pair(len(LARGE))
    stream.read_bytes(65536, partial=True).cancel()
    peer.send(LARGE)
    for _ in range(3):
        await asyncio.sleep(0)
    assert await stream.read_bytes(len(LARGE)) == LARGE
    stream.close()
    peer.close()


async def test_task_woken_at_once_may_close_its_stream() -> None:
    stream, peer = stream_pair(len(LARGE))

    async def read() -> int:
        data = await stream.read_bytes(65536, partial=True)
        stream.close()
        return len(data)

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    peer.send(LARGE)
    assert await task == len(LARGE)
    assert stream.closed()
    peer.close()
