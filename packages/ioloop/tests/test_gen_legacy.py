import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from zonda.ioloop import gen
from zonda.ioloop.gen.legacy import Arguments, Callback, Task, Wait, WaitAll, engine

ExpectLog = Callable[..., Any]


def upper(text: str, callback: Callable[..., None]) -> None:
    asyncio.get_running_loop().call_soon(callback, text.upper())


def several(*args: Any, callback: Callable[..., None], **kwargs: Any) -> None:
    callback(*args, **kwargs)


async def run(function: Callable[..., Any]) -> list[Any]:
    """Run an engine that reports by calling its argument; return what it reported."""
    seen: list[Any] = []
    assert engine(function)(seen.append) is None
    for _ in range(10):
        await asyncio.sleep(0)
    return seen


async def test_tasks() -> None:
    def main(report: Callable[..., None]) -> Any:
        report((yield Task(upper, "one")))
        report((yield gen.Task(upper, text="two")))
        report((yield [Task(upper, "three"), asyncio.sleep(0, 4)]))

    assert await run(main) == ["ONE", "TWO", ["THREE", 4]]


@pytest.mark.parametrize(
    ("args", "kwargs", "result"),
    [
        ((), {}, None),
        ((1,), {}, 1),
        ((1, 2), {}, Arguments((1, 2), {})),
        ((1,), {"a": 2}, Arguments((1,), {"a": 2})),
    ],
)
async def test_arguments(args: Any, kwargs: Any, result: Any) -> None:
    assert await Task(several, *args, **kwargs) == result


async def test_task_in_other_coroutines() -> None:
    @gen.coroutine
    def main() -> Any:
        return (yield gen.Task(upper, "one"))

    assert await main() == "ONE"

    def fail(callback: Callable[..., None]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError):
        await Task(fail)


async def test_callback_and_wait() -> None:
    def main(report: Callable[..., None]) -> Any:
        upper("a", callback=(yield Callback("first")))
        upper("b", callback=(yield Callback(2)))
        upper("c", callback=(yield Callback("third")))
        report((yield Wait(2)))
        report((yield WaitAll(["third", "first"])))
        upper("d", callback=(yield Callback(2)))  # free again
        report((yield Wait(2)))

    assert await run(main) == ["B", ["C", "A"], "D"]


async def test_called_before_the_wait_and_twice() -> None:
    def main(report: Callable[..., None]) -> Any:
        callback = yield Callback("key")
        callback("one")
        callback("two")
        report((yield Wait("key")))

    assert await run(main) == ["one"]


async def test_called_from_another_thread() -> None:
    def main(report: Callable[..., None]) -> Any:
        callback = yield Callback("key")
        thread = threading.Thread(target=callback, args=("from afar",))
        thread.start()
        report((yield Wait("key")))
        thread.join()
        done.set()

    done = asyncio.Event()
    seen: list[Any] = []
    engine(main)(seen.append)
    await done.wait()
    assert seen == ["from afar"]


async def test_two_engines_do_not_share_keys() -> None:
    def main(report: Callable[..., None]) -> Any:
        upper("x", callback=(yield Callback("key")))
        yield gen.moment
        report((yield Wait("key")))

    assert [*await asyncio.gather(run(main), run(main))] == [["X"], ["X"]]


async def test_key_errors() -> None:
    def main(report: Callable[..., None]) -> Any:
        callback = yield Callback("key")
        try:
            yield Callback("key")
        except gen.KeyReuseError as error:
            report(str(error))
        try:
            yield Wait("other")
        except gen.UnknownKeyError as error:
            report(str(error))
        callback()
        yield Wait("key")

    assert await run(main) == ["key 'key' is already pending", "key 'other' is not pending"]


async def test_leaked_callbacks(expect_log: ExpectLog) -> None:
    def main(report: Callable[..., None]) -> Any:
        yield Callback("key")

    with expect_log("zonda.application", "Exception in gen.engine function") as _:
        await run(main)


async def test_return_values_are_nobodys(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    def main(report: Callable[..., None]) -> Any:
        yield gen.moment
        return 42

    with expect_log("zonda.application", "Exception in gen.engine function"):
        await run(main)
    record = caplog.records[-1]
    assert record.exc_info
    assert record.exc_info[0] is gen.ReturnValueIgnoredError


@pytest.mark.parametrize("wait", [False, True])
async def test_exceptions_are_logged(expect_log: ExpectLog, wait: bool) -> None:
    def main(report: Callable[..., None]) -> Any:
        if wait:
            yield gen.moment
        raise ValueError("no")

    with expect_log("zonda.application", "Exception in gen.engine function"):
        await run(main)


async def test_plain_functions() -> None:
    def main(report: Callable[..., None]) -> None:
        report("ran")

    assert await run(main) == ["ran"]


async def test_keys_outside_engines() -> None:
    @gen.coroutine
    def main() -> Any:
        yield Callback("key")

    with pytest.raises(RuntimeError, match="functions only"):
        await main()
