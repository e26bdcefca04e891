"""In which order the loop runs what it is given, and what it says about errors."""

import asyncio
import datetime
import functools
import sys
import time

import wire

from tornado import gen, ioloop
from tornado.ioloop import IOLoop, PeriodicCallback

order = []


def note(name):
    order.append(name)


def flush_order(title):
    print(title, " ".join(order))
    order.clear()


async def ordering():
    loop = IOLoop.current()
    asyncio_loop = asyncio.get_running_loop()
    print(loop.asyncio_loop is asyncio_loop, IOLoop.current() is IOLoop.current(instance=False))
    loop.add_callback(note, "add_callback-1")
    loop.call_later(0, note, "call_later-0")
    loop.spawn_callback(note, "spawn-1")
    loop.add_callback(note, "add_callback-2")
    asyncio_loop.call_soon(note, "call_soon")
    loop.call_at(loop.time(), note, "call_at-now")
    loop.add_callback_from_signal(note, "from_signal")
    loop.add_timeout(datetime.timedelta(0), note, "add_timeout-0")
    await asyncio.sleep(0.05)
    timed = {"call_later-0", "call_at-now", "add_timeout-0"}
    rest = [name for name in order if name not in timed]
    print("timed", sorted(set(order) & timed), "others", rest)
    order.clear()

    loop.call_later(0.02, note, "b")
    loop.call_later(0.01, note, "a")
    handle = loop.call_later(0.015, note, "never")
    loop.remove_timeout(handle)
    loop.remove_timeout(handle)
    loop.add_timeout(time.time() + 0.03, functools.partial(note, "d"))
    loop.call_at(loop.time() + 0.025, note, "c")
    await gen.sleep(0.06)
    flush_order("later:")

    future = asyncio.Future()
    loop.add_future(future, lambda f: note(f"future {f.result()}"))
    future.set_result(3)
    note("set")
    await asyncio.sleep(0)
    note("one step")
    await asyncio.sleep(0.01)
    flush_order("add_future:")

    done = asyncio.Future()
    done.set_result(1)
    loop.add_future(done, lambda f: note("done already"))
    note("after add_future")
    await asyncio.sleep(0.01)
    flush_order("done:")

    result = await loop.run_in_executor(None, lambda: 5)
    print("executor", result)
    try:
        await loop.run_in_executor(None, int, "x")
    except ValueError as error:
        print("executor error", error)


@gen.coroutine
def old_coroutine(name):
    note(f"{name} starts")
    yield gen.moment
    note(f"{name} goes on")
    yield None
    note(f"{name} ends")
    raise gen.Return(name)


async def coroutines():
    first = old_coroutine("a")
    second = old_coroutine("b")
    note("both made")
    print(await gen.multi([first, second]))
    flush_order("gen:")


async def errors():
    loop = IOLoop.current()

    def fails():
        raise ZeroDivisionError("plain callback")

    async def fails_later():
        await asyncio.sleep(0)
        raise KeyError("async callback")

    @gen.coroutine
    def generator():
        yield gen.moment
        raise IndexError("gen.coroutine")

    loop.add_callback(fails)
    await asyncio.sleep(0.01)
    loop.add_callback(fails_later)
    await asyncio.sleep(0.01)
    loop.spawn_callback(generator)
    await asyncio.sleep(0.01)
    loop.call_later(0, fails)
    await asyncio.sleep(0.02)
    future = asyncio.Future()
    loop.add_future(future, lambda f: f.result())
    future.set_exception(ValueError("of a future"))
    await asyncio.sleep(0.01)
    generator()
    await asyncio.sleep(0.01)
    print("-- periodic")
    times = []

    def tick():
        times.append(1)
        if len(times) == 1:
            raise RuntimeError("tick")
        if len(times) == 3:
            periodic.stop()

    periodic = PeriodicCallback(tick, 5)
    periodic.start()
    print(periodic.is_running())
    await asyncio.sleep(0.08)
    print(len(times), periodic.is_running())
    running = []

    async def slow():
        running.append("in")
        await asyncio.sleep(0.03)
        running.append("out")
        raise OSError("slow tick")

    slow_periodic = PeriodicCallback(slow, datetime.timedelta(milliseconds=10), jitter=0)
    slow_periodic.start()
    await asyncio.sleep(0.06)
    slow_periodic.stop()
    await asyncio.sleep(0.04)
    print(running[:4], all(a != b for a, b in zip(running, running[1:])))
    for wrong in (0, -1):
        try:
            PeriodicCallback(tick, wrong)
        except ValueError as error:
            print("ValueError", error)


def outside():
    loop = IOLoop(make_current=False)
    print(IOLoop.current(instance=False))
    try:
        print(loop.run_sync(lambda: 7))
    except gen.BadYieldError as error:
        print(type(error).__name__, error)
    print(loop.run_sync(lambda: None))

    async def value():
        return 8

    print(loop.run_sync(value))
    try:
        loop.run_sync(lambda: gen.sleep(1), timeout=0.01)
    except ioloop.TimeoutError as error:
        print(type(error).__name__, error)
    try:
        loop.run_sync(lambda: 1 / 0)
    except ZeroDivisionError as error:
        print(error)
    loop.add_callback(loop.stop)
    loop.start()
    loop.call_later(0.01, loop.stop)
    loop.start()
    loop.close()
    try:
        loop.add_callback(print)
        print("add_callback after close is quiet")
    except RuntimeError as error:
        print(error)
    print(IOLoop.current(instance=False))
    loop = IOLoop()
    print(IOLoop.current() is loop)
    loop.close(all_fds=True)

    print(isinstance(loop, ioloop.IOLoop), IOLoop.configured_class().__mro__[-2].__name__)
    print(ioloop.IOLoop.READ, ioloop.IOLoop.WRITE, ioloop.IOLoop.ERROR, ioloop.IOLoop.NONE)


wire.show_records()
asyncio.run(ordering())
asyncio.run(coroutines())
asyncio.run(errors())
asyncio.set_event_loop(None)
outside()
sys.exit(0)
