"""`AsyncHTTPTestCase` and `AsyncHTTPSTestCase`, run as unittest runs them."""

import subprocess
import sys
import unittest
from typing import Any

import pytest

from zonda.httpserver import HTTPServer
from zonda.httputil import HTTPHeaders, ResponseStartLine
from zonda.web import Application, RequestHandler
from zonda.web import testing as module
from zonda.web.testing import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
)

pytest.importorskip("zonda.httpclient")


class Hello(RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.protocol} {self.request.host}")

    def post(self) -> None:
        self.write(self.request.body[::-1])


class PlainCase(AsyncHTTPTestCase):
    __test__ = False

    def get_app(self) -> Application:
        return Application([("/", Hello)])

    def test_fetch(self) -> None:
        response = self.fetch("/")
        assert response.code == 200
        assert response.body.decode() == f"http 127.0.0.1:{self.get_http_port()}"

    def test_arguments(self) -> None:
        assert self.fetch("/", method="POST", body="abc").body == b"cba"

    def test_whole_urls(self) -> None:
        assert self.fetch(self.get_url("/")).code == 200
        assert self.get_url("/x?y") == f"http://127.0.0.1:{self.get_http_port()}/x?y"

    def test_errors(self) -> None:
        with ExpectLog("zonda.access", "404 GET /nope"):
            assert self.fetch("/nope").code == 404
        with ExpectLog("zonda.access", "404"), pytest.raises(Exception, match="404"):
            self.fetch("/nope", raise_error=True)

    @gen_test
    async def test_coroutine(self) -> None:
        assert (await self.http_client.fetch(self.get_url("/"))).code == 200

    def test_callbacks(self) -> None:
        self.http_client.fetch(self.get_url("/"), self.stop)
        assert self.wait().code == 200


class OwnCase(AsyncHTTPTestCase):
    __test__ = False
    made: list[str] = []  # noqa: RUF012

    def get_app(self) -> Any:
        self.made.append("app")

        def application(request: Any) -> None:
            request.connection.write_headers(
                ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders({"Content-Length": "1"}), b"x"
            )
            request.connection.finish()

        return application

    def get_http_server(self) -> HTTPServer:
        self.made.append("server")
        return super().get_http_server()

    def get_http_client(self) -> Any:
        self.made.append("client")
        return super().get_http_client()

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"no_keep_alive": True}

    def test_hooks(self) -> None:
        response = self.fetch("/")
        assert response.body == b"x"
        assert response.headers["Connection"] == "close"
        assert self.made == ["client", "app", "server"]


class SecureCase(AsyncHTTPSTestCase):
    __test__ = False

    def get_app(self) -> Application:
        return Application([("/", Hello)])

    def test_fetch(self) -> None:
        assert self.fetch("/").body.decode() == f"https 127.0.0.1:{self.get_http_port()}"
        assert self.get_url("/").startswith("https://")


class NoApp(AsyncHTTPTestCase):
    __test__ = False

    def test_it(self) -> None: ...


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


@pytest.mark.parametrize(("case", "count"), [(PlainCase, 6), (OwnCase, 1), (SecureCase, 1)])
def test_cases(case: type[unittest.TestCase], count: int) -> None:
    result = run(case)
    assert (result.errors, result.failures, result.testsRun) == ([], [], count)


def test_an_application_is_needed() -> None:
    (error,) = run(NoApp).errors
    assert "NotImplementedError: NoApp must define get_app()" in error[1]


def test_a_request_that_is_never_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    class Case(AsyncHTTPTestCase):
        def get_app(self) -> Application:
            class Never(RequestHandler):
                def get(self) -> None:
                    self._auto_finish = False

            return Application([("/", Never)])

        def test_it(self) -> None:
            self.fetch("/")

    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.1")
    (error,) = run(Case).errors
    assert "TimeoutError" in error[1]


def test_the_names_of_the_loops_part() -> None:
    assert issubclass(AsyncHTTPTestCase, AsyncTestCase)
    sock, port = bind_unused_port()
    assert sock.getsockname()[1] == port
    sock.close()
    assert module.main.__module__ == "zonda.ioloop.testing.program"


def test_without_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("zonda.httpclient")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "zonda.httpclient", None)
    (error, *_) = run(SecureCase).errors
    assert "pip install 'zonda-web[testing]'" in error[1]


def test_importing_it_imports_no_client() -> None:
    code = (
        "import sys, zonda.web.testing; "
        "print([n for n in sys.modules if n.startswith('zonda.httpclient')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
