"""zonda.iostream beside Tornado's iostream and asyncio's streams.

    python benchmarks/streams.py [--tornado PYTHON] [--loop asyncio --loop uvloop] [--scale 0.1]

Each server below (this file again, run as ``streams.py serve ...``) is a process of its own; the
load comes from this process over blocking sockets. The figure to compare is the CPU time of the
server process, as the kernel accounts for it: it does not depend on what the machine does besides.
Tornado needs an interpreter that has it (``--tornado`` or ``ZONDA_BENCH_TORNADO``); without one its
column is left out. Servers take turns, round after round; the table shows medians.
"""

import argparse
import asyncio
import gc
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

MIB = 1024 * 1024
CHUNK = 65536
CONNECTIONS = 32
SERVERS = ("tornado", "asyncio", "zonda", "zonda-sink")


# -- the servers: each echoes, swallows or pours, over TLS or not ---------------------------------


async def serve_asyncio(sock: socket.socket, mode: str, tls: ssl.SSLContext | None) -> None:
    """asyncio's streams."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if mode == "pour":
                left = int(await reader.readline())
                data = b"x" * CHUNK
                while left > 0:
                    writer.write(data)
                    await writer.drain()
                    left -= CHUNK
            while data := await reader.read(CHUNK):
                if mode == "echo":
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    # Wait in readexactly(1)-like fashion from the start, as the others do: reader.read().
    await asyncio.start_server(handle, sock=sock, ssl=tls)


def serve_futures(tcpserver: Any, closed_error: type[Exception]) -> Callable[..., Any]:
    """Tornado's and Zonda's futures: the same program."""

    async def serve(sock: socket.socket, mode: str, tls: ssl.SSLContext | None) -> None:
        class Server(tcpserver.TCPServer):  # type: ignore[misc, name-defined]
            async def handle_stream(self, stream: Any, address: Any) -> None:
                try:
                    if mode == "pour":
                        left = int(await stream.read_until(b"\n"))
                        data = b"x" * CHUNK
                        while left > 0:
                            await stream.write(data)
                            left -= CHUNK
                    while True:
                        data = await stream.read_bytes(CHUNK, partial=True)
                        if mode == "echo":
                            await stream.write(data)
                except closed_error:
                    stream.close()

        Server(ssl_options=tls).add_socket(sock)

    return serve


async def serve_sink(sock: socket.socket, mode: str, tls: ssl.SSLContext | None) -> None:
    """Zonda's push interface."""
    from zonda.iostream.tcpserver import TCPServer  # noqa: PLC0415 - not in Tornado's interpreter

    class Echo:
        __slots__ = ("data", "left", "stream")

        def __init__(self, stream: Any) -> None:
            self.stream = stream
            self.left = 0
            self.data = b"x" * CHUNK if mode == "pour" else b""

        def data_received(self, data: bytes) -> None:
            if mode == "echo":
                self.stream.send(data)
            elif mode == "pour":
                self.left = int(data)
                self.pour()

        def pour(self) -> None:
            while self.left > 0:
                self.left -= CHUNK
                self.stream.send(self.data)
                if self.stream.bytes_queued > CHUNK:
                    break

        def eof_received(self) -> None:
            self.stream.close()

        def connection_lost(self, error: BaseException | None) -> None:
            pass

        def pause_writing(self) -> None:
            self.stream.pause_reading()

        def resume_writing(self) -> None:
            self.stream.resume_reading()
            self.pour()

    class Server(TCPServer):
        def handle_stream(self, stream: Any, address: Any) -> None:
            stream.set_sink(Echo(stream))

    Server(ssl_options=tls).add_socket(sock)


def serve(name: str, loop: str, mode: str, certificate: str) -> None:
    """Run one server until the standard input ends; commands on it are answered."""
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    if name == "asyncio":
        start: Callable[..., Any] = serve_asyncio
    elif name == "tornado":
        from tornado import iostream, tcpserver  # noqa: PLC0415 - in its own interpreter

        start = serve_futures(tcpserver, iostream.StreamClosedError)
    elif name == "zonda":
        from zonda import iostream as zonda_iostream  # noqa: PLC0415
        from zonda.iostream import tcpserver as zonda_tcpserver  # noqa: PLC0415

        start = serve_futures(zonda_tcpserver, zonda_iostream.StreamClosedError)
    else:
        start = serve_sink

    async def main() -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen(1024)
        sock.setblocking(False)
        await start(sock, mode, tls)
        if mode == "memory":
            import tracemalloc  # noqa: PLC0415 - it slows everything down

            gc.collect()
            tracemalloc.start()
        print(sock.getsockname()[1], flush=True)
        inbound = asyncio.StreamReader()
        running = asyncio.get_running_loop()
        await running.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(inbound), sys.stdin)
        while await inbound.readline():
            gc.collect()
            traced = 0
            if mode == "memory":
                traced = tracemalloc.get_traced_memory()[0]
            with open("/proc/self/statm") as file:  # noqa: ASYNC230 - no disk behind it
                resident = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
            print(traced, resident, flush=True)

    factory = None
    if loop == "uvloop":
        import uvloop  # noqa: PLC0415 - optional

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


# -- the load -------------------------------------------------------------------------------------


class Server:
    """One server process."""

    def __init__(self, python: str, name: str, loop: str, mode: str, certificate: str) -> None:
        arguments = [python, __file__, "serve", name, loop, mode, certificate]
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(arguments)} did not start")
        self.address = ("127.0.0.1", int(line))

    def cpu(self) -> float:
        """CPU seconds used so far."""
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9

    def memory(self) -> tuple[int, int]:
        """Bytes traced and bytes resident."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        traced, resident = self.process.stdout.readline().split()
        return int(traced), int(resident)

    def connect(self, tls: bool = False) -> socket.socket:
        sock = socket.create_connection(self.address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not tls:
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(sock)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def echo(server: Server, size: int, count: int) -> tuple[float, str]:
    """CPU microseconds a message, on many connections at once."""
    sockets = [server.connect() for _ in range(CONNECTIONS)]
    message = b"m" * size
    buffer = bytearray(size)

    def turn() -> None:
        for sock in sockets:
            sock.sendall(message)
        for sock in sockets:
            sock.recv_into(buffer, size, socket.MSG_WAITALL)

    for _ in range(10):
        turn()
    rounds = max(1, count // CONNECTIONS)
    before, started = server.cpu(), time.perf_counter()
    for _ in range(rounds):
        turn()
    used, took = server.cpu() - before, time.perf_counter() - started
    for sock in sockets:
        sock.close()
    number = rounds * CONNECTIONS
    return used / number * 1e6, f"{number / took:,.0f}/s"


def one_way(server: Server, size: int, into: bool, tls: bool) -> tuple[float, str]:
    """CPU milliseconds a GiB, on one connection."""
    sock = server.connect(tls)
    if not into:
        sock.sendall(b"%d\n" % size)
    buffer = memoryview(bytearray(16 * CHUNK))
    before, started = server.cpu(), time.perf_counter()
    left = size
    if into:
        while left > 0:
            sock.sendall(buffer)
            left -= len(buffer)
        # The last bytes are read when the server has closed its end after ours.
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
    else:
        while left > 0:
            left -= sock.recv_into(buffer)
    used, took = server.cpu() - before, time.perf_counter() - started
    sock.close()
    gib = size / 1024 / MIB
    return used / gib * 1e3, f"{gib / took:.2f} GiB/s"


def accept(server: Server, count: int) -> tuple[float, str]:
    """CPU microseconds a connection that is opened and closed."""
    before, started = server.cpu(), time.perf_counter()
    for _ in range(count // CONNECTIONS):
        for sock in [server.connect() for _ in range(CONNECTIONS)]:
            sock.close()
    time.sleep(0.05)
    used, took = server.cpu() - before, time.perf_counter() - started
    return used / count * 1e6, f"{count / took:,.0f}/s"


def memory(server: Server, count: int) -> tuple[float, str]:
    """Bytes of Python memory an idle connection."""
    first = server.connect()
    time.sleep(0.1)
    before = server.memory()
    sockets = [server.connect() for _ in range(count)]
    time.sleep(0.3)
    after = server.memory()
    for sock in [first, *sockets]:
        sock.close()
    resident = (after[1] - before[1]) / count
    return (after[0] - before[0]) / count, f"{resident:,.0f} B resident"


def workloads(
    scale: float, tls: bool
) -> dict[str, tuple[str, str, bool, Callable[[Server], tuple[float, str]]]]:
    """Name: unit, mode of the server, TLS, and what is done to it."""
    size = max(16, int(1024 * scale)) * MIB
    many = max(640, int(100_000 * scale))
    table: dict[str, tuple[str, str, bool, Callable[[Server], tuple[float, str]]]] = {
        "echo 64 B": ("us a message", "echo", False, lambda s: echo(s, 64, many)),
        "echo 64 KiB": ("us a message", "echo", False, lambda s: echo(s, CHUNK, many // 8)),
        "receive": ("ms a GiB", "swallow", False, lambda s: one_way(s, size, True, False)),
        "send": ("ms a GiB", "pour", False, lambda s: one_way(s, size, False, False)),
        "accept": ("us a connection", "swallow", False, lambda s: accept(s, many // 20)),
        "idle": ("bytes", "memory", False, lambda s: memory(s, 400)),
    }
    if tls:
        table["receive TLS"] = ("ms a GiB", "swallow", True, lambda s: one_way(s, size, True, True))
        table["send TLS"] = ("ms a GiB", "pour", True, lambda s: one_way(s, size, False, True))
    return table


def make_certificate(folder: str) -> str:
    """Return the path of a key and certificate for localhost; empty without trustme."""
    try:
        import trustme  # noqa: PLC0415 - optional
    except ImportError:
        return ""
    path = os.path.join(folder, "certificate.pem")
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def run(options: argparse.Namespace, certificate: str) -> None:
    """Run all and print a table for each loop."""
    table = workloads(options.scale, bool(certificate))
    chosen = [name for name in table if not options.workload or name in options.workload]
    for loop in options.loop:
        columns = [(loop, name) for name in SERVERS if name != "tornado" or options.tornado]
        if options.tornado and loop == "uvloop":
            # Tornado comes on asyncio; its interpreter need not have uvloop.
            columns[0] = ("asyncio", "tornado")
        print(f"\n{loop}: CPU of the server process (throughput)\n")
        heads = [f"{name} ({where})" for where, name in columns]
        print("| | " + " | ".join(heads) + " |")
        print("|---|" + "---|" * len(columns))
        for workload in chosen:
            unit, mode, tls, load = table[workload]
            figures: dict[int, list[tuple[float, str]]] = {n: [] for n in range(len(columns))}
            for _ in range(options.rounds):
                for number, (where, name) in enumerate(columns):
                    python = options.tornado if name == "tornado" else sys.executable
                    server = Server(python, name, where, mode, certificate if tls else "")
                    try:
                        figures[number].append(load(server))
                    finally:
                        server.stop()
            cells = []
            for number in range(len(columns)):
                median = statistics.median(figure for figure, _ in figures[number])
                fastest = min(figures[number])[1]
                cells.append(f"{median:,.1f} ({fastest})")
            print(f"| {workload}, {unit} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Parse the command line."""
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:6])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tornado", default=os.environ.get("ZONDA_BENCH_TORNADO", ""))
    parser.add_argument("--loop", action="append", choices=["asyncio", "uvloop"])
    parser.add_argument("--workload", action="append", help="name of one; may be repeated")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is a GiB and 100,000 messages")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.loop = options.loop or ["asyncio", "uvloop"]
    with tempfile.TemporaryDirectory() as folder:
        run(options, make_certificate(folder))


if __name__ == "__main__":
    main()
