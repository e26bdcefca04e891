"""Large bodies in both directions: CPU of the server, and by how much it grows.

    python benchmarks/transfer.py [--size BYTES] [--rounds N] [--check]

Zonda and Tornado run the same file, ``servers/transfer_tornado.py``: a download that is written
in pieces of 64 KiB, and an upload whose pieces are counted, with ``Content-Length`` and chunked.
The client is this process, which sends or reads as fast as its socket goes; server and client have
a core each. The table shows medians of the rounds, in which the servers take turns: milliseconds of
the server's CPU a body, and by how many MiB its peak of resident memory has grown in all.
``--check`` fails where Zonda needs more CPU than Tornado, or grows by more than 8 MiB.
"""

import argparse
import os
import socket
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

# Run by path: the folder above makes the `benchmarks` package importable.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import peers  # noqa: E402
from benchmarks.command import cores  # noqa: E402
from benchmarks.server import Kind, Server  # noqa: E402

MOST_GROWTH = 8.0
FILE = "transfer_tornado.py"
KINDS = {
    "Zonda, uvloop": Kind("", FILE, True, environment={"ZONDA_LOOP": "uvloop"}),
    "Zonda, asyncio": Kind("", FILE, True, environment={"ZONDA_LOOP": "asyncio"}),
    "Tornado": Kind("", FILE),
}
PIECE = b"x" * 262144


def head_and_rest(sock: socket.socket) -> tuple[bytes, bytes]:
    """The head of a response, and what came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65536)
        if not received:
            raise ConnectionError("no response")
        data += received
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"answered with {head!r}")
    return head, rest


def download(sock: socket.socket, size: int) -> None:
    """Read a body of so many bytes."""
    sock.sendall(b"GET /down?size=%d HTTP/1.1\r\nHost: h\r\n\r\n" % size)
    _, rest = head_and_rest(sock)
    left = size - len(rest)
    buffer = bytearray(1 << 20)
    while left:
        count = sock.recv_into(buffer)
        if not count:
            raise ConnectionError(f"{left} bytes are missing")
        left -= count


def upload(sock: socket.socket, size: int) -> None:
    """Send a body of so many bytes."""
    sock.sendall(b"PUT /up HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
    for start in range(0, size, len(PIECE)):
        sock.sendall(PIECE[: size - start])
    check(sock, size)


def upload_chunks(sock: socket.socket, size: int) -> None:
    """Send a chunked body of so many bytes, in chunks of 16 KiB."""
    sock.sendall(b"PUT /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"4000\r\n" + b"x" * 16384 + b"\r\n"
    whole, rest = divmod(size, 16384)
    for _ in range(whole // 16):
        sock.sendall(chunk * 16)
    sock.sendall(chunk * (whole % 16))
    if rest:
        sock.sendall(b"%x\r\n%b\r\n" % (rest, b"x" * rest))
    sock.sendall(b"0\r\n\r\n")
    check(sock, size)


def check(sock: socket.socket, size: int) -> None:
    """Read how many bytes the server has counted."""
    head, body = head_and_rest(sock)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += sock.recv(100)
    if int(body) != size:
        raise ConnectionError(f"{body!r} bytes arrived of {size}")


CASES: dict[str, Callable[[socket.socket, int], None]] = {
    "download": download,
    "upload": upload,
    "upload, chunked": upload_chunks,
}


def peak(server: Server) -> float:
    """MiB that the process has had in memory at most."""
    assert server._process is not None
    status = Path(f"/proc/{server._process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def transfer(server: Server, case: str, size: int) -> float:
    """Milliseconds of the server's CPU."""
    before = server.cpu_seconds()
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as sock:
        CASES[case](sock, size)
    return (server.cpu_seconds() - before) * 1e3


def main() -> int:
    """Measure and print a table; returns the exit status."""
    parser = argparse.ArgumentParser(description="Large bodies in both directions")
    parser.add_argument("--size", type=int, default=100_000_000)
    parser.add_argument("-r", "--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    options = parser.parse_args()
    server_core, client_core = cores()
    os.sched_setaffinity(0, {client_core})
    costs: dict[tuple[str, str], list[float]] = {}
    growth: dict[str, float] = {}
    with ExitStack() as stack:
        servers = {}
        for name, kind in KINDS.items():
            python = Path(sys.executable) if kind.zonda else peers.interpreter()
            servers[name] = server = Server(kind, python, server_core)
            stack.callback(server.stop)
            server.start()
            for case in CASES:
                transfer(server, case, options.size // 100)
            growth[name] = -peak(server)
        for _ in range(options.rounds):
            for case in CASES:
                for name, server in servers.items():
                    costs.setdefault((case, name), []).append(transfer(server, case, options.size))
        for name, server in servers.items():
            growth[name] += peak(server)
    print(f"{options.size / 1e6:.0f} MB, {options.rounds} rounds", end="\n\n")
    print("| server |", " | ".join(f"{case}, ms" for case in CASES), "| peak grows by, MiB |")
    print("|---|", "---:|" * (len(CASES) + 1), sep="")
    failed = False
    for name in KINDS:
        cells = []
        for case in CASES:
            own, other = costs[case, name], costs[case, "Tornado"]
            ratio = statistics.median(a / b for a, b in zip(own, other, strict=True))
            cells.append(f"{statistics.median(own):.0f} ({ratio:.2f})")
            failed = failed or ratio > 1
        print(f"| {name} | {' | '.join(cells)} | {growth[name]:.1f} |")
        failed = failed or (name != "Tornado" and growth[name] > MOST_GROWTH)
    print("\nIn parentheses: medians of the rounds' ratios to Tornado.")
    return int(options.check and failed)


if __name__ == "__main__":
    sys.exit(main())
