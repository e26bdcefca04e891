"""Which asyncio loop to make, and which one a thread has been given.

In: nothing, or the name of a kind (``"asyncio"``, ``"uvloop"``). Out: a new asyncio loop, never
set as the thread's own. Without a name the first of these decides: the environment variable
``ZONDA_LOOP``, an event loop policy the application has installed, uvloop (winloop on Windows)
when it can be imported, plain asyncio. Raises ``ValueError`` for an unknown kind and
``ImportError`` for one that is asked for by name and is not installed.
"""

import asyncio
import importlib
import os
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import cast

__all__ = [
    "LOOP_VARIABLE",
    "LoopFactory",
    "loop_factory",
    "new_asyncio_loop",
    "own_asyncio_loop",
    "thread_loop",
]

#: Makes a new event loop.
LoopFactory = Callable[[], asyncio.AbstractEventLoop]

#: The environment variable that names the kind of loop.
LOOP_VARIABLE = "ZONDA_LOOP"

_FAST_LOOP = "winloop" if sys.platform == "win32" else "uvloop"
_fast_factory: LoopFactory | None = None
_fast_tried = False

# Loops made here, so that a forked child knows them again, and the ones a child inherited. These
# are kept for ever: closing one would take its wake-up descriptor out of the epoll set that the
# child shares with its parent.
_made: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
_inherited: list[asyncio.AbstractEventLoop] = []


def _leave_loop_to_parent() -> None:
    """In a forked child: forget the thread's loop, if Zonda made it, so that a new one is made."""
    _inherited.extend(_made)
    if thread_loop() in _made:
        asyncio.set_event_loop(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_loop_to_parent)


def _load_fast_factory() -> LoopFactory | None:
    """Import uvloop once; None when it is not installed."""
    global _fast_factory, _fast_tried
    if not _fast_tried:
        try:
            _fast_factory = importlib.import_module(_FAST_LOOP).new_event_loop
        except ImportError:
            _fast_factory = None
        _fast_tried = True
    return _fast_factory


def _application_policy() -> asyncio.AbstractEventLoopPolicy | None:
    """The policy the application installed, None for asyncio's own (or where there are none)."""
    if sys.version_info >= (3, 14):
        return None  # deprecated there: looking would already warn
    policy = asyncio.get_event_loop_policy()
    return None if type(policy) is asyncio.DefaultEventLoopPolicy else policy


def loop_factory(kind: str | None = None) -> LoopFactory:
    """Return the function that makes loops of a kind.

    Args:
        kind: ``"asyncio"``, ``"uvloop"`` or None for the default described in the module.

    Raises:
        ValueError: unknown kind (the value of ``ZONDA_LOOP`` included).
        ImportError: uvloop was asked for by name and is not installed.

    Example:
        >>> loop = loop_factory("asyncio")()
        >>> loop.is_running()
        False
        >>> loop.close()
    """
    if kind is None:
        kind = os.environ.get(LOOP_VARIABLE) or None
    if kind is None:
        policy = _application_policy()
        if policy is not None:
            return policy.new_event_loop
        return _load_fast_factory() or asyncio.new_event_loop
    if kind == "asyncio":
        if sys.platform == "win32":
            return asyncio.ProactorEventLoop
        return asyncio.SelectorEventLoop
    if kind in ("uvloop", "winloop"):
        factory = _load_fast_factory()
        if factory is None:
            raise ImportError(f"{kind} was asked for and {_FAST_LOOP} is not installed")
        return factory
    raise ValueError(f"unknown kind of event loop: {kind!r} (asyncio or uvloop)")


def new_asyncio_loop(kind: str | None = None) -> asyncio.AbstractEventLoop:
    """Make a loop; see :func:`loop_factory`.

    Example:
        >>> loop = new_asyncio_loop()
        >>> loop.run_until_complete(asyncio.sleep(0, "done"))
        'done'
        >>> loop.close()
    """
    loop = loop_factory(kind)()
    _made.add(loop)
    return loop


def thread_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that ``asyncio.set_event_loop`` gave to this thread, or None.

    Unlike ``asyncio.get_event_loop`` this never makes a loop and never warns. It does not look
    at the running loop.

    Example:
        >>> loop = asyncio.SelectorEventLoop()
        >>> asyncio.set_event_loop(loop)
        >>> thread_loop() is loop
        True
        >>> asyncio.set_event_loop(None)
        >>> thread_loop() is None
        True
        >>> loop.close()
    """
    if sys.version_info < (3, 14):
        policy = asyncio.get_event_loop_policy()
        # asyncio's own policy and uvloop's keep it here; asking them the official way would make
        # a loop (3.11) or warn (3.12, 3.13) when there is none.
        local = getattr(policy, "_local", None)
        if local is not None:
            return cast("asyncio.AbstractEventLoop | None", getattr(local, "_loop", None))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return asyncio.get_event_loop()
    except RuntimeError:
        return None


def own_asyncio_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop, else the thread's loop, else a new one that becomes the thread's.

    Example:
        >>> async def main():
        ...     return own_asyncio_loop() is asyncio.get_running_loop()
        >>> asyncio.run(main())
        True
    """
    loop = asyncio._get_running_loop()
    if loop is None:
        loop = thread_loop()
        if loop is None or loop.is_closed():
            loop = new_asyncio_loop()
            asyncio.set_event_loop(loop)
    return loop
