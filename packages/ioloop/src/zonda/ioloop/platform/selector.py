"""Watching descriptors for a loop that cannot: a selector in a thread.

In: descriptors and callbacks, from the loop's thread. Out: the callbacks are called on the loop,
like those of ``loop.add_reader``: again and again as long as the descriptor is ready. The thread
only ever calls ``select``; it is started with the first descriptor and asked to look again through
a socket pair whenever the set of descriptors changes.
"""

import asyncio
import contextlib
import select
import socket
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

__all__ = ["AddThreadSelectorEventLoop", "SelectorThread"]


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


_Callback = tuple[Callable[..., object], tuple[Any, ...]]


class SelectorThread:
    """``add_reader`` and its siblings for any asyncio loop.

    The protocol between the two threads: the loop hands over one set of descriptors, the thread
    waits on it and hands back which are ready, and waits to be given the next set. So callbacks
    have run before their descriptor is looked at again, and the sets need no lock.

    Args:
        real_loop: the loop the callbacks are called on. ``close`` must be called before it closes.

    Example:
        >>> async def main():
        ...     ours, theirs = socket.socketpair()
        ...     selector = SelectorThread(asyncio.get_running_loop())
        ...     ready = asyncio.Event()
        ...     selector.add_reader(ours, ready.set)
        ...     theirs.send(b"x")
        ...     await ready.wait()
        ...     selector.close(); ours.close(); theirs.close()
        ...     return "readable"
        >>> asyncio.run(main())
        'readable'
    """

    def __init__(self, real_loop: asyncio.AbstractEventLoop) -> None:
        self._loop = real_loop
        self._readers: dict[int, _Callback] = {}
        self._writers: dict[int, _Callback] = {}
        self._handover = threading.Condition()
        self._wanted: tuple[list[int], list[int]] | None = None  # guarded by _handover
        self._closing = False  # guarded by _handover
        self._closed = False
        self._thread: threading.Thread | None = None
        self._waker, self._sleeper = socket.socketpair()
        self._waker.setblocking(False)
        self._sleeper.setblocking(False)
        self._readers[self._sleeper.fileno()] = (self._drain, ())

    def close(self) -> None:
        """Stop the thread and forget every descriptor; twice is once."""
        if self._closed:
            return
        self._closed = True
        with self._handover:
            self._closing, self._wanted = True, None
            self._handover.notify()
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self._readers.clear()
        self._writers.clear()
        self._waker.close()
        self._sleeper.close()

    def add_reader(self, fd: int | _HasFileno, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` on the loop whenever ``fd`` is readable."""
        self._add(self._readers, fd, callback, args)

    def add_writer(self, fd: int | _HasFileno, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` on the loop whenever ``fd`` is writable."""
        self._add(self._writers, fd, callback, args)

    def remove_reader(self, fd: int | _HasFileno) -> bool:
        """Stop watching for reading; returns whether it was watched."""
        return self._remove(self._readers, fd)

    def remove_writer(self, fd: int | _HasFileno) -> bool:
        """Stop watching for writing; returns whether it was watched."""
        return self._remove(self._writers, fd)

    def _add(
        self,
        table: dict[int, _Callback],
        fd: int | _HasFileno,
        callback: Callable[..., object],
        args: tuple[Any, ...],
    ) -> None:
        if self._closed:
            raise RuntimeError("the selector thread is closed")
        table[_number(fd)] = (callback, args)
        if self._thread is None:
            # A daemon: a program that forgets to close its loop must still be able to end.
            self._thread = threading.Thread(target=self._run, name="zonda selector", daemon=True)
            self._thread.start()
            self._hand_over()
        else:
            self._wake()

    def _remove(self, table: dict[int, _Callback], fd: int | _HasFileno) -> bool:
        if table.pop(_number(fd), None) is None:
            return False
        if not self._closed:
            self._wake()
        return True

    # ------------------------------------------------------------------ on the loop

    def _hand_over(self) -> None:
        with self._handover:
            self._wanted = list(self._readers), list(self._writers)
            self._handover.notify()

    def _ready(self, readable: list[int], writable: list[int]) -> None:
        if self._closed:
            return
        for ready, table in ((readable, self._readers), (writable, self._writers)):
            for fd in ready:
                # A callback before this one may have removed it.
                entry = table.get(fd)
                if entry is not None:
                    self._loop.call_soon(entry[0], *entry[1])
        # After those callbacks.
        self._loop.call_soon(self._look_again)

    def _look_again(self) -> None:
        if not self._closed:
            self._hand_over()

    def _drain(self) -> None:
        if self._closed:
            return  # since the loop was told that there is something to drain
        try:
            while self._sleeper.recv(4096):
                pass
        except (BlockingIOError, InterruptedError):
            pass

    def _wake(self) -> None:
        # A full buffer will wake the thread just as well.
        with contextlib.suppress(BlockingIOError, InterruptedError):
            self._waker.send(b"\0")

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while True:
            with self._handover:
                self._handover.wait_for(lambda: self._closing or self._wanted is not None)
                if self._wanted is None:
                    return
                (readers, writers), self._wanted = self._wanted, None
            try:
                # Windows reports a failed connect only as exceptional.
                readable, writable, failed = select.select(readers, writers, writers)
            except (OSError, ValueError):
                # A descriptor was closed while it was watched. It is about to be removed.
                readable, writable, failed = _usable(readers, writers)
            with self._handover:
                if self._closing:
                    return
            try:
                self._loop.call_soon_threadsafe(self._ready, readable, writable + failed)
            except RuntimeError:
                return  # the loop was closed first


def _number(fd: int | _HasFileno) -> int:
    return fd if isinstance(fd, int) else fd.fileno()


def _usable(readers: list[int], writers: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Look at each descriptor on its own, and call those ready that cannot be looked at."""
    readable = [fd for fd in readers if _is_ready([fd], [])]
    writable = [fd for fd in writers if _is_ready([], [fd])]
    return readable, writable, []


def _is_ready(readers: list[int], writers: list[int]) -> bool:
    try:
        return any(select.select(readers, writers, writers, 0))
    except (OSError, ValueError):
        return True


class AddThreadSelectorEventLoop(asyncio.AbstractEventLoop):
    """An asyncio loop with ``add_reader`` and its siblings added by a `SelectorThread`.

    Everything else is the real loop's.

    Args:
        real_loop: the loop to complete.

    Example:
        >>> loop = AddThreadSelectorEventLoop(asyncio.new_event_loop())
        >>> loop.run_until_complete(asyncio.sleep(0, "slept"))
        'slept'
        >>> loop.close()
    """

    #: Attributes that are not looked up in the real loop.
    MY_ATTRIBUTES: ClassVar[set[str]] = {
        "_real_loop",
        "_selector",
        "add_reader",
        "add_writer",
        "close",
        "remove_reader",
        "remove_writer",
    }

    def __init__(self, real_loop: asyncio.AbstractEventLoop) -> None:
        self._real_loop = real_loop
        self._selector = SelectorThread(real_loop)

    def __getattribute__(self, name: str) -> Any:
        # The base class defines every method, so __getattr__ would never be asked.
        if name in AddThreadSelectorEventLoop.MY_ATTRIBUTES or name.startswith("__"):
            return super().__getattribute__(name)
        return getattr(self._real_loop, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in AddThreadSelectorEventLoop.MY_ATTRIBUTES:
            super().__setattr__(name, value)
        else:
            setattr(self._real_loop, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._real_loop, name)

    def close(self) -> None:
        """Stop the thread, then close the real loop."""
        self._selector.close()
        self._real_loop.close()

    def add_reader(  # type: ignore[override]
        self, fd: Any, callback: Callable[..., Any], *args: Any
    ) -> None:
        """See `SelectorThread.add_reader`."""
        self._selector.add_reader(fd, callback, *args)

    def add_writer(  # type: ignore[override]
        self, fd: Any, callback: Callable[..., Any], *args: Any
    ) -> None:
        """See `SelectorThread.add_writer`."""
        self._selector.add_writer(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """See `SelectorThread.remove_reader`."""
        return self._selector.remove_reader(fd)

    def remove_writer(self, fd: Any) -> bool:
        """See `SelectorThread.remove_writer`."""
        return self._selector.remove_writer(fd)
