"""Parts of files: alone, in a queue of buffers, and through a stream."""

import errno
import os
import socket
from pathlib import Path

import pytest

from zonda.iostream import FileRange, IOStream, SSLIOStream, StreamClosedError
from zonda.iostream.filerange import MOST_AT_ONCE
from zonda.iostream.memory import stream_pair
from zonda.iostream.writebuffer import WriteBuffer

pytestmark = pytest.mark.skipif(not hasattr(os, "sendfile"), reason="needs os.sendfile")

CONTENT = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    return file


def opened(path: Path, offset: int, count: int) -> FileRange:
    return FileRange(os.open(path, os.O_RDONLY), offset, count)


def test_it_sends_a_bounded_piece_at_a_time(path: Path) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs, opened(path, 0, 2 << 20) as part:
        sent = part.send_to(ours)
        assert 0 < sent <= MOST_AT_ONCE
        part.advance(sent)
        assert len(part) == (2 << 20) - sent
        with pytest.raises(BlockingIOError):
            for _ in range(100):
                part.advance(part.send_to(ours))
        assert not part.closed
    assert part.closed


def test_a_file_that_has_become_shorter_is_an_error(path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, opened(path, 100, 50) as part:
        os.truncate(path, 100)
        with pytest.raises(OSError, match="shorter") as caught:
            part.send_to(ours)
    assert caught.value.errno == errno.EIO


def test_what_sendfile_cannot_do_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> int:
        raise OSError(errno.EINVAL, "not for this file system")

    monkeypatch.setattr(os, "sendfile", refuse)
    ours, theirs = socket.socketpair()
    with ours, theirs, opened(path, 1, 3) as part:
        assert part.send_to(ours) == 3
        assert theirs.recv(10) == b"\1\2\3"


def test_other_errors_are_raised(path: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, opened(path, 0, 10) as part, pytest.raises(BrokenPipeError):
        part.send_to(ours)


def test_a_queue_gives_it_alone_and_closes_it(path: Path) -> None:
    queue = WriteBuffer()
    parts = [opened(path, 0, 10), opened(path, 0, 20), opened(path, 0, 0)]
    assert parts[2]._fd >= 0
    for each in (b"ab", parts[0], b"cd", b"ef", parts[1], parts[2]):
        queue.append(each)
    assert parts[2].closed, "there is nothing of it to send"
    assert (queue.size, queue.head()) == (36, [b"ab"])
    queue.advance(2)
    assert list[object](queue.head()) == [parts[0]]
    queue.advance(4)
    assert (list[object](queue.head()), len(parts[0])) == ([parts[0]], 6)
    queue.advance(6)
    assert parts[0].closed
    assert queue.head() == [b"cd", b"ef"]
    queue.advance(3)
    assert [bytes(each) for each in queue.head()] == [b"f"]
    queue.fail(ConnectionError())
    assert parts[1].closed
    assert (queue.size, queue.head()) == (0, [])


def streams() -> tuple[IOStream, IOStream]:
    ours, theirs = socket.socketpair()
    return IOStream(ours), IOStream(theirs, max_buffer_size=4 << 20)


async def test_a_stream_sends_in_order(path: Path) -> None:
    ours, theirs = streams()
    data = CONTENT
    parts = [opened(path, 0, len(data)), opened(path, 5, 10)]
    ours.send(b"<")
    ours.send_files([b"head", parts[0], b"|"])
    assert ours.bytes_queued > 1 << 20, "more than the socket takes at once"
    ours.send_files([parts[1]])
    ours.send(b">")
    await theirs.read_bytes(len(b"<head"))
    assert await theirs.read_bytes(len(data)) == data
    assert await theirs.read_bytes(12) == b"|" + data[5:15] + b">"
    assert all(part.closed for part in parts)
    ours.close()
    theirs.close()


async def test_the_sink_is_asked_to_pause(path: Path) -> None:
    class Pausable:
        paused: list[bool] = []  # noqa: RUF012

        def data_received(self, data: bytes) -> None: ...
        def eof_received(self) -> None: ...
        def connection_lost(self, error: BaseException | None) -> None: ...
        def pause_writing(self) -> None:
            self.paused.append(True)

        def resume_writing(self) -> None:
            self.paused.append(False)

    ours, theirs = streams()
    ours.set_sink(Pausable())
    ours.send_files([opened(path, 0, 2 << 20)])
    assert Pausable.paused == [True]
    await theirs.read_bytes(2 << 20)
    assert Pausable.paused == [True, False]
    ours.close()
    theirs.close()


@pytest.mark.parametrize("when", ["before", "meanwhile", "peer", "failed", "half"])
async def test_whatever_ends_the_stream_closes_the_file(path: Path, when: str) -> None:
    ours, theirs = streams()
    part = opened(path, 0, 2 << 20)
    if when == "before":
        ours.close()
    elif when == "half":
        ours.write_eof()
    elif when == "peer":
        theirs.close()
    if when == "half":
        with pytest.raises(StreamClosedError):
            ours.send_files([b"head", part])
    else:
        ours.send_files([b"head", part])
    if when == "meanwhile":
        assert not part.closed
        ours.close()
    elif when == "failed":
        os.truncate(path, 10)
        with pytest.raises(StreamClosedError):
            await theirs.read_bytes(2 << 20)
    assert part.closed
    ours.close()
    theirs.close()


async def test_only_plain_sockets_can() -> None:
    assert IOStream.can_send_files
    assert not SSLIOStream.can_send_files
    assert not any(hasattr(each, "can_send_files") for each in stream_pair())
