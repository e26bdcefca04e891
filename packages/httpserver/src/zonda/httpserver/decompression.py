"""Request bodies that come compressed (``decompress_request``).

The head goes on without ``Content-Encoding``, whose value is kept in
``X-Consumed-Content-Encoding``; the pieces go on decoded, and their size counts against the limit of
the body: a small body cannot become a large one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from zonda.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)

if TYPE_CHECKING:
    pass


class DecompressingDelegate(HTTPMessageDelegate):
    """Decodes the body on its way to another delegate.

    Args:
        delegate: Gets everything.
        limit: Most bytes of a decoded body; None for any number.
    """

    def __init__(self, delegate: HTTPMessageDelegate, limit: int | None) -> None:
        self._delegate = delegate
        self._limit = limit
