"""Coroutines written as generators, and what goes with them.

``async def`` is the way to write new code; everything here mixes with it. The names of Tornado's
callback generation (`engine`, `Task`, `Callback`, `Wait`, `WaitAll`) come from
`zonda.ioloop.gen.legacy`.
"""

from zonda.ioloop.concurrent import Future, chain_future, is_future
from zonda.ioloop.errors import (
    BadYieldError,
    KeyReuseError,
    LeakedCallbackError,
    ReturnValueIgnoredError,
    TimeoutError,
    UnknownKeyError,
)
from zonda.ioloop.gen.coroutine import coroutine, is_coroutine_function, maybe_future
from zonda.ioloop.gen.driver import Return
from zonda.ioloop.gen.legacy import Arguments, Callback, Task, Wait, WaitAll, engine
from zonda.ioloop.gen.multi import Multi, multi, multi_future
from zonda.ioloop.gen.runner import Runner
from zonda.ioloop.gen.sleep import sleep
from zonda.ioloop.gen.timeout import with_timeout
from zonda.ioloop.gen.wait import WaitIterator
from zonda.ioloop.log import app_log
from zonda.ioloop.yieldable import convert_yielded, moment

__all__ = [
    "Arguments",
    "BadYieldError",
    "Callback",
    "Future",
    "KeyReuseError",
    "LeakedCallbackError",
    "Multi",
    "Return",
    "ReturnValueIgnoredError",
    "Runner",
    "Task",
    "TimeoutError",
    "UnknownKeyError",
    "Wait",
    "WaitAll",
    "WaitIterator",
    "app_log",
    "chain_future",
    "convert_yielded",
    "coroutine",
    "engine",
    "is_coroutine_function",
    "is_future",
    "maybe_future",
    "moment",
    "multi",
    "multi_future",
    "sleep",
    "with_timeout",
]
