"""Dates: one form out, three forms in."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.httputil.dates import format_timestamp, parse_date

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1359312200, "Sun, 27 Jan 2013 18:43:20 GMT"),
        (1359312200.9, "Sun, 27 Jan 2013 18:43:20 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (-62135596800, "Mon, 01 Jan 0001 00:00:00 GMT"),
        (253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (time.gmtime(1359312200), "Sun, 27 Jan 2013 18:43:20 GMT"),
        ((2013, 1, 27, 18, 43, 20), "Sun, 27 Jan 2013 18:43:20 GMT"),
        ((2013, 1, 27, 18, 43, 20, 6, 27, 0), "Sun, 27 Jan 2013 18:43:20 GMT"),
        (datetime(2013, 1, 27, 18, 43, 20), "Sun, 27 Jan 2013 18:43:20 GMT"),
        (datetime(2013, 1, 27, 18, 43, 20, tzinfo=UTC), "Sun, 27 Jan 2013 18:43:20 GMT"),
        (
            datetime(2013, 1, 27, 20, 43, 20, tzinfo=timezone(timedelta(hours=2))),
            "Sun, 27 Jan 2013 18:43:20 GMT",
        ),
    ],
)
def test_format(moment: float | tuple[int, ...] | time.struct_time | datetime, text: str) -> None:
    assert format_timestamp(moment) == text


@pytest.mark.parametrize("moment", ["x", None, [1], b"0", {}])
def test_format_refuses_what_is_no_time(moment: object) -> None:
    with pytest.raises(TypeError):
        format_timestamp(moment)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "moment",
    [float("nan"), 253402300800, -62135596801, 1e17, 1 << 62, 1e20, -1e20, float("inf")],
)
def test_format_refuses_what_is_out_of_range(moment: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        format_timestamp(moment)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37)),
        ("Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37)),
        ("Sun Nov 16 08:49:37 1994", datetime(1994, 11, 16, 8, 49, 37)),
        ("sun, 06 nov 1994 08:49:37 gmt", datetime(1994, 11, 6, 8, 49, 37)),
        ("Mon, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37)),  # it was a Sunday
        ("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2016, 12, 31, 23, 59, 59)),
        ("Thu, 29 Feb 2024 00:00:00 UTC", datetime(2024, 2, 29)),
        # Two digits: never more than 50 years ahead.
        ("Monday, 23-Nov-76 00:00:00 GMT", datetime(2076, 11, 23)),
        ("Tuesday, 24-Nov-76 00:00:00 GMT", datetime(1976, 11, 24)),
        ("Tuesday, 29-Feb-00 00:00:00 GMT", datetime(2000, 2, 29)),
        ("Saturday, 01-Jan-00 00:00:00 GMT", datetime(2000, 1, 1)),
        ("Monday, 23-Nov-26 00:00:00 GMT", datetime(2026, 11, 23)),
    ],
)
def test_parse(text: str, moment: datetime) -> None:
    assert parse_date(text, now=NOW) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "1359312200",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 PST",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "Sunday, 29-Feb-23 08:49:37 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "1994-11-06T08:49:37Z",
        "\u017fun, 06 \u017fep 1994 08:49:37 GMT",  # no letter but in the eyes of Unicode
    ],
)
def test_parse_gives_none_for_what_is_no_date(text: str) -> None:
    assert parse_date(text, now=NOW) is None


@given(st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)))
def test_what_is_formatted_is_read_back(moment: datetime) -> None:
    assert parse_date(format_timestamp(moment)) == moment


@given(
    st.datetimes(datetime(1977, 1, 1), datetime(2076, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    )
)
def test_the_obsolete_forms_are_read_back(moment: datetime) -> None:
    days = ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")
    text = format_timestamp(moment)
    day, month, year, clock = text[5:7], text[8:11], text[12:16], text[17:25]
    rfc850 = f"{days[moment.weekday()]}day, {day}-{month}-{year[2:]} {clock} GMT"
    asctime = f"{text[:3]} {month} {moment.day:2} {clock} {year}"
    assert parse_date(rfc850, now=NOW) == moment
    assert parse_date(asctime) == moment


@given(st.text(max_size=40))
def test_parse_raises_nothing(text: str) -> None:
    parse_date(text)
    parse_date(f"Sun, 06 Nov 1994 {text} GMT")


# What werkzeug reads differently: it hands the text to the e-mail package.
WERKZEUG_DIFFERS = {
    "Sun, 06 Nov 1994 08:49:37": "no zone: RFC 9110 knows GMT only",
    "Sun, 06 Nov 1994 08:49:37 PST": "another zone than GMT",
    "Sun, 06 Nov 1994 08:49:37 +0100": "another zone than GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT": "one digit for the day is no IMF-fixdate",
    "Sun, 06 Nov 1994 08:49:37 GMT; length=5": "trailing text",
    "Sun, 06 Nov 1994 08:49:37 GMT\n": "a line end is part of no value",
    " Sun, 06 Nov 1994 08:49:37 GMT": "white space is stripped with the field, not here",
    "Xyz, 06 Nov 1994 08:49:37 GMT": "no day of the week",
    "Sun Nov 6 08:49:37 1994": "asctime pads the day",
    "Sat, 31 Dec 2016 23:59:60 GMT": "a leap second is 23:59:59 here, nothing there",
    "Monday, 23-Nov-76 00:00:00 GMT": "the century turns at 1969 there, 50 years ahead here",
}


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "1359312200",
        "x",
        "",
        *WERKZEUG_DIFFERS,
    ],
)
def test_against_werkzeug(text: str) -> None:
    http = pytest.importorskip("werkzeug.http")
    theirs = http.parse_date(text)
    same = parse_date(text, now=NOW) == theirs
    assert same is (text not in WERKZEUG_DIFFERS), theirs
