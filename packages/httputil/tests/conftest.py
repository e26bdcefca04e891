"""Measuring tests run without the cyclic collector.

They compare the cost of an input with that of a multiple of it. How often the collector runs, and
what a run of it costs, depends on what thousands of other tests have left in memory.
"""

import gc
import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_collector_while_measuring(request: pytest.FixtureRequest) -> Iterator[None]:
    if getattr(request.module, "time", None) is not time:  # what is measured with
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
