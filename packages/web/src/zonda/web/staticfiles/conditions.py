"""Conditions of a request for content with a date and perhaps an entity tag (RFC 9110 §13).

In: the fields of the request, and what is known of the content. Out: yes or no. Dates without a
time zone, which overrides of old programs return, are taken for UTC.
"""

import datetime
from collections.abc import Mapping

from zonda.httputil.conditional import evaluate_preconditions, range_applies
from zonda.httputil.dates import parse_date


def precondition_failed(
    headers: Mapping[str, str], etag: str | None, modified: datetime.datetime | None
) -> bool:
    """Say whether the client wants nothing but a version that this is not (412).

    >>> precondition_failed({"If-Match": '"a"'}, '"b"', None)
    True
    """
    if "If-Match" not in headers and "If-Unmodified-Since" not in headers:
        return False
    return evaluate_preconditions("GET", headers, etag=etag, last_modified=modified) == 412


def unmodified_since(headers: Mapping[str, str], modified: datetime.datetime | None) -> bool:
    """Say whether the client has been here since the content was changed (If-Modified-Since).

    >>> changed = datetime.datetime(2023, 11, 14, 22, 13, 20)
    >>> unmodified_since({"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"}, changed)
    True
    """
    since = headers.get("If-Modified-Since")
    if since is None or modified is None:
        return False
    if modified.tzinfo is None:
        modified = modified.replace(tzinfo=datetime.UTC)
    date = parse_date(since.strip(" \t"))
    return date is not None and date >= modified.replace(microsecond=0)


def range_counts(
    headers: Mapping[str, str], etag: str | None, modified: datetime.datetime | None
) -> bool:
    """Say whether a range is wanted of this version (If-Range)."""
    return range_applies(headers, etag=etag, last_modified=modified)
