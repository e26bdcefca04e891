"""Deadlines: one timer, the right moment, nothing kept."""

import asyncio
import gc
import weakref

import pytest

from zonda.httpclient.deadlines import Deadlines, Phase


class FakeLoop:
    """Just the clock and the timers of a loop."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[FakeHandle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: object) -> "FakeHandle":
        handle = FakeHandle(when, callback)
        self.timers.append(handle)
        return handle

    def pending(self) -> list["FakeHandle"]:
        return [handle for handle in self.timers if not handle.gone]

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [handle for handle in self.pending() if handle.when <= until]:
            first = min(due, key=lambda handle: handle.when)
            self.now = max(self.now, first.when)
            first.gone = True
            assert callable(first.callback)
            first.callback()
        self.now = until


class FakeHandle:
    def __init__(self, when: float, callback: object) -> None:
        self.when = when
        self.callback = callback
        self.gone = False

    def cancel(self) -> None:
        self.gone = True


class Timed:
    def __init__(self) -> None:
        self.passed: list[float] = []

    def deadline_passed(self, seconds: float) -> None:
        self.passed.append(seconds)


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def deadlines(loop: FakeLoop) -> Deadlines:
    return Deadlines(loop)  # type: ignore[arg-type]


def test_a_deadline_passes_once(loop: FakeLoop, deadlines: Deadlines) -> None:
    one = Timed()
    deadlines.add(one, 5, loop.now)
    loop.advance(4.9)
    assert one.passed == []
    loop.advance(0.2)
    assert one.passed == [5]
    loop.advance(60)
    assert one.passed == [5]
    assert loop.pending() == []


def test_the_shorter_one_first(loop: FakeLoop, deadlines: Deadlines) -> None:
    long, short = Timed(), Timed()
    deadlines.add(long, 20, loop.now)
    deadlines.add(short, 1, loop.now)
    assert len(loop.pending()) == 1
    loop.advance(1)
    assert (long.passed, short.passed) == ([], [1])
    loop.advance(19)
    assert long.passed == [20]


def test_one_timer_for_a_thousand(loop: FakeLoop, deadlines: Deadlines) -> None:
    for _ in range(1000):
        one = Timed()
        deadlines.add(one, 20, loop.now)
        deadlines.discard(one, 20)
        loop.advance(0.01)
    assert len(loop.timers) == 1
    assert len(deadlines) == 0
    loop.advance(30)
    assert loop.pending() == []


def test_the_next_one_is_found_when_the_first_was_discarded(
    loop: FakeLoop, deadlines: Deadlines
) -> None:
    first, second = Timed(), Timed()
    deadlines.add(first, 10, loop.now)
    loop.advance(3)
    deadlines.add(second, 10, loop.now)
    deadlines.discard(first, 10)
    deadlines.discard(first, 10)
    deadlines.discard(first, 99)
    loop.advance(9.9)
    assert second.passed == []
    loop.advance(0.1)
    assert (first.passed, second.passed) == ([], [10])


def test_adding_while_they_pass(loop: FakeLoop, deadlines: Deadlines) -> None:
    class Again(Timed):
        def deadline_passed(self, seconds: float) -> None:
            super().deadline_passed(seconds)
            if len(self.passed) < 3:
                deadlines.add(self, seconds, loop.now)

    one = Again()
    deadlines.add(one, 2, loop.now)
    loop.advance(7)
    assert one.passed == [2, 2, 2]


def test_nothing_passes_once_closed(loop: FakeLoop, deadlines: Deadlines) -> None:
    one = Timed()
    deadlines.add(one, 5, loop.now)
    deadlines.close()
    loop.advance(60)
    assert one.passed == []


def test_what_has_ended_is_not_kept(loop: FakeLoop, deadlines: Deadlines) -> None:
    one = Timed()
    deadlines.add(one, 20, loop.now)
    deadlines.discard(one, 20)
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


async def test_a_phase_ends_in_its_error() -> None:
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    error = TimeoutError("too late")
    deadlines = Deadlines(asyncio.get_running_loop())
    phase = Phase(0.01, failed.set_result, error)
    deadlines.add(phase, phase.seconds, asyncio.get_running_loop().time())
    assert await failed is error
