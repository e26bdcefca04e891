"""Which asyncio loop a stream made here and now belongs to."""

import asyncio

from zonda.ioloop import IOLoop


def current_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop, or else the one of this thread's IOLoop."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return IOLoop.current().asyncio_loop
