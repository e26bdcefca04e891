"""Text to value, for each type an option can have.

In: the text after ``=``. Out: a value of the type. Raises ``ValueError`` when the text is not
one. ``EXPECTED`` says in words what would have been.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

# Beyond these, whatever datetime.fromisoformat() reads.
_DATETIME_FORMATS: Final = (
    "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d",
    "%H:%M:%S",
    "%H:%M",
)

_UNITS: Final[Mapping[str, str]] = {
    name: unit
    for unit, names in {
        "weeks": "w week weeks",
        "days": "d day days",
        "hours": "h hr hrs hour hours",
        "minutes": "m min mins minute minutes",
        "seconds": "s sec secs second seconds",
        "milliseconds": "ms millisecond milliseconds",
        "microseconds": "us microsecond microseconds",
    }.items()
    for name in names.split()
}

_duration = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)\s*")

_BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("", "true", "t", "1", "yes", "y", "on"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n", "off"), False),
}


def parse_datetime(text: str) -> datetime.datetime:
    """A date, a time or both, in ISO 8601 or as ``time.ctime`` writes it.

    Raises:
        ValueError: no date.

    Example:
        >>> parse_datetime("2026-11-23 08:30")
        datetime.datetime(2026, 11, 23, 8, 30)
    """
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    for pattern in _DATETIME_FORMATS:
        try:
            return datetime.datetime.strptime(text, pattern)
        except ValueError:
            pass
    raise ValueError(f"not a date or time: {text!r}")


def parse_timedelta(text: str) -> datetime.timedelta:
    """A sum of durations with units; a number without a unit is in seconds.

    Raises:
        ValueError: no duration.

    Example:
        >>> parse_timedelta("1h 30m")
        datetime.timedelta(seconds=5400)
    """
    total = datetime.timedelta()
    position = 0
    while position < len(text):
        match = _duration.match(text, position)
        if match is None:
            raise ValueError(f"not a duration: {text!r}")
        unit = _UNITS.get(match[2] or "s")
        if unit is None:
            raise ValueError(f"not a unit of time: {match[2]!r}")
        total += datetime.timedelta(**{unit: float(match[1])})
        position = match.end()
    return total


def parse_bool(text: str) -> bool:
    """A yes or a no, in any of the usual words.

    Raises:
        ValueError: none of them.

    Example:
        >>> parse_bool("off"), parse_bool("True")
        (False, True)
    """
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError(f"neither true nor false: {text!r}") from None


#: What turns text into a value, by type; other types are called with the text.
PARSERS: Final[Mapping[object, Callable[[str], Any]]] = {
    datetime.datetime: parse_datetime,
    datetime.timedelta: parse_timedelta,
    bool: parse_bool,
}

#: What error messages say was expected, by type.
EXPECTED: Final[Mapping[object, str]] = {
    str: "a str",
    int: "an int",
    float: "a float",
    bool: "a bool (true or false)",
    datetime.datetime: "a datetime (such as 2026-11-23 08:30)",
    datetime.timedelta: "a timedelta (such as 90s or 1h30m)",
}
