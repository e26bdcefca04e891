"""The test tools, tested with unittest's own result objects and with real programs."""

import asyncio
import datetime
import logging
import os
import socket
import subprocess
import sys
import textwrap
import unittest
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from zonda.ioloop import gen
from zonda.ioloop.log import app_log, gen_log
from zonda.ioloop.loop import IOLoop
from zonda.ioloop.testing import (
    AsyncTestCase,
    ExpectLog,
    JumpingIOLoop,
    JumpingLoop,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
    setup_with_context_manager,
)


def run(case: type[unittest.TestCase]) -> dict[str, str]:
    """Run a case's tests: name -> "ok", or the traceback."""
    result = unittest.TestResult()
    names = unittest.defaultTestLoader.getTestCaseNames(case)
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    outcome = dict.fromkeys(names, "ok")
    for test, traceback in [*result.errors, *result.failures]:
        outcome[test.id().rpartition(".")[2]] = traceback
    return outcome


def last(traceback: str) -> str:
    return traceback.strip().splitlines()[-1]


# -- AsyncTestCase


def test_each_test_has_a_loop_of_its_own_that_is_closed_with_its_tasks() -> None:
    seen: list[IOLoop] = []
    tasks: list[asyncio.Task[Any]] = []

    class Case(AsyncTestCase):
        @gen_test
        async def test_a(self) -> None:
            assert IOLoop.current() is self.io_loop
            seen.append(self.io_loop)
            tasks.append(asyncio.create_task(asyncio.sleep(3600)))

        def test_b(self) -> None:
            assert IOLoop.current() is self.io_loop
            seen.append(self.io_loop)

    assert run(Case) == {"test_a": "ok", "test_b": "ok"}
    assert seen[0] is not seen[1]
    assert tasks[0].cancelled()
    assert all(loop.asyncio_loop.is_closed() for loop in seen)
    assert IOLoop.current(instance=False) is None


def test_wait_returns_what_stop_was_given() -> None:
    class Case(AsyncTestCase):
        def test_it(self) -> None:
            self.io_loop.add_callback(self.stop, 42)
            assert self.wait() == 42
            self.io_loop.add_callback(self.stop, a=1)
            assert self.wait() == {"a": 1}
            self.stop("early")
            assert self.wait() == "early"
            self.io_loop.add_callback(self.stop)
            assert self.wait() is None
            with pytest.raises(AssertionError, match="not both"):
                self.stop(1, a=2)

        def test_condition(self) -> None:
            stops: list[int] = []

            def stop() -> None:
                stops.append(len(stops))
                self.stop(stops[-1])
                if len(stops) < 4:
                    self.io_loop.add_callback(stop)

            self.io_loop.add_callback(stop)
            assert self.wait(condition=lambda: len(stops) == 4) == 3

        def test_time_out(self) -> None:
            self.wait(timeout=0.01)

    outcome = run(Case)
    assert outcome["test_it"] == outcome["test_condition"] == "ok"
    assert last(outcome["test_time_out"]).startswith("AssertionError: stop() was not called within")


def test_coroutines_that_nobody_would_run_are_errors() -> None:
    class Case(AsyncTestCase):
        async def test_async(self) -> None: ...

        def test_generator(self) -> Generator[None, None, None]:
            yield

        def test_value(self) -> int:
            return 5

        @gen_test
        async def test_result(self) -> int:
            return 5

    outcome = run(Case)
    assert last(outcome["test_async"]) == (
        "TypeError: test_async is a coroutine: decorate it with @gen_test"
    )
    assert last(outcome["test_generator"]).startswith("TypeError: test_generator is a coroutine")
    assert last(outcome["test_value"]).startswith("ValueError: test_value returned 5")
    assert last(outcome["test_result"]).startswith("ValueError: test_result returned 5")


def test_a_loop_of_the_tests_choice() -> None:
    class Case(AsyncTestCase):
        def get_new_ioloop(self) -> IOLoop:
            return JumpingIOLoop(make_current=False)

        @gen_test(timeout=7200)
        async def test_it(self) -> None:
            await gen.sleep(3600)
            assert self.io_loop.time() >= 3600

        @gen_test
        async def test_hang(self) -> None:
            await asyncio.sleep(3600)

    outcome = run(Case)
    assert outcome["test_it"] == "ok"
    assert "TimeoutError" in last(outcome["test_hang"])


def test_contexts_are_left_after_tear_down() -> None:
    order: list[str] = []

    @contextmanager
    def context() -> Generator[str, None, None]:
        yield "value"
        order.append("left")

    class Case(unittest.TestCase):
        def setUp(self) -> None:
            order.append(setup_with_context_manager(self, context()))

        def test_it(self) -> None: ...

        def tearDown(self) -> None:
            order.append("torn down")

    assert run(Case) == {"test_it": "ok"}
    assert order == ["value", "torn down", "left"]


# -- gen_test


def test_a_hanging_coroutine_is_cancelled_and_shows_where() -> None:
    seen: list[str] = []

    class Case(AsyncTestCase):
        @gen_test(timeout=0.01)
        async def test_native(self) -> None:
            try:
                await asyncio.Event().wait()  # native hangs here
            except asyncio.CancelledError:
                seen.append("native")
                raise

        @gen_test(timeout=0.01)
        def test_generator(self) -> Generator[Any, Any, None]:
            try:
                yield gen.sleep(3600)  # generator hangs here
            except asyncio.CancelledError:
                seen.append("generator")
                raise

        @gen_test(timeout=0.01)
        @gen.coroutine
        def test_coroutine(self) -> Generator[Any, Any, None]:
            yield gen.sleep(3600)

        @gen_test(timeout=0.01)
        async def test_swallow(self) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    outcome = run(Case)
    for name in ("native", "generator"):
        assert f"{name} hangs here" in outcome[f"test_{name}"]
    for name in ("native", "generator", "coroutine"):
        expected = "TimeoutError: Operation timed out after 0.01 seconds"
        assert last(outcome[f"test_{name}"]) == expected
    assert "without an exception" in last(outcome["test_swallow"])
    assert sorted(seen) == ["generator", "native"]


def test_outcomes_of_coroutine_tests() -> None:
    class Case(AsyncTestCase):
        @gen_test
        async def test_failure(self) -> None:
            self.fail(await asyncio.sleep(0, "one is not two"))

        @gen_test()
        def test_generator(self) -> Generator[Any, Any, None]:
            assert (yield asyncio.sleep(0, 1)) == 1

        @gen_test
        async def test_own_timeout(self) -> None:
            raise TimeoutError("mine")

        @gen_test
        async def test_skipped(self) -> None:
            self.skipTest("not today")

    outcome = run(Case)
    assert last(outcome["test_failure"]) == "AssertionError: one is not two"
    assert outcome["test_generator"] == "ok"
    assert last(outcome["test_own_timeout"]) == "TimeoutError: mine"
    assert outcome["test_skipped"] == "ok"


def test_arguments_pass_through() -> None:
    class Case(AsyncTestCase):
        @gen_test
        async def method(self, a: int, b: int = 0) -> int:
            return a + b

        def test_it(self) -> None:
            assert self.method(1, b=2) == 3

    assert run(Case) == {"test_it": "ok"}


@pytest.mark.parametrize(("value", "seconds"), [("0.5", 0.5), ("x", 5), (None, 5)])
def test_the_default_limit_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, seconds: float
) -> None:
    monkeypatch.delenv("ASYNC_TEST_TIMEOUT", raising=False)
    if value is not None:
        monkeypatch.setenv("ASYNC_TEST_TIMEOUT", value)
    assert get_async_test_timeout() == seconds


# -- ExpectLog


def test_matching_records_are_taken() -> None:
    with ExpectLog(gen_log, "hello") as log:
        gen_log.warning("hello %s", "world")
        gen_log.warning("hello again")
    assert log.matched == 2
    assert not log.logged_stack


def test_other_records_pass(caplog: pytest.LogCaptureFixture) -> None:
    with ExpectLog("expect", "hello") as log:
        logging.getLogger("expect").warning("say hello")
        logging.getLogger("expect.below").warning("hello")
        logging.getLogger("expect").warning("hello")
    assert log.matched == 1
    assert [record.getMessage() for record in caplog.records] == ["say hello", "hello"]


def test_missing_records_are_an_error_unless_something_else_is() -> None:
    with pytest.raises(AssertionError, match="nothing that matches 'hello' was logged on 'expect'"):
        with ExpectLog("expect", "hello"):
            pass
    with ExpectLog("expect", "hello", required=False):
        pass
    with pytest.raises(KeyError), ExpectLog("expect", "hello"):
        raise KeyError


def test_a_level_must_be_met_and_opens_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("expect")
    with ExpectLog(logger, "hello", level=logging.DEBUG):
        logger.debug("hello")
    assert logger.level == logging.NOTSET
    with pytest.raises(AssertionError, match="but at ERROR"):
        with ExpectLog(logger, "hello", level=logging.WARNING):
            logger.error("hello")
    assert caplog.records


def test_tracebacks_are_noticed() -> None:
    with ExpectLog(app_log, "failed") as log:
        try:
            raise ValueError
        except ValueError:
            app_log.exception("failed")
    assert log.logged_stack


def test_a_renamed_logger_is_found_by_its_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_log, "name", "tornado.application")
    with ExpectLog("tornado.application", "hello"):
        app_log.error("hello")


# -- ports


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_an_unused_port_is_listening(address: str) -> None:
    try:
        sock, port = bind_unused_port(address=address)
    except OSError:
        if address == "::1":
            pytest.skip("no IPv6 here")
        raise
    with sock:
        assert not sock.getblocking()
        with socket.create_connection((address, port), timeout=5):
            pass


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="no SO_REUSEPORT here")
def test_a_port_can_be_shared() -> None:
    sock, port = bind_unused_port(reuse_port=True)
    with sock, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))


def test_an_address_of_others_is_an_error_that_leaves_nothing_open() -> None:
    with pytest.raises(OSError, match=r".") as error:
        bind_unused_port(address="192.0.2.1")
    assert error.value.errno is not None


# -- the clock


def test_hours_pass_in_no_time_and_in_order() -> None:
    order: list[tuple[str, float]] = []

    async def nap(name: str, hours: float) -> None:
        await asyncio.sleep(hours * 3600)
        order.append((name, round(asyncio.get_running_loop().time() / 3600, 6)))

    async def main() -> None:
        await asyncio.gather(nap("c", 30), nap("a", 1), nap("b", 2.5))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(86400):
                await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(main())
        assert round(runner.get_loop().time()) == 54 * 3600
    assert order == [("a", 1), ("b", 2.5), ("c", 30)]


def test_what_can_be_read_comes_before_the_jump() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.setblocking(False)
            async with asyncio.timeout(1):
                for _ in range(100):
                    await loop.sock_sendall(left, b"x")
                    await loop.sock_recv(right, 1)
        return loop.time()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        assert runner.run(main()) == 0


def test_time_can_be_let_pass() -> None:
    loop = JumpingLoop()
    loop.advance(5)
    assert loop.time() == 5
    with pytest.raises(ValueError, match="backwards"):
        loop.advance(-1)
    loop.close()


def test_deadlines_and_durations_agree_on_the_io_loop() -> None:
    io_loop = JumpingIOLoop(make_current=False)
    order: list[str] = []
    io_loop.add_timeout(io_loop.time() + 100, order.append, "deadline")
    io_loop.add_timeout(datetime.timedelta(seconds=99), order.append, "duration")
    io_loop.call_later(101, io_loop.stop)
    io_loop.start()
    assert order == ["duration", "deadline"]
    assert round(io_loop.time()) == 101
    io_loop.close()


# -- programs

PROGRAM = """
import unittest
from zonda.ioloop import testing
class First(unittest.TestCase):
    def test_a(self): print("ran a")
    def test_b(self): print("ran b")
class Second(unittest.TestCase):
    def test_c(self): self.fail("no")
ALL
if __name__ == "__main__":
    testing.main()
"""


def program(folder: Path, source: str, *arguments: str) -> tuple[int, str]:
    (folder / "sample.py").write_text(source)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


ALL = "def all(): return unittest.defaultTestLoader.loadTestsFromTestCase(First)"


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["sample.py"], 0, ["ran a", "ran b", "Ran 2"]),
        (["sample.py", "Second"], 1, ["Ran 1", "AssertionError: no"]),
        (["sample.py", "sample.First.test_a", "--verbose"], 0, ["test_a (sample.First", "Ran 1"]),
        (["sample.py", "-v", "--failfast"], 0, ["test_b", "Ran 2"]),
        (["sample.py", "--quiet"], 0, ["Ran 2"]),
        (["sample.py", "--help"], 0, ["--exception-on-interrupt", "--logging"]),
        (["-m", "zonda.ioloop.testing", "sample.First"], 0, ["Ran 2"]),
        (["-m", "zonda.ioloop.testing", "sample"], 1, ["Ran 3"]),
        (["-m", "zonda.ioloop.testing"], 1, ["No tests specified"]),
    ],
)
def test_programs(tmp_path: Path, arguments: list[str], status: int, expected: list[str]) -> None:
    code, output = program(tmp_path, PROGRAM.replace("ALL", ALL), *arguments)
    assert [text for text in expected if text not in output] == [], output
    assert code == status, output


def test_a_program_without_all_runs_its_own_tests(tmp_path: Path) -> None:
    code, output = program(tmp_path, PROGRAM.replace("ALL", ""), "sample.py")
    assert "Ran 3" in output
    assert code == 1


def test_the_pytest_fixtures(tmp_path: Path) -> None:
    source = """
    import asyncio, socket
    from zonda.ioloop import IOLoop
    pytest_plugins = ["zonda.ioloop.pytest_plugin"]
    loops = []
    def test_loop(io_loop):
        loops.append(io_loop)
        assert IOLoop.current() is io_loop
        async def work():
            asyncio.create_task(asyncio.sleep(3600))
            return 5
        assert io_loop.run_sync(work) == 5
    def test_it_was_closed():
        assert loops[0].asyncio_loop.is_closed()
    def test_port(unused_port):
        with socket.create_server(("127.0.0.1", unused_port)):
            pass
    """
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "sample.py"]
    code, output = program(tmp_path, textwrap.dedent(source), *arguments)
    assert code == 0, output
    assert "3 passed" in output
