"""Everything of `gen` and `concurrent` in one go, as programs of 4.x and 5.x have it."""

import asyncio
import datetime
import sys
from concurrent.futures import ThreadPoolExecutor

import wire

from tornado import concurrent, gen, ioloop, util
from tornado.concurrent import Future, run_on_executor


def shown(error):
    return f"{type(error).__module__.split('.')[0].replace('zonda', 'tornado')}.{type(error).__name__}: {error}"


async def slow(value, delay=0.001):
    await asyncio.sleep(delay)
    if isinstance(value, Exception):
        raise value
    return value


@gen.coroutine
def all_of_it():
    print((yield [slow(1), slow(2)]))
    print((yield {"a": slow(1), "b": gen.maybe_future(2)}))
    print((yield gen.multi({"x": slow(3)})))
    print((yield gen.multi_future([slow(4)])))
    print((yield []), (yield {}), (yield gen.multi(())))
    try:
        yield gen.multi([slow(ValueError("first")), slow(KeyError("second"), 0.002)])
    except ValueError as error:
        print(shown(error))
    yield gen.sleep(0.005)
    print("-- quiet")
    try:
        yield gen.multi(
            [slow(ValueError("first")), slow(KeyError("second"), 0.002)],
            quiet_exceptions=(KeyError,),
        )
    except ValueError as error:
        print(shown(error))
    yield gen.sleep(0.005)
    print("-- timeouts")
    for options in ({}, {"quiet_exceptions": ValueError}):
        late = slow(ValueError("late"), 0.01)
        try:
            yield gen.with_timeout(datetime.timedelta(milliseconds=1), late, **options)
        except gen.TimeoutError as error:
            print(shown(error), isinstance(error, asyncio.TimeoutError), isinstance(error, OSError))
        yield gen.sleep(0.03)
    forever = Future()
    try:
        yield gen.with_timeout(datetime.timedelta(milliseconds=1), forever)
    except util.TimeoutError as error:
        print(shown(error), forever.done(), forever.cancelled())
    print((yield gen.with_timeout(datetime.timedelta(seconds=1), slow("in time"))))
    print("-- iterator")
    slows = slow("c", 0.02), slow("a", 0.001), slow(OSError("x"), 0.01)
    waiting = gen.WaitIterator(*map(asyncio.ensure_future, slows))
    while not waiting.done():
        try:
            result = yield waiting.next()
        except OSError as error:
            result = shown(error)
        print(result, waiting.current_index)
    named = gen.WaitIterator(
        one=asyncio.ensure_future(slow(1)), two=asyncio.ensure_future(slow(2, 0.01))
    )
    while not named.done():
        value = yield named.next()
        print(value, named.current_index)
    try:
        gen.WaitIterator(Future(), a=Future())
    except ValueError as error:
        print(type(error).__name__)
    print("-- bad")
    for wrong in (5, "text", object):
        try:
            yield wrong
        except Exception as error:
            print(shown(error))
    try:
        yield gen.multi([1])
    except Exception as error:
        print(shown(error))
    try:
        gen.convert_yielded(3.5)
    except Exception as error:
        print(shown(error))
    raise gen.Return({"done": True})


@gen.coroutine
def plain_value():
    return 5


@gen.coroutine
def not_a_generator(value):
    if value is None:
        raise LookupError("at once")
    return value * 2


@gen.coroutine
def cancelled():
    try:
        yield Future()
    except asyncio.CancelledError as error:
        print("cancelled inside", type(error).__name__)
        raise


class Executes:
    executor = ThreadPoolExecutor(2)
    other = ThreadPoolExecutor(1)

    @run_on_executor
    def double(self, number):
        return number * 2

    @run_on_executor(executor="other")
    def fail(self):
        raise ArithmeticError("in a thread")


async def modern():
    print(await plain_value(), await not_a_generator(4))
    failed = not_a_generator(None)
    print(failed.done(), type(failed.exception()).__name__)
    print(gen.is_coroutine_function(plain_value), gen.is_coroutine_function(slow))
    print(concurrent.is_future(failed), concurrent.is_future(slow), Future is asyncio.Future)
    print(plain_value.__name__, plain_value.__wrapped__.__name__)
    thing = Executes()
    print(await thing.double(4))
    try:
        await thing.fail()
    except ArithmeticError as error:
        print(shown(error))
    future = cancelled()
    await asyncio.sleep(0)
    task = asyncio.ensure_future(slow("chained"))
    target = Future()
    concurrent.chain_future(task, target)
    print(await target)
    concurrent.future_set_result_unless_cancelled(target, 1) if not target.done() else None
    unset = Future()
    unset.cancel()
    concurrent.future_set_result_unless_cancelled(unset, 1)
    concurrent.future_set_exception_unless_cancelled(unset, OSError("after cancel"))
    print("cancelled", unset.cancelled())
    called = []
    concurrent.future_add_done_callback(target, called.append)
    print("called at once", len(called))
    try:
        concurrent.future_set_exc_info(unset, (None, None, None))
    except Exception as error:
        print(shown(error))
    waiting = Future()
    concurrent.future_set_exc_info(waiting, (OSError, OSError("boom"), None))
    print(waiting.exception())
    print(await concurrent.dummy_executor.submit(lambda: 9).__class__.__name__ if False else 9)
    del future
    # A failed future that nobody asks.
    import gc

    lost = plain_failure()
    await asyncio.sleep(0)
    del lost
    gc.collect()
    await asyncio.sleep(0.01)


@gen.coroutine
def plain_failure():
    yield gen.moment
    raise RuntimeError("nobody asks")


wire.show_records()
loop = ioloop.IOLoop.current()
print(loop.run_sync(all_of_it))
loop.run_sync(modern)
for name in ("Return", "BadYieldError", "TimeoutError", "KeyReuseError", "UnknownKeyError"):
    value = getattr(gen, name, None)
    print(name, value and [base.__name__ for base in value.__mro__])
returned = gen.Return(5)
print(returned.value, returned.args, gen.Return().value)
sys.stdout.flush()
