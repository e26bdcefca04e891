"""Fixtures for tests of web applications: ``live_server``, ``http_client``, ``ws_connect``.

They test ``app``: a fixture of yours that returns the application, or what pytest's setting
``zonda_app`` names (``zonda_app = package.module:make_app``, a function or the application
itself). Plain tests and ``async def`` ones, whoever runs them, may then ask for the others::

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

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from zonda.web.testing.live import LiveClient, LiveServer


_NO_APP = """\
there is no application to test. Define a fixture "app" in this file or in a conftest.py:

    @pytest.fixture
    def app():
        return Application([("/", Hello)])

or name it in pytest's configuration: zonda_app = package.module:make_app"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Make ``zonda_app`` known."""
    parser.addini("zonda_app", "the application to test, or a function that makes it: module:name")


@pytest.fixture
def app(pytestconfig: pytest.Config) -> Any:
    """The application to test: that of the setting ``zonda_app``, made anew for each test."""
    setting: str = pytestconfig.getini("zonda_app")
    if not setting:
        pytest.fail(_NO_APP, pytrace=False)
    module, colon, path = setting.partition(":")
    if not (module and colon and path):
        pytest.fail(f"zonda_app = {setting}: module:name is what it takes", pytrace=False)
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    # An application can be called as well, by an ASGI server.
    return found if hasattr(found, "find_handler") else found()


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
