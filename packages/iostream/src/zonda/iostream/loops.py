"""Which asyncio loop a stream made here and now belongs to."""

import asyncio


def current_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_event_loop()
