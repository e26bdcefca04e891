"""The room of ws_tornado.py without a server around it: what the system's calls alone take.

Usage: ws_bare.py PORT

A broadcast is a loop over ``socket.send`` with one frame. Orders are taken from whoever connects
first; the others are never read from.
"""

import os
import selectors
import socket
import sys
import time

from zonda.httputil.websocket import Message, PreparedMessage, ServerConnection, accept_key


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def welcome(listener: socket.socket) -> socket.socket | None:
    """The next client, its handshake answered; None if it left without one."""
    sock, _ = listener.accept()
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = sock.recv(4096)
        if not data:
            sock.close()
            return None
        head += data
    key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
    sock.sendall(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
    )
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def broadcast(room: list[socket.socket]) -> float:
    frame = PreparedMessage("x" * 100).frame
    before = time.process_time()
    for sock in room:
        sock.send(frame)
    return time.process_time() - before


def main() -> None:
    protocol = ServerConnection()
    room: list[socket.socket] = []
    with (
        socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1000) as listener,
        selectors.DefaultSelector() as selector,
    ):
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    sock = welcome(listener)
                    if sock is not None:
                        if not room:
                            selector.register(sock, selectors.EVENT_READ)
                        room.append(sock)
                    continue
                data = room[0].recv(4096)
                if not data:  # the round is over
                    selector.unregister(room[0])
                    for sock in room:
                        sock.close()
                    room.clear()
                    break
                protocol.receive_data(data)
                for event in protocol.events():
                    if isinstance(event, Message):
                        order = event.data == "memory"
                        report = str(resident()) if order else f"{broadcast(room):.6f}"
                        room[0].send(PreparedMessage(report).frame)


if __name__ == "__main__":
    main()
