"""Generator coroutines: what one costs, beside Tornado's.

    python benchmarks/coroutines.py [--tornado PYTHON] [--rounds N] [-k TEXT]

"ready" cases never have to wait for the loop, "waiting" ones do; those pay for turns of the loop
too, which both frameworks leave to asyncio. Microseconds of CPU a call of the outermost coroutine.
"""

import asyncio
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.sidebyside import Case, framework, main  # noqa: E402

if TYPE_CHECKING or framework() != "tornado":
    from zonda.ioloop import gen
else:
    from tornado import gen

Coroutine = Generator[Any, Any, Any]

# For generators that end before they yield.
NEVER = len(sys.argv) > 1000


@gen.coroutine
def function() -> int:
    return 1


@gen.coroutine
def no_yield() -> Coroutine:
    if NEVER:
        yield
    return 1


@gen.coroutine
def two_ready() -> Coroutine:
    one = yield no_yield()
    two = yield no_yield()
    return one + two


@gen.coroutine
def deep(levels: int) -> Coroutine:
    if levels:
        return (yield deep(levels - 1))
    return 1


@gen.coroutine
def ready_list() -> Coroutine:
    return (yield [no_yield(), no_yield(), no_yield()])


async def native_ready() -> int:
    return 1


@gen.coroutine
def yields_native_ready() -> Coroutine:
    return (yield native_ready())


@gen.coroutine
def fails() -> Coroutine:
    if NEVER:
        yield
    raise ValueError


@gen.coroutine
def catches() -> Coroutine:
    try:
        yield fails()
    except ValueError:
        return 1


@gen.coroutine
def moment() -> Coroutine:
    yield gen.moment


@gen.coroutine
def future() -> Coroutine:
    loop = asyncio.get_running_loop()
    waiting = loop.create_future()
    loop.call_soon(waiting.set_result, None)
    yield waiting


@gen.coroutine
def deep_waiting(levels: int) -> Coroutine:
    if levels:
        return (yield deep_waiting(levels - 1))
    yield gen.moment


@gen.coroutine
def waiting_list() -> Coroutine:
    yield [moment(), moment(), moment()]


async def native() -> None:
    await asyncio.sleep(0)


@gen.coroutine
def yields_native() -> Coroutine:
    yield native()


@gen.coroutine
def many_at_once() -> Coroutine:
    yield [future() for _ in range(100)]


# The same with nothing but asyncio: the loop's share of the cases above.


async def bare_future() -> None:
    loop = asyncio.get_running_loop()
    waiting = loop.create_future()
    loop.call_soon(waiting.set_result, None)
    await waiting


async def bare_many_at_once() -> None:
    loop = asyncio.get_running_loop()
    waiting = [loop.create_future() for _ in range(100)]
    for one in waiting:
        loop.call_soon(one.set_result, None)
    for one in waiting:
        await one


def awaited(make: Callable[..., Any], *args: Any) -> Case:
    """A case that awaits one call after the other."""

    async def case(count: int) -> None:
        for _ in range(count):
            await make(*args)

    return case


CASES: dict[str, tuple[Case, int]] = {
    "ready: a function that does not yield": (awaited(function), 20_000),
    "ready: a generator that ends before it yields": (awaited(no_yield), 20_000),
    "ready: yields two that are ready": (awaited(two_ready), 10_000),
    "ready: ten levels deep": (awaited(deep, 10), 3_000),
    "ready: yields a list of three": (awaited(ready_list), 5_000),
    "ready: yields a native coroutine": (awaited(yields_native_ready), 5_000),
    "ready: catches an exception": (awaited(catches), 5_000),
    "waiting: for a turn of the loop": (awaited(moment), 5_000),
    "waiting: for a future": (awaited(future), 5_000),
    "waiting: ten levels deep": (awaited(deep_waiting, 10), 1_000),
    "waiting: yields a list of three": (awaited(waiting_list), 2_000),
    "waiting: yields a native coroutine": (awaited(yields_native), 5_000),
    "waiting: a hundred at once": (awaited(many_at_once), 100),
}

FLOORS: dict[str, Case] = {
    "waiting: for a turn of the loop": awaited(native),
    "waiting: for a future": awaited(bare_future),
    "waiting: ten levels deep": awaited(native),
    "waiting: yields a native coroutine": awaited(native),
    "waiting: a hundred at once": awaited(bare_many_at_once),
}

if __name__ == "__main__":
    sys.exit(main("Generator coroutines", CASES, __file__, FLOORS))
