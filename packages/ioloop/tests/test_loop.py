import asyncio
import contextvars
import datetime
import functools
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop import IOLoop, binding, gen
from zonda.ioloop.errors import BadYieldError
from zonda.ioloop.platform.asyncio import (
    AddThreadSelectorEventLoop,
    AsyncIOLoop,
    AsyncIOMainLoop,
    BaseAsyncIOLoop,
)

ExpectLog = Callable[..., Any]
Pair = tuple[socket.socket, socket.socket]


class NoReaderLoop(asyncio.SelectorEventLoop):
    """A loop that cannot watch descriptors for others, as Windows' proactor loop."""

    add_reader = asyncio.AbstractEventLoop.add_reader
    add_writer = asyncio.AbstractEventLoop.add_writer
    remove_reader = asyncio.AbstractEventLoop.remove_reader
    remove_writer = asyncio.AbstractEventLoop.remove_writer


KINDS = ["asyncio", "uvloop", "selector thread"]


@pytest.fixture(params=KINDS)
def ioloop(request: pytest.FixtureRequest) -> Iterator[IOLoop]:
    kind: Any = request.param
    if kind == "uvloop":
        pytest.importorskip("uvloop")
    if kind == "selector thread":
        kind = NoReaderLoop
    loop = AsyncIOLoop(loop_factory=kind)
    yield loop
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


class TestCallbacks:
    def test_in_order_with_arguments(self, ioloop: IOLoop) -> None:
        seen: list[object] = []
        ioloop.add_callback(seen.append, 1)
        ioloop.spawn_callback(lambda a, b: seen.append((a, b)), 2, b=3)
        ioloop.add_callback_from_signal(lambda c: seen.append(c), c=4)
        ioloop.add_callback(ioloop.stop)
        ioloop.start()
        assert seen == [1, (2, 3), 4]

    def test_from_a_callback_comes_on_the_next_turn(self, ioloop: IOLoop) -> None:
        seen: list[int] = []

        def first() -> None:
            ioloop.add_callback(third)
            seen.append(1)

        def third() -> None:
            seen.append(3)
            ioloop.stop()

        ioloop.add_callback(first)
        ioloop.add_callback(seen.append, 2)
        ioloop.start()
        assert seen == [1, 2, 3]

    def test_from_another_thread_wakes_the_loop(self, ioloop: IOLoop) -> None:
        threads: list[int] = []

        def arrive() -> None:
            threads.append(threading.get_ident())
            ioloop.stop()

        thread = threading.Thread(target=lambda: ioloop.add_callback(arrive))
        ioloop.add_callback(thread.start)
        ioloop.start()
        thread.join()
        assert threads == [threading.get_ident()]

    def test_from_many_threads_none_is_lost(self, ioloop: IOLoop) -> None:
        count = 0

        def arrive() -> None:
            nonlocal count
            count += 1
            if count == 1000:
                ioloop.stop()

        def send() -> None:
            for _ in range(250):
                ioloop.add_callback(arrive)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        ioloop.start()
        for thread in threads:
            thread.join()
        assert count == 1000

    def test_from_a_signal_handler(self, ioloop: IOLoop) -> None:
        def handler(*_: object) -> None:
            ioloop.add_callback_from_signal(ioloop.stop)

        before = signal.signal(signal.SIGUSR1, handler)
        try:
            ioloop.call_later(0.001, os.kill, os.getpid(), signal.SIGUSR1)
            ioloop.start()
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_exceptions_are_logged_and_the_loop_goes_on(
        self, ioloop: IOLoop, expect_log: ExpectLog
    ) -> None:
        async def fail_later() -> None:
            await asyncio.sleep(0)
            raise ValueError("later")

        @gen.coroutine
        def fail() -> Any:
            yield gen.moment
            raise ValueError("generator")

        with expect_log("zonda.application", "Exception in callback", count=4) as records:

            async def all_logged() -> None:
                while len(records) < 4:
                    await asyncio.sleep(0.001)

            ioloop.add_callback(lambda: 1 / 0)
            ioloop.add_callback(fail_later)
            ioloop.add_callback(fail)
            ioloop.add_callback(lambda: [fail_later()])
            ioloop.run_sync(all_logged, timeout=30)

    def test_exception_hook(self) -> None:
        seen: list[object] = []

        class Mine(AsyncIOLoop):
            def handle_callback_exception(self, callback: Callable[..., object]) -> None:
                seen.append((callback, sys.exc_info()[0]))

        loop = Mine(make_current=False)
        callback = functools.partial(int, "x")
        loop.add_callback(callback)
        loop.add_callback(loop.stop)
        loop.start()
        loop.close()
        assert seen == [(callback, ValueError)]

    def test_ordinary_results_are_ignored(self, ioloop: IOLoop) -> None:
        for result in (42, "text", object()):
            ioloop.add_callback(lambda result=result: result)
        ioloop.add_callback(ioloop.stop)
        ioloop.start()

    def test_base_exceptions_end_the_loop(self, ioloop: IOLoop) -> None:
        def leave() -> None:
            raise SystemExit(3)

        ioloop.add_callback(leave)
        with pytest.raises(SystemExit):
            ioloop.start()

    def test_context_of_the_caller(self, ioloop: IOLoop) -> None:
        variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
        seen: list[int] = []
        variable.set(1)
        ioloop.add_callback(lambda: seen.append(variable.get()))
        variable.set(2)
        ioloop.call_later(0, lambda: seen.append(variable.get()))
        variable.set(3)
        ioloop.call_later(0.005, ioloop.stop)
        ioloop.start()
        assert sorted(seen) == [1, 2]

    def test_on_a_closed_loop_nothing_happens(self, ioloop: IOLoop) -> None:
        ioloop.close()
        ioloop.add_callback(print)
        ioloop.add_callback_from_signal(print)

    def test_tasks_of_callbacks_survive_the_garbage_collector(self, ioloop: IOLoop) -> None:
        seen: list[str] = []

        async def main() -> None:
            future = asyncio.get_running_loop().create_future()
            ioloop.call_later(0.005, lambda f: f().set_result(None), _weak(future))
            await future
            seen.append("done")
            ioloop.stop()

        def _weak(future: Any) -> Callable[[], Any]:
            return lambda: future

        ioloop.add_callback(main)
        ioloop.call_later(0.001, gc.collect)
        ioloop.start()
        assert seen == ["done"]


class TestTimers:
    def test_order(self, ioloop: IOLoop) -> None:
        seen: list[int] = []
        ioloop.call_later(0.012, seen.append, 3)
        ioloop.call_later(0.002, seen.append, 1)
        ioloop.add_timeout(datetime.timedelta(milliseconds=7), seen.append, 2)
        ioloop.call_at(ioloop.time() + 0.02, ioloop.stop)
        ioloop.start()
        assert seen == [1, 2, 3]

    @pytest.mark.parametrize("deadline", [-1, 0, -0.5, datetime.timedelta(seconds=-3)])
    def test_the_past_is_now(self, ioloop: IOLoop, deadline: Any) -> None:
        ioloop.add_timeout(deadline, ioloop.stop)
        ioloop.start()
        if not isinstance(deadline, datetime.timedelta):
            ioloop.call_later(deadline, ioloop.stop)
            ioloop.start()

    def test_keyword_arguments(self, ioloop: IOLoop) -> None:
        seen: list[object] = []
        ioloop.call_later(0, lambda **kw: seen.append(kw), a=1)
        ioloop.call_at(0, lambda **kw: seen.append(kw), b=2)
        ioloop.add_timeout(0.0, lambda **kw: seen.append(kw), c=3)
        ioloop.call_later(0.005, ioloop.stop)
        ioloop.start()
        assert sorted(map(str, seen)) == ["{'a': 1}", "{'b': 2}", "{'c': 3}"]

    @pytest.mark.parametrize("deadline", ["soon", None, b"1", [1]])
    def test_other_deadlines(self, ioloop: IOLoop, deadline: Any) -> None:
        with pytest.raises(TypeError, match="Unsupported deadline"):
            ioloop.add_timeout(deadline, print)

    def test_removal_is_idempotent(self, ioloop: IOLoop) -> None:
        seen: list[int] = []
        removed = ioloop.call_later(0.001, seen.append, 1)
        ioloop.remove_timeout(removed)
        ioloop.remove_timeout(removed)
        used = ioloop.call_later(0, seen.append, 2)
        ioloop.call_later(0.005, ioloop.stop)
        ioloop.start()
        ioloop.remove_timeout(used)
        ioloop.remove_timeout(used)
        assert seen == [2]

    def test_removal_by_a_callback_of_the_same_turn(self, ioloop: IOLoop) -> None:
        seen: list[str] = []
        handles: list[object] = []
        when = ioloop.time()
        ioloop.call_at(when, lambda: ioloop.remove_timeout(handles[0]))
        handles.append(ioloop.call_at(when, seen.append, "removed"))
        ioloop.call_later(0.005, ioloop.stop)
        ioloop.start()
        assert seen == []

    def test_exceptions_are_logged(self, ioloop: IOLoop, expect_log: ExpectLog) -> None:
        with expect_log("zonda.application", "Exception in callback"):
            ioloop.call_later(0, lambda: 1 / 0)
            ioloop.call_later(0.005, ioloop.stop)
            ioloop.start()

    def test_deadlines_follow_the_loops_clock(self) -> None:
        class Mars(AsyncIOLoop):
            def time(self) -> float:
                return super().time() + 1_000_000

        loop = Mars(make_current=False)
        started = time.monotonic()
        loop.add_timeout(loop.time() + 0.005, loop.stop)
        loop.start()
        loop.close()
        assert 0.004 < time.monotonic() - started < 10


class TestStartAndStop:
    def test_restart(self, ioloop: IOLoop) -> None:
        seen: list[int] = []
        for n in range(3):
            ioloop.add_callback(seen.append, n)
            ioloop.add_callback(ioloop.stop)
            ioloop.start()
        assert seen == [0, 1, 2]

    def test_stop_before_start_is_one_turn(self, ioloop: IOLoop) -> None:
        seen: list[int] = []
        ioloop.stop()
        ioloop.add_callback(seen.append, 1)
        ioloop.start()
        assert seen == [1]

    def test_stop_finishes_the_turn(self, ioloop: IOLoop) -> None:
        seen: list[int] = []
        ioloop.add_callback(ioloop.stop)
        ioloop.add_callback(seen.append, 1)
        ioloop.start()
        assert seen == [1]

    def test_start_inside_a_running_loop(self, ioloop: IOLoop) -> None:
        seen: list[str] = []

        def inside() -> None:
            for call in (ioloop.start, lambda: ioloop.run_sync(lambda: None), ioloop.close):
                with pytest.raises(RuntimeError) as caught:
                    call()
                seen.append(str(caught.value))
            ioloop.stop()

        ioloop.add_callback(inside)
        ioloop.start()
        assert len(seen) == 3

    def test_close_is_idempotent(self, ioloop: IOLoop) -> None:
        ioloop.close()
        ioloop.close(all_fds=True)
        for call in (ioloop.start, lambda: ioloop.run_sync(lambda: None)):
            with pytest.raises(RuntimeError, match="closed"):
                call()


class TestRunSync:
    @pytest.mark.parametrize(
        ("func", "result"),
        [
            (lambda: None, None),
            (lambda: gen.sleep(0), None),
            (lambda: asyncio.sleep(0, 5), 5),
            (lambda: gen.coroutine(lambda: 6)(), 6),
            (lambda: [asyncio.sleep(0, 1), asyncio.sleep(0, 2)], [1, 2]),
            (lambda: {"a": asyncio.sleep(0, 1)}, {"a": 1}),
            (lambda: gen.moment, None),
        ],
    )
    def test_yieldables(self, ioloop: IOLoop, func: Callable[[], Any], result: object) -> None:
        assert ioloop.run_sync(func) == result

    def test_executors_future(self, ioloop: IOLoop) -> None:
        with futures.ThreadPoolExecutor(1) as pool:
            assert ioloop.run_sync(lambda: pool.submit(lambda: 7)) == 7

    def test_other_results(self, ioloop: IOLoop) -> None:
        with pytest.raises(BadYieldError):
            ioloop.run_sync(lambda: 42)

    def test_exceptions(self, ioloop: IOLoop) -> None:
        async def fail() -> None:
            raise ValueError("no")

        for func in (fail, lambda: int("x")):
            with pytest.raises(ValueError):
                ioloop.run_sync(func)

    def test_timeout_cancels(self, ioloop: IOLoop) -> None:
        log: list[str] = []

        async def main() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                log.append("cleaned up")

        with pytest.raises(TimeoutError, match=r"Operation timed out after 0.005 seconds"):
            ioloop.run_sync(main, timeout=0.005)
        assert log == ["cleaned up"]
        assert ioloop.run_sync(lambda: asyncio.sleep(0, 1), timeout=60) == 1

    def test_timeout_of_a_generator_coroutine(self, ioloop: IOLoop) -> None:
        log: list[str] = []

        @gen.coroutine
        def main() -> Any:
            try:
                yield gen.sleep(60)
            finally:
                log.append("cleaned up")

        with pytest.raises(TimeoutError):
            ioloop.run_sync(main, timeout=0.005)
        ioloop.run_sync(lambda: None)
        assert log == ["cleaned up"]

    def test_cancellation_is_no_timeout(self, ioloop: IOLoop) -> None:
        async def main() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            ioloop.run_sync(main, timeout=60)

    def test_stopped_too_early(self, ioloop: IOLoop) -> None:
        future: list[Any] = []

        async def main() -> None:
            future.append(asyncio.get_running_loop().create_future())
            ioloop.stop()
            await future[0]

        with pytest.raises(RuntimeError, match="stopped before Future completed"):
            ioloop.run_sync(main)
        future[0].set_result(None)
        ioloop.run_sync(lambda: asyncio.sleep(0.001))

    def test_current_task(self, ioloop: IOLoop) -> None:
        async def main() -> bool:
            async with asyncio.timeout(60):
                await asyncio.sleep(0)
            return asyncio.current_task() is not None

        assert ioloop.run_sync(main) is True


class TestHandlers:
    def test_reading_and_writing(self, ioloop: IOLoop, pair: Pair) -> None:
        ours, theirs = pair
        seen: list[object] = []

        def handler(sock: socket.socket, events: int) -> None:
            seen.append((sock, events))
            if events & IOLoop.READ:
                seen.append(sock.recv(10))
                ioloop.update_handler(sock, IOLoop.WRITE)
            else:
                ioloop.remove_handler(sock)
                ioloop.stop()

        ioloop.add_handler(ours, handler, IOLoop.READ)
        theirs.send(b"hello")
        ioloop.start()
        assert seen == [(ours, IOLoop.READ), b"hello", (ours, IOLoop.WRITE)]

    def test_a_descriptor_stays_blocking(self, ioloop: IOLoop, pair: Pair) -> None:
        ours, _ = pair
        for blocking in (True, False):
            ours.setblocking(blocking)
            for events in (IOLoop.READ, IOLoop.WRITE, IOLoop.READ | IOLoop.WRITE):
                ioloop.add_handler(ours, lambda *_: None, events)
                assert os.get_blocking(ours.fileno()) is blocking
                ioloop.remove_handler(ours)
                ioloop.run_sync(lambda: asyncio.sleep(0))
                assert os.get_blocking(ours.fileno()) is blocking

    def test_other_threads_watch(self, ioloop: IOLoop, pair: Pair) -> None:
        ours, theirs = pair
        started, called = threading.Event(), threading.Event()

        def handler(sock: socket.socket, events: int) -> None:
            sock.recv(1)
            called.set()

        ioloop.add_callback(started.set)
        thread = threading.Thread(target=ioloop.start)
        thread.start()
        assert started.wait(10)
        try:
            for _ in range(50):
                ioloop.add_handler(ours, handler, IOLoop.READ)
                theirs.send(b"x")
                assert called.wait(10)
                called.clear()
                ioloop.remove_handler(ours)
        finally:
            ioloop.add_callback(ioloop.stop)
            thread.join()

    def test_level_triggered(self, ioloop: IOLoop, pair: Pair) -> None:
        ours, theirs = pair
        got: list[bytes] = []

        def handler(fd: int, events: int) -> None:
            assert fd == ours.fileno()
            got.append(os.read(fd, 1))
            if len(got) == 3:
                ioloop.stop()

        ioloop.add_handler(ours.fileno(), handler, IOLoop.READ)
        theirs.send(b"abc")
        ioloop.start()
        assert got == [b"a", b"b", b"c"]

    def test_none_means_wait(self, ioloop: IOLoop, pair: Pair) -> None:
        ours, theirs = pair
        seen: list[int] = []

        def handler(sock: socket.socket, events: int) -> None:
            seen.append(events)
            ioloop.remove_handler(sock)
            ioloop.stop()

        ioloop.add_handler(ours, handler, IOLoop.NONE)
        theirs.send(b"x")
        ioloop.call_later(0.005, ioloop.stop)
        ioloop.start()
        assert seen == []
        ioloop.update_handler(ours, IOLoop.READ | IOLoop.ERROR)
        ioloop.start()
        assert seen == [IOLoop.READ]

    def test_hang_up_shows_as_readable(self, ioloop: IOLoop, pair: Pair) -> None:
        ours, theirs = pair
        seen: list[int] = []

        def handler(sock: socket.socket, events: int) -> None:
            seen.append(events)
            ioloop.remove_handler(sock)
            ioloop.stop()

        ioloop.add_handler(ours, handler, IOLoop.READ)
        theirs.close()
        ioloop.start()
        assert seen == [IOLoop.READ]

    def test_twice(self, ioloop: IOLoop, pair: Pair) -> None:
        def handler(fd: object, events: int) -> None:
            raise AssertionError

        ioloop.add_handler(pair[0], handler, IOLoop.READ)
        with pytest.raises(ValueError, match="added twice"):
            ioloop.add_handler(pair[0].fileno(), handler, IOLoop.READ)
        ioloop.remove_handler(pair[0])
        ioloop.remove_handler(pair[0])
        with pytest.raises(OSError):
            ioloop.update_handler(pair[0], IOLoop.READ)

    def test_what_cannot_be_watched_leaves_nothing_behind(self, ioloop: IOLoop) -> None:
        if isinstance(ioloop.asyncio_loop, NoReaderLoop):
            pytest.skip("select reports a bad descriptor as ready")
        fd = os.open(os.devnull, os.O_RDONLY)
        os.close(fd)
        with pytest.raises(OSError):
            ioloop.add_handler(fd, lambda *a: None, IOLoop.READ)
        assert isinstance(ioloop, BaseAsyncIOLoop)
        assert not ioloop.handlers

    def test_errors_are_logged_and_the_loop_goes_on(
        self, ioloop: IOLoop, pair: Pair, expect_log: ExpectLog
    ) -> None:
        calls = 0

        def handler(sock: socket.socket, events: int) -> None:
            nonlocal calls
            calls += 1
            sock.recv(1)
            if calls == 2:
                ioloop.stop()
            raise ValueError("no")

        ioloop.add_handler(pair[0], handler, IOLoop.READ)
        pair[1].send(b"ab")
        with expect_log("zonda.application", "Exception in I/O handler for fd", count=2):
            ioloop.start()

    def test_coroutine_handlers(self, ioloop: IOLoop, pair: Pair, expect_log: ExpectLog) -> None:
        async def handler(sock: socket.socket, events: int) -> None:
            sock.recv(1)
            await asyncio.sleep(0)
            ioloop.stop()
            raise ValueError("no")

        ioloop.add_handler(pair[0], handler, IOLoop.READ)
        pair[1].send(b"a")
        with expect_log("zonda.application", "Exception in callback"):
            ioloop.start()
            ioloop.run_sync(lambda: asyncio.sleep(0))

    def test_removal_by_a_handler_of_the_same_turn(self, ioloop: IOLoop) -> None:
        first, second = socket.socketpair(), socket.socketpair()
        seen: list[object] = []

        def handler(sock: socket.socket, events: int) -> None:
            seen.append(sock)
            ioloop.remove_handler(first[0])
            ioloop.remove_handler(second[0])
            ioloop.call_later(0.005, ioloop.stop)

        for ours, theirs in (first, second):
            ioloop.add_handler(ours, handler, IOLoop.READ)
            theirs.send(b"x")
        ioloop.start()
        assert len(seen) == 1
        for sock in (*first, *second):
            sock.close()

    def test_descriptor_reused(self, ioloop: IOLoop) -> None:
        seen: list[str] = []
        first = socket.socketpair()
        fd = first[0].fileno()
        ioloop.add_handler(fd, lambda *a: seen.append("first"), IOLoop.READ)
        ioloop.remove_handler(fd)
        for sock in first:
            sock.close()
        second = socket.socketpair()

        def handler(sock: socket.socket, events: int) -> None:
            seen.append("second")
            ioloop.remove_handler(sock)
            ioloop.stop()

        ioloop.add_handler(second[0], handler, IOLoop.READ)
        second[1].send(b"x")
        ioloop.start()
        for sock in second:
            sock.close()
        assert seen == ["second"]

    @pytest.mark.parametrize("all_fds", [False, True])
    def test_close(self, ioloop: IOLoop, all_fds: bool) -> None:
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()
        ioloop.add_handler(ours, lambda *a: None, IOLoop.READ)
        ioloop.add_handler(reader, lambda *a: None, IOLoop.READ)
        ioloop.close(all_fds=all_fds)
        assert (ours.fileno() == -1) is all_fds
        if all_fds:
            with pytest.raises(OSError):
                os.fstat(reader)
        else:
            os.close(reader)
            ours.close()
        os.close(writer)
        theirs.close()

    def test_close_fd(self, ioloop: IOLoop, pair: Pair) -> None:
        fd = os.dup(pair[0].fileno())
        ioloop.close_fd(fd)
        ioloop.close_fd(fd)
        ioloop.close_fd(pair[0])
        ioloop.close_fd(pair[0])
        assert ioloop.split_fd(3) == (3, 3)
        assert ioloop.split_fd(pair[1]) == (pair[1].fileno(), pair[1])


class TestFutures:
    def test_asyncio(self, ioloop: IOLoop) -> None:
        seen: list[object] = []

        def main() -> None:
            future = ioloop.asyncio_loop.create_future()
            ioloop.add_future(future, lambda f: seen.append(f.result()))
            ioloop.add_future(future, lambda f: ioloop.stop())
            assert seen == []
            future.set_result(1)
            assert seen == []

        ioloop.add_callback(main)
        ioloop.start()
        assert seen == [1]

    def test_executors(self, ioloop: IOLoop) -> None:
        threads: list[int] = []

        def done(future: Any) -> None:
            threads.append(threading.get_ident())
            ioloop.stop()

        with futures.ThreadPoolExecutor(1) as pool:
            ioloop.add_future(pool.submit(int), done)
            ioloop.start()
        assert threads == [threading.get_ident()]

    def test_callback_errors_are_logged(self, ioloop: IOLoop, expect_log: ExpectLog) -> None:
        future = ioloop.asyncio_loop.create_future()
        ioloop.add_future(future, lambda f: f.result())
        future.set_exception(ValueError("no"))
        with expect_log("zonda.application", "Exception in callback"):
            ioloop.run_sync(lambda: asyncio.sleep(0))

    def test_others(self, ioloop: IOLoop) -> None:
        with pytest.raises(TypeError):
            ioloop.add_future(42, print)  # type: ignore[arg-type]

    def test_executors_of_the_loop(self, ioloop: IOLoop) -> None:
        with futures.ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
            ioloop.set_default_executor(pool)

            async def main() -> str:
                return await ioloop.run_in_executor(None, lambda a: a + name(), "x ")

            def name() -> str:
                return threading.current_thread().name

            assert ioloop.run_sync(main).startswith("x mine")


class TestCurrent:
    def test_inside_asyncio_run(self) -> None:
        async def main() -> None:
            loop = IOLoop.current()
            assert isinstance(loop, AsyncIOMainLoop)
            assert loop.asyncio_loop is asyncio.get_running_loop()
            assert IOLoop.current() is loop
            assert IOLoop.current(instance=False) is loop
            assert IOLoop.instance() is loop
            assert IOLoop.initialized()
            event = asyncio.Event()
            loop.add_callback(event.set)
            await event.wait()

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            asyncio.run(main())

    def test_without_instance(self) -> None:
        async def main() -> None:
            assert IOLoop.current(instance=False) is None
            assert not IOLoop.initialized()
            IOLoop.current()
            assert IOLoop.initialized()

        asyncio.run(main())

    def test_asyncio_runner_keeps_it(self) -> None:
        async def current() -> IOLoop:
            return IOLoop.current()

        with asyncio.Runner() as runner:
            assert runner.run(current()) is runner.run(current())

    def test_made_where_there_is_none(self) -> None:
        asyncio.set_event_loop(None)
        assert IOLoop.current(instance=False) is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            loop = IOLoop.current()
        assert IOLoop.current() is loop
        assert loop.run_sync(lambda: asyncio.sleep(0, 1)) == 1
        loop.close()
        again = IOLoop.current()
        assert again is not loop
        again.close()
        asyncio.set_event_loop(None)

    def test_constructor(self) -> None:
        asyncio.set_event_loop(None)
        first = IOLoop()
        assert isinstance(first, AsyncIOLoop)
        assert IOLoop.current() is first
        second = IOLoop()
        assert IOLoop.current() is second
        third = IOLoop(make_current=False)
        assert IOLoop.current() is second
        third.make_current()
        assert IOLoop.current() is third
        IOLoop.clear_current()
        assert IOLoop.current() is second
        second.close()
        assert IOLoop.current() is first
        first.close()
        assert IOLoop.current(instance=False) is None
        third.install()
        assert IOLoop.instance() is third
        IOLoop.clear_instance()
        assert IOLoop.current(instance=False) is None
        IOLoop.clear_current()
        third.close()

    def test_main_loop_wraps_the_threads_own(self) -> None:
        plain = asyncio.new_event_loop()
        asyncio.set_event_loop(plain)
        loop = AsyncIOMainLoop()
        assert loop.asyncio_loop is plain
        assert IOLoop.current() is loop
        with pytest.raises(RuntimeError, match="has an IOLoop already"):
            AsyncIOMainLoop()
        assert plain.run_until_complete(asyncio.sleep(0, 1)) == 1
        loop.close()
        assert plain.is_closed()
        asyncio.set_event_loop(None)

    def test_a_loop_for_each_thread(self) -> None:
        loops: list[IOLoop] = []
        barrier = threading.Barrier(3)

        def run() -> None:
            assert IOLoop.current(instance=False) is None
            loop = IOLoop()
            loops.append(loop)
            barrier.wait(10)
            for other in loops:
                other.add_callback(counts.append, None)
            barrier.wait(10)
            loop.run_sync(lambda: asyncio.sleep(0.001))
            assert IOLoop.current() is loop
            loop.close()

        counts: list[None] = []
        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({*loops}) == 3
        assert len(counts) == 9

    def test_running_loop_is_taken_as_it_is(self) -> None:
        class Proxy(asyncio.SelectorEventLoop):
            """Takes no attributes."""

            def __setattr__(self, name: str, value: object) -> None:
                if name == binding.ATTRIBUTE:
                    raise AttributeError(name)
                super().__setattr__(name, value)

        async def main() -> IOLoop:
            loop = IOLoop.current()
            assert IOLoop.current() is loop
            return loop

        with asyncio.Runner(loop_factory=Proxy) as runner:
            loop = runner.run(main())
            assert runner.run(main()) is loop
        assert list(binding.unmarkable) == [loop.asyncio_loop]
        with asyncio.Runner(loop_factory=Proxy) as runner:
            runner.run(main())
            assert loop.asyncio_loop not in binding.unmarkable
        binding.unmarkable.clear()

    def test_goes_with_its_asyncio_loop(self) -> None:
        async def main() -> None:
            IOLoop.current().add_callback(int)

        asyncio.run(main())
        gc.collect()
        assert not binding.unmarkable


class TestConfiguration:
    @pytest.fixture(autouse=True)
    def restore(self) -> Iterator[None]:
        saved = IOLoop._save_configuration()
        yield
        IOLoop._restore_configuration(saved)

    def test_by_name(self) -> None:
        IOLoop.configure("zonda.ioloop.platform.asyncio.AsyncIOLoop", loop_factory="asyncio")
        loop = IOLoop(make_current=False)
        assert type(loop.asyncio_loop) is asyncio.SelectorEventLoop
        loop.close()

    def test_factory(self) -> None:
        IOLoop.configure(AsyncIOLoop, loop_factory=NoReaderLoop)
        loop = IOLoop(make_current=False)
        assert isinstance(loop, AsyncIOLoop)
        assert isinstance(loop.asyncio_loop, NoReaderLoop)
        assert isinstance(loop.selector_loop, AddThreadSelectorEventLoop)
        loop.close()

    def test_subclass(self) -> None:
        class Mine(AsyncIOLoop):
            pass

        IOLoop.configure(Mine)
        loop = IOLoop(make_current=False)
        assert type(loop) is Mine
        assert IOLoop.configured_class() is Mine
        loop.close()
        IOLoop.configure(None)
        assert IOLoop.configured_class() is AsyncIOLoop

    def test_a_loop_of_its_own(self) -> None:
        plain = asyncio.new_event_loop()
        loop = AsyncIOLoop(asyncio_loop=plain, make_current=False)
        assert loop.asyncio_loop is plain
        loop.close()

    @pytest.mark.parametrize("impl", [dict, "collections.OrderedDict"])
    def test_others(self, impl: Any) -> None:
        with pytest.raises(ValueError):
            IOLoop.configure(impl)


FORK = """
import asyncio, os, sys
from zonda.ioloop import IOLoop
parent = IOLoop.current()
parent.run_sync(lambda: asyncio.sleep(0))
pid = os.fork()
if pid == 0:
    child = IOLoop.current()
    assert child is not parent
    try:
        parent.start()
    except RuntimeError as error:
        assert "before the fork" in str(error)
    else:
        os._exit(3)
    os._exit(child.run_sync(lambda: asyncio.sleep(0.001, 7)))
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
assert IOLoop.current() is parent
# The wake-up descriptor still works, which a child that closes the loop would have broken.
import threading
thread = threading.Timer(0.01, lambda: parent.add_callback(parent.stop))
parent.add_callback(thread.start)
parent.start()
print("fine")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_fork(kind: str) -> None:
    if kind == "uvloop":
        pytest.importorskip("uvloop")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK],
        env={**os.environ, "ZONDA_LOOP": kind},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("fine\n", "")


def test_stays_quiet_when_records_are_off(ioloop: IOLoop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ioloop.run_sync(lambda: asyncio.sleep(0))
    assert [r for r in caplog.records if r.name.startswith("zonda")] == []
