"""Test cases with an application that listens.

In: `AsyncHTTPTestCase.get_app`. Out: a server on a port of its own in the test's loop, and a
client. Both are closed after the test.
"""

import ssl
from typing import TYPE_CHECKING, Any

from zonda.httpserver import HTTPServer
from zonda.ioloop.testing import AsyncTestCase, bind_unused_port, get_async_test_timeout
from zonda.web.application import Application
from zonda.web.testing.certificate import self_signed
from zonda.web.testing.client import httpclient

if TYPE_CHECKING:
    from collections.abc import Callable


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case whose tests each have a server for an application, and a client.

    Define `get_app`. Tests are plain methods that call `fetch`, or coroutines under ``gen_test``
    that use ``self.http_client`` with `get_url`.

    Attributes:
        http_server: The server.
        http_client: The client.

    Example::

        class Hello(RequestHandler):
            def get(self):
                self.write("Hello")

        class HelloTest(AsyncHTTPTestCase):
            def get_app(self):
                return Application([("/", Hello)])

            def test_hello(self):
                self.assertEqual(self.fetch("/").body, b"Hello")
    """

    http_server: HTTPServer
    http_client: Any

    def setUp(self) -> None:
        """Start server and client. An override calls this first."""
        super().setUp()
        sock, self.__port = bind_unused_port()
        try:
            self.http_client = self.get_http_client()
            self._app = self.get_app()
            self.http_server = self.get_http_server()
        except BaseException:
            # unittest calls no tearDown() then.
            sock.close()
            if "http_client" in vars(self):
                self.http_client.close()
            super().tearDown()
            raise
        self.http_server.add_sockets([sock])

    def tearDown(self) -> None:
        """Close them. An override calls this last."""
        self.http_server.stop()
        self.io_loop.run_sync(
            self.http_server.close_all_connections, timeout=get_async_test_timeout()
        )
        self.http_client.close()
        if isinstance(self.http_client, httpclient().AsyncHTTPClient):
            self.http_client._close_now()  # what a test did not wait for ends here
        del self.http_client
        del self._app
        super().tearDown()

    def get_app(self) -> "Application | Callable[..., Any]":
        """Return the application: define it."""
        raise NotImplementedError(f"{type(self).__name__} must define get_app()")

    def get_http_client(self) -> Any:
        """Return the client, an ``AsyncHTTPClient``; a hook."""
        return httpclient().AsyncHTTPClient()

    def get_http_server(self) -> HTTPServer:
        """Return the server, which does not listen yet; a hook."""
        return HTTPServer(self._app, **self.get_httpserver_options())

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return arguments for `HTTPServer`; a hook."""
        return {}

    def get_http_port(self) -> int:
        """Return the server's port."""
        return self.__port

    def get_protocol(self) -> str:
        """Return the scheme of the server's URLs."""
        return "http"

    def get_url(self, path: str) -> str:
        """Return the absolute URL of a path that begins with a slash."""
        return f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}{path}"

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> Any:
        """Run the loop until a request is answered.

        Args:
            path: A path of the server, or a whole URL.
            raise_error: Whether a status beyond 299 is an exception.
            **kwargs: For ``AsyncHTTPClient.fetch``: ``method``, ``headers``, ``body`` ...

        Returns:
            The ``HTTPResponse``.

        Raises:
            TimeoutError: No answer within ``get_async_test_timeout()``.
        """
        url = path if path.lower().startswith(("http://", "https://")) else self.get_url(path)
        return self.io_loop.run_sync(
            lambda: self.http_client.fetch(url, raise_error=raise_error, **kwargs),
            timeout=get_async_test_timeout(),
        )


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """As `AsyncHTTPTestCase`, with TLS under a certificate that the client does not verify."""

    def get_http_client(self) -> Any:
        """Return a client that accepts any certificate; a hook."""
        return httpclient().AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})

    def get_httpserver_options(self) -> dict[str, Any]:
        """Return the server's TLS settings; a hook."""
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> "dict[str, Any] | ssl.SSLContext":
        """Return the TLS settings; a hook for a certificate of your own."""
        return type(self).default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        """Return ``certfile`` and ``keyfile`` of `self_signed`."""
        certificate = self_signed()
        return {"certfile": certificate.certfile, "keyfile": certificate.keyfile}

    def get_protocol(self) -> str:
        """Return ``https``."""
        return "https"
