"""Thousands of fetches at a server that does everything wrong: nothing mixed up, nothing left."""

import asyncio
import gc
import os
import random
import zlib
from typing import TYPE_CHECKING

from zonda.httpclient import HTTPClientError
from zonda.httpclient.simple import SimpleAsyncHTTPClient

if TYPE_CHECKING:
    from packages.httpclient.tests.conftest import Peer, Serve

FETCHES = 10_000
AT_ONCE = 50

BOMB = zlib.compress(b"0" * 1_000_000)
OK = b"HTTP/1.1 200 OK\r\n"


async def behave(peer: "Peer") -> None:
    """Answer the request ``/<kind>/<token>`` with the token, or badly."""
    while True:
        request = await peer.request()
        _, kind, token = request.target.split("/")
        body = token.encode()
        if kind == "good":
            await peer.answer(body)
        elif kind == "chunked":
            start = OK + b"Transfer-Encoding: chunked\r\n\r\n"
            await peer.send(start + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        elif kind == "ends":
            await peer.send(OK + b"\r\n" + body)
            return
        elif kind == "closes":
            await peer.answer(body)
            return
        elif kind == "nothing":
            return
        elif kind == "reset":
            peer.reset()
            return
        elif kind == "half":
            await peer.send(b"HTTP/1.1 200 O")
            return
        elif kind == "short":
            await peer.send(OK + b"Content-Length: 100\r\n\r\n" + body)
            return
        elif kind == "long":
            await peer.send(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"POISON")
        elif kind == "twice":
            response = OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
            await peer.send(response + OK + b"Content-Length: 6\r\n\r\nPOISON")
        elif kind == "garbage":
            await peer.send(b"\x00\xffgarbage\r\n\r\n")
        elif kind == "flood":
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        elif kind == "bomb":
            head = OK + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
            await peer.send(head + BOMB)
        elif kind == "large":
            await peer.send(OK + b"Content-Length: 99999999\r\n\r\n")
        elif kind == "error":
            await peer.answer(body, 500)
        elif kind == "redirect":
            await peer.answer(b"POISON", 302, f"Location: /good/{token}")
        elif kind == "slow":
            await peer.closed()
            return


# What comes of each: the token, an error of the client, the time limit, or cancelling.
GOOD = ("good", "chunked", "ends", "closes", "long", "twice", "redirect")
BAD = ("nothing", "reset", "half", "short", "garbage", "flood", "bomb", "large", "error")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


async def test_storm(serve: "Serve") -> None:
    choose = random.Random(7)
    outcomes: dict[str, int] = {}
    async with serve(behave) as server:
        before = descriptors()
        async with SimpleAsyncHTTPClient(True, max_clients=20, max_body_size=100_000) as client:

            async def one(number: int) -> None:
                kind = choose.choice((*GOOD, *BAD, "slow", "cancelled", "refused"))
                token = f"{kind}-{number}"
                if kind == "refused":
                    url = "http://127.0.0.1:1/"
                else:
                    url = server.url(f"/{'slow' if kind == 'cancelled' else kind}/{token}")
                # At the end of the queue for long: only those that hang have a short limit.
                limit = 0.01 if kind == "slow" else 30
                fetch = client.fetch(url, request_timeout=limit, connect_timeout=30)
                response = error = None
                try:
                    if kind == "cancelled":
                        for _ in range(choose.randrange(20)):
                            await asyncio.sleep(0)
                        fetch.cancel()
                    response = await fetch
                except HTTPClientError as raised:
                    error = raised
                    if kind == "error":
                        response = error.response
                except asyncio.CancelledError:
                    assert kind == "cancelled"
                assert (error is not None) == (kind not in (*GOOD, "cancelled")), error
                assert (response is not None) == (kind in (*GOOD, "error"))
                if response is not None:
                    assert response.body == token.encode()
                outcomes[kind] = outcomes.get(kind, 0) + 1

            for start in range(0, FETCHES, AT_ONCE):
                await asyncio.gather(*[one(start + n) for n in range(AT_ONCE)])
            transport = client._transport
            assert transport.slots.in_use == transport.slots.waiting == 0
            assert not transport.running
            assert not len(transport.deadlines)
            assert len(transport.pool) <= 20
        while server.tasks:  # their ends are closed as well
            await asyncio.sleep(0.01)
        gc.collect()
        assert descriptors() <= before
    assert len(outcomes) == len(GOOD) + len(BAD) + 3
    assert sum(outcomes.values()) == FETCHES
