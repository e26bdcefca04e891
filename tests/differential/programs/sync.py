"""Locks and queues: order of waiters, time-outs, errors, what they print as."""

import asyncio
import collections
import datetime
import re

from tornado import gen, locks, queues

LITTLE = datetime.timedelta(milliseconds=5)


def text(thing):
    shown = re.sub(r"0x[0-9a-f]+", "0x", thing if isinstance(thing, str) else repr(thing))
    return re.sub(r"<[a-z.]+\.(?=[A-Z])", "<", shown)


async def conditions():
    condition = locks.Condition()
    print(text(condition))
    order = []

    async def waiter(name, timeout=None):
        order.append((name, await condition.wait(timeout=timeout)))

    tasks = [asyncio.ensure_future(waiter(n)) for n in "abc"]
    tasks.append(asyncio.ensure_future(waiter("late", LITTLE)))
    await asyncio.sleep(0)
    print(text(condition))
    condition.notify()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print(order)
    await asyncio.sleep(0.02)
    condition.notify(2)
    await gen.multi(tasks)
    print(order)
    condition.notify_all()
    print(await condition.wait(timeout=LITTLE))


async def events():
    event = locks.Event()
    print(text(event), event.is_set())
    try:
        await event.wait(timeout=LITTLE)
    except gen.TimeoutError as error:
        print(type(error).__name__)
    waiting = event.wait()
    event.set()
    event.set()
    await waiting
    print(text(event), await event.wait())
    event.clear()
    print(text(event))


async def semaphores():
    semaphore = locks.Semaphore(2)
    print(text(semaphore))
    first = await semaphore.acquire()
    with first:
        async with semaphore:
            print(text(semaphore))
            try:
                await semaphore.acquire(timeout=LITTLE)
            except gen.TimeoutError as error:
                print(type(error).__name__)
            waiting = semaphore.acquire()
            print(text(semaphore))
        with await waiting:
            print("inside")
    print(text(semaphore))
    semaphore.release()
    print(text(semaphore))
    bounded = locks.BoundedSemaphore(1)
    print(text(bounded))
    for wrong in (lambda: bounded.release(), lambda: locks.Semaphore(-1)):
        try:
            wrong()
        except ValueError:
            print("ValueError")
    for wrong in (semaphore, locks.Lock()):
        try:
            with wrong:
                pass
        except RuntimeError:
            print("RuntimeError")
    lock = locks.Lock()
    print(text(lock))
    async with lock:
        print(text(lock))
        try:
            await lock.acquire(timeout=datetime.timedelta(0))
        except gen.TimeoutError:
            print("lock")
    try:
        lock.release()
    except RuntimeError:
        print("RuntimeError")


@gen.coroutine
def old_lock():
    lock = locks.Lock()
    with (yield lock.acquire()):
        print("held")
    print(text(lock))


async def queue():
    waiting = queues.Queue(maxsize=2)
    print(text(waiting), text(str(waiting)))
    print(waiting.maxsize, waiting.qsize(), waiting.empty(), waiting.full())
    await waiting.put(1)
    waiting.put_nowait(2)
    print(text(waiting), waiting.full())
    try:
        waiting.put_nowait(3)
    except queues.QueueFull as error:
        print(type(error).__name__)
    blocked = waiting.put(3)
    print(text(waiting))
    try:
        await waiting.put(4, timeout=LITTLE)
    except gen.TimeoutError as error:
        print(type(error).__name__)
    print(await waiting.get(), waiting.get_nowait(), await waiting.get())
    await blocked
    try:
        waiting.get_nowait()
    except queues.QueueEmpty as error:
        print(type(error).__name__)
    try:
        await waiting.get(timeout=LITTLE)
    except gen.TimeoutError as error:
        print(type(error).__name__)
    try:
        await waiting.join(timeout=LITTLE)
    except gen.TimeoutError as error:
        print("join", type(error).__name__)
    getter = waiting.get()
    print(text(waiting))
    for _ in range(3):
        waiting.task_done()
    await waiting.put("x")
    print(await getter)
    waiting.task_done()
    await waiting.join()
    try:
        waiting.task_done()
    except ValueError:
        print("ValueError")
    for wrong in (-1, None):
        try:
            queues.Queue(maxsize=wrong)
        except (TypeError, ValueError) as error:
            print(type(error).__name__)
    priority = queues.PriorityQueue()
    lifo = queues.LifoQueue()
    for number in (3, 1, 2):
        priority.put((number, str(number)))
        lifo.put(number)
    print([priority.get_nowait() for _ in range(3)], [lifo.get_nowait() for _ in range(3)])
    print(text(priority), text(lifo))
    fifo = queues.Queue()
    for number in range(3):
        fifo.put_nowait(number)
    got = []
    async for item in fifo:
        got.append(item)
        fifo.task_done()
        if item == 2:
            break
    print(got, isinstance(fifo._queue, collections.deque))


async def workers():
    work = queues.Queue(maxsize=2)
    done = []

    async def worker(name):
        async for item in work:
            await asyncio.sleep(0)
            done.append(item)
            work.task_done()

    tasks = [asyncio.ensure_future(worker(n)) for n in "ab"]
    for item in range(6):
        await work.put(item)
    await work.join(timeout=datetime.timedelta(seconds=5))
    print(sorted(done))
    for task in tasks:
        task.cancel()


for part in (conditions, events, semaphores, queue, workers):
    print("#", part.__name__)
    asyncio.run(part())
asyncio.run(asyncio.wait_for(asyncio.sleep(0), 1))


async def old():
    await old_lock()


asyncio.run(old())
