import asyncio
import contextvars
import gc
import random
import weakref
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from zonda.ioloop.stepping import StartedTask, start_coroutine

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def turns(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def value(result: object) -> object:
    return result


class TestWithoutWait:
    async def test_result_at_once(self) -> None:
        before = len(asyncio.all_tasks())
        assert start_coroutine(value(42)) == 42
        assert start_coroutine(value(None)) is None
        assert len(asyncio.all_tasks()) == before

    async def test_exception_at_once_with_its_traceback(self) -> None:
        async def fail() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no") as caught:
            start_coroutine(fail())
        assert caught.traceback[-1].name == "fail"

    async def test_awaiting_finished_futures_is_no_wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_result("there")

        async def main() -> Any:
            return await future

        assert start_coroutine(main()) == "there"

    async def test_base_exceptions_pass(self) -> None:
        class Stop(BaseException):
            pass

        async def fail() -> None:
            raise Stop

        with pytest.raises(Stop):
            start_coroutine(fail())

    def test_needs_a_running_loop(self) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            start_coroutine(value(1))


class TestCurrentTask:
    async def test_is_the_task_that_carries_on(self) -> None:
        seen: list[object] = []

        async def main() -> None:
            seen.append(asyncio.current_task())
            await asyncio.sleep(0)
            seen.append(asyncio.current_task())

        task = start_coroutine(main())
        assert isinstance(task, StartedTask)
        await task
        assert seen == [task, task]

    async def test_is_a_task_even_without_wait(self) -> None:
        async def main() -> object:
            return asyncio.current_task()

        task = start_coroutine(main())
        assert isinstance(task, asyncio.Task)
        assert task is not asyncio.current_task()

    async def test_callers_own_comes_back(self) -> None:
        mine = asyncio.current_task()

        async def inner() -> object:
            return asyncio.current_task()

        async def outer() -> bool:
            before = asyncio.current_task()
            start_coroutine(inner())
            return asyncio.current_task() is before

        assert start_coroutine(outer()) is True
        assert asyncio.current_task() is mine
        with pytest.raises(ZeroDivisionError):
            start_coroutine(divide())
        assert asyncio.current_task() is mine

    async def test_none_again_outside_tasks(self) -> None:
        seen: list[object] = []

        def callback() -> None:
            start_coroutine(value(1))
            seen.append(asyncio.current_task())

        asyncio.get_running_loop().call_soon(callback)
        await turns(2)
        assert seen == [None]

    async def test_can_be_used_before_the_first_wait(self) -> None:
        async def main() -> tuple[str, bool]:
            task = asyncio.current_task()
            assert task is not None
            task.set_name("Ada")
            assert "Ada" in repr(task)
            assert task.get_name() == "Ada"
            assert not task.done()
            assert task in asyncio.all_tasks()
            await asyncio.sleep(0)
            return task.get_name(), asyncio.current_task() is task

        assert await awaited(start_coroutine(main())) == ("Ada", True)

    async def test_used_without_a_wait(self) -> None:
        tasks: list[asyncio.Task[Any]] = []

        async def main() -> str:
            task = asyncio.current_task()
            assert task is not None
            task.set_name("Ada")
            tasks.append(task)
            return "done"

        assert start_coroutine(main()) == "done"
        assert await tasks[0] == "done"

    async def test_used_without_a_wait_and_failed(self) -> None:
        tasks: list[asyncio.Task[Any]] = []

        async def main() -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            task.get_name()
            raise ValueError("no")

        with pytest.raises(ValueError):
            start_coroutine(main())
        await turns(3)
        assert isinstance(tasks[0].exception(), ValueError)
        tasks.clear()
        gc.collect()  # no complaint that nobody retrieved it

    async def test_can_be_awaited_by_another_before_the_first_wait(self) -> None:
        gate = asyncio.Event()

        async def wait_for(task: asyncio.Task[Any]) -> Any:
            return await task

        async def main() -> tuple[str, Any]:
            task = asyncio.current_task()
            assert task is not None
            waiter = start_coroutine(wait_for(task))
            await gate.wait()
            return "done", waiter

        task = start_coroutine(main())
        gate.set()
        result, waiter = await awaited(task)
        assert (await waiter)[0] == result == "done"

    async def test_get_coro_is_the_coroutine(self) -> None:
        coro = asyncio.sleep(0)
        task = start_coroutine(coro)
        assert isinstance(task, StartedTask)
        assert task.get_coro() is coro
        await task

    async def test_weak_keys(self) -> None:
        states: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

        async def main() -> str:
            states[asyncio.current_task()] = "mine"
            await asyncio.sleep(0)
            return states[asyncio.current_task()]

        assert await awaited(start_coroutine(main())) == "mine"


async def divide() -> float:
    return 1 / 0


async def awaited(result: Any) -> Any:
    assert isinstance(result, StartedTask), f"did not wait: {result!r}"
    return await result


class TestTaskTools:
    async def test_timeout_expires_after_the_first_wait(self) -> None:
        async def main() -> str:
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                task = asyncio.current_task()
                assert task is not None
                assert task.cancelling() == 0
                return "late"
            return "never"

        assert await awaited(start_coroutine(main())) == "late"

    async def test_timeout_of_the_past(self) -> None:
        async def main() -> str:
            try:
                async with asyncio.timeout(-1):
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
            except TimeoutError:
                return "late"
            return "never"

        assert await awaited(start_coroutine(main())) == "late"

    async def test_timeout_without_wait(self) -> None:
        async def main() -> str:
            async with asyncio.timeout(60):  # noqa: ASYNC100
                return "in time"

        assert start_coroutine(main()) == "in time"
        await turns(2)

    async def test_wait_for(self) -> None:
        async def main() -> None:
            await asyncio.wait_for(asyncio.sleep(60), 0.001)

        with pytest.raises(TimeoutError):
            await awaited(start_coroutine(main()))

    async def test_task_group(self) -> None:
        async def main() -> int:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(asyncio.sleep(0, n)) for n in (1, 2, 3)]
            return sum(task.result() for task in tasks)

        assert await awaited(start_coroutine(main())) == 6

    async def test_task_group_fails(self) -> None:
        async def main() -> str:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(divide())
                    await asyncio.get_running_loop().create_future()
            except* ZeroDivisionError:
                task = asyncio.current_task()
                assert task is not None
                assert task.cancelling() == 0
            return "survived"

        assert await awaited(start_coroutine(main())) == "survived"


class TestContext:
    async def test_own_copy_by_default(self) -> None:
        variable.set("caller's")

        async def main() -> list[str]:
            seen = [variable.get()]
            variable.set("mine")
            await asyncio.sleep(0)
            seen.append(variable.get())
            variable.set("mine too")
            await asyncio.get_running_loop().run_in_executor(None, int)
            seen.append(variable.get())
            return seen

        assert await awaited(start_coroutine(main())) == ["caller's", "mine", "mine too"]
        assert variable.get() == "caller's"

    async def test_not_leaked_without_wait(self) -> None:
        async def main() -> None:
            variable.set("leaked")

        start_coroutine(main())
        assert variable.get() == "unset"

    async def test_given_context(self) -> None:
        context = contextvars.copy_context()

        async def main(text: str, wait: bool) -> str:
            before = variable.get()
            variable.set(text)
            if wait:
                await asyncio.sleep(0)
                variable.set(text + "!")
            return before

        assert start_coroutine(main("first", False), context) == "unset"
        assert await awaited(start_coroutine(main("second", True), context)) == "first"
        assert context[variable] == "second!"


class TestCancellation:
    async def test_before_the_tasks_first_turn(self) -> None:
        inner = asyncio.get_running_loop().create_future()
        log: list[str] = []

        async def main() -> None:
            try:
                await inner
            finally:
                log.append("cleaned up")

        task = start_coroutine(main())
        assert isinstance(task, StartedTask)
        assert task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert inner.cancelled()
        assert log == ["cleaned up"]

    async def test_later(self) -> None:
        inner = asyncio.get_running_loop().create_future()

        async def main() -> str:
            try:
                await inner
            except asyncio.CancelledError as error:
                await asyncio.sleep(0)
                return f"caught {error}"
            return "never"

        task = start_coroutine(main())
        assert isinstance(task, StartedTask)
        await turns(3)
        assert task.cancel("why")
        assert await task in ("caught why", "caught ")
        assert inner.cancelled()

    async def test_while_waiting_for_a_turn(self) -> None:
        async def main() -> str:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                return "caught"
            return "never"

        task = start_coroutine(main())
        assert isinstance(task, StartedTask)
        task.cancel()
        assert await task == "caught"

    async def test_when_what_is_waited_for_just_finished(self) -> None:
        inner = asyncio.get_running_loop().create_future()

        async def main() -> Any:
            try:
                return await inner
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                return "caught"

        task = start_coroutine(main())
        assert isinstance(task, StartedTask)
        inner.set_result("there")
        task.cancel()
        assert await task == "caught"

    @pytest.mark.parametrize("wait", [False, True])
    async def test_by_itself_before_the_first_wait(self, wait: bool) -> None:
        async def main() -> str:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            if wait:
                await asyncio.get_running_loop().create_future()
            return "never"

        with pytest.raises(asyncio.CancelledError):
            await awaited(start_coroutine(main()))

    async def test_of_the_awaiting_task(self) -> None:
        log: list[str] = []

        async def main() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                log.append("cleaned up")

        async def outer() -> None:
            await awaited(start_coroutine(main()))

        task = asyncio.create_task(outer())
        await turns(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["cleaned up"]


class TestWaits:
    async def test_exception_of_what_is_waited_for(self) -> None:
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()

        async def main() -> list[str]:
            seen = []
            for future in (first, second):
                try:
                    await future
                except ValueError as error:
                    seen.append(str(error))
            await asyncio.sleep(0)
            return seen

        task = start_coroutine(main())
        assert isinstance(task, StartedTask)
        await turns(2)
        first.set_exception(ValueError("one"))
        await turns(3)
        second.set_exception(ValueError("two"))
        assert await task == ["one", "two"]

    async def test_exception_after_the_wait(self) -> None:
        async def main() -> None:
            await asyncio.sleep(0)
            raise ValueError("later")

        with pytest.raises(ValueError, match="later") as caught:
            await awaited(start_coroutine(main()))
        assert caught.traceback[-1].name == "main"

    async def test_many_wait_for_the_same_future(self) -> None:
        future = asyncio.get_running_loop().create_future()

        async def main() -> Any:
            return await future

        tasks = [start_coroutine(main()) for _ in range(5)] + [asyncio.create_task(main())]
        await turns(2)
        future.set_result("there")
        assert await asyncio.gather(*tasks) == ["there"] * 6

    async def test_done_before_the_tasks_first_turn(self) -> None:
        future = asyncio.get_running_loop().create_future()

        async def main() -> Any:
            return await future

        task = start_coroutine(main())
        future.set_result("there")
        assert await awaited(task) == "there"

    @pytest.mark.parametrize("what", [42, "future"])
    async def test_yielding_something_else(self, what: object) -> None:
        class Odd:
            def __await__(self) -> Generator[Any, Any, Any]:
                if what == "future":
                    yield asyncio.get_running_loop().create_future()
                yield what

        async def main() -> None:
            await Odd()

        with pytest.raises(RuntimeError):
            await awaited(start_coroutine(main()))

    async def test_async_generators(self) -> None:
        log: list[str] = []

        async def numbers() -> AsyncIterator[int]:
            try:
                for n in range(3):
                    await asyncio.sleep(0)
                    yield n
            finally:
                log.append("closed")

        async def main() -> list[int]:
            return [n async for n in numbers()]

        assert await awaited(start_coroutine(main())) == [0, 1, 2]
        assert log == ["closed"]

    async def test_nested(self) -> None:
        async def leaf(n: int) -> int:
            if n % 2:
                await asyncio.sleep(0)
            return n

        async def main() -> int:
            total = 0
            for n in range(10):
                result = start_coroutine(leaf(n))
                total += await result if isinstance(result, StartedTask) else result
            return total

        assert await awaited(start_coroutine(main())) == 45


async def test_no_garbage() -> None:
    async def waits() -> str:
        await asyncio.sleep(0)
        return "done"

    gc.collect()
    gc.disable()
    try:
        start_coroutine(value(1))
        await awaited(start_coroutine(waits()))
        del waits
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_dropped_with_the_loop() -> None:
    log: list[str] = []

    async def main() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            log.append("closed")

    async def run() -> None:
        start_coroutine(main())  # asyncio.run cancels it

    asyncio.run(run())
    assert log == ["closed"]


def _settle(future: "asyncio.Future[None]", error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


async def _program(seed: float, log: list[object], depth: int = 0) -> int:
    """Do things that tasks do, chosen by the seed; log what came of each."""
    choose = random.Random(seed)
    loop = asyncio.get_running_loop()
    mine = asyncio.current_task()
    assert mine is not None
    for step in range(choose.randint(0, 4)):
        kind = choose.randint(0, 7)
        try:
            if kind == 0:
                await asyncio.sleep(0)
            elif kind in (1, 2):
                future = loop.create_future()
                loop.call_soon(_settle, future, None if kind == 1 else ValueError())
                await future
            elif kind == 3:
                async with asyncio.timeout(0):
                    await asyncio.sleep(60)
            elif kind == 4 and depth < 2:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_program(choose.random(), log, depth + 1))
            elif kind == 5 and choose.random() < 0.5:
                mine.cancel()
            elif kind == 6:
                await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
            elif kind == 7:
                raise KeyError(step)
            log.append((depth, kind))
        except (ValueError, TimeoutError, KeyError) as error:
            log.append((depth, kind, type(error).__name__))
        except asyncio.CancelledError:
            log.append("cancelled")
            if choose.random() < 0.5:
                raise
            mine.uncancel()
        assert asyncio.current_task() is mine
    return len(log)


async def _outcome(seed: int, at_the_spot: bool) -> list[object]:
    log: list[object] = []
    program = _program(seed, log)
    try:
        if at_the_spot:
            result = start_coroutine(program)
            log.append(await result if isinstance(result, StartedTask) else result)
        else:
            log.append(await asyncio.create_task(program))
    except asyncio.CancelledError:
        log.append("ended by cancellation")
    except BaseExceptionGroup as error:
        log.append(repr(error))
    return log


async def test_random_programs_do_as_in_a_task() -> None:
    for seed in range(400):
        assert await _outcome(seed, True) == await _outcome(seed, False), seed
