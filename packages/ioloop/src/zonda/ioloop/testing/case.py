"""Test cases with a loop.

In: test methods, plain or as coroutines under `gen_test`. Out: unittest's outcomes. Raises
``TimeoutError`` in a coroutine test that takes too long, with the place where it hung as its
cause; ``TypeError`` for a coroutine that nobody would run.
"""

import asyncio
import functools
import inspect
import os
import unittest
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar, overload

from zonda.ioloop import gen
from zonda.ioloop.concurrent import is_future
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.platform.asyncio import AsyncIOMainLoop

_T = TypeVar("_T")
_TestMethod = Callable[..., Any]

_DEFAULT_TIMEOUT: Final = 5.0
# What a test that was cancelled because of its time limit may take to clean up.
_CLEAN_UP: Final = 1.0


def get_async_test_timeout() -> float:
    """The default time limit of a test in seconds: the variable ``ASYNC_TEST_TIMEOUT``, or 5.

    Example:
        >>> get_async_test_timeout() > 0
        True
    """
    try:
        return float(os.environ["ASYNC_TEST_TIMEOUT"])
    except (KeyError, ValueError):
        return _DEFAULT_TIMEOUT


def close_loop(io_loop: IOLoop) -> None:
    """Cancel what runs on a loop and close it; nothing happens if it is closed.

    Example:
        >>> loop = IOLoop(make_current=False)
        >>> loop.add_callback(asyncio.sleep, 3600)
        >>> close_loop(loop)
        >>> loop.asyncio_loop.is_closed()
        True
    """
    loop: asyncio.AbstractEventLoop = io_loop.asyncio_loop
    if loop.is_closed():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    io_loop.close(all_fds=True)


class AsyncTestCase(unittest.TestCase):
    """A `unittest.TestCase` whose tests each get a new loop, ``self.io_loop``.

    Coroutine tests are decorated with `gen_test`. Callback style goes with `stop` and `wait`.

    Attributes:
        io_loop: the loop, current while the test runs, closed after it with all its tasks.

    Example:
        >>> class EchoTest(AsyncTestCase):
        ...     @gen_test
        ...     async def test_coroutine(self):
        ...         self.assertEqual(await asyncio.sleep(0, "a"), "a")
        ...     def test_callback(self):
        ...         self.io_loop.add_callback(self.stop, "b")
        ...         self.assertEqual(self.wait(), "b")
        >>> suite = unittest.defaultTestLoader.loadTestsFromTestCase(EchoTest)
        >>> suite.run(unittest.TestResult())
        <unittest.result.TestResult run=2 errors=0 failures=0>
    """

    io_loop: IOLoop

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self.__stopped = False
        self.__running = False
        self.__failure: BaseException | None = None
        self.__stop_args: Any = None

    def setUp(self) -> None:
        """Make the loop. An override calls this first."""
        super().setUp()
        self.io_loop = self.get_new_ioloop()
        self.io_loop.make_current()

    def tearDown(self) -> None:
        """Cancel the loop's tasks and close it. An override calls this last."""
        self.io_loop.clear_current()
        # The process's own loop is not ours to close.
        if not isinstance(self.io_loop, AsyncIOMainLoop):
            close_loop(self.io_loop)
        super().tearDown()
        self.__rethrow()

    def get_new_ioloop(self) -> IOLoop:
        """The loop for the next test; override it for a special one."""
        return IOLoop(make_current=False)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run one test."""
        outcome = super().run(result)
        # Of a test that failed in setUp.
        self.__failure = None
        return outcome

    def _callTestMethod(self, method: Callable[[], Any]) -> None:
        result = method()
        if isinstance(result, Generator | Coroutine):
            result.close()
            raise TypeError(f"{method.__name__} is a coroutine: decorate it with @gen_test")
        if result is not None:
            raise ValueError(f"{method.__name__} returned {result!r}, which nobody looks at")

    def stop(self, _arg: Any = None, **kwargs: Any) -> None:
        """Let the present or next `wait` return ``_arg``, or ``kwargs`` as a dict."""
        if _arg is not None and kwargs:
            raise AssertionError("stop() takes one argument or keyword arguments, not both")
        self.__stop_args = kwargs or _arg
        if self.__running:
            self.io_loop.stop()
            self.__running = False
        self.__stopped = True

    def wait(
        self, condition: Callable[[], bool] | None = None, timeout: float | None = None
    ) -> Any:
        """Run the loop until `stop` is called.

        Args:
            condition: the wait goes on until this returns true after a stop.
            timeout: seconds; None for `get_async_test_timeout`, 0 for none.

        Returns:
            What `stop` was given.

        Raises:
            AssertionError: the time is up.
        """
        if timeout is None:
            timeout = get_async_test_timeout()
        if not self.__stopped:
            timer = self.io_loop.call_later(timeout, self.__expire, timeout) if timeout else None
            while True:
                self.__running = True
                self.io_loop.start()
                if self.__failure is not None or condition is None or condition():
                    break
            if timer is not None:
                self.io_loop.remove_timeout(timer)
        self.__stopped = False
        self.__rethrow()
        result, self.__stop_args = self.__stop_args, None
        return result

    def __expire(self, timeout: float) -> None:
        self.__failure = self.failureException(f"stop() was not called within {timeout} seconds")
        self.stop()

    def __rethrow(self) -> None:
        failure, self.__failure = self.__failure, None
        if failure is not None:
            raise failure


async def _run_limited(function: Callable[[], Any], timeout: float) -> Any:
    """Wait for what ``function`` returns; after ``timeout`` cancel it and tell where it hung."""
    result = function()
    if not (is_future(result) or inspect.isawaitable(result)):
        return result
    test = asyncio.ensure_future(result)
    # wait() rather than wait_for(): it does not get in the way of the test's own cancellation.
    await asyncio.wait([test], timeout=timeout)
    if test.done():
        return test.result()
    test.cancel()
    await asyncio.wait([test], timeout=_CLEAN_UP)
    error = TimeoutError(f"Operation timed out after {timeout} seconds")
    if not test.done():
        error.add_note("The test did not even end when it was cancelled.")
        raise error
    try:
        test.result()
    except BaseException as where:
        raise error from where
    error.add_note("The test ended without an exception when it was cancelled.")
    raise error


@overload
def gen_test(func: _TestMethod, *, timeout: float | None = None) -> _TestMethod: ...


@overload
def gen_test(
    func: None = None, timeout: float | None = None
) -> Callable[[_TestMethod], _TestMethod]: ...


def gen_test(
    func: _TestMethod | None = None, timeout: float | None = None
) -> _TestMethod | Callable[[_TestMethod], _TestMethod]:
    """Make a test method of a coroutine: an ``async def``, or a generator as for `gen.coroutine`.

    Args:
        func: the method, of a class with an ``io_loop``.
        timeout: seconds; None for `get_async_test_timeout` at the time of the test. When it is
            over the coroutine is cancelled and the test fails with a ``TimeoutError`` whose
            cause is the cancellation, with the traceback of the place where the test hung.

    Example:
        >>> class SlowTest(AsyncTestCase):
        ...     @gen_test(timeout=0.01)
        ...     async def test_it(self):
        ...         await asyncio.Event().wait()
        >>> result = unittest.TestResult()
        >>> _ = SlowTest("test_it").run(result)
        >>> print(result.errors[0][1].splitlines()[-1])
        TimeoutError: Operation timed out after 0.01 seconds
    """

    def decorate(method: _TestMethod) -> _TestMethod:
        @functools.wraps(method)
        def test(self: Any, *args: Any, **kwargs: Any) -> Any:
            limit = get_async_test_timeout() if timeout is None else timeout
            hung: list[BaseException] = []
            io_loop: IOLoop = self.io_loop
            start = functools.partial(_start, method, self, args, kwargs, hung)
            try:
                return io_loop.run_sync(functools.partial(_run_limited, start, limit))
            except TimeoutError as error:
                # The future of a generator coroutine knows that it was cancelled, not where.
                if hung and error.__cause__ is not None and error.__cause__.__traceback__:
                    error.__cause__ = hung[0]
                raise

        return test

    return decorate if func is None else decorate(func)


def _start(
    method: _TestMethod, case: object, args: Any, kwargs: Any, hung: list[BaseException]
) -> Any:
    result = method(case, *args, **kwargs)
    if not inspect.isgenerator(result):
        return result
    generator = result

    @gen.coroutine
    def run() -> Generator[Any, Any, Any]:
        try:
            return (yield from generator)
        except asyncio.CancelledError as error:
            hung.append(error)
            raise

    return run()


def setup_with_context_manager(testcase: unittest.TestCase, cm: AbstractContextManager[_T]) -> _T:
    """Enter a context manager for the rest of a test; it is left after ``tearDown``.

    ``unittest.TestCase.enterContext`` does the same.

    Returns:
        What the context manager gives.

    Example:
        >>> import tempfile
        >>> class FileTest(unittest.TestCase):
        ...     def setUp(self):
        ...         self.folder = setup_with_context_manager(self, tempfile.TemporaryDirectory())
        ...     def test_it(self):
        ...         self.assertEqual(os.listdir(self.folder), [])
        >>> FileTest("test_it").run()
        <unittest.result.TestResult run=1 errors=0 failures=0>
    """
    return testcase.enterContext(cm)
