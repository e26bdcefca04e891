"""Conditions of requests, on dates of every kind."""

import datetime

import pytest

from zonda.web.staticfiles.conditions import precondition_failed, range_counts, unmodified_since

NAIVE = datetime.datetime(2023, 11, 14, 22, 13, 20)
AWARE = NAIVE.replace(tzinfo=datetime.UTC)
ELSEWHERE = AWARE.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
FRACTION = AWARE.replace(microsecond=999_999)
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
EARLIER = "Tue, 14 Nov 2023 22:13:19 GMT"


@pytest.mark.parametrize("modified", [NAIVE, AWARE, ELSEWHERE, FRACTION])
def test_dates(modified: datetime.datetime) -> None:
    assert unmodified_since({"If-Modified-Since": DATE}, modified)
    assert unmodified_since({"If-Modified-Since": f" {DATE}\t"}, modified)
    assert not unmodified_since({"If-Modified-Since": EARLIER}, modified)
    assert not precondition_failed({"If-Unmodified-Since": DATE}, None, modified)
    assert precondition_failed({"If-Unmodified-Since": EARLIER}, None, modified)
    assert range_counts({"If-Range": DATE}, None, modified)
    assert not range_counts({"If-Range": EARLIER}, None, modified)


@pytest.mark.parametrize("value", ["", "yesterday", "0", DATE * 2])
def test_what_is_no_date_does_not_count(value: str) -> None:
    assert not unmodified_since({"If-Modified-Since": value}, AWARE)
    assert not precondition_failed({"If-Unmodified-Since": value}, None, AWARE)


def test_content_without_a_date() -> None:
    assert not unmodified_since({"If-Modified-Since": DATE}, None)
    assert not precondition_failed({"If-Unmodified-Since": DATE}, None, None)
    assert range_counts({}, None, None)


@pytest.mark.parametrize(
    ("value", "etag", "failed"),
    [
        ('"a"', '"a"', False),
        ('"a"', '"b"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"a"', None, True),
        ("*", '"a"', False),
        ('"x", "a"', '"a"', False),
    ],
)
def test_if_match(value: str, etag: str | None, failed: bool) -> None:
    assert precondition_failed({"If-Match": value}, etag, None) is failed
