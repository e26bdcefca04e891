"""What becomes of an exception that has escaped a handler: its line in the log, and its answer.

=======================  ==========================  ===========================================
exception                log                         answer
=======================  ==========================  ===========================================
`Finish`                 nothing                     what has been written
`HTTPError`              a warning, if it says why   its status
`HTTPInputError`         why, for debugging          its status (the request is malformed)
`StreamClosedError`      information                 none, if it is the client that has gone
anything else            an error with a traceback   500
=======================  ==========================  ===========================================
"""

from __future__ import annotations

import sys
from logging import DEBUG, WARNING
from types import TracebackType
from typing import TYPE_CHECKING, Any

from zonda.httputil import HTTPInputError
from zonda.ioloop.log import app_log, gen_log, printable
from zonda.iostream import StreamClosedError
from zonda.web.departure import client_is_gone
from zonda.web.errorpage import error_page
from zonda.web.errors import Finish, HTTPError

if TYPE_CHECKING:
    from zonda.web.handler import RequestHandler


def summary(handler: RequestHandler) -> str:
    """Return method, target and client of a request, on one line."""
    request = handler.request
    # A target may hold octets that are control characters to a terminal.
    return f"{request.method} {printable(request.uri)} ({request.remote_ip})"


def log(
    handler: RequestHandler,
    typ: type[BaseException] | None,
    value: BaseException | None,
    tb: TracebackType | None,
) -> None:
    """Write what `RequestHandler.log_exception` writes."""
    if isinstance(value, HTTPError):
        if value.log_message:
            # Programs put into it what clients have sent.
            message = printable(value.get_message())
            # A malformed request is worth one line, which the access log has.
            level = DEBUG if isinstance(value.__cause__, HTTPInputError) else WARNING
            summary = handler._request_summary()
            gen_log.log(level, "%d %s: %s", value.status_code, summary, message)
    elif isinstance(value, HTTPInputError):
        message = printable(str(value))
        gen_log.debug("%d %s: %s", value.status, handler._request_summary(), message)
    else:
        app_log.error(
            "Uncaught exception %s\n%r",
            handler._request_summary(),
            handler.request,
            exc_info=(typ, value, tb),  # type: ignore[arg-type]
        )


def fail(handler: RequestHandler, error: Exception) -> None:
    """Answer for the exception that is being handled, whatever comes of that."""
    try:
        handler._handle_request_exception(error)
    except Exception:
        app_log.error("Exception in exception handler", exc_info=True)
        handler._abort()


def answer(handler: RequestHandler, error: BaseException) -> None:
    """Log the exception that is being handled, and answer for it.

    Args:
        handler: The handler it has escaped.
        error: The exception.
    """
    if isinstance(error, Finish):
        if not handler._finished:
            handler.finish(*error.args)
        return
    if isinstance(error, StreamClosedError) and client_is_gone(handler):
        # What a handler gets from flush() when nobody is left to answer: no fault of its own.
        gen_log.info("%s: the client is gone", handler._request_summary())
        if not handler._finished:
            handler._end()
        return
    try:
        handler.log_exception(*sys.exc_info())
    except Exception:
        app_log.error("Error in exception logger", exc_info=True)
    if handler._finished:
        return  # the response is out; the log is all that can be told
    status = 500
    if isinstance(error, HTTPError):
        status = error.status_code
    elif isinstance(error, HTTPInputError):
        # A part of the request that is parsed when it is first asked for.
        status = error.status
    handler.send_error(status, exc_info=sys.exc_info())


def send(handler: RequestHandler, status_code: int, details: dict[str, Any]) -> None:
    """Do what `RequestHandler.send_error` does.

    Args:
        handler: The handler.
        status_code: The status.
        details: For `RequestHandler.write_error`.
    """
    if handler._headers_written:
        gen_log.error("Cannot send error response after headers written")
        if not handler._finished:
            # Half a response must not look like a whole one.
            handler._abort()
        return
    handler.clear()
    reason = details.get("reason")
    if "exc_info" in details:
        exception = details["exc_info"][1]
        if isinstance(exception, HTTPError) and exception.reason:
            reason = exception.reason
    handler.set_status(status_code, reason=reason)
    try:
        if status_code not in (204, 304) and not 100 <= status_code < 200:
            handler.write_error(status_code, **details)
    except Exception:
        app_log.error("Uncaught exception in write_error", exc_info=True)
    if not handler._finished:
        handler.finish()


def write_page(handler: RequestHandler, status_code: int, details: dict[str, Any]) -> None:
    """Finish with the page that `RequestHandler.write_error` writes."""
    if handler.settings.get("serve_traceback") and "exc_info" in details:
        from zonda.web import debugpage  # noqa: PLC0415 - only while debugging

        media_type = debugpage.choose_format(handler.request.headers.get("Accept"))
        handler.set_header("Content-Type", f"{media_type}; charset=utf-8")
        error = details["exc_info"][1]
        handler.finish(debugpage.debug_page(media_type, status_code, handler._reason, error))
    else:
        handler.finish(error_page(status_code, handler._reason))
