"""HTTP dates (RFC 9110 §5.6.7).

In: anything that says a point in time, out: ``Sun, 06 Nov 1994 08:49:37 GMT``; and back, from the
three forms a recipient must read. `parse_date` gives None for what is no date and raises nothing;
`format_timestamp` raises TypeError for what is no time and ValueError or OverflowError for one that
is out of range.
"""

import calendar
import re
import time
from datetime import UTC, datetime
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())  # noqa: SIM905
_MONTH_NUMBERS: Final = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}

_CLOCK: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_SHORT_DAY: Final = "(?:" + "|".join(_DAYS) + ")"
_LONG_DAY: Final = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH: Final = "(?P<month>" + "|".join(_MONTHS) + ")"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        # IMF-fixdate
        rf"{_SHORT_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_CLOCK} (?:GMT|UTC)",
        # RFC 850
        rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_CLOCK} (?:GMT|UTC)",
        # asctime
        rf"{_SHORT_DAY} {_MONTH} (?P<day>[0-9 ][0-9]) {_CLOCK} (?P<year>[0-9]{{4}})",
    )
)


def format_timestamp(
    ts: int | float | tuple[int, ...] | time.struct_time | datetime,
) -> str:
    """Format a point in time as HTTP does.

    Args:
        ts: Seconds since the epoch, a time tuple in UTC as from `time.gmtime`, or a datetime; a
            naive one is taken for UTC.

    Raises:
        TypeError: `ts` is none of these.
        ValueError: The year is not between 1 and 9999, or `ts` is NaN or no valid time tuple.
        OverflowError: The number is out of the platform's range.

    >>> format_timestamp(1359312200)
    'Sun, 27 Jan 2013 18:43:20 GMT'
    """
    if isinstance(ts, int | float):
        fields = _utc(ts)
    elif isinstance(ts, datetime):
        fields = ts.utctimetuple()  # of a naive one: as it is
    elif isinstance(ts, tuple | time.struct_time):
        fields = _utc(calendar.timegm(tuple(ts)))
    else:
        raise TypeError(f"unknown timestamp type: {ts!r}")
    year, month, day, hour, minute, second, weekday = fields[:7]
    if not 0 < year < 10000:
        raise ValueError(f"year {year} is out of range")
    return (
        f"{_DAYS[weekday]}, {day:02d} {_MONTHS[month - 1]} {year:04d}"
        f" {hour:02d}:{minute:02d}:{second:02d} GMT"
    )


def _utc(seconds: int | float) -> time.struct_time:
    try:
        return time.gmtime(seconds)
    except OSError as error:  # a year that the C library cannot count
        raise OverflowError(f"timestamp {seconds} is out of range") from error


def parse_date(value: str, *, now: datetime | None = None) -> datetime | None:
    """Read an HTTP date in any of its three forms.

    The day of the week is not compared with the date, and letters may have either case.

    Args:
        value: The value of a field such as Date or If-Modified-Since.
        now: For the two-digit years of RFC 850, which are never more than 50 years ahead of it;
            None for the current time.

    Returns:
        A datetime in UTC, or None if `value` is not a date: recipients ignore such fields.

    >>> parse_date("Sunday, 06-Nov-94 08:49:37 GMT")
    datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=datetime.timezone.utc)
    """
    for form in _FORMS:
        match = form.fullmatch(value)
        if match is not None:
            break
    else:
        return None
    digits = match["year"]
    year = int(digits)
    # A leap second is the last one of its minute here, as in most clocks.
    second = min(int(match["second"]), 59) if match["second"] == "60" else int(match["second"])
    month = _MONTH_NUMBERS[match["month"].lower()]
    day, hour, minute = int(match["day"]), int(match["hour"]), int(match["minute"])
    if len(digits) == 2:
        now = now or datetime.now(UTC)
        # The latest year with these digits that is not more than 50 years ahead.
        latest = (now.year + 50, now.month, now.day, now.hour, now.minute, now.second)
        year += (now.year // 100 + 1) * 100
        while (year, month, day, hour, minute, second) > latest:
            year -= 100
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:  # no such day or time
        return None
