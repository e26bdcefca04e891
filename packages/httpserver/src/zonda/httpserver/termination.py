"""What a server does when it is told to end: SIGTERM in, `HTTPServer.drain`, then the end.

Two forms: `until_signal` is awaited by programs whose ``main`` is a coroutine; `drain_on_signals`
is for those that end with ``IOLoop.current().start()``, which it stops. A second signal closes
what is still open at once. Raises ``RuntimeError`` outside the main thread, where Python takes no
signals, and where the loop cannot watch them.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable

from zonda.httpserver.server import HTTPServer
from zonda.ioloop import IOLoop
from zonda.ioloop.log import gen_log

__all__ = ["DEFAULT_SIGNALS", "drain_on_signals", "until_signal"]

DEFAULT_SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""What ends a server unless something else is said."""


async def until_signal(
    *servers: HTTPServer,
    signals: Iterable[signal.Signals] = DEFAULT_SIGNALS,
    timeout: float | None = 30.0,
) -> signal.Signals:
    """Serve until a signal comes, then drain the servers.

    Args:
        *servers: They are drained at the same time.
        signals: What ends them.
        timeout: Seconds for the requests that are running; see `HTTPServer.drain`.

    Returns:
        The signal that came.

    Raises:
        RuntimeError: This is not the main thread.

    Example::

        async def main() -> None:
            await until_signal(application.listen(8888))

        asyncio.run(main())
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[signal.Signals] = asyncio.Queue()
    watched = tuple(signals)
    for number in watched:
        loop.add_signal_handler(number, came.put_nowait, number)
    try:
        first = await came.get()
        gen_log.info("%s: closing when the requests that are running are answered", first.name)
        draining = asyncio.gather(*(server.drain(timeout) for server in servers))
        again = asyncio.ensure_future(came.get())
        try:
            await asyncio.wait((draining, again), return_when=asyncio.FIRST_COMPLETED)
            if not draining.done():
                gen_log.warning("%s again: closing at once", again.result().name)
                await asyncio.gather(*(server.close_all_connections() for server in servers))
            await draining
        finally:
            again.cancel()
            draining.cancel()
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
    return first


def drain_on_signals(
    *servers: HTTPServer,
    signals: Iterable[signal.Signals] = DEFAULT_SIGNALS,
    timeout: float | None = 30.0,
) -> Callable[[], None]:
    """Drain the servers when a signal comes, then stop the loop.

    Args:
        *servers: As for `until_signal`.
        signals: As for `until_signal`.
        timeout: As for `until_signal`.

    Returns:
        A function that takes this back.

    Example::

        drain_on_signals(application.listen(8888))
        IOLoop.current().start()
    """
    ioloop = IOLoop.current()
    task: asyncio.Task[None] | None = None
    taken_back = False

    async def wait() -> None:
        await until_signal(*servers, signals=signals, timeout=timeout)
        ioloop.stop()

    def start() -> None:
        nonlocal task
        if not taken_back:
            task = asyncio.ensure_future(wait())

    def take_back() -> None:
        nonlocal taken_back
        taken_back = True
        if task is not None:
            task.cancel()

    ioloop.add_callback(start)
    return take_back
