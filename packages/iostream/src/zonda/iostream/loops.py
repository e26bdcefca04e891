"""The loops that a stream made here and now belongs to."""

import asyncio

from zonda.ioloop import IOLoop


def current_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop, or else the one of this thread's IOLoop."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return IOLoop.current().asyncio_loop


def watching_loop() -> asyncio.AbstractEventLoop:
    """Return what watches descriptors for that loop.

    Mostly the loop itself; for one that cannot (Windows' default) a proxy whose selector runs in a
    thread. Futures must not be made by the proxy: tasks take it for another loop.
    """
    ioloop = IOLoop.current()
    return getattr(ioloop, "selector_loop", ioloop.asyncio_loop)


def loops_here() -> tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop]:
    """Return both with one look-up, which asks the operating system for the process on 3.11."""
    ioloop = IOLoop.current()
    loop = ioloop.asyncio_loop
    return loop, getattr(ioloop, "selector_loop", loop)
