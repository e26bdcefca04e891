"""Futures: what counts as one, and the small verbs that make setting and chaining them safe.

In: ``asyncio.Future`` and ``concurrent.futures.Future`` objects. Setting a result on a future that
has been cancelled in the meantime is no error here; an exception that nobody can receive any more
is logged. Callbacks of asyncio futures run on the loop, those of executors' futures in whatever
thread finishes them.
"""

import asyncio
import functools
import types
from collections.abc import Callable
from concurrent import futures
from typing import Any, ParamSpec, TypeVar, cast, overload

from zonda.ioloop.errors import ReturnValueIgnoredError
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.log import app_log
from zonda.ioloop.returnfuture import return_future

__all__ = [
    "FUTURES",
    "DummyExecutor",
    "Future",
    "ReturnValueIgnoredError",
    "chain_future",
    "dummy_executor",
    "future_add_done_callback",
    "future_set_exc_info",
    "future_set_exception_unless_cancelled",
    "future_set_result_unless_cancelled",
    "is_future",
    "return_future",
    "run_on_executor",
]

_T = TypeVar("_T")
_P = ParamSpec("_P")

#: asyncio's future is the future.
Future = asyncio.Future

#: The types :func:`is_future` accepts.
FUTURES: tuple[type[futures.Future[Any]], type[asyncio.Future[Any]]] = (
    futures.Future,
    asyncio.Future,
)

#: A future of asyncio, or of `concurrent.futures`.
AnyFuture = asyncio.Future[_T] | futures.Future[_T]
#: What ``sys.exc_info()`` returns.
ExcInfo = (
    tuple[type[BaseException], BaseException, types.TracebackType | None] | tuple[None, None, None]
)


def is_future(x: object) -> bool:
    """Tell whether ``x`` is a future, asyncio's or an executor's.

    Example:
        >>> is_future(futures.Future()), is_future(42)
        (True, False)
    """
    return isinstance(x, FUTURES)


class DummyExecutor(futures.Executor):
    """An executor that runs each function at once, in the calling thread.

    Example:
        >>> DummyExecutor().submit(divmod, 7, 2).result()
        (3, 1)
    """

    def submit(
        self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> futures.Future[_T]:
        """Call ``fn(*args, **kwargs)`` now and return a finished future of its outcome."""
        future: futures.Future[_T] = futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: nothing is ever under way."""


#: One :class:`DummyExecutor` for everyone.
dummy_executor = DummyExecutor()


@overload
def run_on_executor(fn: Callable[..., _T], /) -> Callable[..., asyncio.Future[_T]]: ...


@overload
def run_on_executor(
    *, executor: str = "executor"
) -> Callable[[Callable[..., _T]], Callable[..., asyncio.Future[_T]]]: ...


def run_on_executor(*args: Any, **kwargs: Any) -> Any:
    """Decorate a method so that it runs on an executor and returns an asyncio future.

    The executor is the attribute ``executor`` of the method's object; ``run_on_executor(
    executor="name")`` takes another attribute. Cancelling the returned future does not stop a
    function that runs already.

    Raises:
        ValueError: positional arguments other than the one function.
        TypeError: an unknown keyword argument.

    Example:
        >>> class Sums:
        ...     executor = dummy_executor
        ...     @run_on_executor
        ...     def add(self, a, b):
        ...         return a + b
        >>> async def main():
        ...     return await Sums().add(1, 2)
        >>> asyncio.run(main())
        3
    """
    attribute = kwargs.pop("executor", "executor")
    if kwargs:
        raise TypeError(f"unknown arguments: {', '.join(sorted(kwargs))}")

    def decorate(fn: Callable[..., _T]) -> Callable[..., asyncio.Future[_T]]:
        @functools.wraps(fn)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> asyncio.Future[_T]:
            result: asyncio.Future[_T] = own_asyncio_loop().create_future()
            work: futures.Future[_T] = getattr(self, attribute).submit(fn, self, *args, **kwargs)
            chain_future(work, result)
            return result

        return wrapper

    if not args:
        return decorate
    if len(args) == 1 and callable(args[0]):
        return decorate(args[0])
    raise ValueError("run_on_executor takes one function, or only keyword arguments")


def chain_future(a: AnyFuture[_T], b: AnyFuture[_T]) -> None:
    """Copy the outcome of ``a`` (result, exception or cancellation) to ``b``, unless ``b`` is done.

    Safe when either is an executor's future and the other an asyncio one: the copy is then made
    on the asyncio future's loop. Cancelling ``b`` does not touch ``a``.

    Example:
        >>> async def main():
        ...     work, result = futures.Future(), asyncio.get_running_loop().create_future()
        ...     chain_future(work, result)
        ...     work.set_result("done")
        ...     return await result
        >>> asyncio.run(main())
        'done'
    """

    def copy(source: AnyFuture[_T]) -> None:
        if b.done():
            return
        if source.cancelled():
            b.cancel()
            return
        error = source.exception()
        if error is None:
            b.set_result(source.result())
        else:
            b.set_exception(error)

    if isinstance(a, asyncio.Future):
        if a.done():
            # At once, where asyncio would wait for a turn of the loop.
            copy(a)
        else:
            a.add_done_callback(copy)
    elif isinstance(b, asyncio.Future):
        loop = b.get_loop()

        def copy_on_loop(source: AnyFuture[_T]) -> None:
            try:
                loop.call_soon_threadsafe(copy, source)
            except RuntimeError:
                pass  # the loop was closed: nobody is left to receive it

        if a.done() and asyncio._get_running_loop() is loop:
            copy(a)
        else:
            a.add_done_callback(copy_on_loop)
    else:
        a.add_done_callback(copy)


def future_set_result_unless_cancelled(future: AnyFuture[_T], value: _T) -> None:
    """Set the result; do nothing when the future has been cancelled.

    Raises:
        asyncio.InvalidStateError: the future has a result or an exception already
            (``concurrent.futures.InvalidStateError`` for an executor's future).

    Example:
        >>> future = futures.Future()
        >>> _ = future.cancel()
        >>> future_set_result_unless_cancelled(future, 1)
        >>> future.cancelled()
        True
    """
    if not future.cancelled():
        future.set_result(value)


def future_set_exception_unless_cancelled(future: AnyFuture[_T], exc: BaseException) -> None:
    """Set the exception; log it when the future has been cancelled and nobody can receive it.

    Raises:
        asyncio.InvalidStateError: the future has a result or an exception already.

    Example:
        >>> future = futures.Future()
        >>> future_set_exception_unless_cancelled(future, ValueError("no"))
        >>> future.exception()
        ValueError('no')
    """
    if not future.cancelled():
        future.set_exception(exc)
    else:
        app_log.error("Exception after Future was cancelled", exc_info=exc)


def future_set_exc_info(future: AnyFuture[_T], exc_info: ExcInfo) -> None:
    """Set the exception of a ``sys.exc_info()`` triple, whose traceback it keeps.

    Raises:
        ValueError: the triple holds no exception.

    Example:
        >>> import sys
        >>> future = futures.Future()
        >>> try:
        ...     1 / 0
        ... except ZeroDivisionError:
        ...     future_set_exc_info(future, sys.exc_info())
        >>> future.exception()
        ZeroDivisionError('division by zero')
    """
    error = exc_info[1]
    if error is None:
        raise ValueError("future_set_exc_info called with no exception")
    future_set_exception_unless_cancelled(future, error)


def future_add_done_callback(
    future: AnyFuture[_T],
    callback: Callable[[asyncio.Future[_T]], object] | Callable[[futures.Future[_T]], object],
) -> None:
    """Call ``callback(future)`` when the future is done; within this call if it is already.

    Example:
        >>> future = futures.Future()
        >>> future.set_result(3)
        >>> future_add_done_callback(future, lambda f: print(f.result()))
        3
    """
    call = cast("Callable[[AnyFuture[_T]], object]", callback)
    if future.done():
        call(future)
    else:
        future.add_done_callback(call)
