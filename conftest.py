"""What every test in this repository may rely on, with nothing but pytest.

* ``async def`` tests run on a fresh loop of the kind that ``ZONDA_LOOP`` names (uvloop when
  it is installed and nothing is named).
* A log record of level WARNING or above that no test expected fails the test: use ``expect_log``
  (or ``caplog`` with your own assertions) where a record is the point.
* Tasks still pending at the end of an ``async def`` test, and descriptors left open by any test,
  fail it.
"""

import asyncio
import contextlib
import gc
import inspect
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

ExpectLog = Callable[..., AbstractContextManager[None]]


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    kind = os.environ.get("ZONDA_LOOP", "uvloop")
    if kind == "uvloop":
        try:
            import uvloop  # noqa: PLC0415 - optional
        except ImportError:
            return None
        return uvloop.new_event_loop
    return None


async def _run_and_check_tasks(function: Callable[..., object], arguments: dict[str, object]) -> None:
    coroutine = function(**arguments)
    assert inspect.isawaitable(coroutine)
    await coroutine
    # Callbacks that were just scheduled (task wake-ups after a close, say) get their turn.
    for _ in range(3):
        await asyncio.sleep(0)
    mine = asyncio.current_task()
    leaked = [task for task in asyncio.all_tasks() if task is not mine and not task.done()]
    assert not leaked, f"tasks still pending at the end of the test: {leaked}"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run ``async def`` tests."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run_and_check_tasks(function, arguments))
    return True


class _Unexpected(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.expected: list[tuple[str, re.Pattern[str], list[logging.LogRecord]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        for logger, pattern, matched in self.expected:
            if record.name == logger or record.name.startswith(logger + "."):
                if pattern.search(record.getMessage()):
                    matched.append(record)
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
        lines = [f"{r.name} {r.levelname}: {r.getMessage()}" for r in handler.records]
        pytest.fail("unexpected log records:\n" + "\n".join(lines), pytrace=False)


@pytest.fixture
def expect_log(_no_unexpected_log: _Unexpected) -> ExpectLog:
    """``with expect_log("zonda.general", "regex"[, count=1]):`` - the records must arrive."""

    @contextlib.contextmanager
    def expect(logger: str, regex: str = "", count: int | None = 1) -> Iterator[None]:
        matched: list[logging.LogRecord] = []
        entry = (logger, re.compile(regex), matched)
        _no_unexpected_log.expected.append(entry)
        try:
            yield
        finally:
            _no_unexpected_log.expected.remove(entry)
        if count is not None:
            seen = [r.getMessage() for r in matched]
            assert len(matched) == count, f"expected {count} records matching {regex!r}: {seen}"

    return expect


def _open_descriptors() -> dict[str, str]:
    table = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            table[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue  # the descriptor of the listing itself
    return table


@pytest.fixture(autouse=os.path.isdir("/proc/self/fd"))
def _no_leaked_descriptors() -> Iterator[None]:
    before = _open_descriptors()
    yield
    after = _open_descriptors()
    if after.keys() <= before.keys():
        return
    gc.collect()  # a socket in a reference cycle is closed here, with a ResourceWarning
    after = _open_descriptors()
    leaked = {
        fd: name
        for fd, name in after.items()
        if fd not in before and name.startswith(("socket:", "pipe:", "anon_inode:"))
    }
    if leaked:
        pytest.fail(f"descriptors left open: {leaked}", pytrace=False)
