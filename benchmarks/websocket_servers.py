"""WebSocket servers and clients side by side: echo, many idle connections, a broadcast.

Run: ``python benchmarks/websocket_servers.py [--rounds N] [--seconds S] [-s SERVER] [--idle N]
[--check]``, in an environment with the whole of Zonda; the peers get one of their own, as for
``dev bench``. Each server is one process on one core, the load on another.

- Echo: `CONNECTIONS` connections, each with one message under way. The figure to compare is the
  server's CPU microseconds a message; rounds are interleaved, the table shows medians.
- Client: as many connections of Zonda's client and of Tornado's to one and the same server.
- Idle: so many open connections without compression: resident bytes each; then 100 bytes to all
  of them: ``broadcast`` with Zonda, ``write_message`` to each with Tornado. A program that does
  nothing but call ``socket.send`` as often is shown beside: nobody can be faster than that.

``--check`` fails unless Zonda's echo and client are 3 times cheaper than Tornado's, Zonda's echo
is ahead of Starlette, Sanic, websockets and aiohttp, an idle connection takes 6 KiB at most, and a
broadcast a quarter of Tornado's time.
"""

import argparse
import contextlib
import math
import os
import resource
import select
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import peers, table  # noqa: E402
from benchmarks.server import FOLDER, Kind, Server, python_for  # noqa: E402

CONNECTIONS = 16
BROADCASTS = 7
SIZES = (32, 8192)
REFERENCE = "tornado"
TO_BEAT = ("starlette", "sanic", "websockets", "aiohttp")

SERVERS = {
    "zonda": Kind("Zonda, uvloop", "ws_tornado.py", True, environment={"ZONDA_LOOP": "uvloop"}),
    "zonda-asyncio": Kind(
        "Zonda, asyncio", "ws_tornado.py", True, environment={"ZONDA_LOOP": "asyncio"}
    ),
    "tornado": Kind("Tornado {tornado}", "ws_tornado.py"),
    "starlette": Kind("Starlette {starlette}, uvicorn", "ws_starlette.py"),
    "sanic": Kind("Sanic {sanic}", "ws_sanic.py"),
    "websockets": Kind("websockets {websockets}, uvloop", "ws_websockets.py"),
    "aiohttp": Kind("aiohttp {aiohttp}, uvloop", "ws_aiohttp.py"),
    "picows": Kind("picows {picows}, uvloop", "ws_picows.py"),
}
# No server to compare with, but what a broadcast costs one that does nothing else.
BARE = Kind("bare `socket.send`", "ws_bare.py", True)


def connect(port: int, path: str) -> socket.socket:
    """One open WebSocket."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = sock.recv(4096)  # nothing comes behind the head before we say something
        if not data:
            break
        head += data
    if b" 101 " not in head.partition(b"\r\n")[0]:
        raise SystemExit(f"{path} on port {port} answers {head!r}")
    return sock


def frame(payload: bytes, mask: bool) -> bytes:
    """A text frame; the mask is zero, which saves the load some work and the server none."""
    size = len(payload)
    flag = 0x80 if mask else 0
    head = bytes((0x81, flag | size)) if size < 126 else struct.pack("!BBH", 0x81, flag | 126, size)
    return head + (b"\x00" * 4 if mask else b"") + payload


def order(sock: socket.socket, what: str) -> str:
    """Ask the room for something."""
    sock.sendall(frame(what.encode(), True))
    head = sock.recv(2, socket.MSG_WAITALL)
    return sock.recv(head[1], socket.MSG_WAITALL).decode()


def echo(server: Server, size: int, seconds: float) -> table.Round:
    """One round: as many messages as there is time for."""
    payload = b"x" * size
    message, answer = frame(payload, True), len(frame(payload, False))
    socks = {}
    poller = select.epoll()
    for _ in range(CONNECTIONS):
        sock = connect(server.port, "/echo")
        sock.setblocking(False)
        poller.register(sock, select.EPOLLIN)
        socks[sock.fileno()] = sock
    started = dict.fromkeys(socks, 0.0)
    received = dict.fromkeys(socks, 0)
    clock = time.perf_counter
    for fd, sock in socks.items():
        started[fd] = clock()
        sock.send(message)
    times: list[float] = []
    cpu, begin = server.cpu_seconds(), clock()
    while (now := clock()) < begin + seconds:
        for fd, _ in poller.poll(1):
            received[fd] += len(socks[fd].recv(65536))
            if received[fd] == answer:
                received[fd] = 0
                now = clock()
                times.append(now - started[fd])
                started[fd] = now
                socks[fd].send(message)
    used = server.cpu_seconds() - cpu
    poller.close()
    for sock in socks.values():
        sock.close()
    times.sort()
    count = len(times)
    return table.Round(count / (now - begin), used / count * 1e6, times[count * 99 // 100] * 1e3)


def converse(kind: Kind, python: Path, port: int, size: int, seconds: float, core: int) -> float:
    """CPU microseconds a message of a client process."""
    drop_in = ["-m", "zonda.tornado"] if kind.zonda else []
    arguments = [str(port), str(CONNECTIONS), str(size), str(seconds)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ZONDA_")}
    result = subprocess.run(
        [str(python), *drop_in, str(FOLDER / "ws_client.py"), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment | kind.environment,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    count, used = result.stdout.split()
    return float(used) / int(count) * 1e6


def idle(server: Server, number: int) -> tuple[float, list[float]]:
    """Bytes a connection; CPU seconds of broadcasts."""
    asking = connect(server.port, "/room")
    socks = [connect(server.port, "/room") for _ in range(100)]  # what the first ones allocate
    before = int(order(asking, "memory"))
    socks += [connect(server.port, "/room") for _ in range(number)]
    each = (int(order(asking, "memory")) - before) / number
    costs = []
    expected = len(frame(b"x" * 100, False))
    for _ in range(BROADCASTS):
        # Until the server has reported nobody sleeps on any of the other sockets: to wake a reader
        # up for each send would be charged to the sender, and differs with the reader's speed.
        asking.sendall(frame(b"broadcast", True))
        asking.recv(expected, socket.MSG_WAITALL)
        head = asking.recv(2, socket.MSG_WAITALL)
        costs.append(float(asking.recv(head[1], socket.MSG_WAITALL)))
        for sock in socks:
            sock.recv(expected, socket.MSG_WAITALL)
    for sock in (asking, *socks):
        sock.close()
    return each, costs


@contextlib.contextmanager
def running(kinds: dict[str, Kind], core: int) -> Iterator[dict[str, Server]]:
    """These servers, all started."""
    needs_peers = any(not kind.zonda for kind in kinds.values())
    python = peers.interpreter() if needs_peers else Path(sys.executable)
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, kind in kinds.items():
            server = Server(kind, python_for(kind, python), core)
            stack.callback(server.stop)
            server.start()
            servers[name] = server
        yield servers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("-s", "--server", action="append", choices=SERVERS)
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections, 0 for none")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    options = parser.parse_args()
    names = options.server or list(SERVERS)
    core, own_core = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, {own_core})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    titles = {name: SERVERS[name].title.format(**peers.versions()) for name in names}
    missed = []
    with running({name: SERVERS[name] for name in names}, core) as servers:
        rounds: dict[tuple[int, str], list[table.Round]] = {}
        turns = list(names)
        for number in range(options.rounds + 1):
            for size in SIZES:
                for name in turns:
                    # Round 0 warms up.
                    result = echo(servers[name], size, options.seconds if number else 0.3)
                    if number:
                        rounds.setdefault((size, name), []).append(result)
            turns = turns[1:] + turns[:1]
        for size in SIZES:
            some = {titles[name]: rounds[size, name] for name in names}
            title = f"echo of {size} B, {CONNECTIONS} connections"
            print(table.markdown(title, some, titles.get(REFERENCE)), end="\n\n", flush=True)
            if "zonda" in names:
                own = rounds[size, "zonda"]
                # Round by round, as in the table.
                dearer = {
                    name: statistics.median(
                        other.cpu / each.cpu
                        for other, each in zip(rounds[size, name], own, strict=True)
                    )
                    for name in names
                }
                if dearer.get(REFERENCE, 3) < 3:
                    missed.append(f"echo of {size} B: 3 times Tornado's")
                for name in TO_BEAT:
                    if dearer.get(name, 1) < 1:
                        missed.append(f"echo of {size} B: ahead of {name}")
        both = [name for name in ("zonda", "zonda-asyncio", REFERENCE) if name in names]
        if "zonda" in names and REFERENCE in names:
            print(
                "### client: CPU µs a message, echo\n\n| client | 32 B | 8192 B |\n|---|---:|---:|"
            )
            python = peers.interpreter()
            costs: dict[tuple[str, int], list[float]] = {}
            for _ in range(options.rounds):
                for name in both:
                    kind = SERVERS[name]
                    for size in SIZES:
                        spent = converse(
                            kind,
                            python_for(kind, python),
                            servers["zonda"].port,
                            size,
                            options.seconds,
                            own_core,
                        )
                        costs.setdefault((name, size), []).append(spent)
            for name in both:
                cells = [f"{statistics.median(costs[name, size]):.1f}" for size in SIZES]
                print(f"| {titles[name]} | {' | '.join(cells)} |")
            print(flush=True)
            for size in SIZES:
                if statistics.median(costs[REFERENCE, size]) < 3 * statistics.median(
                    costs["zonda", size]
                ):
                    missed.append(f"client echo of {size} B: 3 times Tornado's")
        if options.idle:
            print(
                f"### {options.idle:,} idle connections\n\n| server | bytes each |"
                " broadcast of 100 B: ms of CPU |\n|---|---:|---:|"
            )
            broadcasts: dict[str, float] = {}
            for name in both:
                each, spent_on = idle(servers[name], options.idle)
                broadcasts[name] = min(spent_on)
                print(
                    f"| {titles[name]} | {each:,.0f} | {broadcasts[name] * 1e3:.0f} |", flush=True
                )
                if name != REFERENCE and each > 6 * 1024:
                    missed.append(f"{name}: 6 KiB a connection")
            with running({"bare": BARE}, core) as bare:
                _, spent_on = idle(bare["bare"], options.idle)
            print(f"| {BARE.title} | | {min(spent_on) * 1e3:.0f} |")
            if broadcasts.get("zonda", 0) * 4 > broadcasts.get(REFERENCE, math.inf):
                missed.append("a broadcast: 1/4 of Tornado's time")
    for what in missed:
        print(f"missed: {what}")
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
