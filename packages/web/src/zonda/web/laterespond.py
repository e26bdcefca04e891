"""Responses whose body is compressed in another thread, so that nobody else waits for it.

In: a handler that is finished and has a large body. Out: a future, as of any response. The exchange
stays open meanwhile: a request that the client has sent behind this one waits its turn. A client
that has gone is no error; a transform that raises is logged, and the connection closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from zonda.httputil import HTTPOutputError
from zonda.ioloop.log import app_log
from zonda.web.transforms import GZipContentEncoding, OutputTransform

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler

LARGE: Final = 128 * 1024
"""Bytes from which on a thread is worth its cost: gzip takes 1 to 3 ms for so many."""

Respond = Callable[..., "asyncio.Future[None]"]


def is_large(body: bytes, transforms: Iterable[OutputTransform]) -> bool:
    """Say whether a body is worth a thread, and its transforms are known to bear one."""
    return len(body) >= LARGE and all(
        isinstance(each, GZipContentEncoding) and each.wants(body) for each in transforms
    )


def respond_later(handler: RequestHandler, respond: Respond, body: bytes) -> asyncio.Future[None]:
    """Transform a body in a thread, and send the response then.

    Args:
        handler: The handler, to which nobody adds anything any more.
        respond: The connection's method.
        body: All of the body.
    """
    loop = asyncio.get_running_loop()
    sent: asyncio.Future[None] = loop.create_future()

    def finished(whole: asyncio.Future[None]) -> None:
        if sent.done():
            return
        error = None if whole.cancelled() else whole.exception()
        if error is None:
            sent.set_result(None)
        else:
            _fail(sent, error)

    def send(work: asyncio.Future[bytes]) -> None:
        try:
            whole = respond(handler._status_code, handler._reason, handler._headers, work.result())
        except HTTPOutputError as error:
            # The connection has ended the exchange.
            _fail(sent, error)
        except Exception as error:
            app_log.error("Uncaught exception in a transform", exc_info=True)
            handler._abort()
            _fail(sent, error)
        else:
            whole.add_done_callback(finished)

    loop.run_in_executor(None, handler._prepare_head, body, True).add_done_callback(send)
    return sent


def _fail(future: asyncio.Future[None], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # not everybody waits for a response to be out
