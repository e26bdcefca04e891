"""Released frameworks as ASGI applications on `HTTPServer`."""

import asyncio
import gc
import json
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from zonda.httpserver.asgi import ASGIContainer
from zonda.httpserver.routing import PathMatches, Rule, RuleRouter
from zonda.httpserver.testing import RawClient, serve

if TYPE_CHECKING:
    from conftest import ExpectLog

TIMEOUT = 20.0


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: testserver\r\n\r\n".encode()


def post(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: testserver\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def say_over_websocket(port: int, path: str, text: str) -> str | bytes:
    websockets = pytest.importorskip("websockets.asyncio.client")
    async with websockets.connect(f"ws://127.0.0.1:{port}{path}") as client:
        await client.send(text)
        answer: str | bytes = await client.recv()
        return answer


# -- Starlette -------------------------------------------------------------------------------------


def starlette_app(log: list[str]) -> Any:
    pytest.importorskip("starlette")
    import contextlib  # noqa: PLC0415
    from collections.abc import AsyncIterator  # noqa: PLC0415

    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.middleware.base import BaseHTTPMiddleware  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import (  # noqa: PLC0415
        JSONResponse,
        PlainTextResponse,
        Response,
        StreamingResponse,
    )
    from starlette.routing import Route, WebSocketRoute  # noqa: PLC0415
    from starlette.websockets import WebSocket  # noqa: PLC0415

    async def home(request: Request) -> Response:
        return JSONResponse(
            {"path": request.url.path, "base": str(request.base_url), "db": request.state.db}
        )

    async def upload(request: Request) -> Response:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return PlainTextResponse(str(size))

    async def download(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                for _ in range(100):
                    yield bytes(10_000)
            finally:
                log.append("generator closed")

        return StreamingResponse(pieces())

    async def endless(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield bytes(65536)
            finally:
                log.append("generator closed")

        return StreamingResponse(pieces())

    async def fail(request: Request) -> Response:
        raise ValueError("on purpose")

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    async def pass_on(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["X-Middleware"] = "1"
        return response

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        log.append("startup")
        yield {"db": "open"}
        log.append("shutdown")

    return Starlette(
        routes=[
            Route("/", home),
            Route("/upload", upload, methods=["POST"]),
            Route("/download", download),
            Route("/endless", endless),
            Route("/fail", fail),
            WebSocketRoute("/ws", echo),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=pass_on)],
        lifespan=lifespan,
    )


@pytest.mark.parametrize("root", ["", "/inner"])
async def test_starlette(root: str, expect_log: "ExpectLog") -> None:
    log: list[str] = []
    container = ASGIContainer(starlette_app(log), root_path=root, lifespan="on")
    router = RuleRouter([Rule(PathMatches(root + "/.*"), container)])
    async with serve(router) as port:
        async with RawClient(port) as client:
            response = await client(get(root + "/"))
            assert json.loads(response.body) == {
                "path": root + "/",
                "base": f"http://testserver{root}/",
                "db": "open",
            }
            assert response.headers["X-Middleware"] == "1"
            assert (await client(get(root + "/nothing"))).status == 404
            assert (await client(post(root + "/upload", bytes(500_000)))).body == b"500000"
            assert len((await client(get(root + "/download"))).body) == 1_000_000
            with expect_log("zonda.application", "Uncaught exception in ASGI"):
                assert (await client(get(root + "/fail"))).status == 500
            assert (await client(get(root + "/"))).status == 200
        assert await say_over_websocket(port, root + "/ws", "hello") == "HELLO"
    assert log == ["startup", "generator closed", "shutdown"]


async def test_starlette_ends_what_nobody_reads() -> None:
    log: list[str] = []
    container = ASGIContainer(starlette_app(log))
    async with serve(container) as port:
        async with RawClient(port) as client:
            await client.send(get("/endless"))
            await client.reader.readexactly(1_000_000)
            assert log == ["startup"]
        async with asyncio.timeout(TIMEOUT):
            while container._tasks:
                await asyncio.sleep(0.001)
            gc.collect()  # Starlette leaves closing generators to this
            while "generator closed" not in log:
                await asyncio.sleep(0.001)


# -- FastAPI ---------------------------------------------------------------------------------------


async def test_fastapi() -> None:
    fastapi = pytest.importorskip("fastapi")
    pydantic = pytest.importorskip("pydantic")

    class Item(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        name: str
        price: float

    async def user() -> str:
        return "someone"

    app = fastapi.FastAPI()

    async def read(
        number: int, user: Annotated[str, fastapi.Depends(user)], q: str = ""
    ) -> dict[str, Any]:
        return {"number": number, "q": q, "user": user}

    def in_a_thread() -> dict[str, bool]:
        return {"ok": True}

    async def create(item: Item) -> Any:
        return item

    app.add_api_route("/items/{number}", read)
    app.add_api_route("/threads", in_a_thread)
    app.add_api_route("/items", create, methods=["POST"])

    async with serve(ASGIContainer(app)) as port, RawClient(port) as client:
        response = await client(get("/items/7?q=x"))
        assert json.loads(response.body) == {"number": 7, "q": "x", "user": "someone"}
        assert (await client(get("/items/seven"))).status == 422
        assert json.loads((await client(get("/threads"))).body) == {"ok": True}
        response = await client(post("/items", b'{"name": "a", "price": 1.5}'))
        assert json.loads(response.body) == {"name": "a", "price": 1.5}
        assert (await client(get("/openapi.json"))).status == 200


# -- Django ----------------------------------------------------------------------------------------


async def test_django() -> None:
    pytest.importorskip("django")
    import django  # type: ignore[import-untyped] # noqa: PLC0415
    from django.conf import settings  # type: ignore[import-untyped] # noqa: PLC0415
    from django.core.asgi import get_asgi_application  # type: ignore[import-untyped] # noqa: PLC0415
    from django.http import HttpRequest, HttpResponse, JsonResponse  # type: ignore[import-untyped] # noqa: PLC0415
    from django.urls import path  # type: ignore[import-untyped] # noqa: PLC0415

    async def hello(request: HttpRequest, name: str) -> HttpResponse:
        return JsonResponse({"hello": name, "script": request.path, "q": request.GET.get("q")})

    def in_a_thread(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(len(request.body)))

    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=(path("hello/<name>", hello), path("sync", in_a_thread)),
            ALLOWED_HOSTS=["testserver"],
            SECRET_KEY="x",
            LOGGING_CONFIG=None,
        )
        django.setup()
    async with serve(ASGIContainer(get_asgi_application(), root_path="/site")) as port:
        async with RawClient(port) as client:
            response = await client(get("/site/hello/world?q=1"))
            assert json.loads(response.body) == {
                "hello": "world",
                "script": "/site/hello/world",
                "q": "1",
            }
            assert (await client(post("/site/sync", bytes(100_000)))).body == b"100000"
            assert (await client(get("/site/sync"))).body == b"0"
