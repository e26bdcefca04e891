"""Fixtures for tests of web applications: ``live_server``, ``http_client``, ``ws_connect``.

Define a fixture ``app`` that returns the application; plain tests and ``async def`` ones, whoever
runs them, may then ask for the others::

    @pytest.fixture
    def app():
        return Application([("/", Hello)])

    def test_hello(http_client):
        assert http_client.fetch("/").body == b"Hello"

    async def test_hello_too(http_client):
        assert (await http_client.fetch("/")).body == b"Hello"

    def test_echo(ws_connect):
        with ws_connect("/echo") as socket:
            socket.write_message("hello")
            assert socket.read_message() == "hello"

pytest loads this module in every environment that has zonda-web. It stands beside the package, and
not inside, so that nothing else is imported before a test asks for a fixture. ``-p no:zonda``
switches it off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from zonda.web.testing.live import LiveClient, LiveServer


@pytest.fixture
def live_server(app: Any) -> Iterator[LiveServer]:
    """The test's ``app``, listening on ``live_server.url`` in a thread of its own."""
    from zonda.web.testing.live import LiveServer  # noqa: PLC0415 - only for tests that want it

    with LiveServer(app) as server:
        yield server


@pytest.fixture
def http_client(live_server: LiveServer) -> Iterator[LiveClient]:
    """Fetches from ``live_server``: ``http_client.fetch("/path", **arguments)``."""
    from zonda.web.testing.live import LiveClient  # noqa: PLC0415 - as above

    client = LiveClient(live_server)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def ws_connect(live_server: LiveServer) -> Callable[..., Any]:
    """Opens WebSockets to ``live_server``: ``ws_connect("/path", **arguments)``."""
    from zonda.web.testing.live import LiveWebSocket  # noqa: PLC0415 - as above

    def connect(path: str, **kwargs: Any) -> Any:
        return LiveWebSocket.connect(live_server, path, **kwargs)

    return connect
