import asyncio
import datetime
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from zonda.ioloop import IOLoop, PeriodicCallback, gen
from zonda.ioloop.platform.asyncio import AsyncIOLoop

ExpectLog = Callable[..., Any]


class Clock(AsyncIOLoop):
    """A loop with a clock that only moves when told to, and timers that only it fires."""

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        super().initialize(make_current=False, **kwargs)
        self.now = 1000.0
        self.timers: dict[int, tuple[float, Callable[[], object]]] = {}
        self.made = 0

    def time(self) -> float:
        return self.now

    def add_timeout(self, deadline: Any, callback: Any, *args: Any, **kwargs: Any) -> object:
        self.made += 1
        self.timers[self.made] = (deadline, callback)
        return self.made

    def remove_timeout(self, timeout: Any) -> None:
        self.timers.pop(timeout, None)

    def next_deadline(self) -> float:
        (when, _), *rest = self.timers.values()
        assert not rest, "one timer at a time"
        return round(when, 6)

    async def fire(self, at: float | None = None) -> None:
        """Move the clock to the one deadline (or ``at``) and call what is due."""
        self.now = self.next_deadline() if at is None else at
        (callback,) = (callback for _, callback in self.timers.values())
        self.timers.clear()
        callback()
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    loop = Clock()
    monkeypatch.setattr(IOLoop, "current", staticmethod(lambda instance=True: loop))
    yield loop
    loop.close()


def nothing() -> None:
    pass


class TestArguments:
    @pytest.mark.parametrize(
        "time", [0, -1, 0.0, datetime.timedelta(0), datetime.timedelta(-1), float("nan")]
    )
    def test_not_positive(self, time: Any) -> None:
        with pytest.raises(ValueError, match="positive"):
            PeriodicCallback(nothing, time)

    def test_timedelta(self) -> None:
        assert PeriodicCallback(nothing, datetime.timedelta(minutes=1)).callback_time == 60_000
        assert PeriodicCallback(nothing, datetime.timedelta(microseconds=100)).callback_time == 0.1


class TestSchedule:
    async def test_does_not_drift(self, clock: Clock) -> None:
        calls: list[float] = []

        def slow() -> None:
            calls.append(round(clock.now, 6))
            clock.now += 3  # the call takes that long

        PeriodicCallback(slow, 10_000).start()
        for _ in range(4):
            # Timers are always a little late.
            await clock.fire(clock.next_deadline() + 0.5)
        assert clock.next_deadline() == 1050
        assert calls == [1010.5, 1020.5, 1030.5, 1040.5]

    @pytest.mark.parametrize(
        ("duration", "deadline"), [(9.9, 1020), (10, 1030), (15, 1030), (99, 1110), (100, 1120)]
    )
    async def test_missed_times_are_skipped(
        self, clock: Clock, duration: float, deadline: float
    ) -> None:
        def slow() -> None:
            clock.now += duration

        PeriodicCallback(slow, 10_000).start()
        await clock.fire()
        assert clock.next_deadline() == deadline

    @pytest.mark.parametrize(
        ("jump", "deadline"),
        [
            (3600, 4620),  # forward: no burst of calls, and in step
            (3605, 4620),
            (-0.001, 1020),  # the timer was early: not the same time again
            (-4, 1020),
            (-3600, -2580),  # far back: one period, not an hour and a period
        ],
    )
    async def test_clock_jumps(self, clock: Clock, jump: float, deadline: float) -> None:
        PeriodicCallback(nothing, 10_000).start()
        await clock.fire(clock.next_deadline() + jump)
        assert clock.next_deadline() == deadline

    async def test_jitter(self, clock: Clock) -> None:
        PeriodicCallback(nothing, 10_000, jitter=0.5).start()
        periods = set()
        for _ in range(50):
            before = clock.now
            await clock.fire()
            periods.add(round(clock.now - before, 6))
        assert all(7.5 <= period <= 12.5 for period in periods)
        assert len(periods) > 10

    async def test_no_jitter(self, clock: Clock) -> None:
        PeriodicCallback(nothing, 10_000, jitter=0).start()
        for n in range(1, 5):
            await clock.fire()
            assert clock.now == 1000 + 10 * n


class TestStartAndStop:
    async def test_is_running(self, clock: Clock) -> None:
        periodic = PeriodicCallback(nothing, 10_000)
        assert not periodic.is_running()
        periodic.start()
        periodic.start()
        assert periodic.is_running()
        assert clock.next_deadline() == 1010
        periodic.stop()
        periodic.stop()
        assert not periodic.is_running()
        assert not clock.timers

    async def test_restart_begins_a_new_schedule(self, clock: Clock) -> None:
        periodic = PeriodicCallback(nothing, 10_000)
        periodic.start()
        clock.now = 1003
        periodic.stop()
        periodic.start()
        assert clock.next_deadline() == 1013

    async def test_stop_from_the_callback(self, clock: Clock) -> None:
        periodic = PeriodicCallback(lambda: periodic.stop(), 10_000)
        periodic.start()
        await clock.fire()
        assert not clock.timers

    async def test_restart_from_the_callback(self, clock: Clock) -> None:
        def restart() -> None:
            clock.now += 2
            periodic.stop()
            periodic.start()

        periodic = PeriodicCallback(restart, 10_000)
        periodic.start()
        await clock.fire()
        assert clock.next_deadline() == 1022


class TestCoroutines:
    @pytest.mark.parametrize("kind", ["native", "generator", "future"])
    async def test_never_overlap(self, clock: Clock, kind: str) -> None:
        gates: list[asyncio.Future[None]] = []

        def make() -> "asyncio.Future[None]":
            gates.append(asyncio.get_running_loop().create_future())
            return gates[-1]

        async def native() -> None:
            await make()

        @gen.coroutine
        def generator() -> Any:
            yield make()

        callback = {"native": native, "generator": generator, "future": make}[kind]
        PeriodicCallback(callback, 10_000).start()
        await clock.fire()
        assert len(gates) == 1
        assert not clock.timers
        clock.now += 25
        gates[0].set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)
        assert clock.next_deadline() == 1040
        await clock.fire()
        assert len(gates) == 2
        gates[1].set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)

    async def test_without_wait(self, clock: Clock) -> None:
        calls = 0

        async def quick() -> None:
            nonlocal calls
            calls += 1

        PeriodicCallback(quick, 10_000).start()
        await clock.fire()
        await clock.fire()
        assert calls == 2

    async def test_stopped_and_started_while_under_way(self, clock: Clock) -> None:
        gates: list[asyncio.Future[None]] = []

        async def native() -> None:
            gates.append(asyncio.get_running_loop().create_future())
            await gates[-1]

        periodic = PeriodicCallback(native, 10_000)
        periodic.start()
        await clock.fire()
        periodic.stop()
        periodic.start()
        assert not clock.timers
        gates[0].set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)
        assert clock.next_deadline() == 1020
        periodic.stop()
        assert not clock.timers

    async def test_stopped_while_under_way(self, clock: Clock) -> None:
        gate = asyncio.get_running_loop().create_future()

        async def native() -> None:
            await gate

        periodic = PeriodicCallback(native, 10_000)
        periodic.start()
        await clock.fire()
        periodic.stop()
        gate.set_result(None)
        for _ in range(4):
            await asyncio.sleep(0)
        assert not clock.timers


class TestErrors:
    @pytest.mark.parametrize("kind", ["plain", "native", "native later", "generator", "future"])
    async def test_are_logged_and_the_next_one_comes(
        self, clock: Clock, kind: str, expect_log: ExpectLog
    ) -> None:
        def plain() -> None:
            raise ValueError

        async def native() -> None:
            raise ValueError

        async def native_later() -> None:
            await asyncio.sleep(0)
            raise ValueError

        @gen.coroutine
        def generator() -> Any:
            yield gen.moment
            raise ValueError

        def future() -> "asyncio.Future[None]":
            failed = asyncio.get_running_loop().create_future()
            failed.set_exception(ValueError())
            return failed

        callback: Any = {
            "plain": plain,
            "native": native,
            "native later": native_later,
            "generator": generator,
            "future": future,
        }[kind]
        PeriodicCallback(callback, 10_000).start()
        with expect_log("zonda.application", "Exception in callback", count=2):
            await clock.fire()
            await clock.fire()
        assert clock.next_deadline() == 1030

    async def test_cancellation_is_no_error(self, clock: Clock) -> None:
        async def native() -> None:
            raise asyncio.CancelledError

        def future() -> "asyncio.Future[None]":
            cancelled = asyncio.get_running_loop().create_future()
            cancelled.cancel()
            return cancelled

        for callback in (native, future):
            periodic = PeriodicCallback(callback, 10_000)
            periodic.start()
            await clock.fire()
            assert clock.timers
            periodic.stop()

    async def test_ordinary_results_are_ignored(self, clock: Clock) -> None:
        PeriodicCallback(lambda: 42, 10_000).start()  # type: ignore[arg-type,return-value]
        await clock.fire()
        assert clock.timers

    async def test_base_exceptions_pass_and_the_schedule_stays(self, clock: Clock) -> None:
        def leave() -> None:
            raise SystemExit

        PeriodicCallback(leave, 10_000).start()
        with pytest.raises(SystemExit):
            await clock.fire()
        assert clock.next_deadline() == 1020


async def test_on_a_real_loop() -> None:
    done = asyncio.Event()
    calls = 0

    async def tick() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        if calls == 3:
            done.set()

    periodic = PeriodicCallback(tick, datetime.timedelta(milliseconds=1))
    periodic.start()
    gc.collect()  # nobody else has to keep it
    await done.wait()
    periodic.stop()
    await asyncio.sleep(0.003)
    assert calls == 3
