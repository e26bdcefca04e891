"""What tests of the web layer share: one request to an application, over a real connection."""

from collections.abc import Awaitable, Callable

import pytest

from zonda.httpserver.testing import RawClient, RawResponse, serve
from zonda.web import Application

Ask = Callable[..., Awaitable[RawResponse]]


async def _ask(
    application: Application, method: str, target: str, *fields: str, body: bytes = b""
) -> RawResponse:
    lines = [f"{method} {target} HTTP/1.1", *fields]
    if not any(field.lower().startswith("host:") for field in fields):
        lines.append("Host: a.example")
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    async with serve(application) as port, RawClient(port) as client:
        return await client(head.encode("latin-1") + body, method)


@pytest.fixture
def ask() -> Ask:
    """``await ask(application, method, target, *fields, body=b"")`` gives the response."""
    return _ask
