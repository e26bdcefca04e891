import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from zonda.ioloop import IOLoop, binding
from zonda.ioloop.platform.asyncio import AsyncIOMainLoop
from zonda.ioloop.platform.selector import AddThreadSelectorEventLoop, SelectorThread

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "zonda selector"]


async def test_no_thread_without_descriptors() -> None:
    selector = SelectorThread(asyncio.get_running_loop())
    assert threads() == []
    selector.close()
    selector.close()
    assert threads() == []


async def test_reading(pair: Pair) -> None:
    ours, theirs = pair
    selector = SelectorThread(asyncio.get_running_loop())
    got: list[bytes] = []
    selector.add_reader(ours, lambda text: got.append(ours.recv(1) + text), b"!")
    assert len(threads()) == 1
    theirs.send(b"ab")
    await until(lambda: len(got) == 2)
    assert got == [b"a!", b"b!"]
    assert selector.remove_reader(ours)
    assert not selector.remove_reader(ours)
    theirs.send(b"c")
    await asyncio.sleep(0.005)
    assert got == [b"a!", b"b!"]
    selector.close()
    assert threads() == []


async def test_writing_and_a_descriptor_added_while_the_thread_waits(pair: Pair) -> None:
    ours, theirs = pair
    selector = SelectorThread(asyncio.get_running_loop())
    selector.add_reader(ours, lambda: None)
    await asyncio.sleep(0.002)
    writable = asyncio.Event()
    selector.add_writer(theirs.fileno(), writable.set)
    await writable.wait()
    assert selector.remove_writer(theirs)
    assert not selector.remove_writer(theirs)
    selector.close()


async def test_replaced_callback(pair: Pair) -> None:
    ours, theirs = pair
    selector = SelectorThread(asyncio.get_running_loop())
    seen: list[str] = []

    def second() -> None:
        seen.append("second")
        ours.recv(1)

    selector.add_reader(ours, seen.append, "first")
    selector.add_reader(ours, second)
    theirs.send(b"x")
    await until(lambda: seen)
    assert seen == ["second"]
    selector.close()


async def test_descriptor_closed_while_watched(pair: Pair) -> None:
    ours, theirs = pair
    selector = SelectorThread(asyncio.get_running_loop())
    doomed, other = socket.socketpair()
    fd = doomed.fileno()
    selector.add_reader(fd, lambda: selector.remove_reader(fd))
    got: list[bytes] = []
    selector.add_reader(ours, lambda: got.append(ours.recv(1)))
    doomed.close()
    other.close()
    theirs.send(b"x")
    await until(lambda: got)
    selector.close()


async def test_closed(pair: Pair) -> None:
    selector = SelectorThread(asyncio.get_running_loop())
    selector.add_reader(pair[0], lambda: None)
    selector.close()
    with pytest.raises(RuntimeError, match="closed"):
        selector.add_reader(pair[0], lambda: None)
    assert not selector.remove_reader(pair[0])


def test_loop_closed_first(pair: Pair) -> None:
    loop = asyncio.new_event_loop()
    selector = SelectorThread(loop)
    selector.add_reader(pair[0], lambda: None)
    loop.close()
    pair[1].send(b"x")
    selector.close()
    assert threads() == []


class Bare(asyncio.SelectorEventLoop):
    add_reader = asyncio.AbstractEventLoop.add_reader
    add_writer = asyncio.AbstractEventLoop.add_writer
    remove_reader = asyncio.AbstractEventLoop.remove_reader
    remove_writer = asyncio.AbstractEventLoop.remove_writer


class TestAddThreadSelectorEventLoop:
    def test_its_ioloop_is_that_of_the_real_loop(self) -> None:
        loop = AsyncIOMainLoop(asyncio_loop=AddThreadSelectorEventLoop(Bare()))  # type: ignore[abstract]

        async def current() -> IOLoop:
            return IOLoop.current()

        assert loop.run_sync(current) is loop
        loop.close()
        assert binding.unmarkable == {}
        asyncio.set_event_loop(None)

    def test_completes_a_loop(self, pair: Pair) -> None:
        ours, theirs = pair
        real = Bare()
        loop: Any = AddThreadSelectorEventLoop(real)  # type: ignore[abstract]

        async def main() -> bytes:
            got = real.create_future()

            def receive() -> None:
                if not got.done():
                    got.set_result(ours.recv(9))

            loop.add_reader(ours, receive)
            writable = asyncio.Event()
            loop.add_writer(theirs, writable.set)
            await writable.wait()
            assert loop.remove_writer(theirs)
            theirs.send(b"hello")
            result: bytes = await got
            assert loop.remove_reader(ours)
            return result

        assert loop.run_until_complete(main()) == b"hello"
        loop.mark = "mine"
        assert real.mark == "mine"  # type: ignore[attr-defined]
        del loop.mark
        assert not hasattr(real, "mark")
        assert loop.time() > 0
        assert not loop.is_closed()
        loop.close()
        assert real.is_closed()
        assert threads() == []


async def test_closed_with_a_wake_up_on_its_way() -> None:
    ours, theirs = socket.socketpair()
    thread = SelectorThread(asyncio.get_running_loop())
    thread.add_reader(ours, print)
    thread._ready([thread._sleeper.fileno()], [])  # the loop has been told
    thread.close()
    await asyncio.sleep(0)  # and comes to it now
    ours.close()
    theirs.close()
