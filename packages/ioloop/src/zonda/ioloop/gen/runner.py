"""Driving a generator that yields what it waits for.

In: a driver with a generator in it, and the context it runs in. Out: a future of what it returns.
`go_on` runs it at the spot for as long as what it yields is done already; a generator that never
has to wait costs no turn of the loop. Once it has to wait, a `GeneratorFuture` carries on.

Cancelling that future cancels what the generator waits for; the generator gets the
``CancelledError``, may clean up, and has nobody left to report to. Errors of the generator, that
is everything but ``Return``, end up in the future.
"""

import asyncio
import contextvars
from collections.abc import Generator
from concurrent import futures
from typing import Any, TypeAlias

from zonda.ioloop.concurrent import AnyFuture, future_set_exception_unless_cancelled
from zonda.ioloop.factory import own_asyncio_loop
from zonda.ioloop.finished import Unmade
from zonda.ioloop.gen.driver import Driver, Return, failed, put_back
from zonda.ioloop.log import app_log
from zonda.ioloop.yieldable import Moment, as_future, moment

__all__ = ["GeneratorFuture", "Runner", "go_on"]

Future = asyncio.Future
Task = asyncio.Task
_get_running_loop = asyncio._get_running_loop


# A future that is done, a callback it had, and the context that is to be called in.
_Following: TypeAlias = tuple[asyncio.Future[Any], Any, contextvars.Context]

# In place of what a GeneratorFuture waits for: throw a CancelledError instead of waiting.
_CANCEL: Any = object()


class GeneratorFuture(asyncio.Future[Any]):
    """The future of a generator coroutine that had to wait, and what makes the generator go on.

    One object instead of a future and a runner: it is what the awaited future's callback refers
    to, and dropped with it.

    Example:
        >>> from zonda.ioloop.gen import coroutine
        >>> @coroutine
        ... def wait():
        ...     yield asyncio.sleep(60)
        >>> async def main():
        ...     future = wait()
        ...     return isinstance(future, GeneratorFuture), future.cancel(), future.cancelled()
        >>> asyncio.run(main())
        (True, True, True)
    """

    __slots__ = ("_awaited", "_context", "_driver")

    # No __init__ of its own: the future's is C. `go_on` fills these in.
    _driver: Driver
    _context: contextvars.Context
    _awaited: AnyFuture[Any] | None

    def cancel(self, msg: Any = None) -> bool:
        """Cancel what the generator waits for, and this future at once."""
        if self.done():
            return False
        super().cancel(msg)
        if self._awaited is None:
            self._awaited = _CANCEL  # it is running, or waits for a turn of the loop
        else:
            self._awaited.cancel()
        return True

    def wait_for(self, awaited: AnyFuture[Any] | Moment) -> None:
        """Go on with the generator when ``awaited`` is done."""
        if isinstance(awaited, Moment):
            self.get_loop().call_soon(self._resume, awaited, context=self._context)
            return
        cancelled, self._awaited = self._awaited is _CANCEL, awaited
        if isinstance(awaited, Future):
            # The loop itself enters the context: no copy, no partial.
            awaited.add_done_callback(self._resume, context=self._context)
        else:
            awaited.add_done_callback(self._resume_from_thread)
        if cancelled:
            awaited.cancel()

    def _resume_from_thread(self, awaited: futures.Future[Any]) -> None:
        try:
            self.get_loop().call_soon_threadsafe(self._resume, awaited, context=self._context)
        except RuntimeError:
            pass  # the loop was closed: nobody is left to go on for

    def _resume(self, awaited: AnyFuture[Any] | Moment) -> None:
        """Run the generator until it has to wait again or ends; on the loop, in its context.

        Where it ends and just one other generator coroutine or task waits for that, this one goes
        on at the spot, as if it had called a function: a turn of the loop less.
        """
        future = parent = callback = context = following = None
        try:
            following = self._step(awaited)
            while following is not None:
                future, callback, context = following
                parent = callback.__self__
                if type(parent) is not GeneratorFuture:
                    following = None
                    context.run(callback, future)
                else:
                    # In a loop of ours: a deep chain must not be a deep recursion.
                    following = context.run(parent._step, future)
        finally:
            # The traceback of an exception refers to this frame: leave no cycle.
            del self, awaited
            future = parent = callback = context = following = None

    def _step(self, awaited: AnyFuture[Any] | Moment) -> _Following | None:
        error: BaseException | None = None
        if self._awaited is _CANCEL:
            error = asyncio.CancelledError()
        self._awaited = None
        driver = self._driver
        try:
            while True:
                # Nothing is thrown or sent while an exception is being handled here: the
                # generator's own exceptions would seem to come from that.
                if error is None:
                    try:
                        value = awaited.result()
                    except (
                        futures.CancelledError
                    ) as caught:  # an executor's, which is not asyncio's
                        error = asyncio.CancelledError(*caught.args)
                    except BaseException as caught:
                        error = caught
                if error is None:
                    yielded = driver.send(value)
                else:
                    yielded = driver.throw(error)
                    error = None
                while type(yielded) is Unmade and driver.gi_yieldfrom is not None:
                    yielded = driver.send(yielded._value)
                if driver.gi_yieldfrom is None:
                    put_back(driver)
                    if type(yielded) is Unmade and not self.done():
                        return self._finish(yielded._value)
                    self._take(yielded)
                    return None
                if isinstance(yielded, Future):
                    awaited = yielded
                else:
                    try:
                        awaited = as_future(yielded)
                    except Exception as bad:
                        error = bad
                        continue
                if awaited is moment or not awaited.done():
                    self.wait_for(awaited)
                    return None
        except BaseException as caught:  # no Exception: the driver takes these
            if not self.cancelled():
                self.set_exception(caught)
                self.exception()  # that is, it need not be reported: it leaves the loop here
            raise
        finally:
            # The traceback of an exception refers to this frame: leave no cycle.
            del self, awaited
            error = yielded = None

    def _finish(self, value: Any) -> _Following | None:
        """Set the result; return whoever waits for it, if that is one who may go on at once."""
        callbacks = self._callbacks
        if callbacks and len(callbacks) == 1:
            ((callback, context),) = callbacks
            # A bound method: GeneratorFuture._resume, or the wake-up of a task. Nobody else's.
            waiting = getattr(callback, "__self__", None)
            if (
                type(waiting) is GeneratorFuture or isinstance(waiting, Task)
            ) and self.remove_done_callback(callback) == 1:
                self.set_result(value)
                return self, callback, context
        self.set_result(value)
        return None

    def _take(self, outcome: "asyncio.Future[Any]") -> None:
        """Make the outcome of the generator this future's own."""
        if type(outcome) is Unmade:
            if not self.cancelled():
                self.set_result(outcome._value)
        elif outcome.cancelled():
            try:
                outcome.result()
            except asyncio.CancelledError as caught:
                super().cancel(*caught.args[:1])
        else:
            error = outcome.exception()
            assert error is not None
            if self.cancelled():
                app_log.error("Exception in a cancelled coroutine", exc_info=error)
            else:
                self.set_exception(error)
            del error  # its traceback refers to this frame


# asyncio says "Future exception was never retrieved" of it, as programs that look for that expect.
GeneratorFuture.__name__ = "Future"


def go_on(driver: Driver, context: contextvars.Context, yielded: Any) -> "asyncio.Future[Any]":
    """Run a generator, in ``context`` already, after its first yield until it waits or ends.

    Example:
        >>> from zonda.ioloop.gen.driver import new_driver
        >>> def generator():
        ...     return 2 * (yield asyncio.sleep(0, 21))
        >>> async def main():
        ...     driver = new_driver()
        ...     context = contextvars.copy_context()
        ...     return await context.run(go_on, driver, context, driver.send(generator()))
        >>> asyncio.run(main())
        42
    """
    send = driver.send
    awaited: AnyFuture[Any] | Moment | None = None
    error: BaseException | None = None
    while driver.gi_yieldfrom is not None:
        if type(yielded) is Unmade:
            yielded = send(yielded._value)
            continue
        if isinstance(yielded, Future):
            awaited = yielded
            if not awaited.done():
                break
        else:
            try:
                awaited = as_future(yielded)
            except Exception as bad:
                awaited, error = moment, bad
            else:
                if awaited is moment or not awaited.done():
                    break
        if error is None:
            try:
                value = awaited.result()
            except futures.CancelledError as caught:  # an executor's, which is not asyncio's
                error = asyncio.CancelledError(*caught.args)
            except BaseException as caught:
                error = caught
        if error is None:
            yielded = send(value)
        else:
            try:
                yielded = driver.throw(error)
            finally:
                error = awaited = None  # the traceback refers to this frame: leave no cycle
    else:
        put_back(driver)
        return yielded  # type: ignore[no-any-return]
    kind = type(awaited)
    if kind is Future or kind is GeneratorFuture or kind is Task:
        # The common case, spelled out. The loop that runs is asked for by a system call in Python
        # 3.11.
        running = GeneratorFuture(loop=awaited.get_loop())  # type: ignore[union-attr]
        running._driver = driver
        running._context = context
        running._awaited = awaited  # type: ignore[assignment]
        awaited.add_done_callback(running._resume, context=context)  # type: ignore[union-attr,call-arg]
        return running
    running = GeneratorFuture(loop=_get_running_loop() or own_asyncio_loop())
    running._driver = driver
    running._context = context
    running._awaited = None
    running.wait_for(awaited)
    return running


class Runner:
    """Drives a generator whose first yield has happened, for a future made elsewhere.

    Kept for programs that make one themselves; `coroutine` does not need it.

    Args:
        ctx_run: calls a function in the generator's context (``Context.run``).
        gen: the generator.
        result_future: gets the outcome.
        first_yielded: what the generator yielded last.

    Example:
        >>> def double():
        ...     return 2 * (yield asyncio.sleep(0, 21))
        >>> async def main():
        ...     generator, future = double(), asyncio.get_running_loop().create_future()
        ...     Runner(contextvars.copy_context().run, generator, future, next(generator))
        ...     return await future
        >>> asyncio.run(main())
        42
    """

    def __init__(
        self,
        ctx_run: Any,
        gen: Generator[Any, Any, Any],
        result_future: "asyncio.Future[Any]",
        first_yielded: Any,
    ) -> None:
        self.ctx_run = ctx_run
        self.gen: Generator[Any, Any, Any] | None = gen
        self.result_future = result_future
        self.future: AnyFuture[Any] | Moment | None = None
        self.running = False
        self.finished = False
        if self.handle_yield(first_yielded):
            self.ctx_run(self.run)

    def run(self) -> None:
        """Run the generator until it has to wait again or ends."""
        if self.running or self.finished:
            return
        self.running = True
        try:
            while True:
                awaited, generator = self.future, self.gen
                assert awaited is not None
                assert generator is not None
                if not awaited.done():
                    return
                self.future = None
                error: BaseException | None = None
                try:
                    value = awaited.result()
                except futures.CancelledError as caught:
                    error = asyncio.CancelledError(*caught.args)
                except BaseException as caught:
                    error = caught
                try:
                    if error is None:
                        yielded = generator.send(value)
                    else:
                        yielded = generator.throw(error)
                except (StopIteration, Return) as stop:
                    self._finish()
                    if not self.result_future.cancelled():
                        self.result_future.set_result(stop.value)
                    return
                except asyncio.CancelledError:
                    self._finish()
                    self.result_future.cancel()
                    return
                except Exception as caught:
                    self._finish()
                    future_set_exception_unless_cancelled(self.result_future, caught)
                    return
                if not self.handle_yield(yielded):
                    return
        finally:
            self.running = False
            error = None
            del self

    def _finish(self) -> None:
        self.finished = True
        self.future = self.gen = None

    def handle_yield(self, yielded: Any) -> bool:
        """Take what the generator yielded; return True when it can go on at once."""
        try:
            self.future = as_future(yielded)
        except Exception as error:
            self.future = failed(error)
            return True
        loop = self.result_future.get_loop()
        if self.future is moment:
            loop.call_soon(self.ctx_run, self.run)
            return False
        if self.future.done():
            return True
        if isinstance(self.future, asyncio.Future):
            self.future.add_done_callback(lambda _: self.ctx_run(self.run))
        elif isinstance(self.future, futures.Future):
            self.future.add_done_callback(
                lambda _: loop.call_soon_threadsafe(self.ctx_run, self.run)
            )
        return False

    def handle_exception(self, typ: type[BaseException], value: BaseException, tb: Any) -> bool:
        """Throw an exception into the generator that waits; return whether it still could be."""
        del typ
        if self.running or self.finished:
            return False
        self.future = failed(value.with_traceback(tb))
        self.ctx_run(self.run)
        return True
