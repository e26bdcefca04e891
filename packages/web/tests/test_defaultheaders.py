"""What every response begins with."""

from typing import Any

import pytest

from zonda.httputil import HTTPHeaders, format_timestamp
from zonda.web import defaultheaders
from zonda.web.defaultheaders import default_headers
from zonda.web.version import SERVER


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    now = [1_000_000.0]
    monkeypatch.setattr(defaultheaders, "_time", lambda: now[0])
    yield now
    monkeypatch.undo()
    defaultheaders._since = 0  # the time of this test is not that of the next


def test_fields(clock: list[float]) -> None:
    assert list(default_headers().get_all()) == [
        ("Server", SERVER),
        ("Content-Type", "text/html; charset=UTF-8"),
        ("Date", format_timestamp(1_000_000)),
    ]


@pytest.mark.parametrize("later", [1.0, 59.5, -1.0, -3600.0])
def test_the_date_follows_the_clock(clock: list[float], later: float) -> None:
    default_headers()
    clock[0] += later
    assert default_headers()["Date"] == format_timestamp(int(clock[0]))


def test_within_a_second_a_text_is_shared_and_headers_are_not(clock: list[float]) -> None:
    first, second = default_headers(), default_headers()
    clock[0] += 0.999
    third = default_headers()
    assert first._block is second._block is third._block
    first["X-Mine"] = "1"
    first["Server"] = "mine"
    del second["Server"]
    assert third == HTTPHeaders(
        {
            "Server": SERVER,
            "Content-Type": "text/html; charset=UTF-8",
            "Date": format_timestamp(1_000_000),
        }
    )
