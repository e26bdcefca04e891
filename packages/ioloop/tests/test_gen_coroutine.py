import asyncio
import contextvars
import gc
import time
import traceback
import weakref
from collections.abc import Callable, Generator
from concurrent import futures
from typing import Any

import pytest

from zonda.ioloop import IOLoop, gen
from zonda.ioloop.gen.driver import idle_drivers, new_driver
from zonda.ioloop.gen.runner import GeneratorFuture

ExpectLog = Callable[..., Any]
Coroutine = Generator[Any, Any, Any]
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def new_future() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


def done_future(value: object = None) -> "asyncio.Future[Any]":
    future = new_future()
    future.set_result(value)
    return future


async def native(value: object, wait: bool = True) -> object:
    if wait:
        await asyncio.sleep(0)
    return value


async def native_failure(wait: bool) -> None:
    if wait:
        await asyncio.sleep(0)
    raise ValueError("native")


@gen.coroutine
def generator(value: object, wait: bool = True) -> Coroutine:
    if wait:
        yield gen.moment
    return value


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class TestResults:
    async def test_return(self) -> None:
        assert await generator(1) == 1
        assert await generator(2, wait=False) == 2

    async def test_return_exception(self) -> None:
        @gen.coroutine
        def old(wait: bool) -> Coroutine:
            if wait:
                yield gen.moment
            raise gen.Return(3)

        assert await old(True) == await old(False) == 3
        assert gen.Return().value is None
        assert gen.Return(4).args == (4,)

    async def test_without_yield(self) -> None:
        @gen.coroutine
        def plain() -> int:
            return 1

        @gen.coroutine
        def old() -> int:
            raise gen.Return(2)

        @gen.coroutine
        def delegate() -> Any:
            return (n for n in [gen.moment])

        assert plain().result() == 1
        assert old().result() == 2
        assert await delegate() is None

    async def test_done_at_once_without_the_loop(self) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            one = yield done_future(1)
            two = yield generator(2, wait=False)
            three = yield native(3, wait=False)
            four = yield [generator(4, wait=False), done_future(4)]
            five = yield {"five": done_future(5)}
            return [one, two, three, four, five]

        future = main()
        assert future.done()
        assert future.result() == [1, 2, 3, [4, 4], {"five": 5}]

    async def test_arguments_and_name(self) -> None:
        @gen.coroutine
        def named(a: int, *rest: int, b: int = 0, **more: int) -> Coroutine:
            """Text."""
            yield gen.moment
            return a, rest, b, more

        assert await named(1, 2, 3, b=4, c=5) == (1, (2, 3), 4, {"c": 5})
        assert (named.__name__, named.__doc__) == ("named", "Text.")
        assert gen.is_coroutine_function(named)
        assert not gen.is_coroutine_function(named.__wrapped__)  # type: ignore[attr-defined]
        assert not gen.is_coroutine_function(native)

    async def test_methods(self) -> None:
        class Adder:
            base = 10

            @gen.coroutine
            def add(self, n: int) -> Coroutine:
                yield None
                return self.base + n

            @classmethod
            @gen.coroutine
            def make(cls) -> Coroutine:
                yield None
                return cls()

        assert await Adder().add(1) == 11
        assert isinstance(await Adder.make(), Adder)

    async def test_recursion(self) -> None:
        @gen.coroutine
        def deep(n: int) -> Coroutine:
            if n == 0:
                yield gen.moment
                return 0
            below = yield deep(n - 1)
            return below + 1

        assert await deep(100) == 100

    async def test_long_runs_of_finished_futures_need_no_stack(self) -> None:
        @gen.coroutine
        def main(first: Any) -> Coroutine:
            total = 0
            yield first
            for _ in range(5000):
                total += yield generator(1, wait=False)
            return total

        assert await main(done_future()) == 5000
        assert await main(gen.moment) == 5000


class TestYieldables:
    @pytest.mark.parametrize("wait", [False, True])
    async def test_mixed_styles(self, wait: bool) -> None:
        @gen.coroutine
        def outer() -> Coroutine:
            one = yield native(1, wait)
            two = yield generator(2, wait)
            return one, two

        async def native_outer() -> Any:
            return await generator(3, wait), await outer()

        assert await native_outer() == (3, (1, 2))

    async def test_executors_future(self) -> None:
        @gen.coroutine
        def main(pool: futures.Executor) -> Coroutine:
            slow = yield pool.submit(time.sleep, 0.005)
            try:
                yield pool.submit(int, "x")
            except ValueError:
                return slow, "caught"

        with futures.ThreadPoolExecutor(1) as pool:
            assert await main(pool) == (None, "caught")

    async def test_executors_cancelled_future(self) -> None:
        cancelled: futures.Future[Any] = futures.Future()
        cancelled.cancel()
        cancelled.set_running_or_notify_cancel()

        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield cancelled
            except asyncio.CancelledError:
                return "caught"

        assert await main() == "caught"

    async def test_others(self) -> None:
        @gen.coroutine
        def main(first: Any) -> Coroutine:
            seen = []
            yield first
            for odd in (42, object(), [1]):
                try:
                    yield odd
                except gen.BadYieldError as error:
                    seen.append(str(error))
            return seen

        for first in (done_future(), gen.moment):
            seen = await main(first)
            assert seen[0] == "yielded unknown object 42"
            assert len(seen) == 3

    @pytest.mark.parametrize("what", [None, gen.moment])
    async def test_moment_is_a_turn_of_the_loop(self, what: Any) -> None:
        seen: list[str] = []

        @gen.coroutine
        def main() -> Coroutine:
            asyncio.get_running_loop().call_soon(seen.append, "callback")
            yield what
            seen.append("coroutine")

        await main()
        assert seen == ["callback", "coroutine"]

    async def test_moment_can_be_awaited(self) -> None:
        seen: list[str] = []
        asyncio.get_running_loop().call_soon(seen.append, "callback")
        await gen.moment
        assert seen == ["callback"]

    async def test_registered_types(self) -> None:
        class Deferred:
            pass

        gen.convert_yielded.register(Deferred, lambda deferred: done_future("converted"))

        @gen.coroutine
        def main() -> Coroutine:
            return (yield Deferred())

        assert await main() == "converted"

    async def test_sleep(self) -> None:
        started = time.monotonic()
        await gen.sleep(0.005)
        assert time.monotonic() - started >= 0.004
        await gen.sleep(0)
        await gen.sleep(-1)

    async def test_cancelled_sleep_leaves_no_timer(self) -> None:
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle] = []
        call_later = loop.call_later

        def recorded(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
            timers.append(call_later(*args, **kwargs))
            return timers[-1]

        try:
            loop.call_later = recorded  # type: ignore[method-assign,assignment]
            future = gen.sleep(3600)
        finally:
            loop.call_later = call_later  # type: ignore[method-assign]
        assert not timers[0].cancelled()
        assert future.cancel()
        assert timers[0].cancelled()
        assert not future.cancel()

    async def test_maybe_future(self) -> None:
        future = new_future()
        assert gen.maybe_future(future) is future
        assert gen.maybe_future(None).result() is None


class TestExceptions:
    @pytest.mark.parametrize("wait", [False, True])
    async def test_end_up_in_the_future(self, wait: bool) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            if wait:
                yield gen.moment
            raise ValueError("no")

        future = main()
        with pytest.raises(ValueError, match="no") as caught:
            await future
        assert caught.traceback[-1].name == "main"

    async def test_of_a_plain_function(self) -> None:
        future = gen.coroutine(int)("x")
        with pytest.raises(ValueError):
            future.result()

    async def test_wrong_arguments(self) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            yield gen.moment

        with pytest.raises(TypeError):
            await main(1)  # type: ignore[call-arg]

    @pytest.mark.parametrize("wait", [False, True])
    async def test_caught_and_gone_on(self, wait: bool) -> None:
        @gen.coroutine
        def inner() -> Coroutine:
            if wait:
                yield gen.moment
            raise ValueError("inner")

        @gen.coroutine
        def main() -> Coroutine:
            seen = []
            for what in (inner, lambda: native_failure(wait), inner):
                try:
                    yield what()
                except ValueError as error:
                    seen.append(str(error))
            return seen

        assert await main() == ["inner", "native", "inner"]

    @pytest.mark.parametrize("wait", [False, True])
    async def test_later_ones_do_not_seem_to_come_from_earlier_ones(self, wait: bool) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield native_failure(wait)
            except ValueError:
                pass
            raise KeyError("mine")

        with pytest.raises(KeyError) as caught:
            await main()
        assert caught.value.__context__ is None

    @pytest.mark.parametrize("wait", [False, True])
    async def test_tracebacks_name_every_level(self, wait: bool) -> None:
        @gen.coroutine
        def outer() -> Coroutine:
            yield middle()

        @gen.coroutine
        def middle() -> Coroutine:
            yield native_failure(wait)

        try:
            await outer()
        except ValueError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        positions = [names.index(name) for name in ("outer", "middle", "native_failure")]
        assert positions == sorted(positions)

    @pytest.mark.parametrize("wait", [False, True])
    def test_base_exceptions_leave_the_loop(self, wait: bool) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            if wait:
                yield gen.moment
            raise SystemExit

        with asyncio.Runner() as runner, pytest.raises(SystemExit):
            runner.get_loop().call_soon(main)
            runner.run(asyncio.sleep(60))

    async def test_generator_that_ignores_exceptions(self) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            while True:
                try:
                    return (yield native_failure(False))
                except ValueError:
                    return "ignored"

        assert await main() == "ignored"


class TestContext:
    @pytest.mark.parametrize("wait", [False, True])
    async def test_own_copy(self, wait: bool) -> None:
        variable.set("caller's")

        @gen.coroutine
        def main() -> Coroutine:
            seen = [variable.get()]
            variable.set("mine")
            if wait:
                yield gen.moment
                seen.append(variable.get())
                yield gen.sleep(0.001)
                seen.append(variable.get())
                yield asyncio.get_running_loop().run_in_executor(None, int)
            seen.append(variable.get())
            return seen

        seen = await main()
        assert seen[0] == "caller's"
        assert set(seen[1:]) == {"mine"}
        assert variable.get() == "caller's"

    async def test_plain_functions_too(self) -> None:
        gen.coroutine(variable.set)("leaked")
        assert variable.get() == "unset"

    async def test_tokens_can_be_reset_after_a_wait(self) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            token = variable.set("inner")
            yield gen.sleep(0)
            variable.reset(token)
            return variable.get()

        assert await main() == "unset"

    async def test_side_by_side(self) -> None:
        @gen.coroutine
        def main(n: int) -> Coroutine:
            variable.set(str(n))
            for _ in range(n):
                yield gen.moment
            return variable.get()

        assert await gen.multi([main(n) for n in range(5)]) == ["0", "1", "2", "3", "4"]


class TestCancellation:
    async def test_passed_on(self) -> None:
        inner = new_future()
        log: list[str] = []

        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield inner
            except asyncio.CancelledError:
                log.append("cancelled")
                raise
            finally:
                yield gen.moment
                log.append("cleaned up")

        future = main()
        assert future.cancel()
        assert future.cancelled()
        assert inner.cancelled()
        assert not future.cancel()
        await turns()
        assert log == ["cancelled", "cleaned up"]

    async def test_through_every_level(self) -> None:
        log: list[str] = []

        @gen.coroutine
        def level(n: int) -> Coroutine:
            try:
                yield level(n - 1) if n else [asyncio.sleep(60), gen.sleep(60)]
            finally:
                log.append(f"level {n}")

        async def outer() -> None:
            await level(2)

        task = asyncio.create_task(outer())
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await turns(6)
        assert sorted(log) == ["level 0", "level 1", "level 2"]

    async def test_of_what_is_waited_for(self) -> None:
        inner = new_future()

        @gen.coroutine
        def main(catch: bool) -> Coroutine:
            try:
                yield inner
            except asyncio.CancelledError:
                if not catch:
                    raise
                return "caught"

        caught, passed = main(True), main(False)
        inner.cancel()
        assert await caught == "caught"
        with pytest.raises(asyncio.CancelledError):
            await passed
        assert passed.cancelled()
        # The same where it is cancelled already.
        assert main(True).result() == "caught"
        assert main(False).cancelled()

    async def test_while_waiting_for_a_turn(self) -> None:
        log: list[str] = []

        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield gen.moment
            except asyncio.CancelledError:
                log.append("cancelled")
                yield gen.moment
                log.append("cleaned up")

        main().cancel()
        await turns()
        assert log == ["cancelled", "cleaned up"]

    @pytest.mark.parametrize("then", ["moment", "future"])
    async def test_by_itself(self, then: str) -> None:
        log: list[str] = []

        @gen.coroutine
        def main() -> Coroutine:
            yield gen.moment
            future.cancel()
            try:
                yield gen.moment if then == "moment" else new_future()
            except asyncio.CancelledError:
                log.append("cancelled")

        future = main()
        await turns(5)
        assert log == ["cancelled"]
        assert future.cancelled()

    async def test_errors_afterwards_are_logged(self, expect_log: ExpectLog) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield new_future()
            finally:
                raise ValueError("while cleaning up")

        with expect_log("zonda.application", "Exception in a cancelled coroutine"):
            main().cancel()
            await turns()

    async def test_result_afterwards_is_dropped(self) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield new_future()
            except asyncio.CancelledError:
                return "late"

        future = main()
        future.cancel()
        await turns()
        assert future.cancelled()

    async def test_executors_future(self) -> None:
        inner: futures.Future[Any] = futures.Future()

        @gen.coroutine
        def main() -> Coroutine:
            yield inner

        main().cancel()
        await turns()
        assert inner.cancelled()

    async def test_wait_for(self) -> None:
        log: list[str] = []

        @gen.coroutine
        def main() -> Coroutine:
            try:
                yield gen.sleep(60)
            finally:
                log.append("cleaned up")

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(main(), 0.001)
        await turns()
        assert log == ["cleaned up"]


class TestGarbage:
    @pytest.mark.parametrize("fail", [False, True])
    async def test_no_cycles(self, fail: bool) -> None:
        @gen.coroutine
        def leaf(wait: bool) -> Coroutine:
            if wait:
                yield gen.moment
            if fail:
                raise ValueError
            return 1

        @gen.coroutine
        def main(wait: bool) -> Coroutine:
            try:
                yield leaf(wait)
            except ValueError:
                pass
            yield native(1, wait)
            yield [native(2, wait), leaf_ok()]

        @gen.coroutine
        def leaf_ok() -> Coroutine:
            yield gen.sleep(0)

        await main(True)
        await turns()
        gc.collect()
        gc.disable()
        try:
            await main(False)
            await main(True)
            if fail:
                with pytest.raises(ValueError):
                    await leaf(True)
                with pytest.raises(ValueError):
                    await leaf(False)
            await turns()
            assert gc.collect() == 0
        finally:
            gc.enable()

    async def test_unretrieved_exceptions_are_reported(self) -> None:
        reports: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reports.append(context["message"]))

        @gen.coroutine
        def main(wait: bool) -> Coroutine:
            if wait:
                yield gen.moment
            raise ValueError

        main(False)
        main(True)
        await turns()
        gc.collect()
        assert len(reports) == 2
        assert all("never retrieved" in report for report in reports)


class TestWithoutRunningLoop:
    def test_called_before_the_loop_runs(self) -> None:
        asyncio.set_event_loop(None)
        loop = IOLoop()
        try:
            done, waiting = generator(1, wait=False), generator(2)
            assert done.result() == 1
            assert isinstance(waiting, GeneratorFuture)
            assert loop.run_sync(lambda: waiting) == 2
        finally:
            loop.close()

    def test_native_coroutine_yielded_before_the_loop_runs(self) -> None:
        @gen.coroutine
        def main() -> Coroutine:
            return (yield native(1))

        asyncio.set_event_loop(None)
        loop = IOLoop()
        try:
            future = main()
            assert loop.run_sync(lambda: future) == 1
        finally:
            loop.close()


class TestRunner:
    async def test_drives_a_generator(self) -> None:
        def main() -> Coroutine:
            one = yield native(1)
            yield gen.moment
            try:
                yield native_failure(True)
            except ValueError:
                pass
            return one

        for kind in (main,):
            running = kind()
            result = new_future()
            gen.Runner(contextvars.copy_context().run, running, result, next(running))
            assert await result == 1

    async def test_exceptions(self) -> None:
        def main(error: BaseException) -> Coroutine:
            yield gen.moment
            raise error

        for error in (ValueError("no"), asyncio.CancelledError()):
            running, result = main(error), new_future()
            gen.Runner(contextvars.copy_context().run, running, result, next(running))
            with pytest.raises(type(error)):
                await result

    async def test_handle_exception(self) -> None:
        def main() -> Coroutine:
            try:
                yield new_future()
            except KeyError:
                return "thrown in"

        running, result = main(), new_future()
        runner = gen.Runner(contextvars.copy_context().run, running, result, next(running))
        error = KeyError()
        assert runner.handle_exception(KeyError, error, None)
        assert await result == "thrown in"
        assert not runner.handle_exception(KeyError, error, None)


async def test_arguments_that_do_not_fit_fail_the_future() -> None:
    @gen.coroutine
    def one(value: int) -> Generator[Any, Any, int]:
        yield gen.moment
        return value

    future = one()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="value"):
        await future


async def test_a_driver_keeps_nothing_alive() -> None:
    class Thing:
        pass

    @gen.coroutine
    def makes(fails: bool) -> Generator[Any, Any, Thing]:
        if fails:
            error = ValueError()
            error.thing = thing = Thing()  # type: ignore[attr-defined]
            things.append(weakref.ref(thing))
            try:
                raise error
            finally:
                del error, thing
        yield gen.maybe_future(None)
        thing = Thing()
        things.append(weakref.ref(thing))
        return thing

    things: list[weakref.ref[Thing]] = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        makes(False)
        makes(True).exception()
        assert [thing() for thing in things] == [None, None]
    finally:
        if enabled:
            gc.enable()


async def test_drivers_are_used_again_and_not_hoarded() -> None:
    started = asyncio.Event()

    @gen.coroutine
    def waits() -> Generator[Any, Any, None]:
        yield started.wait()

    pending = [waits() for _ in range(500)]
    started.set()
    await asyncio.gather(*pending)
    assert 1 <= len(idle_drivers) <= 64


async def test_an_exit_passes_a_driver_and_ends_it() -> None:
    @gen.coroutine
    def leaves() -> Generator[Any, Any, None]:
        if len(idle_drivers) > 1000:
            yield
        raise SystemExit(3)

    new = new_driver()
    idle_drivers.append(new)
    with pytest.raises(SystemExit):
        leaves()
    assert new not in idle_drivers
    assert new.gi_frame is None


async def test_a_failure_that_nobody_asks_for_is_logged_as_asyncio_does(
    expect_log: "ExpectLog",
) -> None:
    @gen.coroutine
    def fails() -> Generator[Any, Any, None]:
        yield gen.moment
        raise ValueError("lost")

    lost = fails()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert lost.done()
    with expect_log("asyncio", "Future exception was never retrieved"):
        del lost
        gc.collect()


class TestGoingOn:
    """Who waits for a coroutine goes on where it ends, without a turn of the loop."""

    @pytest.mark.parametrize("by", ["generator", "task"])
    async def test_in_the_same_turn(self, by: str) -> None:
        awaited, order = new_future(), list[str]()

        @gen.coroutine
        def inner() -> Coroutine:
            yield awaited
            order.append("inner")

        @gen.coroutine
        def outer() -> Coroutine:
            yield inner()
            order.append("outer")

        async def task() -> None:
            await inner()
            order.append("outer")

        running = outer() if by == "generator" else asyncio.ensure_future(task())
        await turns()
        awaited.set_result(None)
        asyncio.get_running_loop().call_soon(order.append, "others")
        await running
        await turns()  # this test went on at the spot as well
        assert order == ["inner", "outer", "others"]

    async def test_each_in_its_own_context_and_task(self) -> None:
        awaited = new_future()

        @gen.coroutine
        def inner() -> Coroutine:
            variable.set("inner")
            yield awaited
            assert asyncio.current_task() is None
            return variable.get()

        @gen.coroutine
        def outer() -> Coroutine:
            variable.set("outer")
            return [(yield inner()), variable.get()]

        async def task() -> Any:
            variable.set("task")
            result = await outer()
            return [*result, variable.get(), asyncio.current_task()]

        running = asyncio.create_task(task())
        await turns()
        awaited.set_result(None)
        assert await running == ["inner", "outer", "task", running]
        assert variable.get() == "unset"

    async def test_a_chain_may_be_longer_than_the_stack(self) -> None:
        awaited: asyncio.Future[Any] = new_future()

        @gen.coroutine
        def link(before: "asyncio.Future[int]") -> Coroutine:
            return (yield before) + 1

        future = awaited
        for _ in range(5000):
            future = link(future)
        awaited.set_result(0)
        assert await future == 5000

    async def test_callbacks_are_the_loops(self) -> None:
        # They are not expected before the next turn, nor in the middle of another one.
        awaited, order = new_future(), list[str]()

        @gen.coroutine
        def inner() -> Coroutine:
            yield awaited
            order.append("inner")

        async def wait() -> None:
            await future
            order.append("task")

        future = inner()
        future.add_done_callback(lambda _: order.append("callback"))
        waiting = asyncio.create_task(wait())
        await turns()
        awaited.set_result(None)
        asyncio.get_running_loop().call_soon(order.append, "others")
        await waiting
        assert order == ["inner", "others", "callback", "task"]

    async def test_what_a_task_raises_leaves_the_loop_as_ever(self) -> None:
        awaited = new_future()

        @gen.coroutine
        def inner() -> Coroutine:
            yield awaited

        async def fail() -> None:
            await inner()
            raise ValueError("mine")

        failing = asyncio.create_task(fail())
        await turns()
        awaited.set_result(None)
        with pytest.raises(ValueError, match="mine"):
            await failing
