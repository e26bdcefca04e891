"""The same bytes to many streams: each as its ``send`` would, whatever becomes of the others."""

import pytest

from zonda.iostream import StreamClosedError
from zonda.iostream.memory import MemoryStream, stream_pair
from zonda.iostream.multicast import send_to_all


class Watcher:
    """A sink that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def data_received(self, data: bytes) -> None:
        pass

    def eof_received(self) -> None:
        pass

    def connection_lost(self, error: BaseException | None) -> None:
        self.told.append("lost")

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


async def test_those_in_every_state() -> None:
    pairs: dict[str, tuple[MemoryStream, MemoryStream]] = {
        state: stream_pair(capacity=8)
        for state in ("idle", "queued", "short", "full", "finished", "closed", "reset")
    }
    ours = {state: near for state, (near, _) in pairs.items()}
    ours["queued"].send(b"before and ")  # more than the other end holds
    ours["short"].send(b"<....>")
    ours["full"].send(b"<......>")
    ours["finished"].write_eof()
    ours["closed"].close()
    pairs["reset"][1].close()
    send_to_all(ours.values(), b"all")
    received = {}
    for state in ("idle", "queued", "short", "full"):
        ours[state].close_when_flushed()
        received[state] = await pairs[state][1].read_until_close()
    assert received == {
        "idle": b"all",
        "queued": b"before and all",
        "short": b"<....>all",
        "full": b"<......>all",
    }
    assert await pairs["finished"][1].read_until_close() == b""
    assert ours["reset"].closed()
    assert isinstance(ours["reset"].error, OSError)
    for near, far in pairs.values():
        near.close()
        far.close()


async def test_who_does_not_read_is_told_apart() -> None:
    slow, reader = stream_pair(capacity=8)
    quick, other = stream_pair(capacity=4096)
    watchers = [Watcher(), Watcher()]
    for stream, watcher in zip((slow, quick), watchers, strict=True):
        stream.set_write_buffer_limits(100)
        stream.set_sink(watcher)
    for _ in range(3):
        send_to_all([slow, quick], b"x" * 50)
    assert slow.bytes_queued == 142
    assert [watcher.told for watcher in watchers] == [["pause"], []]
    assert await reader.read_bytes(150) == b"x" * 150
    assert await other.read_bytes(150) == b"x" * 150
    assert watchers[0].told == ["pause", "resume"]
    for stream in (slow, quick, reader, other):
        stream.close()


async def test_a_failure_in_between_stops_nobody() -> None:
    pairs = [stream_pair() for _ in range(3)]
    pairs[1][1].abort()
    send_to_all([near for near, _ in pairs], b"hello")
    assert await pairs[0][1].read_bytes(5) == await pairs[2][1].read_bytes(5) == b"hello"
    with pytest.raises(StreamClosedError):
        await pairs[1][0].read_bytes(1)
    for near, far in pairs:
        near.close()
        far.close()
