"""Streams and TCP servers: framing, delimiters, limits, closing, and the errors of each."""

import asyncio
import re
import socket
import struct

import wire

from tornado import gen, iostream, netutil, tcpclient, tcpserver
from tornado.ioloop import IOLoop


class Rpc(tcpserver.TCPServer):
    """Length, then that many bytes; answers with the bytes reversed."""

    @gen.coroutine
    def handle_stream(self, stream, address):
        print("from", address[0], type(stream).__name__)
        try:
            while True:
                header = yield stream.read_bytes(4)
                (length,) = struct.unpack("!I", header)
                if length == 99:
                    raise RuntimeError("handler failed")
                body = yield stream.read_bytes(length)
                yield stream.write(header + body[::-1])
        except iostream.StreamClosedError as error:
            print("closed", error, error.real_error, isinstance(error, IOError), error.args)


class Lines(tcpserver.TCPServer):
    async def handle_stream(self, stream, address):
        stream.set_close_callback(lambda: print("close callback"))
        stream.set_nodelay(True)
        while True:
            try:
                line = await stream.read_until(b"\n", max_bytes=20)
            except iostream.UnsatisfiableReadError as error:
                print("unsatisfiable", type(error).__name__)
                raise
            except iostream.StreamClosedError as error:
                print("closed", type(error.real_error).__name__, stream.error)
                return
            if line.strip() == b"quit":
                stream.close()
                return
            word = await stream.read_until_regex(rb"[;,]")
            await stream.write(line.strip() + b"|" + word + b"\n")


def serve(kind, **options):
    server = kind(**options)
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


async def rpc():
    server, port = serve(Rpc)
    client = await tcpclient.TCPClient().connect("127.0.0.1", port)
    for word in (b"abc", b"", b"hello"):
        await client.write(struct.pack("!I", len(word)) + word)
        head = await client.read_bytes(4)
        print(await client.read_bytes(struct.unpack("!I", head)[0]))
    print(client.closed(), client.reading(), client.writing(), client.socket.family.name)
    buffer = bytearray(10)
    await client.write(struct.pack("!I", 3) + b"xyz")
    print(await client.read_into(memoryview(buffer)[:7]), bytes(buffer))
    waiting = asyncio.ensure_future(_read(client))
    await asyncio.sleep(0.01)
    client.close()
    print(await waiting)
    try:
        await client.write(b"x")
    except iostream.StreamClosedError as error:
        print("write", error)
    try:
        await client.read_bytes(1)
    except iostream.StreamClosedError as error:
        print("read", error)
    await asyncio.sleep(0.01)
    bad = await tcpclient.TCPClient().connect("127.0.0.1", port)
    await bad.write(struct.pack("!I", 99))
    await asyncio.sleep(0.02)
    bad.close()
    server.stop()


async def _read(stream):
    try:
        return await stream.read_bytes(5)
    except iostream.StreamClosedError as error:
        return f"{type(error).__name__} {error} {error.real_error}"


async def lines():
    server, port = serve(Lines, max_buffer_size=1000, read_chunk_size=10)
    client = await tcpclient.TCPClient().connect("localhost", port, af=socket.AF_INET)
    await client.write(b"one\nmore;two\nx,")
    print(await client.read_until(b"\n"), await client.read_until(b"\n"))
    first = client.read_until_close()
    try:
        second = client.read_bytes(1)
        await second
    except AssertionError as error:
        print("double read", type(error).__mro__[1].__name__ != "")
    await client.write(b"quit\n")
    print(await first)
    print(client.closed())
    long = await tcpclient.TCPClient().connect("127.0.0.1", port)
    await long.write(b"x" * 50)
    print(await _until_close(long))
    await asyncio.sleep(0.01)
    server.stop()


async def _until_close(stream):
    try:
        return await stream.read_until_close()
    except iostream.StreamClosedError as error:
        return str(error)


async def limits():
    left, right = socket.socketpair()
    for sock in (left, right):
        sock.setblocking(False)
    reader = iostream.IOStream(left, max_buffer_size=10)
    writer = iostream.IOStream(right, max_write_buffer_size=10)
    await iostream.IOStream(right.dup()).write(b"y" * 30)
    try:
        await reader.read_bytes(20)
    except iostream.StreamBufferFullError as error:
        print("full", str(error) != "")
    except Exception as error:
        print(type(error).__name__, str(error) != "")
    try:
        writer.write(b"x" * 11)
    except iostream.StreamBufferFullError as error:
        print("write full", type(error).__name__)
    for wrong in ("text", 5, None):
        try:
            await writer.write(wrong)
        except Exception as error:
            print("write", wrong, type(error).__name__)
    print(reader.closed(), writer.closed())
    reader.close()
    writer.close()
    await asyncio.sleep(0)
    for stop, delimiter in ((3, b"\n"), (None, b"x" * 3)):
        left, right = socket.socketpair()
        a, b = iostream.IOStream(left), iostream.IOStream(right)
        await a.write(b"ab\nxxxy")
        try:
            print(await b.read_until(delimiter, max_bytes=stop))
        except iostream.StreamClosedError as error:
            print("until", error, type(error.real_error).__name__)
        print(await b.read_bytes(2, partial=True) if not b.closed() else "closed")
        a.close()
        b.close()


async def refused():
    sock, port = socket.socket(), None
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    try:
        await tcpclient.TCPClient().connect("127.0.0.1", port)
    except Exception as error:
        print(type(error).__name__, re.sub(r"\d{5}|\d{4}", "PORT", str(error)))
        print(isinstance(error, OSError), type(getattr(error, "real_error", None)).__name__)
    stream = iostream.IOStream(socket.socket())
    try:
        await stream.connect(("127.0.0.1", port))
    except iostream.StreamClosedError as error:
        print(type(error.real_error).__name__, stream.closed(), type(stream.error).__name__)
    sock.close()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    import datetime

    fill = []
    try:
        for _ in range(4):
            fill.append(
                await tcpclient.TCPClient().connect(
                    *listening.getsockname(), timeout=datetime.timedelta(milliseconds=20)
                )
            )
    except Exception as error:
        print(type(error).__name__, isinstance(error, gen.TimeoutError))
    for stream in fill:
        stream.close()
    listening.close()


async def pipes():
    import os

    reading, writing = os.pipe()
    a, b = iostream.PipeIOStream(reading), iostream.PipeIOStream(writing)
    await b.write(b"through a pipe\n")
    print(await a.read_until(b"\n"))
    b.close()
    print(await a.read_until_close())
    print(a.closed())


async def handlers():
    """Sockets in the loop without a stream."""
    loop = IOLoop.current()
    left, right = socket.socketpair()
    seen = []

    def readable(sock, events):
        received = sock.recv(10) if events & loop.READ else None
        seen.append((sock is left, events, received))
        loop.update_handler(sock, loop.WRITE)
        if len(seen) > 1:
            loop.remove_handler(sock)

    left.setblocking(False)
    loop.add_handler(left, readable, loop.READ)
    try:
        loop.add_handler(left, readable, loop.READ)
    except ValueError as error:
        print("ValueError", re.sub(r"\d+", "N", str(error)))
    right.send(b"one")
    await asyncio.sleep(0.01)
    print(seen)
    loop.remove_handler(left)
    loop.remove_handler(12345)
    left.close()
    right.close()


wire.show_records()
for part in (rpc, lines, limits, refused, pipes, handlers):
    print("#", part.__name__)
    asyncio.run(part())
for name in ("StreamClosedError", "UnsatisfiableReadError", "StreamBufferFullError"):
    kind = getattr(iostream, name)
    print(name, [base.__name__ for base in kind.__mro__])
    try:
        made = kind("own words") if name != "StreamClosedError" else kind(OSError(5, "io"))
        print(made)
    except TypeError:
        print("takes nothing")
