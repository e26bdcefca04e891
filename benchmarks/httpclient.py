"""HTTP clients beside each other, against the same fast server.

    python benchmarks/httpclient.py [--tornado PYTHON] [--rounds N] [--scale F] [--vary] [--check]

Each client (this file again, run as ``httpclient.py fetch ...``) is a process of its own, the
server another. In each round all take turns. The figure is the CPU time of the client's process
per request, which does not depend on what the machine does besides; beside it is the rate. The
table shows medians, and their ratios to zonda's on the same loop. ``download`` reads one large body
piece by piece: CPU milliseconds a GiB, and by how many MiB the process grew at most.

Tornado (its simple client and the one over curl) needs an interpreter that has it, and pycurl
(``--tornado`` or ``ZONDA_BENCH_TORNADO``); without one its columns are left out, as are those of
aiohttp and httpx where they are not installed. TLS needs trustme. ``--check`` fails unless zonda
needs a fifth of the CPU of Tornado's simple client, 1.3 times less than aiohttp, and less than
httpx and Tornado over curl.
"""

import argparse
import asyncio
import importlib.util
import os
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

MIB = 1024 * 1024
WARM_UP = 20

# client -> loops it is measured on
CLIENTS = {
    "zonda": ("asyncio", "uvloop"),
    "tornado": ("asyncio",),
    "tornado-curl": ("asyncio",),
    "aiohttp": ("asyncio", "uvloop"),
    "httpx": ("asyncio",),
}
# case -> TLS, at once, requests (of the fast clients; the slow ones make a tenth)
CASES = {
    "32 at once": (False, 32, 12_000),
    "1 at a time": (False, 1, 6_000),
    "TLS, 32 at once": (True, 32, 12_000),
    "TLS, 1 at a time": (True, 1, 6_000),
    "download": (False, 0, 1024),
}
SLOW = ("tornado", "httpx")
TARGETS = {"tornado": 5.0, "aiohttp": 1.3, "httpx": 1.0, "tornado-curl": 1.0}

RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: benchmark\r\nDate: %b\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 12\r\n%b\r\nHello, world"
)
CLOSE = b"Connection: close\r\n"


# -- the server -----------------------------------------------------------------------------------


class Answering(asyncio.Protocol):
    """Answers each request with the same few bytes, or ``/N`` with N MiB, without a look at it.

    With ``--vary`` (``ZONDA_BENCH_VARY``) the head of each response is another one, as it is where
    every request is for something else: a client that remembers the last head gains nothing.
    """

    vary = bool(os.environ.get("ZONDA_BENCH_VARY"))

    def __init__(self) -> None:
        self._left = 0
        self._asked = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        size = data[5 : data.index(b" ", 4)]
        if size:
            self._left = int(size)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (int(size) * MIB)
            )
            self.resume_writing()
            return
        self._asked += 1
        date = formatdate(usegmt=True).encode()
        fields = b"X-Request: %d\r\n" % self._asked if self.vary else b""
        if b"\r\nconnection: close\r\n" in data.lower():
            self._transport.write(RESPONSE % (date, fields + CLOSE))
            self._transport.close()
        else:
            self._transport.write(RESPONSE % (date, fields))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        while self._left and not self._paused:
            self._left -= 1
            self._transport.write(bytes(MIB))


async def serve(certificate: str) -> None:
    """Serve until the standard input ends."""
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# -- the clients: each a function that makes requests ---------------------------------------------

Get = Callable[[str], Awaitable[object]]
Download = Callable[[str], Awaitable[int]]
Use = Callable[[Get, Download], Awaitable[None]]


async def with_fetch(name: str, authority: str, use: Use) -> None:
    """Zonda's client and Tornado's two: the same program."""
    if name == "zonda":
        from zonda import httpclient  # noqa: PLC0415 - one of several
    else:
        from tornado import httpclient  # type: ignore[no-redef]  # noqa: PLC0415 - one of several

        if name == "tornado-curl":
            httpclient.AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")
    settings: dict[str, Any] = {"defaults": {"ca_certs": authority}} if authority else {}
    if name != "zonda":
        settings["max_body_size"] = 1 << 40
    client = httpclient.AsyncHTTPClient(force_instance=True, max_clients=100, **settings)

    async def get(url: str) -> object:
        return (await client.fetch(url)).body

    async def download(url: str) -> int:
        size = 0

        def take(chunk: bytes) -> None:
            nonlocal size
            size += len(chunk)

        if name == "zonda":
            async with client.stream(url, request_timeout=0) as response:
                async for chunk in response:
                    take(chunk)
        else:
            await client.fetch(url, streaming_callback=take, request_timeout=0)
        return size

    await use(get, download)
    client.close()


async def with_aiohttp(name: str, authority: str, use: Use) -> None:
    """aiohttp."""
    import aiohttp  # noqa: PLC0415 - one of several

    tls: Any = ssl.create_default_context(cafile=authority) if authority else True

    async def get(url: str) -> object:
        async with session.get(url, ssl=tls) as response:
            return await response.read()

    async def download(url: str) -> int:
        size = 0
        async with session.get(url) as response:
            async for chunk in response.content.iter_any():
                size += len(chunk)
        return size

    async with aiohttp.ClientSession() as session:
        await use(get, download)


async def with_httpx(name: str, authority: str, use: Use) -> None:
    """httpx."""
    import httpx  # noqa: PLC0415 - one of several

    tls: Any = ssl.create_default_context(cafile=authority) if authority else True

    async def get(url: str) -> object:
        return (await client.get(url)).content

    async def download(url: str) -> int:
        size = 0
        async with client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
        return size

    async with httpx.AsyncClient(verify=tls, timeout=60) as client:
        await use(get, download)


async def fetch(name: str, case: str, count: int, authority: str, url: str) -> None:
    """Make the requests and print CPU seconds, seconds and bytes of growth."""
    _, at_once, _ = CASES[case]

    async def use(get: Get, download: Download) -> None:
        async def some(number: int) -> None:
            for _ in range(number):
                await get(url)

        if at_once:
            await asyncio.gather(*[some(WARM_UP) for _ in range(at_once)])
        else:
            await download(f"{url}1")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started, used = time.perf_counter(), time.process_time()
        if at_once:
            await asyncio.gather(*[some(count // at_once) for _ in range(at_once)])
        else:
            assert await download(f"{url}{count}") == count * MIB
        used, took = time.process_time() - used, time.perf_counter() - started
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(used, took, grown)

    run = {"aiohttp": with_aiohttp, "httpx": with_httpx}.get(name, with_fetch)
    await run(name, authority, use)


# -- the table ------------------------------------------------------------------------------------


def measure(
    python: str, name: str, loop: str, case: str, scale: float, authority: str, url: str
) -> tuple[float, float, float]:
    """CPU microseconds a request (milliseconds a GiB), requests a second, MiB of growth."""
    _, at_once, count = CASES[case]
    if name in SLOW and at_once:
        count //= 10
    count = max(at_once * 4, int(count * scale), 1)
    arguments = [python, __file__, "fetch", name, loop, case, str(count), authority, url]
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    output = subprocess.run(
        arguments, stdout=subprocess.PIPE, text=True, check=True, env=environment, timeout=600
    ).stdout
    used, took, grown = map(float, output.split())
    unit = 1e6 if at_once else 1024 * 1e3
    return used / count * unit, count / took, grown / 1024


def contenders(tornado: str) -> list[tuple[str, str, str]]:
    """Name, loop and interpreter of those that are here."""
    found = []
    for name, loops in CLIENTS.items():
        for loop in loops:
            if loop == "uvloop" and importlib.util.find_spec("uvloop") is None:
                continue
            if name.startswith("tornado"):
                if tornado:
                    found.append((name, loop, tornado))
            elif name == "zonda" or importlib.util.find_spec(name) is not None:
                found.append((name, loop, sys.executable))
    return found


def make_certificates(folder: str) -> tuple[str, str]:
    """Paths of a certificate for 127.0.0.1 and of its authority; empty without trustme."""
    try:
        import trustme  # noqa: PLC0415 - optional
    except ImportError:
        return "", ""
    authority = trustme.CA()
    paths = os.path.join(folder, "certificate.pem"), os.path.join(folder, "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(paths[0])
    authority.cert_pem.write_to_path(paths[1])
    return paths


def run(options: argparse.Namespace, folder: str) -> int:
    """Run all and print a table; the exit status."""
    certificate, authority = make_certificates(folder)
    missed = []
    columns = contenders(options.tornado)
    print("| | " + " | ".join(f"{name} ({loop})" for name, loop, _ in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for case, (tls, at_once, _) in CASES.items():
        if (tls and not certificate) or (options.case and case not in options.case):
            continue
        server = subprocess.Popen(
            [sys.executable, __file__, "serve", certificate if tls else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        url = f"{'https' if tls else 'http'}://127.0.0.1:{server.stdout.readline().strip()}/"
        figures: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for _ in range(options.rounds):
            for name, loop, python in columns:
                figure = measure(
                    python, name, loop, case, options.scale, authority if tls else "", url
                )
                figures.setdefault((name, loop), []).append(figure)
        server.communicate("")
        cells = []
        for name, loop, _ in columns:
            own, ours = figures[name, loop], figures["zonda", loop]
            cpu, rate, grown = (statistics.median(column) for column in zip(*own, strict=True))
            ratio = statistics.median(a[0] / b[0] for a, b in zip(own, ours, strict=True))
            besides = f"{rate:,.0f}/s" if at_once else f"+{grown:,.0f} MiB"
            cells.append(f"{cpu:,.0f} ({besides})" + (f" {ratio:.1f}x" if name != "zonda" else ""))
            if at_once and ratio < TARGETS.get(name, 0):
                missed.append(f"{case}: {name} on {loop}, {ratio:.2f}x")
        print(f"| {case}, {'us a request' if at_once else 'ms a GiB'} | {' | '.join(cells)} |")
        sys.stdout.flush()
    for line in missed:
        print("missed:", line)
    return 1 if options.check and missed else 0


def main() -> int:
    """Parse the command line."""
    if sys.argv[1:2] in (["serve"], ["fetch"]):
        factory = None
        if sys.argv[1] == "serve" or sys.argv[3] == "uvloop":
            try:
                import uvloop  # noqa: PLC0415 - optional

                factory = uvloop.new_event_loop
            except ImportError:
                pass
        with asyncio.Runner(loop_factory=factory) as runner:
            if sys.argv[1] == "serve":
                runner.run(serve(sys.argv[2]))
            else:
                name, _, case, count, authority, url = sys.argv[2:]
                runner.run(fetch(name, case, int(count), authority, url))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tornado", default=os.environ.get("ZONDA_BENCH_TORNADO", ""))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 12,000 requests and a GiB")
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--vary", action="store_true", help="no two heads of responses are equal")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    options = parser.parse_args()
    if options.vary:
        os.environ["ZONDA_BENCH_VARY"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        return run(options, folder)


if __name__ == "__main__":
    sys.exit(main())
