"""The layers that this package declares are enough to make a request over a socket."""

import asyncio

from zonda.httputil import HTTPHeaders
from zonda.httputil.http1 import ClientConnection, Data, EndOfMessage, Response, Signal
from zonda.iostream.tcpclient import TCPClient


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"GET /path HTTP/1.1\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"5\r\nhello\r\n0\r\n\r\n")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_a_request_by_hand() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    protocol = ClientConnection()
    stream = await TCPClient().connect("127.0.0.1", port)
    headers = HTTPHeaders({"Host": f"127.0.0.1:{port}"})
    await stream.write(b"".join(protocol.send_request("GET", "/path", headers)))
    events: list[object] = []
    while not events or not isinstance(events[-1], EndOfMessage):
        event = protocol.next_event()
        if event is Signal.NEED_DATA:
            protocol.receive_data(await stream.read_bytes(65536, partial=True))
        else:
            events.append(event)
    stream.close()
    server.close()
    await server.wait_closed()
    assert isinstance(events[0], Response)
    assert events[0].status == 200
    assert b"".join(bytes(event.data) for event in events if isinstance(event, Data)) == b"hello"
