"""Handlers that come with the framework: error statuses, redirects, other applications."""

from __future__ import annotations

from collections.abc import Callable

from zonda.httputil import HTTPServerRequest, url_concat
from zonda.web.errors import HTTPError
from zonda.web.handler import RequestHandler
from zonda.web.redirects import as_location, same_place


class ErrorHandler(RequestHandler):
    """Answers every request with an error status; 404 for what no rule matches.

    Args (of the rule):
        status_code: The status.
    """

    def initialize(self, status_code: int) -> None:
        """Take the status."""
        self.set_status(status_code)

    def prepare(self) -> None:
        """Raise it."""
        raise HTTPError(self._status_code)

    def check_xsrf_cookie(self) -> None:
        """Check nothing: this changes nothing, and the status tells more than 403."""

    def check_trusted_origin(self, origin: str) -> bool:
        """Trust anybody: this changes nothing."""
        return True


class ServerOptionsHandler(RequestHandler):
    """Answers ``OPTIONS *``: what the server as a whole can do (RFC 9110 §9.3.7)."""

    def options(self) -> None:
        """Name the methods."""
        self.set_header("Allow", ", ".join(self.SUPPORTED_METHODS))
        self.set_status(204)


class RedirectHandler(RequestHandler):
    """Redirects every GET; the query of the request goes along.

        (r"/old/(.*)", RedirectHandler, {"url": "/new/{0}"})
        (r"/pictures/(?P<name>.*)", RedirectHandler, {"url": "https://pictures.example/{name}"})

    Groups of the rule's pattern, percent-decoded, fill the fields of ``url``. A request that would
    change its scheme or authority in doing so gets 400.

    Args (of the rule):
        url: Where to.
        permanent: 301, otherwise 302.
    """

    def initialize(self, url: str, permanent: bool = True) -> None:
        """Take the target."""
        self._url = url
        self._permanent = permanent

    def get(self, *args: str | None, **kwargs: str | None) -> None:
        """Redirect."""
        url = self._url.format(*args, **kwargs)
        if not same_place(self._url, url):
            raise HTTPError(400, "a redirect may not change scheme or authority: %r", url)
        if self.request.query_arguments:
            arguments = self.request.query_arguments.items()
            url = url_concat(url, [(name, value) for name, values in arguments for value in values])
        self.redirect(as_location(url), permanent=self._permanent)


class FallbackHandler(RequestHandler):
    """Hands requests to something that is no handler: a WSGI application, another router.

        (r"/old/.*", FallbackHandler, {"fallback": WSGIContainer(wsgi_application)})

    Args (of the rule):
        fallback: Takes the request, and answers it.
    """

    def initialize(self, fallback: Callable[[HTTPServerRequest], object]) -> None:
        """Take the other application."""
        self.fallback = fallback

    def prepare(self) -> None:
        """Hand the request over."""
        self.fallback(self.request)
        self._finished = True
        self.on_finish()
