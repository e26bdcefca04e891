"""`start_coroutine` for Python 3.11, which has no eager tasks.

The contract is in `zonda.ioloop.stepping`; this is how it is kept. ``asyncio.current_task()`` reads
a table. `asyncio.timeout`, ``TaskGroup`` and friends keep the task they find there and call its
methods later, so it has to be the very object that carries on after the first wait. During the
first step the table therefore holds a task object whose ``__init__`` has not been called: that
costs no more than any small object. Whoever touches an attribute of it
(`_Unstarted.__getattribute__`), or the first wait, makes it real: ``__init__`` gets a *carrier*,
and the class becomes `StartedTask`. A carrier is a coroutine that first waits for what the started
one waits for already, and then is transparent (``yield from``).

To be deleted together with Python 3.11.
"""

import asyncio
import contextvars
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["StartedTask", "start_coroutine"]

_T = TypeVar("_T")

_get_running_loop = asyncio._get_running_loop
_copy_context = contextvars.copy_context

# The very table of the C implementation: one look-up, where _enter_task and _leave_task would
# be two calls, and refuse to nest.
_current_tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[Any]] = asyncio.tasks._current_tasks  # type: ignore[attr-defined]


class _Start:
    """A coroutine being started: what its carrier has to know.

    Attributes:
        coroutine: the coroutine.
        context: the context it runs in.
        loop: the loop it runs on.
        waited: what it yielded: a future, or None for a turn of the loop.
        awaited: it yielded that by ``await``, as it should.
        ended: it did not have to wait.
        result: its result then.
        error: the exception it ended with then.
    """

    __slots__ = ("awaited", "context", "coroutine", "ended", "error", "loop", "result", "waited")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, Any],
        context: contextvars.Context,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.coroutine = coroutine
        self.context = context
        self.loop = loop
        self.waited: Any = None
        self.awaited = False
        self.ended = False
        self.result: Any = None
        self.error: BaseException | None = None


class StartedTask(asyncio.Task[_T]):
    """The task of a coroutine that was started at the spot and had to wait.

    A task like any other, made by `start_coroutine` only. The loop's task factory is not asked.

    Example:
        >>> async def main():
        ...     task = start_coroutine(asyncio.sleep(0, "slept"))
        ...     return isinstance(task, StartedTask), await task
        >>> asyncio.run(main())
        (True, 'slept')
    """

    # Before it is real: (coroutine, context, loop). Afterwards: a _Start.
    __slots__ = ("_start",)

    _start: Any

    def get_coro(self) -> Any:
        """Return the coroutine that was started, not its carrier."""
        return self._start.coroutine


class _Unstarted(StartedTask[_T]):
    """A `StartedTask` before its ``__init__``: any use of it makes it real."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return StartedTask  # isinstance() asks, of whatever a debugger comes across
        _make_real(self)
        return getattr(self, name)

    def __repr__(self) -> str:
        _make_real(self)
        return repr(self)

    def __await__(self) -> Generator[Any, None, _T]:
        _make_real(self)
        return self.__await__()

    __iter__ = __await__


# "Task exception was never retrieved" is what programs know, and look for in their logs.
StartedTask.__name__ = "Task"

_get_start = StartedTask._start.__get__
_set_start = StartedTask._start.__set__
_new_task = _Unstarted.__new__


def _make_real(task: StartedTask[Any]) -> _Start:
    """Turn an `_Unstarted` into a task whose first step comes on the next turn of the loop."""
    start = _Start(*_get_start(task))
    _set_start(task, start)
    task.__class__ = StartedTask
    carrier = _carry(start)
    name = getattr(start.coroutine, "__qualname__", None)
    if name:
        carrier.__name__ = start.coroutine.__name__  # type: ignore[attr-defined]
        carrier.__qualname__ = name  # type: ignore[attr-defined]
    # Up to its first bare yield: a coroutine that has not begun could not catch the
    # CancelledError of a task that is cancelled before its first step.
    carrier.send(None)
    asyncio.Task.__init__(task, carrier, loop=start.loop, context=start.context)
    return start


async def _carry(start: _Start) -> Any:
    # Tasks ask less of a native coroutine than of a generator.
    return await _carrier(start)


@types.coroutine
def _carrier(start: _Start) -> Generator[Any, Any, Any]:
    """Take over a coroutine after its first step (which may still be under way now)."""
    cancelled: BaseException | None = None
    try:
        yield
    except GeneratorExit:
        start.coroutine.close()
        raise
    except BaseException as error:
        cancelled = error
    if start.ended:
        if cancelled is not None:
            raise cancelled
        if start.error is not None:
            raise start.error
        return start.result
    coroutine, waited, awaited = start.coroutine, start.waited, start.awaited
    try:
        if cancelled is not None:
            # As a task does: cancel what is waited for, if it can be.
            if not awaited or not waited.cancel():
                waited = coroutine.throw(cancelled)
                awaited = False  # the mark, if any, is still set
        elif waited is None or (awaited and waited.done()):
            return (yield from coroutine)
        while True:
            try:
                if awaited:
                    waited._asyncio_future_blocking = True
                yield waited
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:
                # The outcome of what was waited for, where that is an exception; or the task's
                # complaint about something that asyncio cannot wait for.
                waited = coroutine.throw(error)
                awaited = False
            else:
                return (yield from coroutine)
    except StopIteration as stop:
        return stop.value
    finally:
        cancelled = None


def start_coroutine(
    coro: Coroutine[Any, Any, _T], context: contextvars.Context | None = None
) -> "_T | StartedTask[_T]":
    """Run a coroutine up to its first wait; let a task carry on if there is one.

    Args:
        coro: a coroutine that has not begun.
        context: the context it runs in, before and after the wait; by default a copy of the
            caller's, so that what it sets stays its own.

    Returns:
        The coroutine's result, if it ended without waiting. Otherwise a `StartedTask`, which
        is to be awaited like any task (a result of that type is not told apart, which does no
        harm: awaiting it gives what it stands for).

    Raises:
        RuntimeError: no loop is running.
        Exception: whatever the coroutine raises before it waits; from then on it is the task's.

    Example:
        >>> async def add(a, b):
        ...     return a + b
        >>> async def wait():
        ...     await asyncio.sleep(0)
        ...     return "waited"
        >>> async def main():
        ...     print(start_coroutine(add(1, 2)))
        ...     task = start_coroutine(wait())
        ...     print(isinstance(task, StartedTask), await task)
        >>> asyncio.run(main())
        3
        True waited
    """
    loop = _get_running_loop()
    if loop is None:
        coro.close()
        raise RuntimeError("no running event loop")
    if context is None:
        context = _copy_context()
    task: StartedTask[_T] = _new_task(_Unstarted)
    task._start = (coro, context, loop)
    outer = _current_tasks.get(loop)
    _current_tasks[loop] = task
    try:
        waited = context.run(coro.send, None)
    except StopIteration as stop:
        if type(task) is not _Unstarted:
            _end(task, stop.value, None)
        return stop.value  # type: ignore[no-any-return]
    except BaseException as error:
        if type(task) is not _Unstarted:
            _end(task, None, error)
        raise
    finally:
        if outer is None:
            del _current_tasks[loop]
        else:
            _current_tasks[loop] = outer
    start = _make_real(task) if type(task) is _Unstarted else task._start
    start.waited = waited
    if getattr(waited, "_asyncio_future_blocking", False):
        # The mark of "yielded by await", which the task tests and clears when it gets the future.
        # Until then others may await the same future, so it is set again only at that moment.
        waited._asyncio_future_blocking = False
        start.awaited = True
    return task


def _end(task: StartedTask[Any], result: Any, error: BaseException | None) -> None:
    """Settle the task of a coroutine that ended at once, and was asked for its task."""
    start = task._start
    start.ended, start.result, start.error = True, result, error
    # The caller gets the exception; nobody needs to retrieve it from the task.
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    if error is None and task._must_cancel:  # type: ignore[attr-defined]
        raise asyncio.CancelledError
