"""Middleware: its order, what it may do, and streamed bodies under it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from zonda.web import Application, Finish, HTTPError, RequestHandler, stream_request_body

Proceed = Callable[[], Awaitable[None]]


class Steps(RequestHandler):
    steps: list[str]

    def prepare(self) -> None:
        self.steps = getattr(self, "steps", [])
        self.steps.append("prepare")

    def get(self, name: str) -> None:
        self.steps.append(f"get {name}")

    async def post(self, name: str) -> None:
        self.steps.append(f"post {name}")

    def put(self, name: str) -> None:
        raise LookupError(name)

    def delete(self, name: str) -> None:
        self.finish("deleted")


def named(name: str) -> Any:
    async def layer(handler: Steps, proceed: Proceed) -> None:
        handler.steps = getattr(handler, "steps", [])
        handler.steps.append(f"{name} in")
        await proceed()
        handler.steps.append(f"{name} out")
        if name == "outer" and not handler._finished:
            handler.set_header("X-Steps", str(len(handler.steps)))
            handler.write({"steps": handler.steps})

    return layer


RULES: list[Any] = [("/(.*)", Steps)]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_order(ask: Any, method: str) -> None:
    application = Application(RULES, middleware=[named("outer"), named("inner")])
    response = await ask(application, method, "/%41")
    assert response.headers["X-Steps"] == "6"
    steps = ["outer in", "inner in", "prepare", f"{method.lower()} A", "inner out", "outer out"]
    assert response.body == b'{"steps": ["' + '", "'.join(steps).encode() + b'"]}'


async def test_errors_come_out_and_can_be_changed(ask: Any, expect_log: Any) -> None:
    async def translate(handler: Steps, proceed: Proceed) -> None:
        try:
            await proceed()
        except LookupError as error:
            raise HTTPError(404, "no %s", error) from error

    application = Application(RULES, middleware=[translate])
    with expect_log("zonda.general", "404 PUT /x .*no x"), expect_log("zonda.access"):
        assert (await ask(application, "PUT", "/x")).status == 404


async def test_errors_that_stay(ask: Any, expect_log: Any) -> None:
    application = Application(RULES, middleware=[named("outer")])
    with expect_log("zonda.application", "Uncaught"), expect_log("zonda.access"):
        assert (await ask(application, "PUT", "/x")).status == 500


@pytest.mark.parametrize("way", ["write", "finish", "raise"])
async def test_answering_in_the_handlers_place(ask: Any, way: str) -> None:
    async def gate(handler: Steps, proceed: Proceed) -> None:
        if way == "raise":
            raise Finish("closed")
        getattr(handler, way)("closed")

    application = Application(RULES, middleware=[gate])
    assert (await ask(application, "GET", "/x")).body == b"closed"


async def test_a_handler_that_finishes_itself(ask: Any) -> None:
    application = Application(RULES, middleware=[named("outer")])
    assert (await ask(application, "DELETE", "/x")).body == b"deleted"


async def test_checks_come_first(ask: Any, expect_log: Any) -> None:
    async def never(handler: Steps, proceed: Proceed) -> None:
        raise AssertionError("not to be called")

    application = Application(RULES, middleware=[never], xsrf_cookies=True)
    with expect_log("zonda.general", "XSRF"), expect_log("zonda.access"):
        assert (await ask(application, "POST", "/x")).status == 403
    with expect_log("zonda.access", "405"):
        assert (await ask(application, "BREW", "/x")).status == 405


async def test_streamed_bodies(ask: Any) -> None:
    @stream_request_body
    class Stream(RequestHandler):
        size = 0

        async def prepare(self) -> None:
            self.write("prepared ")

        def data_received(self, chunk: bytes) -> None:
            self.size += len(chunk)

        def post(self) -> None:
            self.write(str(self.size))

    async def pass_on(handler: RequestHandler, proceed: Proceed) -> None:
        await proceed()

    application = Application([("/", Stream)], middleware=[pass_on])
    response = await ask(application, "POST", "/", body=b"x" * 200_000)
    assert response.body == b"prepared 200000"


async def test_a_prepare_that_finishes(ask: Any) -> None:
    class Prepared(RequestHandler):
        def prepare(self) -> None:
            self.finish("prepared")

        def post(self) -> None:
            raise AssertionError("not to be called")

    async def pass_on(handler: RequestHandler, proceed: Proceed) -> None:
        await proceed()

    for handler in (Prepared, stream_request_body(type("Streamed", (Prepared,), {}))):
        handler.data_received = lambda self, chunk: None  # type: ignore[method-assign]
        application = Application([("/", handler)], middleware=[pass_on])
        assert (await ask(application, "POST", "/", body=b"x" * 10)).body == b"prepared"


async def test_a_gate_before_a_streamed_body(ask: Any) -> None:
    @stream_request_body
    class Stream(RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            pass

    async def gate(handler: RequestHandler, proceed: Proceed) -> None:
        raise Finish("closed")

    application = Application([("/", Stream)], middleware=[gate])
    assert (await ask(application, "POST", "/", body=b"x" * 10)).body == b"closed"
