"""The loop: what callbacks, timers and descriptors cost, beside Tornado's.

    python benchmarks/loop.py [--tornado PYTHON] [--rounds N] [-k TEXT]

Both leave the loop itself to asyncio; the rest is the framework's. Microseconds of CPU a callback,
timer or event.
"""

import asyncio
import datetime
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.sidebyside import Case, framework, main  # noqa: E402

if TYPE_CHECKING or framework() != "tornado":
    from zonda.ioloop import IOLoop, PeriodicCallback
else:
    from tornado.ioloop import IOLoop, PeriodicCallback

PENDING = 100_000


class Countdown:
    """Sets a future at the n-th call."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.over = asyncio.get_running_loop().create_future()

    def __call__(self, *_: object) -> None:
        self.left -= 1
        if not self.left:
            self.over.set_result(None)


def nothing(*_: object) -> None:
    pass


async def current(count: int) -> None:
    for _ in range(count):
        IOLoop.current()


async def callbacks_together(count: int) -> None:
    loop, countdown = IOLoop.current(), Countdown(count)
    for _ in range(count):
        loop.add_callback(countdown)
    await countdown.over


async def callbacks_in_turn(count: int) -> None:
    loop, over = IOLoop.current(), asyncio.get_running_loop().create_future()

    def again(left: int) -> None:
        if left:
            loop.add_callback(again, left - 1)
        else:
            over.set_result(None)

    again(count)
    await over


async def callbacks_from_a_thread(count: int) -> None:
    loop, countdown = IOLoop.current(), Countdown(count)

    def send() -> None:
        for _ in range(count):
            loop.add_callback(countdown)

    thread = threading.Thread(target=send)
    thread.start()
    await countdown.over
    thread.join()


async def coroutine_callbacks(count: int) -> None:
    loop, countdown = IOLoop.current(), Countdown(count)

    async def native() -> None:
        countdown()

    for _ in range(count):
        loop.add_callback(native)
    await countdown.over


async def timers(count: int) -> None:
    loop, countdown = IOLoop.current(), Countdown(count)
    for _ in range(count):
        loop.call_later(0, countdown)
    await countdown.over


async def timedelta_timers(count: int) -> None:
    loop, countdown, zero = IOLoop.current(), Countdown(count), datetime.timedelta(0)
    for _ in range(count):
        loop.add_timeout(zero, countdown)
    await countdown.over


async def cancelled_among_pending(count: int) -> None:
    """What an idle time-out does: set and removed again, beside 100,000 others."""
    loop = IOLoop.current()
    pending: list[Any] = [loop.call_later(1000 + n % 1000, nothing) for n in range(PENDING)]
    for n in range(count):
        loop.remove_timeout(pending[n % PENDING])
        pending[n % PENDING] = loop.call_later(1000 + n % 997, nothing)
    for timer in pending:
        loop.remove_timeout(timer)


async def fired_among_pending(count: int) -> None:
    loop, countdown = IOLoop.current(), Countdown(count)
    pending: list[Any] = [loop.call_later(1000 + n % 1000, nothing) for n in range(PENDING)]
    for _ in range(count):
        loop.call_later(0, countdown)
    await countdown.over
    for timer in pending:
        loop.remove_timeout(timer)


async def events(count: int) -> None:
    """One byte back and forth over a socket pair, through handlers."""
    loop, countdown = IOLoop.current(), Countdown(count)
    pair = socket.socketpair()
    for sock in pair:
        sock.setblocking(False)

    def answer(sock: socket.socket, _: int) -> None:
        sock.send(sock.recv(1))
        if countdown.left > 0:
            countdown()

    for sock in pair:
        loop.add_handler(sock, answer, IOLoop.READ)
    pair[0].send(b"x")
    await countdown.over
    for sock in pair:
        loop.remove_handler(sock)
        sock.close()


async def handlers(count: int) -> None:
    """Added, switched to writing and removed."""
    loop = IOLoop.current()
    one, two = socket.socketpair()
    for _ in range(count):
        loop.add_handler(one, nothing, IOLoop.READ)
        loop.update_handler(one, IOLoop.READ | IOLoop.WRITE)
        loop.remove_handler(one)
    one.close()
    two.close()


async def futures(count: int) -> None:
    loop, countdown = IOLoop.current(), Countdown(count)
    for _ in range(count):
        future = loop.asyncio_loop.create_future()
        loop.add_future(future, countdown)
        future.set_result(None)
    await countdown.over


async def periodic(count: int) -> None:
    countdown = Countdown(count)
    # Shorter than a turn of the loop: it is always due.
    ticking = PeriodicCallback(countdown, 0.001)
    ticking.start()
    await countdown.over
    ticking.stop()


# The same with nothing but asyncio: the loop's share of the cases above.


async def bare_current(count: int) -> None:
    for _ in range(count):
        asyncio.get_running_loop()


async def bare_together(count: int) -> None:
    loop, countdown = asyncio.get_running_loop(), Countdown(count)
    for _ in range(count):
        loop.call_soon(countdown)
    await countdown.over


async def bare_in_turn(count: int) -> None:
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def again(left: int) -> None:
        if left:
            loop.call_soon(again, left - 1)
        else:
            over.set_result(None)

    again(count)
    await over


async def bare_from_a_thread(count: int) -> None:
    loop, countdown = asyncio.get_running_loop(), Countdown(count)

    def send() -> None:
        for _ in range(count):
            loop.call_soon_threadsafe(countdown)

    thread = threading.Thread(target=send)
    thread.start()
    await countdown.over
    thread.join()


async def bare_timers(count: int) -> None:
    loop, countdown = asyncio.get_running_loop(), Countdown(count)
    for _ in range(count):
        loop.call_later(0, countdown)
    await countdown.over


async def bare_futures(count: int) -> None:
    loop, countdown = asyncio.get_running_loop(), Countdown(count)
    for _ in range(count):
        future = loop.create_future()
        future.add_done_callback(countdown)
        future.set_result(None)
    await countdown.over


async def bare_events(count: int) -> None:
    loop, countdown = asyncio.get_running_loop(), Countdown(count)
    pair = socket.socketpair()
    for sock in pair:
        sock.setblocking(False)

    def answer(sock: socket.socket) -> None:
        sock.send(sock.recv(1))
        if countdown.left > 0:
            countdown()

    for sock in pair:
        loop.add_reader(sock, answer, sock)
    pair[0].send(b"x")
    await countdown.over
    for sock in pair:
        loop.remove_reader(sock)
        sock.close()


async def bare_handlers(count: int) -> None:
    loop = asyncio.get_running_loop()
    one, two = socket.socketpair()
    number = one.fileno()
    for _ in range(count):
        loop.add_reader(number, nothing)
        loop.add_writer(number, nothing)
        loop.remove_reader(number)
        loop.remove_writer(number)
    one.close()
    two.close()


CASES: dict[str, tuple[Case, int]] = {
    "IOLoop.current()": (current, 100_000),
    "callbacks, all in one turn": (callbacks_together, 20_000),
    "callbacks, one a turn": (callbacks_in_turn, 10_000),
    "callbacks from another thread": (callbacks_from_a_thread, 20_000),
    "callbacks that are coroutines": (coroutine_callbacks, 10_000),
    "timers, set and fired": (timers, 20_000),
    "timers by timedelta": (timedelta_timers, 20_000),
    "timers, set and removed, 100,000 pending": (cancelled_among_pending, PENDING),
    "timers, set and fired, 100,000 pending": (fired_among_pending, PENDING),
    "futures": (futures, 20_000),
    "events of descriptors": (events, 10_000),
    "handlers added, changed, removed": (handlers, 10_000),
    "PeriodicCallback": (periodic, 2_000),
}

FLOORS: dict[str, Case] = {
    "IOLoop.current()": bare_current,
    "callbacks, all in one turn": bare_together,
    "callbacks, one a turn": bare_in_turn,
    "callbacks from another thread": bare_from_a_thread,
    "timers, set and fired": bare_timers,
    "timers by timedelta": bare_timers,
    "futures": bare_futures,
    "events of descriptors": bare_events,
    "handlers added, changed, removed": bare_handlers,
}

if __name__ == "__main__":
    sys.exit(main("The loop", CASES, __file__, FLOORS))
