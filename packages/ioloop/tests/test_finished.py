"""Futures that are finished from the start: nobody can tell what they are made of."""

import asyncio
import contextvars
import gc
import inspect
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from zonda.ioloop import gen
from zonda.ioloop.concurrent import future_add_done_callback, is_future
from zonda.ioloop.finished import Finished, Unmade, finished


async def test_it_is_awaited_without_being_made() -> None:
    future = finished(42)
    assert await future == 42
    assert [await future, await future] == [42, 42]
    assert type(future) is Unmade
    assert future._value == 42


async def test_an_awaited_value_may_be_an_exception_or_a_tuple() -> None:
    # StopIteration(value) is built in another way for these.
    for value in (ValueError("no"), StopIteration(1), (1, 2), ()):
        assert await finished(value) is value


def ready(_: object) -> None:
    pass


def with_note(future: Any) -> object:
    future.note = 1
    return future.note


USES: dict[str, tuple[Callable[[Any], object], object]] = {
    "done": (lambda f: f.done(), True),
    "cancelled": (lambda f: f.cancelled(), False),
    "cancel": (lambda f: f.cancel(), False),
    "result": (lambda f: f.result(), 42),
    "exception": (lambda f: f.exception(), None),
    "get_loop": (lambda f: f.get_loop() is asyncio.get_running_loop(), True),
    "remove_done_callback": (lambda f: f.remove_done_callback(ready), 0),
    "_state": (lambda f: f._state, "FINISHED"),
    "blocking": (lambda f: f._asyncio_future_blocking, False),
    "isfuture": (asyncio.isfuture, True),
    "is_future": (is_future, True),
    "isinstance": (lambda f: isinstance(f, asyncio.Future), True),
    "isawaitable": (inspect.isawaitable, True),
    "ensure_future": (lambda f: asyncio.ensure_future(f) is f, True),
    "weakref": (lambda f: weakref.ref(f)() is f, True),
    "hash": (lambda f: f in {f}, True),
    "equal": (lambda f: f == f, True),
    "truth": (bool, True),
    "dir": (lambda f: "set_result" in dir(f), True),
    "iter": (lambda f: list(iter(f)), []),
    "repr": (repr, "<Finished finished result=42>"),
    "own attributes": (with_note, 1),
    "size": (lambda f: sys.getsizeof(f) > 0, True),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("made", [False, True])
async def test_it_is_a_future_in_every_use(use: str, made: bool) -> None:
    do, outcome = USES[use]
    future = finished(42)
    if made:
        future.get_loop()
    assert type(future) is (Finished if made else Unmade)
    assert do(future) == outcome
    # And it is still one in every respect.
    assert future.done()
    assert future.result() == 42
    assert await future == 42
    with pytest.raises(asyncio.InvalidStateError):
        future.set_result(43)
    assert type(future) is Finished


def test_nothing_of_a_future_is_forgotten() -> None:
    # What Python's next version gives to futures must not be called on one that is none yet.
    inherited = {
        name
        for name in dir(asyncio.Future)
        if getattr(Unmade, name) is getattr(Finished, name) and not hasattr(object, name)
    }
    assert inherited == {"__del__"}


async def test_callbacks_run_on_the_loop() -> None:
    future, called = finished(42), asyncio.Event()
    future.add_done_callback(lambda _: called.set())
    assert not called.is_set()
    await asyncio.wait_for(called.wait(), 5)
    seen: list[int] = []
    future_add_done_callback(finished(1), lambda f: seen.append(f.result()))
    assert seen == [1]


async def test_asyncio_takes_it() -> None:
    async def native() -> int:
        return await finished(2)

    gathered = await asyncio.gather(finished(1), native(), asyncio.create_task(native()))
    assert [*gathered] == [1, 2, 2]
    assert await asyncio.wait_for(finished(1), 5) == 1
    assert await asyncio.shield(finished(1)) == 1
    done, pending = await asyncio.wait([finished(1)])
    assert (len(done), len(pending)) == (1, 0)


async def test_coroutines_take_it() -> None:
    later = contextvars.ContextVar("later", default=0)

    @gen.coroutine
    def value(number: int) -> int:
        later.set(number)
        return number

    @gen.coroutine
    def all_ways() -> Any:
        one = yield value(1)
        several = yield [value(2), value(3)]
        named = yield {"a": value(4), "b": value(5)}
        yield gen.moment
        again = yield value(6)  # after a wait
        mixed = yield [value(7), gen.sleep(0)]
        empty = yield []
        return one, several, named, again, mixed, empty

    future = all_ways()
    assert await future == (1, [2, 3], {"a": 4, "b": 5}, 6, [7, None], [])
    assert later.get() == 0


def test_it_needs_no_loop_until_it_is_used() -> None:
    future = finished(42)
    with asyncio.Runner() as runner:

        async def main() -> int:
            assert future.get_loop() is asyncio.get_running_loop()
            return await future

        assert runner.run(main()) == 42


def test_it_is_freed_at_once() -> None:
    class Value:
        pass

    value = Value()
    reference = weakref.ref(value)
    gc.disable()
    try:
        future = finished(value)
        del value
        assert reference() is not None
        del future
        assert reference() is None
    finally:
        gc.enable()
    # A cycle through the value is found.
    value = Value()
    reference = weakref.ref(value)
    held: list[Any] = [value]
    held.append(finished(held))
    del value, held
    gc.collect()
    assert reference() is None


async def test_isinstance_does_not_make_it_real() -> None:
    future = finished(1)
    assert isinstance(future, asyncio.Future)
    assert not isinstance(future, asyncio.Task)
    assert type(future) is Unmade
    assert await future == 1
