"""Tests of code that runs on a loop: with unittest, and with nothing but it.

``AsyncTestCase`` gives each test a loop of its own, ``gen_test`` runs a coroutine on it within a
time limit, ``ExpectLog`` takes records that a test expects out of the log, ``bind_unused_port``
finds a port, ``JumpingLoop`` is a loop on which hours pass in no time, ``main`` runs a module's
tests. Fixtures for pytest are in `zonda.ioloop.pytest_plugin`.
"""

from zonda.ioloop.log import app_log
from zonda.ioloop.testing.case import (
    AsyncTestCase,
    gen_test,
    get_async_test_timeout,
    setup_with_context_manager,
)
from zonda.ioloop.testing.clock import JumpingIOLoop, JumpingLoop
from zonda.ioloop.testing.expectlog import ExpectLog
from zonda.ioloop.testing.ports import bind_unused_port
from zonda.ioloop.testing.program import main

__all__ = [
    "AsyncTestCase",
    "ExpectLog",
    "JumpingIOLoop",
    "JumpingLoop",
    "app_log",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "setup_with_context_manager",
]
