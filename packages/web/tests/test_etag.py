"""Whether the client has this version."""

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.web import Application, RequestHandler
from zonda.web.etag import client_has


@pytest.mark.parametrize(
    ("condition", "etag", "has"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"b", "a"', '"a"', True),
        ("*", '"a"', True),
        ('"b"', '"a"', False),
        ("a", '"a"', False),
        ('"a', '"a"', False),
        ("", '"a"', False),
        ('"a"', "not a tag", False),
    ],
)
def test_client_has(condition: str, etag: str, has: bool) -> None:
    assert client_has(condition, etag) is has


@pytest.mark.parametrize(("condition", "status"), [("", 200), ('If-None-Match: "own"\r\n', 304)])
async def test_the_handlers_own(condition: str, status: int) -> None:
    class Versioned(RequestHandler):
        def get(self) -> None:
            self.set_header("Etag", '"own"')
            self.write("content")

        def compute_etag(self) -> str | None:
            raise AssertionError("it is known")

    async with serve(Application([("/", Versioned)])) as port, RawClient(port) as client:
        response = await client(f"GET / HTTP/1.1\r\nHost: a\r\n{condition}\r\n".encode())
    assert (response.status, response.headers["Etag"]) == (status, '"own"')
