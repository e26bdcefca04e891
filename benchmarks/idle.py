"""What idle keep-alive connections cost: memory, and the CPU of those that are not idle.

    python benchmarks/idle.py [--connections N] [--rounds N] [--server NAME ...] [--check]

Each server of `benchmarks.server` is a process of its own, a new one for each round, and all take
turns. Every connection makes one request with a browser's headers, so that whatever a server keeps
of a request is there, and stays open. Memory is what the process's resident set has grown by, per
connection, some seconds later. wrk loads that server and a second one without them, a second each
in turn: the ratio of CPU microseconds a request is what idle connections cost the others. The table
shows medians. ``--check`` fails where Zonda needs more than 3 KiB, or the others more than 1.1
times the CPU.
"""

import argparse
import os
import resource
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import peers, wrk  # noqa: E402
from benchmarks.command import cores  # noqa: E402
from benchmarks.server import SERVERS, Server, python_for  # noqa: E402
from benchmarks.workloads import BROWSER_HEADERS, WORKLOADS  # noqa: E402

SETTLE = 6.0
"""Seconds after which a connection counts as idle: longer than any server keeps things warm."""
MOST_KIB = 3.0
MOST_RATIO = 1.1
_AT_ONCE = 200
_PAGE = os.sysconf("SC_PAGE_SIZE")

#: KiB a connection; CPU of a request without and with idle ones, for some seconds.
Round = tuple[float, list[tuple[float, float]]]

REQUEST = (
    "GET / HTTP/1.1\r\nHost: example.com\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in BROWSER_HEADERS.items())
    + "\r\n"
).encode()


def resident(server: Server) -> int:
    """Bytes of the process that are in memory."""
    assert server._process is not None
    return int(Path(f"/proc/{server._process.pid}/statm").read_text().split()[1]) * _PAGE


def open_some(port: int, count: int) -> list[socket.socket]:
    """So many connections that have been answered."""
    found = []
    selector = selectors.DefaultSelector()
    for _ in range(count):
        sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        sock.sendall(REQUEST)
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
        found.append(sock)
    waiting = set(found)
    while waiting:
        ready = selector.select(20)
        if not ready:
            raise TimeoutError(f"{len(waiting)} connections are not answered")
        for key, _ in ready:
            answer = key.fileobj.recv(65536)  # type: ignore[union-attr]
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"answered with {answer!r}")
            selector.unregister(key.fileobj)
            waiting.discard(key.fileobj)  # type: ignore[arg-type]
    return found


@contextmanager
def connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Idle connections for the time of the block."""
    found: list[socket.socket] = []
    try:
        while len(found) < count:
            found += open_some(port, min(_AT_ONCE, count - len(found)))
        yield found
    finally:
        for sock in found:
            sock.close()


def active(server: Server, core: int) -> float:
    """CPU microseconds a request of those that are not idle, for a second."""
    for _ in range(5):
        before = server.cpu_seconds()
        try:
            load = wrk.load(server.port, WORKLOADS["browser"], connections=64, seconds=1, core=core)
        except wrk.WrkError:
            time.sleep(1)  # a second in which others had the machine
            continue
        return (server.cpu_seconds() - before) / load.requests * 1e6
    raise wrk.WrkError("wrk gets no answers")


def measure(server: Server, alone: Server, count: int, seconds: int, core: int) -> Round:
    """Load two servers in turn; one of them has idle connections."""
    for each in (server, alone):
        active(each, core)  # warm
    before = resident(server)
    with connections(server.port, count) as idle:
        time.sleep(SETTLE)
        grown = (resident(server) - before) / count / 1024
        pairs = [(active(alone, core), active(server, core)) for _ in range(seconds)]
        for sock in idle[:: max(1, count // 100)]:
            sock.send(REQUEST)
            sock.setblocking(True)
            answer = sock.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"an idle connection is answered with {answer[:100]!r}")
    return grown, pairs


def main() -> int:
    """Measure and print a table; returns the exit status."""
    parser = argparse.ArgumentParser(description="What idle connections cost")
    parser.add_argument("-n", "--connections", type=int, default=10_000)
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("-d", "--duration", type=int, default=5, help="seconds of load")
    parser.add_argument("-s", "--server", action="append", choices=SERVERS)
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < options.connections + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.connections + 500), hard))
    names = options.server or ["zonda", "zonda-asyncio", "tornado", "asgi"]
    versions = peers.versions()
    server_core, wrk_core = cores()
    print(f"{options.connections:,} idle connections, {options.rounds} rounds", end="\n\n")
    print("| server | KiB a connection | CPU µs alone | with them | ratio |")
    print("|---|---:|---:|---:|---:|")
    failed = False
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            kind = SERVERS[name]
            python = Path(sys.executable) if kind.zonda else peers.interpreter()
            with ExitStack() as stack:
                servers = []
                for _ in range(2):
                    server = Server(kind, python_for(kind, python), server_core)
                    stack.callback(server.stop)
                    server.start()
                    servers.append(server)
                result = measure(
                    servers[0], servers[1], options.connections, options.duration, wrk_core
                )
            rounds[name].append(result)
            print(name, f"{result[0]:.1f} KiB", file=sys.stderr)
    for name, some in rounds.items():
        size = statistics.median(grown for grown, _ in some)
        pairs = [pair for _, found in some for pair in found]
        alone, with_them = (statistics.median(pair[i] for pair in pairs) for i in range(2))
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        title = SERVERS[name].title.format(**versions)
        print(f"| {title} | {size:.1f} | {alone:.1f} | {with_them:.1f} | {ratio:.2f} |", flush=True)
        if options.check and SERVERS[name].zonda:
            failed = failed or size > MOST_KIB or ratio > MOST_RATIO
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
