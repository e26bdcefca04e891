"""IOLoops over asyncio loops.

In: an asyncio loop, made here or given. Out: an IOLoop whose calls go straight to it. A loop
without ``add_reader`` (Windows' proactor loop) gets a selector in a thread for its descriptors.
"""

import asyncio
import functools
import os
from collections.abc import Callable, Coroutine
from threading import get_ident
from typing import Any, TypeVar, cast

from zonda.ioloop.binding import bind, unbind
from zonda.ioloop.concurrent import AnyFuture
from zonda.ioloop.factory import LoopFactory, new_asyncio_loop, own_asyncio_loop
from zonda.ioloop.log import app_log
from zonda.ioloop.loop import Descriptor, Handler, IOLoop
from zonda.ioloop.platform.selector import AddThreadSelectorEventLoop, SelectorThread
from zonda.ioloop.yieldable import convert_yielded

__all__ = [
    "AddThreadSelectorEventLoop",
    "AsyncIOLoop",
    "AsyncIOMainLoop",
    "BaseAsyncIOLoop",
    "SelectorThread",
    "to_asyncio_future",
    "to_tornado_future",
]

_T = TypeVar("_T")

# Names of this module's own are quicker to look up than those of the class.
_READ, _WRITE = IOLoop.READ, IOLoop.WRITE


def _watches_descriptors(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop implements ``add_reader`` (the base class only declares it)."""
    method = getattr(type(loop), "add_reader", None)
    return method is not None and method is not asyncio.AbstractEventLoop.add_reader


class BaseAsyncIOLoop(IOLoop):
    """An IOLoop over a given asyncio loop.

    Attributes:
        asyncio_loop: the loop.
        selector_loop: the loop that watches descriptors: the same one, or a proxy with a selector
            thread.
        handlers: the descriptors with a handler: ``{fd: (object, handler)}``.

    Example:
        >>> asyncio_loop = asyncio.new_event_loop()
        >>> ioloop = BaseAsyncIOLoop(asyncio_loop, make_current=False)
        >>> ioloop.add_callback(ioloop.stop)
        >>> ioloop.start()
        >>> ioloop.close()
        >>> asyncio_loop.is_closed()
        True
    """

    def initialize(  # type: ignore[override]
        self, asyncio_loop: asyncio.AbstractEventLoop, make_current: bool = True, **kwargs: Any
    ) -> None:
        """Bind this IOLoop to an asyncio loop.

        Raises:
            RuntimeError: that loop has an IOLoop already.
        """
        bind(asyncio_loop, self)
        self.asyncio_loop = asyncio_loop
        self.selector_loop = asyncio_loop
        if not _watches_descriptors(asyncio_loop):
            self.selector_loop = AddThreadSelectorEventLoop(asyncio_loop)  # type: ignore[abstract]
        # Whether the loop of this thread is asked for in a cheaper way than asyncio's, which is a
        # system call in Python 3.11. Every loop of asyncio's own has this attribute, from 3.5 on.
        self._knows_thread = hasattr(asyncio_loop, "_thread_id")
        # libuv makes what it watches non-blocking. It is the program's to say that: terminado
        # watches a terminal and has a thread that writes to it as to a file.
        self._unblocks = os.name != "nt" and not isinstance(asyncio_loop, asyncio.BaseEventLoop)
        self.handlers: dict[int, tuple[Descriptor, Handler]] = {}
        self.readers: set[int] = set()
        self.writers: set[int] = set()
        super().initialize(make_current=make_current, **kwargs)

    def close(self, all_fds: bool = False) -> None:
        """Close the asyncio loop too; see `IOLoop.close`."""
        if self.asyncio_loop.is_closed() and not self.handlers:
            return
        if self.asyncio_loop.is_running():
            raise RuntimeError("Cannot close a running event loop")
        for fd in list(self.handlers):
            fileobj, _ = self.handlers[fd]
            self.remove_handler(fd)
            if all_fds:
                self.close_fd(fileobj)
        self._pending_tasks.clear()
        # The proxy closes its thread and then the loop behind it.
        self.selector_loop.close()
        unbind(self.asyncio_loop)

    def start(self) -> None:
        """Run the asyncio loop until `stop`."""
        self._check_startable()
        self.asyncio_loop.run_forever()

    def stop(self) -> None:
        """Stop the asyncio loop after the present turn."""
        self.asyncio_loop.stop()

    def _check_startable(self) -> None:
        if self._pid != os.getpid():
            raise RuntimeError(
                f"this IOLoop was made before the fork, in process {self._pid}; "
                "take IOLoop.current() in the child"
            )
        if self.asyncio_loop.is_closed():
            raise RuntimeError("Event loop is closed")
        # asyncio says so itself, but that of Python 3.13.0 stops the running loop as it does.
        if self.asyncio_loop.is_running():
            raise RuntimeError("This event loop is already running")
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    def _run_until_complete(self, main: Coroutine[Any, Any, _T], timeout: float | None) -> _T:
        try:
            self._check_startable()
        except RuntimeError:
            main.close()
            raise
        loop = self.asyncio_loop
        task = asyncio.ensure_future(main, loop=loop)
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            task.cancel()

        timer = None if timeout is None else loop.call_later(max(0, timeout), expire)
        try:
            return loop.run_until_complete(task)
        except asyncio.CancelledError:
            if expired:
                raise TimeoutError(f"Operation timed out after {timeout} seconds") from None
            raise
        finally:
            if timer is not None:
                timer.cancel()

    # ------------------------------------------------------------------ descriptors

    def add_handler(self, fd: Descriptor, handler: Handler, events: int) -> None:
        """Watch a descriptor; see `IOLoop.add_handler`."""
        number, fileobj = self.split_fd(fd)
        if number in self.handlers:
            raise ValueError(f"fd {number} added twice")
        self.handlers[number] = (fileobj, handler)
        try:
            self._watch(number, events)
        except BaseException:
            del self.handlers[number]
            self._watch(number, IOLoop.NONE)
            raise

    def update_handler(self, fd: Descriptor, events: int) -> None:
        """Change what a descriptor is watched for; see `IOLoop.update_handler`."""
        number, _ = self.split_fd(fd)
        if number not in self.handlers:
            raise FileNotFoundError(2, f"fd {number} has no handler")
        self._watch(number, events)

    def remove_handler(self, fd: Descriptor) -> None:
        """Stop watching a descriptor; see `IOLoop.remove_handler`."""
        number, _ = self.split_fd(fd)
        if self.handlers.pop(number, None) is not None:
            self._watch(number, IOLoop.NONE)

    def _watch(self, fd: int, events: int) -> None:
        loop = self.asyncio_loop
        if self._unblocks and asyncio._get_running_loop() is not loop and loop.is_running():
            # From another thread, as ipykernel does. asyncio's selectors take that; libuv does not
            # look at it before the loop wakes up, and may lose what it was told meanwhile.
            loop.call_soon_threadsafe(self._watch_later, fd, events)
        else:
            self._watch_now(fd, events)

    def _watch_later(self, fd: int, events: int) -> None:
        if not events or fd in self.handlers:  # it may have been removed since
            self._watch_now(fd, events)

    def _watch_now(self, fd: int, events: int) -> None:
        readers, writers = self.readers, self.writers
        if events & _READ:
            if fd not in readers:
                self._add(self.selector_loop.add_reader, fd, _READ)
                readers.add(fd)
        elif fd in readers:
            readers.discard(fd)
            self.selector_loop.remove_reader(fd)
        if events & _WRITE:
            if fd not in writers:
                self._add(self.selector_loop.add_writer, fd, _WRITE)
                writers.add(fd)
        elif fd in writers:
            writers.discard(fd)
            self.selector_loop.remove_writer(fd)

    def _add(self, add: Callable[..., object], fd: int, event: int) -> None:
        if self._unblocks and os.get_blocking(fd):
            add(fd, self._handle_events, fd, event)
            os.set_blocking(fd, True)
        else:
            add(fd, self._handle_events, fd, event)

    def _handle_events(self, fd: int, events: int) -> None:
        # Reading may have removed the handler that writing was scheduled for in the same turn.
        entry = self.handlers.get(fd)
        if entry is None:
            return
        fileobj, handler = entry
        try:
            result = handler(fileobj, events)
            if result is not None:
                self._wait_for(handler, result)
        except asyncio.CancelledError:
            pass
        except Exception:
            app_log.error("Exception in I/O handler for fd %s", fd, exc_info=True)

    # ------------------------------------------------------------------ timers, callbacks

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> asyncio.TimerHandle:
        """Call after ``delay`` seconds by the monotonic clock: clock changes do not matter."""
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        return self.asyncio_loop.call_later(
            delay if delay > 0 else 0, self._run_callback, callback, *args
        )

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> asyncio.TimerHandle:
        """Call at ``when`` on the scale of `time`; the distance is measured now."""
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        return self.asyncio_loop.call_later(
            max(0, when - self.time()), self._run_callback, callback, *args
        )

    def remove_timeout(self, timeout: object) -> None:
        """Cancel a timer; see `IOLoop.remove_timeout`."""
        cast(asyncio.TimerHandle, timeout).cancel()

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Call on the next turn, from any thread; see `IOLoop.add_callback`."""
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        loop = self.asyncio_loop
        try:
            if (
                loop._thread_id == get_ident()  # type: ignore[attr-defined]
                if self._knows_thread
                else asyncio._get_running_loop() is loop
            ):
                loop.call_soon(self._run_callback, callback, *args)
            else:
                loop.call_soon_threadsafe(self._run_callback, callback, *args)
        except RuntimeError:
            # Closed (or closing: uvloop and the proxy say so in ways of their own).
            if not loop.is_closed():
                raise

    def add_callback_from_signal(
        self, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> None:
        """Call on the next turn, from a signal handler; see `IOLoop.add_callback_from_signal`."""
        if kwargs:
            callback = functools.partial(callback, **kwargs)
        try:
            self.asyncio_loop.call_soon_threadsafe(self._run_callback, callback, *args)
        except RuntimeError:
            if not self.asyncio_loop.is_closed():
                raise


class AsyncIOMainLoop(BaseAsyncIOLoop):
    """The IOLoop of the asyncio loop that runs, or of this thread's own: what `current` makes.

    Example:
        >>> async def main():
        ...     return type(IOLoop.current()).__name__
        >>> asyncio.run(main())
        'AsyncIOMainLoop'
    """

    def initialize(  # type: ignore[override]
        self, asyncio_loop: asyncio.AbstractEventLoop | None = None, **kwargs: Any
    ) -> None:
        """Wrap ``asyncio_loop``, by default the running loop or this thread's."""
        super().initialize(asyncio_loop or own_asyncio_loop(), **kwargs)


class AsyncIOLoop(BaseAsyncIOLoop):
    """The IOLoop of a new asyncio loop: what ``IOLoop()`` makes.

    Example:
        >>> loop = AsyncIOLoop(loop_factory="asyncio", make_current=False)
        >>> loop.run_sync(lambda: asyncio.sleep(0, "slept"))
        'slept'
        >>> loop.close()
    """

    def initialize(  # type: ignore[override]
        self,
        asyncio_loop: asyncio.AbstractEventLoop | None = None,
        loop_factory: str | LoopFactory | None = None,
        **kwargs: Any,
    ) -> None:
        """Make an asyncio loop and wrap it.

        Args:
            asyncio_loop: a loop to wrap instead of a new one.
            loop_factory: ``"asyncio"``, ``"uvloop"`` or a function that makes loops; None for what
                `zonda.ioloop.factory` decides.
            **kwargs: see `BaseAsyncIOLoop`.
        """
        made = None
        if asyncio_loop is None:
            made = asyncio_loop = (
                loop_factory() if callable(loop_factory) else new_asyncio_loop(loop_factory)
            )
        try:
            super().initialize(asyncio_loop, **kwargs)
        except BaseException:
            if made is not None:
                made.close()
            raise

    def close(self, all_fds: bool = False) -> None:
        """Close the loop; if it was this thread's current one, there is none afterwards."""
        if IOLoop.current(instance=False) is self:
            IOLoop.clear_current()
        super().close(all_fds=all_fds)


IOLoop.default_implementation = AsyncIOLoop
IOLoop.wrapping_implementation = AsyncIOMainLoop


def to_tornado_future(asyncio_future: "asyncio.Future[_T]") -> "asyncio.Future[_T]":
    """Return the argument: asyncio's futures are the only ones there are.

    Example:
        >>> async def main():
        ...     future = asyncio.get_running_loop().create_future()
        ...     return to_tornado_future(future) is future
        >>> asyncio.run(main())
        True
    """
    return asyncio_future


def to_asyncio_future(tornado_future: Any) -> AnyFuture[Any]:
    """Turn anything a coroutine may yield into a future.

    Raises:
        BadYieldError: it is nothing of the kind.

    Example:
        >>> async def main():
        ...     return await to_asyncio_future([asyncio.sleep(0, 1), asyncio.sleep(0, 2)])
        >>> asyncio.run(main())
        [1, 2]
    """
    return cast("AnyFuture[Any]", convert_yielded(tornado_future))


def __getattr__(name: str) -> Any:
    if name == "AnyThreadEventLoopPolicy":
        # Late: from Python 3.14 on, to name asyncio's policies is a deprecation warning.
        from zonda.ioloop.platform.anythread import AnyThreadEventLoopPolicy  # noqa: PLC0415

        return AnyThreadEventLoopPolicy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
