"""Pings in flight, by a clock that is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.websocket import Keepalive


@pytest.mark.parametrize(
    ("interval", "timeout"), [(0, None), (-1, None), (10, 0), (10, -1), (10, 10.5)]
)
def test_refused(interval: float, timeout: float | None) -> None:
    with pytest.raises(ValueError):
        Keepalive(interval, timeout, now=0)


def test_the_timeout_is_the_interval_by_default() -> None:
    assert Keepalive(20, now=0).timeout == 20
    assert Keepalive(20, 20, now=0).timeout == 20


def test_a_peer_that_answers() -> None:
    keepalive = Keepalive(10, 4, now=100)
    latencies = [keepalive.latency]
    for start in (110, 120, 130):
        assert keepalive.next_time == start
        assert not keepalive.wants_ping(start - 1)
        assert keepalive.wants_ping(start)
        payload = keepalive.ping(start)
        assert not keepalive.wants_ping(start)
        assert keepalive.next_time == start + 4
        assert not keepalive.is_dead(start + 3)
        assert keepalive.pong(payload, start + 3)
        latencies.append(keepalive.latency)
        assert not keepalive.is_dead(start + 100)
    assert latencies == [None, 3, 3, 3]


def test_a_peer_that_does_not() -> None:
    keepalive = Keepalive(10, 4, now=0)
    keepalive.ping(10)
    assert keepalive.next_time == 14
    assert not keepalive.is_dead(13.9)
    assert keepalive.is_dead(14)


def test_pongs_that_nobody_asked_for_mean_nothing() -> None:
    keepalive = Keepalive(10, 4, now=0)
    payload = keepalive.ping(10)
    assert not keepalive.pong(b"", 11)
    assert not keepalive.pong(b"x" * 125, 11)
    assert keepalive.is_dead(14)
    assert keepalive.pong(payload, 15)
    assert not keepalive.pong(payload, 15)
    assert keepalive.latency == 5


def test_a_pong_answers_the_pings_before_it() -> None:
    """RFC 6455 §5.5.3: only the latest of several pings needs an answer."""
    keepalive = Keepalive(10, 10, now=0)
    first, second, third = keepalive.ping(10), keepalive.ping(11), keepalive.ping(12)
    assert len({first, second, third}) == 3
    assert keepalive.pong(second, 13)
    assert not keepalive.pong(first, 13)
    assert not keepalive.is_dead(21)
    assert keepalive.is_dead(22)
    assert keepalive.pong(third, 23)
    assert not keepalive.is_dead(100)


def test_pings_in_flight_are_bounded() -> None:
    keepalive = Keepalive(10, 10, now=0)
    for now in range(10_000):
        keepalive.ping(now)
    assert len(keepalive._in_flight) == 16


@given(st.lists(st.sampled_from(["ping", "oldest", "newest", "foreign"]), max_size=40))
def test_bookkeeping(steps: list[str]) -> None:
    keepalive = Keepalive(1000, 5, now=0)
    pending: list[tuple[bytes, int]] = []
    for now, step in enumerate(steps):
        if step == "ping" and len(pending) < 16:
            pending.append((keepalive.ping(now), now))
        elif step == "foreign":
            assert not keepalive.pong(b"foreign", now)
        elif pending:
            index = 0 if step == "oldest" else len(pending) - 1
            payload, sent = pending[index]
            del pending[: index + 1]
            assert keepalive.pong(payload, now)
            assert keepalive.latency == now - sent
        assert keepalive.is_dead(now) is (bool(pending) and now - pending[0][1] >= 5)
