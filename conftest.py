"""What every test in this repository may rely on, with nothing but pytest.

* ``async def`` tests run on a fresh loop of the kind that ``ZONDA_LOOP`` names: ``asyncio`` or
  ``uvloop`` (which is also what runs when nothing is named and uvloop is installed).
* A log record of level WARNING or above that no test expected fails the test: use ``expect_log``
  (or ``caplog`` with your own assertions) where a record is the point.
* What a test leaves behind fails it: tasks still pending at the end of an ``async def`` test,
  descriptors, threads and child processes of any test.

Warnings are errors by ``pytest.ini``, those of ``__del__`` methods and of coroutines that were
never awaited among them.
"""

import asyncio
import contextlib
import functools
import gc
import inspect
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    ExpectLog = Callable[..., AbstractContextManager[list[logging.LogRecord]]]

try:
    import hypothesis
except ImportError:
    pass
else:
    # On a machine shared with other work, time says nothing about a property.
    hypothesis.settings.register_profile(
        "zonda", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("zonda")

# What a finished test may take to let its threads and children end.
GRACE_SECONDS = 1.0
# Turns of the loop in which callbacks that were just scheduled (wake-ups after a close) run.
GRACE_TURNS = 10


# -- async def tests -----------------------------------------------------------------------------


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    kind = os.environ.get("ZONDA_LOOP", "")
    if kind not in ("", "asyncio", "uvloop"):
        raise pytest.UsageError(f"ZONDA_LOOP={kind}: only asyncio and uvloop are known")
    if kind == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        if kind == "uvloop":
            raise pytest.UsageError("ZONDA_LOOP=uvloop, but uvloop is not installed") from None
        return None
    return uvloop.new_event_loop


async def _run_and_check_tasks(test: Coroutine[object, object, object]) -> None:
    await test
    mine = asyncio.current_task()
    for _ in range(GRACE_TURNS):
        leaked = [task for task in asyncio.all_tasks() if task is not mine and not task.done()]
        if not leaked:
            return
        await asyncio.sleep(0)
    pytest.fail(f"tasks still pending at the end of the test: {leaked}", pytrace=False)


def _run(coroutine: Coroutine[object, object, object]) -> None:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run_and_check_tasks(coroutine))


def _runs(test: Callable[..., Coroutine[object, object, object]]) -> Callable[..., None]:
    @functools.wraps(test)
    def plain(*args: object, **kwargs: object) -> None:
        _run(test(*args, **kwargs))

    return plain


def pytest_sessionstart() -> None:
    """Warm up: the first uvloop of a process opens a pipe that stays, whoever makes that loop."""
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - optional

        uvloop.new_event_loop().close()
    _run(asyncio.sleep(0))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run ``async def`` tests, and the examples of hypothesis tests that are ``async def``."""
    function = pyfuncitem.obj
    handle = getattr(function, "hypothesis", None)
    if handle is not None and inspect.iscoroutinefunction(handle.inner_test):
        handle.inner_test = _runs(handle.inner_test)
        return None
    if not inspect.iscoroutinefunction(function):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    _run(function(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


# -- log records ---------------------------------------------------------------------------------


class _Expected:
    def __init__(self, logger: str, regex: str) -> None:
        self.logger = logger
        self.pattern = re.compile(regex)
        self.records: list[logging.LogRecord] = []

    def takes(self, record: logging.LogRecord) -> bool:
        if record.name != self.logger and not record.name.startswith(self.logger + "."):
            return False
        return self.pattern.search(record.getMessage()) is not None


class _Unexpected(logging.Handler):
    """Sorts records of WARNING and above into what a test waits for and what it does not."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.expected: list[_Expected] = []

    def emit(self, record: logging.LogRecord) -> None:
        for entry in reversed(self.expected):  # the innermost block first
            if entry.takes(record):
                entry.records.append(record)
                return
        self.records.append(record)


@pytest.fixture(autouse=True)
def _no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[_Unexpected]:
    handler = _Unexpected()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
    if handler.records and "caplog" not in request.fixturenames:
        lines = []
        for record in handler.records:
            line = f"{record.name} {record.levelname}: {record.getMessage()}"
            if record.exc_info:
                line += "\n" + logging.Formatter().formatException(record.exc_info)
            lines.append(line)
        pytest.fail("unexpected log records:\n" + "\n".join(lines), pytrace=False)


@pytest.fixture
def expect_log(_no_unexpected_log: _Unexpected) -> "ExpectLog":
    """``with expect_log("zonda.general", "regex"[, count=1]) as records:`` - they must arrive.

    A logger stands for its children too. The records are of level WARNING or above; ``count`` is
    how many there must be, ``None`` for any number.
    """

    @contextlib.contextmanager
    def expect(
        logger: str, regex: str = "", count: int | None = 1
    ) -> Iterator[list[logging.LogRecord]]:
        entry = _Expected(logger, regex)
        _no_unexpected_log.expected.append(entry)
        try:
            yield entry.records
        finally:
            _no_unexpected_log.expected.remove(entry)
        if count is not None:
            seen = [record.getMessage() for record in entry.records]
            assert len(seen) == count, f"expected {count} records matching {regex!r}: {seen}"

    return expect


# -- what is left behind -------------------------------------------------------------------------


def _open_descriptors() -> dict[str, str]:
    """Sockets, pipes, pollers and files open in this process, with what they are."""
    table = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            name = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue  # the descriptor of the listing itself
        if not name.startswith(("/dev/", "/proc/")):
            table[fd] = name
    return table


def _children() -> dict[str, str]:
    """Child processes, zombies included, with their command lines."""
    table = {}
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            for pid in (thread / "children").read_text().split():
                command = Path("/proc", pid, "cmdline").read_text().replace("\0", " ").strip()
                # multiprocessing keeps these until the interpreter ends.
                if "resource_tracker" not in command and "forkserver" not in command:
                    table[pid] = command or "(ended, but not waited for)"
    return table


def _new_after_grace(
    before: dict[str, str], look: Callable[[], dict[str, str]], grace: float
) -> dict[str, str]:
    deadline = time.monotonic() + grace
    while True:
        new = {key: name for key, name in look().items() if before.get(key) != name}
        if not new or time.monotonic() > deadline:
            return new
        time.sleep(0.01)


@pytest.fixture(autouse=os.path.isdir("/proc/self/fd"))
def _no_leaked_descriptors() -> Iterator[None]:
    before = _open_descriptors()
    yield
    if not _new_after_grace(before, _open_descriptors, 0):
        return
    gc.collect()  # a socket in a reference cycle is closed here, with a ResourceWarning
    leaked = _new_after_grace(before, _open_descriptors, 0)
    if leaked:
        pytest.fail(f"descriptors left open: {leaked}", pytrace=False)


@pytest.fixture(autouse=os.path.isdir("/proc/self/task"))
def _no_leaked_children() -> Iterator[None]:
    before = _children()
    yield
    leaked = _new_after_grace(before, _children, GRACE_SECONDS)
    if leaked:
        pytest.fail(f"child processes left behind: {leaked}", pytrace=False)


def _threads() -> dict[str, str]:
    return {str(thread.ident): thread.name for thread in threading.enumerate() if thread.is_alive()}


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    before = _threads()
    yield
    leaked = _new_after_grace(before, _threads, GRACE_SECONDS)
    if leaked:
        pytest.fail(f"threads left running: {sorted(leaked.values())}", pytrace=False)
