"""The event loop of the Tornado stack, over asyncio.

`IOLoop` is the loop, `PeriodicCallback` calls a function again and again. Coroutines are in
`zonda.ioloop.gen`, locks in `zonda.ioloop.locks`, queues in `zonda.ioloop.queues`.
"""

from zonda.ioloop.errors import TimeoutError
from zonda.ioloop.log import app_log
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.periodic import PeriodicCallback

# Importing them names IOLoop's implementations and makes lists and dicts yieldable.
from zonda.ioloop.platform import asyncio as _platform  # isort: skip # noqa: F401
from zonda.ioloop.gen import multi as _multi  # isort: skip # noqa: F401

__all__ = ["IOLoop", "PeriodicCallback", "TimeoutError", "app_log"]
