"""The lifespan of an application: when it begins and ends, whoever runs it, and what may fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from zonda.httpserver.errors import LifespanError
from zonda.httpserver.testing import RawClient, port_of, serving
from zonda.httputil import HTTPServerRequest
from zonda.web import Application, RequestHandler, stream_request_body

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Factory = Callable[[Application], AbstractAsyncContextManager[None]]


class Show(RequestHandler):
    def get(self) -> None:
        self.write(self.settings["resource"])


@stream_request_body
class Stream(RequestHandler):
    def prepare(self) -> None:
        self.chunks: list[bytes] = [self.settings["resource"].encode()]

    def data_received(self, chunk: bytes) -> None:
        self.chunks.append(chunk)

    def post(self) -> None:
        self.write(b" ".join(self.chunks))


class Recorder:
    """A lifespan that records what happens, and can be held up."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.tasks: list[object] = []

    @asynccontextmanager
    async def __call__(self, application: Application) -> AsyncIterator[None]:
        self.tasks.append(asyncio.current_task())
        self.events.append("starting")
        await self.may_start.wait()
        application.settings["resource"] = "there"
        self.events.append("started")
        yield
        self.tasks.append(asyncio.current_task())
        self.events.append("stopped")
        del application.settings["resource"]


def application(lifespan: Any) -> Application:
    return Application([("/", Show), ("/s", Stream)], lifespan=lifespan)


async def test_async_with() -> None:
    recorder = Recorder()
    app = application(recorder)
    async with app as entered:
        assert entered is app
        assert app.settings["resource"] == "there"
        await app.startup()  # once only
    assert recorder.events == ["starting", "started", "stopped"]
    assert recorder.tasks[0] is recorder.tasks[1]
    async with app:
        assert app.settings["resource"] == "there"
    assert len(recorder.events) == 6


async def test_a_server_inside_a_block() -> None:
    recorder = Recorder()
    app = application(recorder)
    async with app:
        for _ in range(2):
            async with serving(app) as server, RawClient(port_of(server)) as client:
                assert (await client(GET)).body == b"there"
        assert recorder.events == ["starting", "started"]
    assert recorder.events == ["starting", "started", "stopped"]


async def test_two_servers() -> None:
    recorder = Recorder()
    app = application(recorder)
    async with serving(app) as one:
        async with serving(app) as other:
            for server in (one, other):
                async with RawClient(port_of(server)) as client:
                    assert (await client(GET)).body == b"there"
        async with RawClient(port_of(one)) as client:
            assert (await client(GET)).body == b"there"
    assert recorder.events == ["starting", "started", "stopped"]


async def test_server() -> None:
    recorder = Recorder()
    async with serving(application(recorder)) as server:
        async with RawClient(port_of(server)) as client:
            assert (await client(GET)).body == b"there"
    assert recorder.events == ["starting", "started", "stopped"]


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (GET, b"there"),
        (b"POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", b"there body"),
    ],
)
async def test_early_requests_wait(data: bytes, body: bytes) -> None:
    recorder = Recorder()
    recorder.may_start.clear()
    async with serving(application(recorder)) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(data)
            await client.send(b"")
            while recorder.events != ["starting"]:
                await asyncio.sleep(0)
            answer = asyncio.ensure_future(client.response())
            recorder.may_start.set()
            assert (await answer).body == body


async def test_an_early_client_may_leave() -> None:
    recorder = Recorder()
    recorder.may_start.clear()
    async with serving(application(recorder)) as server:
        async with RawClient(port_of(server)) as client:
            await client.send(GET)
        recorder.may_start.set()
        async with RawClient(port_of(server)) as client:
            assert (await client(GET)).body == b"there"


@asynccontextmanager
async def failing(application: Application) -> AsyncIterator[None]:
    if "database" not in application.settings:
        raise OSError("no database")
    yield


@asynccontextmanager
async def failing_late(application: Application) -> AsyncIterator[None]:
    yield
    raise OSError("cannot close")


@pytest.mark.parametrize(("factory", "phase"), [(failing, "startup"), (failing_late, "shutdown")])
async def test_failures(factory: Factory, phase: str) -> None:
    with pytest.raises(LifespanError) as caught:
        async with application(factory):
            assert phase == "shutdown"
    assert caught.value.phase == phase
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_server_that_cannot_start(expect_log: Any) -> None:
    with expect_log("zonda.application", "application startup failed"):
        async with serving(application(failing)) as server:
            with pytest.raises(LifespanError):
                await server.started()


def test_asyncio_run_ends_it_in_good_order() -> None:
    events = []

    async def main() -> None:
        recorder = Recorder()
        events.append(recorder.events)
        app = application(recorder)
        server = app.listen(0, "127.0.0.1")
        async with RawClient(port_of(server)) as client:
            assert (await client(GET)).body == b"there"
        server.stop()

    asyncio.run(main())
    assert events == [["starting", "started", "stopped"]]


def test_a_program_that_is_torn_down() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(0)
        events.append("cleaned up")

    async def main() -> None:
        await application(lifespan).startup()

    asyncio.run(main())
    assert events == ["cleaned up"]


def test_a_program_that_is_torn_down_and_fails_to_clean_up(expect_log: Any) -> None:
    with expect_log("zonda.application", "Uncaught exception in the application's lifespan"):
        asyncio.run(application(failing_late).startup())


async def test_task_groups(expect_log: Any) -> None:
    fail = asyncio.Event()

    @asynccontextmanager
    async def lifespan(application: Application) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            application.settings["group"] = group
            yield

    async def background() -> None:
        await fail.wait()
        raise OSError

    app = application(lifespan)
    async with app:
        done = app.settings["group"].create_task(asyncio.sleep(0, "done"))
    assert done.result() == "done"
    async with app:
        app.settings["group"].create_task(background())
        assert app.lifespan is not None
        task = app.lifespan._task
        assert task is not None
        with expect_log("zonda.application", "lifespan"):
            fail.set()
            await asyncio.wait([task])


async def test_a_start_that_is_cancelled() -> None:
    recorder = Recorder()
    recorder.may_start.clear()
    app = application(recorder)
    starting = asyncio.ensure_future(app.startup())
    while not recorder.events:
        await asyncio.sleep(0)
    assert app.lifespan is not None
    assert app.lifespan._task is not None
    app.lifespan._task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await app.shutdown()


async def test_applications_below() -> None:
    recorder = Recorder()
    inner = application(recorder)
    outer = Application([("/.*", inner)])
    async with outer:
        assert recorder.events == ["starting", "started"]
    assert recorder.events[-1] == "stopped"


async def test_nothing_without_the_setting() -> None:
    app = Application([("/", Show)], resource="set")
    assert app.lifespan is None
    assert "find_handler" not in vars(app)
    assert list(app.lifespans()) == []
    async with app:
        pass


def test_requests_are_found_directly_once_it_is_ready() -> None:
    async def main() -> None:
        app = application(Recorder())
        request = HTTPServerRequest(method="GET", uri="/", host="a")
        assert type(app.find_handler(request)).__name__ == "NotYet"
        async with app:
            assert type(app.find_handler(request)).__name__ == "HandlerDelegate"

    asyncio.run(main())
