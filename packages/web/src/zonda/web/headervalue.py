"""The value of a header field as text, of all that `RequestHandler.set_header` takes."""

import datetime

from zonda.httputil import format_timestamp

HeaderValue = bytes | str | int | float | datetime.datetime
"""What a field may be set to."""


def header_value(value: HeaderValue) -> str:
    """Return the text; what may not be in it is found when the field is set.

    Raises:
        TypeError: The value is of another type.

    >>> header_value(datetime.datetime(2013, 1, 27, 18, 43, 20, tzinfo=datetime.UTC))
    'Sun, 27 Jan 2013 18:43:20 GMT'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, bool):
        raise TypeError(f"unsupported header value {value!r}")
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, datetime.datetime):
        return format_timestamp(value)
    raise TypeError(f"unsupported header value {value!r}")
