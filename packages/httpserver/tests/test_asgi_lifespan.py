"""Lifespans: the application starts before the first request and stops after the last."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from zonda.httpserver import HTTPServer
from zonda.httpserver.asgi import ASGIContainer, ASGILifespan, Receive, Scope, Send
from zonda.httpserver.errors import LifespanError
from zonda.httpserver.routing import AnyMatches, PathMatches, Rule, RuleRouter
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.iostream.netutil import bind_sockets

if TYPE_CHECKING:
    from conftest import ExpectLog

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
TIMEOUT = 10.0


class App:
    """Notes what happens; waits with each phase for its event."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.may_start, self.may_stop = asyncio.Event(), asyncio.Event()
        self.may_start.set()
        self.may_stop.set()
        self.failure: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.log.append(f"request {scope['state']}")
            scope["state"]["mine"] = 1
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})
            return
        for phase, event in (("startup", self.may_start), ("shutdown", self.may_stop)):
            assert await receive() == {"type": f"lifespan.{phase}"}
            await event.wait()
            self.log.append(phase)
            if phase in self.failure:
                message = self.failure[phase]
                await send({"type": f"lifespan.{phase}.failed", "message": message})
                return
            scope["state"]["db"] = "open"
            await send({"type": f"lifespan.{phase}.complete"})


def under_rules(container: ASGIContainer) -> Any:
    return RuleRouter(
        [
            Rule(PathMatches("/x"), print),
            Rule(AnyMatches(), RuleRouter([Rule(AnyMatches(), container)])),
        ]
    )


@pytest.mark.parametrize("wrap", [lambda container: container, under_rules])
async def test_requests_wait_for_the_start_and_the_end_for_them(wrap: Any) -> None:
    app = App()
    app.may_start.clear()
    async with serving(wrap(ASGIContainer(app))) as server, RawClient(port_of(server)) as client:
        await client.send(GET)
        done, _ = await asyncio.wait([asyncio.ensure_future(server.started())], timeout=0.05)
        assert not done
        assert app.log == []
        app.may_start.set()
        assert (await client.response()).status == 200
        assert (await client(GET)).status == 200
        await server.started()
        await server.drain(TIMEOUT)
        assert app.log == ["startup", *["request {'db': 'open'}"] * 2, "shutdown"]


async def test_stop_alone_ends_it_after_the_last_connection() -> None:
    app = App()
    async with serving(ASGIContainer(app)) as server:
        async with RawClient(port_of(server)) as client:
            await client(GET)
            server.stop()
            assert (await client(GET)).status == 200
            assert "shutdown" not in app.log
        async with asyncio.timeout(TIMEOUT):
            while "shutdown" not in app.log:
                await asyncio.sleep(0)


async def test_two_servers_share_an_application() -> None:
    app = App()
    container = ASGIContainer(app)
    async with serving(container) as one:
        async with serving(container) as two:
            await one.started()
            await two.started()
        assert app.log == ["startup"]
    assert app.log == ["startup", "shutdown"]


async def test_an_application_that_fails_to_start(expect_log: "ExpectLog") -> None:
    app = App()
    app.failure["startup"] = "no database"
    app.may_start.clear()
    with expect_log("zonda.application", "application startup failed: no database"):
        async with serving(ASGIContainer(app)) as server, RawClient(port_of(server)) as client:
            await client.send(GET)
            app.may_start.set()
            with pytest.raises(LifespanError, match="no database") as caught:
                await server.started()
            assert caught.value.phase == "startup"
            assert (await client.response()).status == 503
            assert server._stopped
    assert app.log == ["startup"]


async def test_an_application_that_fails_to_stop(expect_log: "ExpectLog") -> None:
    app = App()
    app.failure["shutdown"] = "stuck"
    with expect_log("zonda.application", "application shutdown failed: stuck"):
        async with serving(ASGIContainer(app)) as server:
            await server.started()


async def ignorant(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("mode", ["auto", "off"])
async def test_an_application_without_lifespan(mode: Any) -> None:
    container = ASGIContainer(ignorant, lifespan=mode)
    async with serving(container) as server, RawClient(port_of(server)) as client:
        assert (await client(GET)).status == 200


async def test_an_application_that_must_have_one(expect_log: "ExpectLog") -> None:
    with expect_log("zonda.application", "application startup failed: AssertionError"):
        server = HTTPServer(ASGIContainer(ignorant, lifespan="on"))
        server.add_sockets(bind_sockets(0, "127.0.0.1"))
        with pytest.raises(LifespanError):
            await server.started()


async def test_an_application_that_dies_between(expect_log: "ExpectLog") -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise ValueError("oops")

    lifespan = ASGILifespan(app)
    with expect_log("zonda.application", "Uncaught exception in the lifespan"):
        await lifespan.startup()
        await lifespan.shutdown()


@pytest.mark.parametrize("kind", ["lifespan.startup.complete", "lifespan.nonsense", "http.x.y"])
async def test_messages_out_of_order(kind: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})
        with pytest.raises(RuntimeError, match="ASGI application: sent"):
            await send({"type": kind})

    lifespan = ASGILifespan(app)
    await lifespan.startup()
    await lifespan.shutdown()


async def test_without_a_server() -> None:
    app = App()
    async with ASGIContainer(app):
        assert app.log == ["startup"]
    assert app.log == ["startup", "shutdown"]


async def test_never_started() -> None:
    await ASGILifespan(App()).shutdown()
    with pytest.raises(ValueError, match="nonsense"):
        ASGILifespan(App(), "nonsense")  # type: ignore[arg-type]
