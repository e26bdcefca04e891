"""Signals end a server gently; a second one ends it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from zonda.httpserver.termination import drain_on_signals, until_signal
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import HTTPHeaders, HTTPServerRequest
from zonda.ioloop import IOLoop

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.requests: list[HTTPServerRequest] = []

    def __call__(self, request: HTTPServerRequest) -> None:
        self.requests.append(request)
        self.asked.set()

    def answer(self) -> None:
        for request in self.requests:
            connection: Any = request.connection
            connection.respond(200, "OK", HTTPHeaders(), b"ok")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_runs_is_finished(number: signal.Signals) -> None:
    application = Slow()
    async with serving(application) as server, RawClient(port_of(server)) as client:
        ending = asyncio.ensure_future(until_signal(server))
        await client.send(GET)
        await application.asked.wait()
        os.kill(os.getpid(), number)
        while not server.draining:
            await asyncio.sleep(0)
        assert not ending.done()
        application.answer()
        response = await client.response()
        assert (response.body, response.headers["Connection"]) == (b"ok", "close")
        assert await ending is number


async def test_nobody_in_the_backlog_is_reset() -> None:
    """Clients who have connected, and some who have asked, before the loop came to look."""

    def answer(request: HTTPServerRequest) -> None:
        connection: Any = request.connection
        connection.respond(200, "OK", HTTPHeaders(), b"ok")

    async with serving(answer) as server:
        address = ("127.0.0.1", port_of(server))
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(socket.create_connection(address, timeout=10))
                for _ in range(40)
            ]
            for client in clients[::2]:
                client.sendall(GET)
            draining = asyncio.ensure_future(server.drain(10))
            await asyncio.sleep(0.01)
            for client in clients[1::2]:
                client.sendall(GET)
            await draining
            for client in clients:
                with client.makefile("rb") as answer_of:
                    assert answer_of.read().startswith(b"HTTP/1.1 200 OK\r\n")


async def test_the_silent_do_not_hold_a_drain_up() -> None:
    async with serving(lambda request: None) as server:
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as client:
            async with asyncio.timeout(5):
                await server.drain(None)
            assert client.recv(1) == b""


async def test_the_second_signal_does_not_wait(expect_log: Callable[..., Any]) -> None:
    application = Slow()
    async with serving(application) as server, RawClient(port_of(server)) as client:
        ending = asyncio.ensure_future(until_signal(server, timeout=None))
        await client.send(GET)
        await application.asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        while not server.draining:
            await asyncio.sleep(0)
        with expect_log("zonda.general", "SIGTERM again"):
            os.kill(os.getpid(), signal.SIGTERM)
            assert await ending is signal.SIGTERM
        await client.closed()


async def test_cancelled_it_leaves_no_trace() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ending = asyncio.ensure_future(until_signal())
    await asyncio.sleep(0)
    assert signal.getsignal(signal.SIGTERM) is not before
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert signal.getsignal(signal.SIGTERM) is before


async def test_taken_back_it_leaves_no_trace() -> None:
    before = signal.getsignal(signal.SIGTERM)
    for turns in (0, 3):
        take_back = drain_on_signals()
        for _ in range(turns):
            await asyncio.sleep(0)
        take_back()
        for _ in range(3):
            await asyncio.sleep(0)
        assert signal.getsignal(signal.SIGTERM) is before
    assert IOLoop.current() is not None


def test_a_program_that_starts_the_loop_itself() -> None:
    program = """
        import os, signal
        from zonda.httpserver import HTTPServer
        from zonda.httpserver.termination import drain_on_signals
        from zonda.ioloop import IOLoop

        server = HTTPServer(lambda request: None)
        server.listen(0, "127.0.0.1")
        drain_on_signals(server)
        IOLoop.current().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
        IOLoop.current().start()
        print("stopped", server.draining)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "stopped True\n"), done.stderr
