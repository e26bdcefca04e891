"""Tests of web applications: with unittest as in Tornado, or with pytest.

What needs no server is `zonda.ioloop.testing`'s: ``AsyncTestCase``, ``gen_test``, ``ExpectLog``,
``bind_unused_port``, ``main``. `AsyncHTTPTestCase` and `AsyncHTTPSTestCase` run an application in
the test's loop and fetch from it with zonda-httpclient (the extra ``testing``), which is looked up
when it is first wanted. For pytest there are fixtures that work in any kind of test, see
``pytest_zonda``; what they give is in `zonda.web.testing.live`.
"""

from zonda.ioloop.log import app_log
from zonda.ioloop.testing import (
    AsyncTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
    main,
    setup_with_context_manager,
)
from zonda.web.testing.case import AsyncHTTPSTestCase, AsyncHTTPTestCase
from zonda.web.testing.certificate import Certificate, self_signed

__all__ = [
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "Certificate",
    "ExpectLog",
    "app_log",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "self_signed",
    "setup_with_context_manager",
]
