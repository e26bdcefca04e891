"""Several processes on one port, all the ways there are, and no request lost when they change."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zonda.httpserver.testing import RawClient

# How many requests the reload has to survive: ten thousand take half a minute.
REQUESTS = int(os.environ.get("ZONDA_RELOAD_REQUESTS", "1500"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes share ports by forking")

COMMON = """
    import asyncio, os, sys
    from zonda.httpserver import HTTPServer
    from zonda.httpserver.termination import drain_on_signals, until_signal
    from zonda.httputil import HTTPHeaders
    from zonda.ioloop import IOLoop, process, supervisor
    from zonda.iostream.netutil import bind_sockets

    port = int(sys.argv[1])

    def send(request):
        body = str(os.getpid()).encode()
        request.connection.respond(
            200, "OK", HTTPHeaders({"Content-Length": str(len(body))}), body
        )

    def answer(request):
        if request.path == "/slow":
            IOLoop.current().call_later(0.02, send, request)
        else:
            send(request)
"""

# The three ways of programs written for Tornado, and the supervisor's.
WAYS = {
    "bind and start": """
        server = HTTPServer(answer)
        server.bind(port, "127.0.0.1")
        server.start(2)
        IOLoop.current().start()
    """,
    "fork and add_sockets": """
        sockets = bind_sockets(port, "127.0.0.1")
        process.fork_processes(2, 0)
        async def main():
            server = HTTPServer(answer)
            server.add_sockets(sockets)
            await asyncio.Event().wait()
        asyncio.run(main())
    """,
    "a process each": """
        server = HTTPServer(answer)
        server.listen(port, "127.0.0.1", reuse_port=True)
        IOLoop.current().start()
    """,
    "supervisor": """
        async def main():
            server = HTTPServer(answer)
            server.listen(port, "127.0.0.1", reuse_port=True)
            supervisor.ready()
            await until_signal(server, timeout=10)
        asyncio.run(main())
    """,
}

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, way: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The program, in a session of its own, so that its children end with it."""
    program = folder / "program.py"
    program.write_text(textwrap.dedent(COMMON) + textwrap.dedent(WAYS[way]))
    command = [sys.executable, str(program), str(port)]
    if way == "supervisor":
        command[1:1] = ["-m", "zonda.ioloop.supervisor", "-n", "2"]
    count = 2 if way == "a process each" else 1
    started = [
        subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield started[0]
    finally:
        for one in started:
            # The supervisor ends its workers itself; the others do as Tornado: the signal does.
            if way == "supervisor":
                one.terminate()
            else:
                os.killpg(one.pid, signal.SIGTERM)
        for one in started:
            one.wait(30)


async def who_answers(port: int) -> bytes:
    async with RawClient(port) as client:
        return (await client(GET)).body


async def until_answered_by(port: int, count: int) -> set[bytes]:
    """Ask over new connections until so many processes have answered."""
    found: set[bytes] = set()
    deadline = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < deadline, f"answered by {found} only"
        try:
            # All at once: a process that is busy leaves some to the others.
            found.update(await asyncio.gather(*(who_answers(port) for _ in range(32))))
        except OSError:
            await asyncio.sleep(0.05)  # nobody listens yet: only time will tell
    return found


@pytest.mark.parametrize("way", WAYS)
async def test_all_processes_answer(way: str, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, way, port):
        assert len(await until_answered_by(port, 2)) >= 2


class Load:
    """Clients that ask without a pause, over connections that they keep as long as they may."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered = 0
        self.failed: list[str] = []
        self.seen: set[bytes] = set()
        self.stopping = False

    async def client(self, request: bytes) -> None:
        while not self.stopping:
            async with RawClient(self.port) as client:
                while not self.stopping:
                    try:
                        response = await client(request)
                    except (OSError, EOFError) as error:
                        self.failed.append(repr(error))
                        break
                    assert response.status == 200
                    self.answered += 1
                    self.seen.add(response.body)
                    if response.headers.get("Connection") == "close":
                        break


async def test_a_rolling_reload_under_load_loses_nothing(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "supervisor", port) as supervisor:
        await until_answered_by(port, 2)
        load = Load(port)
        clients = [
            asyncio.ensure_future(load.client(SLOW if number % 4 else GET)) for number in range(16)
        ]
        try:
            reloads = 0
            while load.answered < REQUESTS or reloads < 2:
                before = len(load.seen)
                supervisor.send_signal(signal.SIGHUP)
                reloads += 1
                async with asyncio.timeout(60):
                    while len(load.seen) < before + 2:  # two new ones answer
                        await asyncio.sleep(0.01)
        finally:
            load.stopping = True
            await asyncio.gather(*clients)
    assert load.failed == []
    assert load.answered >= REQUESTS
