"""The ``Date`` field."""

import time

import pytest

from zonda.httpserver import datecache


def test_it_follows_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    for now in (1359312200.0, 1359312200.9, 1359312201.0, 1359312199.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        texts.append(datecache.http_date())
    assert texts == [
        "Sun, 27 Jan 2013 18:43:20 GMT",
        "Sun, 27 Jan 2013 18:43:20 GMT",
        "Sun, 27 Jan 2013 18:43:21 GMT",
        "Sun, 27 Jan 2013 18:43:19 GMT",
    ]
