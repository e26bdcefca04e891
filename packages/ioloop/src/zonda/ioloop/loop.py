"""The IOLoop: Tornado's face of an asyncio event loop.

In: callbacks, deadlines, futures and file descriptors. Out: they are called on the loop, each in
the context (``contextvars``) of whoever registered it. An exception that leaves a callback is
logged on ``app_log`` and the loop goes on. Methods belong to the loop's own thread; only
``add_callback`` and ``add_callback_from_signal`` may be called from elsewhere.

This module holds what does not depend on how the loop is driven; `zonda.ioloop.platform.asyncio`
holds the implementations and names the default one here when it is imported.
"""

import asyncio
import datetime
import functools
import numbers
import os
import time
from collections.abc import Callable, Coroutine
from concurrent import futures
from typing import IO, Any, ClassVar, Literal, Protocol, TypeVar, cast, overload

from zonda.ioloop.binding import Bound, bound
from zonda.ioloop.concurrent import AnyFuture, is_future
from zonda.ioloop.errors import BadYieldError
from zonda.ioloop.factory import own_asyncio_loop, thread_loop
from zonda.ioloop.log import app_log
from zonda.ioloop.util import Configurable
from zonda.ioloop.yieldable import Moment, convert_yielded

__all__ = ["IOLoop", "Selectable"]

_T = TypeVar("_T")


class Selectable(Protocol):
    """A file object the loop can watch: it has a descriptor and can be closed.

    Example:
        >>> import socket
        >>> def watch(what: Selectable) -> int:
        ...     return what.fileno()
        >>> with socket.socket() as sock:
        ...     watch(sock) > 0
        True
    """

    def fileno(self) -> int:
        """Return the descriptor."""

    def close(self) -> None:
        """Close it."""


#: A number, or an object with ``fileno()`` and ``close()``.
Descriptor = int | Selectable
#: Called with the descriptor as it was given, and the events that are there.
Handler = Callable[[Any, int], object]


class IOLoop(Configurable):
    """An event loop over asyncio.

    ``IOLoop.current()`` inside a running asyncio loop is that loop's IOLoop, however the loop was
    started. ``IOLoop()`` makes a new asyncio loop (of uvloop where that is installed; see
    `zonda.ioloop.factory`) and makes it the current one of this thread.

    Attributes:
        asyncio_loop: the asyncio loop underneath.

    Example:
        >>> loop = IOLoop(make_current=False)
        >>> def first():
        ...     print("first")
        ...     loop.call_later(0.001, later, "later")
        >>> def later(text):
        ...     print(text)
        ...     loop.stop()
        >>> loop.add_callback(first)
        >>> loop.start()
        first
        later
        >>> loop.close()
    """

    #: Events of a descriptor: nothing, readable, writable, error or hang-up.
    NONE = 0
    READ = 0x001
    WRITE = 0x004
    ERROR = 0x018

    asyncio_loop: asyncio.AbstractEventLoop

    # Not for new programs: panel and octoprint look their loop up here.
    _ioloop_for_asyncio: "ClassVar[Bound]" = Bound()

    #: Set by `zonda.ioloop.platform.asyncio`: the implementation of ``IOLoop()`` and the one that
    #: wraps an asyncio loop that exists already.
    default_implementation: "ClassVar[type[IOLoop]]"
    wrapping_implementation: "ClassVar[type[IOLoop]]"

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        """Return `IOLoop`."""
        return IOLoop

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        """Return the class of ``IOLoop()`` where none was configured."""
        return IOLoop.default_implementation

    @classmethod
    def configure(cls, impl: "str | type[Configurable] | None", **kwargs: Any) -> None:
        """Choose the class of ``IOLoop()``, or the kind of loop it makes.

        Args:
            impl: a subclass of `AsyncIOLoop` (or its dotted name), None for the default.
            **kwargs: for its ``initialize``. ``loop_factory`` is ``"asyncio"``, ``"uvloop"`` or a
                function that makes asyncio loops.

        Raises:
            ValueError: not a loop over asyncio.

        Example:
            >>> name = "zonda.ioloop.platform.asyncio.AsyncIOLoop"
            >>> IOLoop.configure(name, loop_factory="asyncio")
            >>> loop = IOLoop(make_current=False)
            >>> isinstance(loop.asyncio_loop, asyncio.SelectorEventLoop)
            True
            >>> loop.close()
            >>> IOLoop.configure(None)
        """
        super().configure(impl, **kwargs)

    def initialize(self, make_current: bool = True) -> None:
        """Make the loop current unless told otherwise; called by the constructor."""
        self._pid = os.getpid()
        # asyncio itself only keeps weak references to tasks.
        self._pending_tasks: set[AnyFuture[Any]] = set()
        self._previous_loop: asyncio.AbstractEventLoop | None = None
        if make_current:
            self.make_current()

    # ------------------------------------------------------------------ which loop is current

    @overload
    @staticmethod
    def current() -> "IOLoop": ...

    @overload
    @staticmethod
    def current(instance: Literal[True]) -> "IOLoop": ...

    @overload
    @staticmethod
    def current(instance: bool) -> "IOLoop | None": ...

    @staticmethod
    def current(instance: bool = True) -> "IOLoop | None":
        """Return the IOLoop of the running asyncio loop, else this thread's.

        Args:
            instance: where neither exists, make one (True) or return None (False). With False an
                asyncio loop that has no IOLoop yet does not get one.

        Example:
            >>> async def main():
            ...     return IOLoop.current().asyncio_loop is asyncio.get_running_loop()
            >>> asyncio.run(main())
            True
        """
        loop = asyncio._get_running_loop()
        if loop is None:
            loop = own_asyncio_loop() if instance else thread_loop()
            if loop is None:
                return None
        try:
            return loop._zonda_ioloop  # type: ignore[attr-defined,no-any-return]
        except AttributeError:
            pass
        known = bound(loop)
        if known is not None or not instance:
            return cast("IOLoop | None", known)
        return IOLoop.wrapping_implementation(asyncio_loop=loop, make_current=False)

    def make_current(self) -> None:
        """Make this the IOLoop that `current` finds in this thread while no loop runs."""
        previous = thread_loop()
        if previous is not self.asyncio_loop:
            self._previous_loop = previous
            asyncio.set_event_loop(self.asyncio_loop)

    @staticmethod
    def clear_current() -> None:
        """Undo `make_current`: the loop that was current before is current again, if it is open."""
        loop = thread_loop()
        if loop is None:
            return
        ioloop = bound(loop)
        previous = ioloop._previous_loop if isinstance(ioloop, IOLoop) else None
        if previous is not None and previous.is_closed():
            previous = None
        asyncio.set_event_loop(previous)

    def install(self) -> None:
        """Do as `make_current`; of the days when there was one loop a process."""
        self.make_current()

    @staticmethod
    def instance() -> "IOLoop":
        """Return `current`; of the days when there was one loop a process."""
        return IOLoop.current()

    @staticmethod
    def initialized(instance: bool = False) -> bool:
        """Tell whether this thread has an IOLoop; the argument has no meaning any more."""
        del instance
        return IOLoop.current(instance=False) is not None

    @staticmethod
    def clear_instance() -> None:
        """Do as `clear_current`; of the days when there was one loop a process."""
        IOLoop.clear_current()

    # ------------------------------------------------------------------ running

    def start(self) -> None:
        """Run until `stop` is called; may be called again afterwards.

        Raises:
            RuntimeError: a loop runs in this thread already, or the loop was closed, or it was
                made before a fork, in the parent process.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Make `start` return after the present turn.

        A loop that does not run yet runs for one turn when it is started. From another thread:
        ``loop.add_callback(loop.stop)``.
        """
        raise NotImplementedError

    def close(self, all_fds: bool = False) -> None:
        """Close the loop and free what it holds; it cannot be used again. Twice is once.

        Args:
            all_fds: also close every descriptor that still has a handler.

        Raises:
            RuntimeError: the loop is running.
        """
        raise NotImplementedError

    def run_sync(self, func: Callable[[], Any], timeout: float | None = None) -> Any:
        """Start the loop, call ``func``, wait for what it returns, stop, return its result.

        Args:
            func: a function that returns anything yieldable (a coroutine, a future, a list of
                these) or None.
            timeout: seconds; then what is waited for is cancelled.

        Raises:
            TimeoutError: the time is up.
            BadYieldError: ``func`` returned something that cannot be awaited.
            RuntimeError: the loop was stopped before the result was there.

        Example:
            >>> loop = IOLoop(make_current=False)
            >>> loop.run_sync(lambda: asyncio.sleep(0, 42))
            42
            >>> loop.run_sync(lambda: asyncio.sleep(60), timeout=0.01)
            Traceback (most recent call last):
            TimeoutError: Operation timed out after 0.01 seconds
            >>> loop.close()
        """

        async def run() -> Any:
            # Called on the running loop, in a task: func may use everything asyncio offers.
            result = func()
            if result is None:
                return None
            future = convert_yielded(result)
            if isinstance(future, futures.Future):
                future = asyncio.wrap_future(future)
            return await future

        return self._run_until_complete(run(), timeout)

    def _run_until_complete(self, main: Coroutine[Any, Any, Any], timeout: float | None) -> Any:
        raise NotImplementedError

    # ------------------------------------------------------------------ descriptors

    def add_handler(self, fd: Descriptor, handler: Handler, events: int) -> None:
        """Call ``handler(fd, events)`` whenever a descriptor is ready.

        Args:
            fd: a descriptor, or an object with ``fileno`` and ``close``, which is then what the
                handler gets.
            handler: gets the events that happened.
            events: bits of `READ` and `WRITE`. Errors and hang-ups show as whichever was asked for.

        Raises:
            ValueError: the descriptor has a handler already.
            OSError: it cannot be watched.
        """
        raise NotImplementedError

    def update_handler(self, fd: Descriptor, events: int) -> None:
        """Change the events a handler is called for.

        Raises:
            FileNotFoundError: the descriptor has no handler.
        """
        raise NotImplementedError

    def remove_handler(self, fd: Descriptor) -> None:
        """Stop watching a descriptor; nothing happens if it was not watched."""
        raise NotImplementedError

    def split_fd(self, fd: Descriptor) -> tuple[int, Descriptor]:
        """Return ``(descriptor, object)`` of what `add_handler` takes.

        Example:
            >>> loop = IOLoop(make_current=False)
            >>> loop.split_fd(3)
            (3, 3)
            >>> loop.close()
        """
        if isinstance(fd, int):
            return fd, fd
        return fd.fileno(), fd

    def close_fd(self, fd: Descriptor | IO[Any]) -> None:
        """Close what `add_handler` took; a descriptor that is closed already is no error."""
        try:
            if isinstance(fd, int):
                os.close(fd)
            else:
                fd.close()
        except OSError:
            pass

    # ------------------------------------------------------------------ timers

    def time(self) -> float:
        """Return the clock of deadlines: seconds since the epoch.

        A subclass may override it; `add_timeout`, `call_at` and `PeriodicCallback` follow.
        """
        return time.time()

    def add_timeout(
        self,
        deadline: float | datetime.timedelta,
        callback: Callable[..., object],
        *args: Any,
        **kwargs: Any,
    ) -> object:
        """Call ``callback(*args, **kwargs)`` at a deadline.

        Args:
            deadline: a time on the scale of `time`, or a timedelta from now.
            callback: what to call.
            *args: for the callback.
            **kwargs: for the callback.

        Returns:
            A handle for `remove_timeout`.

        Raises:
            TypeError: the deadline is neither a number nor a timedelta.
        """
        if isinstance(deadline, datetime.timedelta):
            return self.call_later(deadline.total_seconds(), callback, *args, **kwargs)
        if not isinstance(deadline, float | int | numbers.Real):
            raise TypeError(f"Unsupported deadline {deadline!r}")
        return self.call_at(deadline, callback, *args, **kwargs)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> object:
        """Call ``callback(*args, **kwargs)`` after ``delay`` seconds; returns a handle."""
        return self.call_at(self.time() + delay, callback, *args, **kwargs)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> object:
        """Call ``callback(*args, **kwargs)`` at ``when`` on the scale of `time`.

        Returns a handle for `remove_timeout`.
        """
        raise NotImplementedError

    def remove_timeout(self, timeout: object) -> None:
        """Cancel a timer; a handle that was used or cancelled before is no error."""
        raise NotImplementedError

    # ------------------------------------------------------------------ callbacks

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Call ``callback(*args, **kwargs)`` on the next turn of the loop.

        Safe to call from any thread. What the callback returns may be awaitable: it is then waited
        for, and its exception logged. On a closed loop nothing happens.
        """
        raise NotImplementedError

    def add_callback_from_signal(
        self, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> None:
        """Do as `add_callback`, from a signal handler."""
        raise NotImplementedError

    def spawn_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Do as `add_callback`: start a coroutine that nobody waits for."""
        self.add_callback(callback, *args, **kwargs)

    def add_future(
        self, future: AnyFuture[_T], callback: Callable[[AnyFuture[_T]], object]
    ) -> None:
        """Call ``callback(future)`` on the loop when the future is done.

        Raises:
            TypeError: that is not a future.

        Example:
            >>> async def main():
            ...     future = asyncio.get_running_loop().create_future()
            ...     IOLoop.current().add_future(future, lambda f: print(f.result()))
            ...     future.set_result("done")
            ...     await asyncio.sleep(0)
            >>> asyncio.run(main())
            done
        """
        if isinstance(future, asyncio.Future):
            future.add_done_callback(functools.partial(self._run_callback, callback))
        elif is_future(future):
            future.add_done_callback(functools.partial(self.add_callback, callback))
        else:
            raise TypeError(f"{future!r} is not a future")

    def run_in_executor(
        self, executor: futures.Executor | None, func: Callable[..., _T], *args: Any
    ) -> "asyncio.Future[_T]":
        """Call ``func(*args)`` in an executor, None for the default one; returns a future."""
        return self.asyncio_loop.run_in_executor(executor, func, *args)

    def set_default_executor(self, executor: futures.Executor) -> None:
        """Use this executor for ``run_in_executor(None, ...)``.

        Raises:
            TypeError: not a ThreadPoolExecutor (asyncio insists).
        """
        self.asyncio_loop.set_default_executor(executor)

    def _run_callback(self, callback: Callable[..., object], *args: Any) -> None:
        """Call a callback; log what it raises, wait for what it returns."""
        try:
            result = callback(*args)
            if result is not None:
                self._wait_for(callback, result)
        except asyncio.CancelledError:
            pass
        except Exception:
            self.handle_callback_exception(callback)

    def _wait_for(self, callback: Callable[..., object], result: object) -> None:
        try:
            future = convert_yielded(result)
        except BadYieldError:
            return  # an ordinary value: nobody asked for it
        if isinstance(future, Moment):
            return
        self._pending_tasks.add(future)
        self.add_future(future, functools.partial(self._discard_result, callback))

    def _discard_result(self, callback: Callable[..., object], future: AnyFuture[Any]) -> None:
        self._pending_tasks.discard(future)
        try:
            future.result()
        except asyncio.CancelledError:
            pass
        except Exception:
            self.handle_callback_exception(callback)

    def handle_callback_exception(self, callback: Callable[..., object]) -> None:
        """Log the exception being handled, which left ``callback``; subclasses may do otherwise."""
        app_log.error("Exception in callback %r", callback, exc_info=True)
