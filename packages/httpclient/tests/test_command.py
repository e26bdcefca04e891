"""``python -m zonda.httpclient``: what it prints and how it ends."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zonda.httpclient import main
from zonda.httpclient.progress import ProgressBar, format_duration, format_size
from zonda.ioloop.testing import bind_unused_port

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import Peer, Serve


async def run(*arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Exit status, standard output, standard error of the command as a process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "zonda.httpclient",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, output, errors.decode()


async def call(*arguments: str) -> int:
    """Exit status of the command, run in another thread, which is faster."""
    return await asyncio.to_thread(main, arguments)


async def echo(peer: "Peer") -> None:
    """``/404``: that status; ``/302/x``: a redirect to ``/x``; else the request's own body."""
    while True:
        request = await peer.request()
        code, _, rest = request.target[1:].partition("/")
        body = b"" if request.method == "HEAD" else request.body or b"hello"
        if code.isdecimal() and rest:
            await peer.answer(b"moved", int(code), f"Location: /{rest}")
        else:
            await peer.answer(body, int(code) if code.isdecimal() else 200, "X-One: 1")


async def test_the_body_goes_to_standard_output(serve: "Serve") -> None:
    async with serve(echo) as server:
        assert await run(server.url().removeprefix("http://")) == (0, b"hello", "")


async def test_the_head_on_request(serve: "Serve") -> None:
    async with serve(echo) as server:
        status, output, _ = await run("-i", server.url())
        head = b"HTTP/1.1 200 Whatever\r\nX-One: 1\r\nContent-Length: 5\r\n\r\n"
        assert (status, output) == (0, head + b"hello")
        status, output, _ = await run("-I", server.url())
        assert (status, output) == (0, head.replace(b"5", b"0"))
    assert server.targets() == ["GET /", "HEAD /"]


async def test_what_is_sent(serve: "Serve", tmp_path: Path) -> None:
    output = str(tmp_path / "output")
    (tmp_path / "input").write_bytes(b"from a file")
    async with serve(echo) as server:
        for arguments in (
            ["-d", "text"],
            ["-X", "PUT", "--data", f"@{tmp_path / 'input'}"],
            ["-H", "X-Two: 2", "-H", "Accept: a/b", "-A", "me", "-u", "user:pass:word"],
            ["-X", "MKCOL"],
        ):
            assert await call(*arguments, "-o", output, server.url()) == 0
        assert await run("-d", "@-", server.url(), stdin=b"from stdin") == (0, b"from stdin", "")
    requests = server.requests
    assert [(r.method, r.body) for r in requests] == [
        ("POST", b"text"),
        ("PUT", b"from a file"),
        ("GET", b""),
        ("MKCOL", b""),
        ("POST", b"from stdin"),
    ]
    fields = requests[2].headers
    assert (fields["X-Two"], fields["Accept"], fields["User-Agent"]) == ("2", "a/b", "me")
    assert fields["Authorization"] == "Basic dXNlcjpwYXNzOndvcmQ="


async def test_redirects(serve: "Serve", tmp_path: Path) -> None:
    output = tmp_path / "output"
    arguments = ["-o", str(output)]
    async with serve(echo) as server:
        assert await call(*arguments, server.url("/302/302/x")) == 0
        assert output.read_bytes() == b"hello"
        assert await call(*arguments, "--no-follow", server.url("/302/x")) == 0
        assert output.read_bytes() == b"moved"
        assert await call(*arguments, "--max-redirects", "1", server.url("/302/302/x")) == 47


async def test_a_large_download_goes_to_the_file(serve: "Serve", tmp_path: Path) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x" * 3_000_000)

    output = tmp_path / "output"
    async with serve(script) as server:
        assert await call("-o", str(output), server.url()) == 0
    assert output.stat().st_size == 3_000_000


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--fail", "{url}/404"], 22, "404"),
        (["{url}/404"], 0, ""),
        (["-s", "--fail", "{url}/404"], 22, ""),
        (["http://127.0.0.1:{closed}/"], 7, "refused"),
        (["http://nowhere.invalid/"], 6, "nowhere.invalid"),
        (["ftp://127.0.0.1/"], 3, "ftp"),
        (["-H", "no field", "{url}"], 3, "no field"),
        (["-x", "ftp://proxy", "{url}"], 3, "proxy"),
        (["-d", "@/does/not/exist", "{url}"], 26, "No such file"),
        (["-o", "/does/not/exist", "{url}"], 23, "No such file"),
        (["--timeout", "0.05", "{silent}"], 28, "imeout"),
        (["{cut}"], 56, "closed"),
        (["{garbage}"], 8, ""),
    ],
)
async def test_exit_status(
    serve: "Serve",
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    status: int,
    text: str,
) -> None:
    async def silent(peer: "Peer") -> None:
        await peer.closed()

    async def cut(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")

    async def garbage(peer: "Peer") -> None:
        await peer.request()
        await peer.send(b"SSH-2.0\r\n\r\n")

    sock, closed = bind_unused_port()
    sock.close()
    async with serve(echo) as a, serve(silent) as b, serve(cut) as c, serve(garbage) as d:
        values = {"url": a.url(""), "closed": closed}
        values |= {"silent": b.url(), "cut": c.url(), "garbage": d.url()}
        assert await call(*[argument.format(**values) for argument in arguments]) == status
    errors = capsys.readouterr().err
    assert text in errors
    assert (errors == "") == (status == 0 or "-s" in arguments)


async def test_output_that_nobody_reads_is_no_traceback(serve: "Serve") -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x" * 3_000_000)

    async with serve(script) as server:
        read, write = os.pipe()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "zonda.httpclient",
            server.url(),
            stdout=write,
            stderr=asyncio.subprocess.PIPE,
        )
        os.close(write)
        os.close(read)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (23, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
async def test_a_bar_on_a_terminal(serve: "Serve", tmp_path: Path) -> None:
    async def script(peer: "Peer") -> None:
        await peer.request()
        await peer.answer(b"x" * 2048)

    ours, theirs = os.openpty()
    async with serve(script) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "zonda.httpclient",
            "-o",
            str(tmp_path / "o"),
            server.url(),
            stderr=theirs,
        )
        assert await process.wait() == 0
    os.close(theirs)
    text = os.read(ours, 4096).decode()
    os.close(ours)
    assert "100%" in text
    assert "2.0 KiB" in text


# -- the bar


class Terminal:
    def __init__(self, total: int | None, width: int = 80) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.bar = ProgressBar(self.lines.append, total, width, lambda: self.now)


def test_the_bar_is_drawn_ten_times_a_second_at_most() -> None:
    terminal = Terminal(1000)
    for _ in range(1000):
        terminal.now += 0.001
        terminal.bar.add(1)
    terminal.bar.finish()
    assert 10 <= len(terminal.lines) <= 13
    assert terminal.lines[-2].startswith("\r100%")
    assert terminal.lines[-1] == "\n"
    assert all(len(line) <= 81 for line in terminal.lines)


@pytest.mark.parametrize(
    ("total", "width", "line"),
    [
        (None, 80, "\r512 B  256 B/s  0:02"),
        (0, 80, "\r512 B  256 B/s  0:02"),
        (1024, 30, "\r 50%      512 B of 1.0 KiB  256 B/s  0:02"),
        (100, 80, "\r100%"),  # more than was announced
    ],
)
def test_what_the_bar_says(total: int | None, width: int, line: str) -> None:
    terminal = Terminal(total, width)
    terminal.now = 2
    terminal.bar.add(512)
    assert terminal.lines[0].startswith(line)


def test_a_shorter_line_wipes_out_the_longer_one() -> None:
    terminal = Terminal(None)
    terminal.bar.add(1023)
    terminal.now = 3600
    terminal.bar.add(1)
    assert len(terminal.lines[1]) >= len(terminal.lines[0])


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (150 * 1024, "150 KiB"), (2**50, "1024 TiB")],
)
def test_sizes(size: int, text: str) -> None:
    assert format_size(size) == text


def test_durations() -> None:
    assert [format_duration(n) for n in (0, 59.9, 60, 3600)] == ["0:00", "0:59", "1:00", "1:00:00"]
