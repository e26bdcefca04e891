"""Output transforms, through a real server."""

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders
from zonda.web import Application, OutputTransform, RequestHandler


class Shout(OutputTransform):
    """Upper case, and says at which end of the response it was asked."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        headers["X-Finishing"] = str(finishing)
        if "Content-Length" in headers:
            del headers["Content-Length"]
        return status_code + 1, headers, chunk.upper() + b"!"

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk.upper() + (b"." if finishing else b",")


class Whole(RequestHandler):
    def get(self) -> None:
        self.write("whole")


class Pieces(RequestHandler):
    async def get(self) -> None:
        for piece in ("a", "b"):
            self.write(piece)
            await self.flush()
        self.write("c")


@pytest.mark.parametrize(
    ("path", "finishing", "body"), [("/whole", "True", b"WHOLE!"), ("/pieces", "False", b"A!B,C.")]
)
async def test_transform(path: str, finishing: str, body: bytes) -> None:
    application = Application([("/whole", Whole), ("/pieces", Pieces)])
    application.add_transform(Shout)
    async with serve(application) as port, RawClient(port) as client:
        response = await client(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert (response.status, response.body) == (201, body)
    assert response.headers["X-Finishing"] == finishing


def test_the_base_changes_nothing() -> None:
    transform = OutputTransform(None)  # type: ignore[arg-type]
    headers = HTTPHeaders()
    assert transform.transform_first_chunk(200, headers, b"x", True) == (200, headers, b"x")
    assert transform.transform_chunk(b"x", True) == b"x"
