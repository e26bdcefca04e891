"""The application that test_asgi.py runs under released ASGI servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from zonda.web import Application, RequestHandler, stream_request_body
from zonda.web.websocket import WebSocketHandler

LEFT = 0


@contextlib.asynccontextmanager
async def lifespan(application: Application) -> AsyncIterator[None]:
    """Leave a trace that handlers find."""
    application.settings["state"] = "started"
    yield


class Hello(RequestHandler):
    """A whole response."""

    def get(self, name: str) -> None:
        """Answer with what is known of the request."""
        request = self.request
        self.write(f"hello {name} {request.remote_ip} {request.protocol} {self.settings['state']}")

    head = get


class Stream(RequestHandler):
    """A response in pieces."""

    async def get(self) -> None:
        """Send three."""
        for number in range(3):
            self.write(str(number))
            await self.flush()


@stream_request_body
class Upload(RequestHandler):
    """A body in pieces."""

    def initialize(self) -> None:
        """Begin."""
        self.sizes: list[int] = []

    async def data_received(self, chunk: bytes) -> None:
        """Count."""
        await asyncio.sleep(0)
        self.sizes.append(len(chunk))

    def put(self) -> None:
        """Answer with the sizes."""
        self.write({"sizes": self.sizes})


class Waiting(RequestHandler):
    """A response that its client does not wait for."""

    async def get(self) -> None:
        """Send something, and then too little for too long."""
        self.left = asyncio.Event()
        self.write("x")
        await self.flush()
        await self.left.wait()

    def on_connection_close(self) -> None:
        """Count."""
        global LEFT
        LEFT += 1
        self.left.set()


class Left(RequestHandler):
    """How many have left."""

    def get(self) -> None:
        """Answer with the number."""
        self.write(str(LEFT))


class Echo(WebSocketHandler):
    """Says everything twice."""

    def check_origin(self, origin: str) -> bool:
        """Any."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The one there is."""
        return "chat"

    async def on_message(self, message: str | bytes) -> None:
        """Say it again, or close."""
        if message == "close":
            self.close(3001, "bye")
        else:
            await self.write_message(message, isinstance(message, bytes))


app = Application(
    [
        (r"/hello/(.*)", Hello),
        (r"/stream", Stream),
        (r"/upload", Upload),
        (r"/waiting", Waiting),
        (r"/left", Left),
        (r"/ws", Echo),
    ],
    lifespan=lifespan,
)
