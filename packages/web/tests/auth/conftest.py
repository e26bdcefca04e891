"""A service that answers as a test wants, and a browser that goes through a handler once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.httputil import HTTPHeaders
from zonda.httputil.cookies import parse_cookie
from zonda.web import Application, RequestHandler


@dataclass
class Answer:
    """What the service says."""

    body: bytes
    code: int = 200


@dataclass
class Asked:
    """What it was asked."""

    url: str
    options: dict[str, Any]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.options["body"], keep_blank_values=True))


@dataclass
class Service:
    """An HTTP client that never leaves the process."""

    answers: list[Answer | bytes | Callable[[Asked], Answer | bytes]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    async def fetch(self, request: str, **kwargs: Any) -> Answer:
        asked = Asked(request, kwargs)
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer(asked)
        return Answer(answer) if isinstance(answer, bytes) else answer


@dataclass
class Visit:
    """How the handler answered a request."""

    status: int
    body: bytes
    headers: HTTPHeaders

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def query(self) -> dict[str, str]:
        """The arguments of the URL that the browser is sent to."""
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        """Those that the browser has afterwards."""
        found: dict[str, str] = {}
        for line in self.headers.get_list("Set-Cookie"):
            found |= parse_cookie(line.partition(";")[0])
        return found


Go = Callable[..., Awaitable[Visit]]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def go(service: Service) -> Go:
    """Send a request to a handler whose mixin speaks to the service."""

    async def visit(
        handler: type[RequestHandler],
        target: str = "/login",
        cookies: dict[str, str] | None = None,
        **settings: Any,
    ) -> Visit:
        class Here(handler):  # type: ignore[misc, valid-type]
            def get_auth_http_client(self) -> Service:
                return service

        lines = [f"GET {target} HTTP/1.1", "Host: example.com"]
        if cookies:
            pairs = (f"{name}={value}" for name, value in cookies.items())
            lines.append(f"Cookie: {'; '.join(pairs)}")
        application = Application([("/.*", Here)], **settings)
        async with serve(application) as port, RawClient(port) as client:
            response = await client("\r\n".join([*lines, "", ""]).encode())
        return Visit(response.status, response.body, response.headers)

    return visit
