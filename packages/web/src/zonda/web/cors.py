"""Cross-origin resource sharing: which other sites' scripts may read this application's responses.

The setting ``cors`` takes a `CORS`:

    Application(handlers, cors=CORS(origins=["https://app.example"], credentials=True))

Responses to allowed origins, error pages among them, get the fields of the Fetch standard, and
preflights are answered before any handler sees them. It is about reading only: what other sites may
*send* is the matter of ``trusted_origins`` and XSRF tokens. Without the setting nothing here runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from zonda.httputil import HTTPHeaders, HTTPServerRequest
from zonda.web.errors import Finish
from zonda.web.transforms import OutputTransform
from zonda.web.vary import add_vary

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

_TOKENS = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*")


@dataclass(frozen=True, kw_only=True)
class CORS:
    """Who may read what.

    Attributes:
        origins: Scheme, host and port of each site, as browsers send them; ``"*"`` for all.
        origin_pattern: A regular expression that whole origins may match instead.
        methods: Methods that may be used beside GET, HEAD and POST, which need no leave.
        headers: Request fields that may be sent; ``"*"`` for whichever the preflight names.
        expose: Response fields that scripts may read beside the usual ones.
        credentials: Whether cookies and logins go along. Not with all origins.
        max_age: Seconds for which browsers keep the answer to a preflight.

    Raises:
        ValueError: ``credentials`` with ``origins="*"`` or ``"null"``: any site could read as the
            user. ``"*"`` in a list.
    """

    origins: Collection[str] = ()
    origin_pattern: str | None = None
    methods: Collection[str] = ("DELETE", "PATCH", "PUT")
    headers: Collection[str] = ("Authorization", "Content-Type", "X-Xsrftoken")
    expose: Collection[str] = ()
    credentials: bool = False
    max_age: int = 600

    def __post_init__(self) -> None:
        if self.credentials and self.origins == "*":
            raise ValueError('CORS: credentials=True needs origins by name, not "*"')
        if isinstance(self.origins, str) and self.origins != "*":
            raise ValueError(f"CORS: origins is a list of origins, not {self.origins!r}")
        if self.origins != "*" and "*" in self.origins:
            raise ValueError('CORS: all sites are origins="*", not a list with "*" in it')
        if self.credentials and "null" in self.origins:
            # Any page in a sandboxed frame has this origin.
            raise ValueError('CORS: credentials=True needs origins by name, not "null"')

    def allows(self, origin: str) -> bool:
        """Say whether pages of an origin may read.

        >>> CORS(origins=["https://a.example"]).allows("https://b.example")
        False
        """
        if self.origins == "*" or origin in self.origins:
            return True
        return self.origin_pattern is not None and bool(re.fullmatch(self.origin_pattern, origin))

    @property
    def is_for_all(self) -> bool:
        """Whether the answer is the same for every origin, so that caches may share it."""
        return self.origins == "*"


class CORSTransform(OutputTransform):
    """Adds the fields to one response.

    Args:
        cors: The rules.
        request: The request.
    """

    _bears_threads = True

    def __init__(self, cors: CORS, request: HTTPServerRequest) -> None:
        self._cors = cors
        self._origin = request.headers.get("Origin")

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Set the fields, unless the handler has taken care of it."""
        if "Access-Control-Allow-Origin" not in headers:
            add_origin(self._cors, self._origin, headers)
            if self._cors.expose and "Access-Control-Allow-Origin" in headers:
                headers["Access-Control-Expose-Headers"] = ", ".join(self._cors.expose)
        return status_code, headers, chunk


def transform_for(cors: CORS) -> partial[CORSTransform]:
    """Return what makes a transform for each request."""
    return partial(CORSTransform, cors)


def add_origin(cors: CORS, origin: str | None, headers: HTTPHeaders) -> None:
    """Set the fields that say whether a page of ``origin`` may read the response."""
    if cors.is_for_all:
        headers["Access-Control-Allow-Origin"] = "*"
        return
    # Also where nothing is allowed: a cache must not give that answer to one who is.
    add_vary(headers, "Origin")
    if origin is not None and cors.allows(origin):
        headers["Access-Control-Allow-Origin"] = origin
        if cors.credentials:
            headers["Access-Control-Allow-Credentials"] = "true"


def answer_preflight(handler: RequestHandler, cors: CORS) -> None:
    """Answer an OPTIONS that asks for leave to send another request; let others pass.

    Raises:
        Finish: It is answered.
    """
    asked = handler.request.headers
    origin = asked.get("Origin")
    if origin is None or "Access-Control-Request-Method" not in asked:
        return
    headers = handler._headers
    add_origin(cors, origin, headers)
    if cors.allows(origin):
        headers["Access-Control-Allow-Methods"] = ", ".join(cors.methods)
        names = ", ".join(cors.headers)
        if "*" in cors.headers:
            # A wildcard does not count with credentials, and never covers Authorization.
            names = asked.get("Access-Control-Request-Headers", "")
            add_vary(headers, "Access-Control-Request-Headers")
        if _TOKENS.fullmatch(names):
            headers["Access-Control-Allow-Headers"] = names
        headers["Access-Control-Max-Age"] = str(cors.max_age)
    handler.set_status(204)
    raise Finish
