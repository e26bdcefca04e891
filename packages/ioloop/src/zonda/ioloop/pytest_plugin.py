"""Fixtures for pytest, which need nothing but pytest.

They are there once a ``conftest.py`` (or ``-p zonda.ioloop.pytest_plugin``) asks for them::

    pytest_plugins = ["zonda.ioloop.pytest_plugin"]

They are not installed as an entry point: a project's own fixtures, or those of another plugin, may
have the same names.
"""

from collections.abc import Iterator

import pytest

from zonda.ioloop.loop import IOLoop
from zonda.ioloop.testing.case import close_loop
from zonda.ioloop.testing.ports import bind_unused_port


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """A new loop, the current one during the test; closed afterwards, its tasks cancelled."""
    loop = IOLoop(make_current=False)
    loop.make_current()
    try:
        yield loop
    finally:
        loop.clear_current()
        close_loop(loop)


@pytest.fixture
def unused_port() -> int:
    """A port on 127.0.0.1 that was free a moment ago.

    Where the test can take a socket, `bind_unused_port` leaves no such moment.
    """
    sock, port = bind_unused_port()
    sock.close()
    return port
