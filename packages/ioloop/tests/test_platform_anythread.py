"""The policy that gives every thread a loop."""

import asyncio
import sys
import threading

import pytest

import zonda.ioloop.platform.asyncio as platform_asyncio
from zonda.ioloop import IOLoop

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 14), reason="policies are deprecated")


def test_every_thread_gets_a_loop() -> None:
    policy = platform_asyncio.AnyThreadEventLoopPolicy()
    assert isinstance(policy, asyncio.DefaultEventLoopPolicy)
    before = asyncio.get_event_loop_policy()
    seen: list[object] = []

    def work() -> None:
        loop = asyncio.get_event_loop()
        try:
            seen.extend((loop, asyncio.get_event_loop(), IOLoop.current().asyncio_loop))
            seen.append(loop.run_until_complete(asyncio.sleep(0, "ran")))
        finally:
            loop.close()

    asyncio.set_event_loop_policy(policy)
    try:
        for _ in range(2):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
    finally:
        asyncio.set_event_loop_policy(before)
    first, again, of_ioloop, ran, *second = seen
    assert first is again is of_ioloop
    assert ran == "ran"
    assert second[0] is not first
    assert second[1] is second[2] is second[0]


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Policy'"):
        platform_asyncio.Policy  # noqa: B018
