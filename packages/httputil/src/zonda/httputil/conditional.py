"""Conditional requests (RFC 9110 §13) and the entity tags they compare (§8.8.3).

In: the method and headers of a request, and the validators of what it is for. Out: the status to
answer with instead of performing it, or None to go on. Nothing a peer sends raises; fields that are
malformed are ignored, except that an If-Match nothing can be read from is false.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from zonda.httputil.dates import parse_date

# etagc is visible ASCII without the double quote, and obs-text.
_ENTITY_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*+)"')
# Members of a list; what cannot be an entity tag is passed over up to the next comma.
_MEMBER: Final = re.compile(r'[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*+)"[ \t]*(?=,|\Z)|([^,]*+))')


class EntityTag(NamedTuple):
    """An entity tag: what is between the quotes, and whether it is weak.

    >>> str(EntityTag("abc", weak=True))
    'W/"abc"'
    """

    tag: str
    weak: bool = False

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.tag}"'

    def matches_strongly(self, other: "EntityTag") -> bool:
        """Strong comparison: equal, and neither is weak."""
        return not self.weak and not other.weak and self.tag == other.tag

    def matches_weakly(self, other: "EntityTag") -> bool:
        """Weak comparison: equal but for the weakness."""
        return self.tag == other.tag


def parse_entity_tag(value: str) -> EntityTag | None:
    """One entity tag, as in an ETag header; None if it is none.

    >>> parse_entity_tag('W/"abc"')
    EntityTag(tag='abc', weak=True)
    """
    match = _ENTITY_TAG.fullmatch(value.strip(" \t"))
    return None if match is None else EntityTag(match[2], match[1] is not None)


def parse_entity_tags(value: str) -> list[EntityTag] | Literal["*"]:
    """The entity tags of an If-Match or If-None-Match header, or ``*``. What is none is left out.

    >>> parse_entity_tags('"a", W/"b,c", d')
    [EntityTag(tag='a', weak=False), EntityTag(tag='b,c', weak=True)]
    """
    if value.strip(" \t") == "*":
        return "*"
    tags = []
    position = 0
    while position < len(value):
        match = _MEMBER.match(value, position)
        assert match is not None  # its last alternative matches anything
        if match[2] is not None:
            tags.append(EntityTag(match[2], match[1] is not None))
        position = match.end() + 1
    return tags


def evaluate_preconditions(
    method: str,
    headers: Mapping[str, str],
    *,
    etag: EntityTag | str | None = None,
    last_modified: datetime | None = None,
    exists: bool = True,
) -> Literal[304, 412] | None:
    """Evaluate the conditions of a request in the order of RFC 9110 §13.2.2.

    Call it when the request would otherwise be answered with 2xx.

    Args:
        method: The request's method.
        headers: Its headers.
        etag: Entity tag of the current representation, None if it has none.
        last_modified: When it was modified last, None if unknown; a naive datetime is taken for
            UTC, and fractions of a second do not count.
        exists: Whether there is a current representation, for ``*``.

    Returns:
        None: perform the method; 304: Not Modified; 412: Precondition Failed.

    >>> evaluate_preconditions("GET", {"If-None-Match": 'W/"a"'}, etag=EntityTag("a"))
    304
    """
    current = _entity_tag(etag)
    modified = _whole_seconds(last_modified)
    reading = method in ("GET", "HEAD")

    if_match = headers.get("If-Match")
    if if_match is not None:
        if not _any_match(if_match, current, exists, strong=True):
            return 412
    elif modified is not None:
        limit = _date(headers.get("If-Unmodified-Since"))
        if limit is not None and modified > limit:
            return 412

    if_none_match = headers.get("If-None-Match")
    if if_none_match is not None:
        if _any_match(if_none_match, current, exists, strong=False):
            return 304 if reading else 412
    elif reading and modified is not None:
        since = _date(headers.get("If-Modified-Since"))
        if since is not None and modified <= since:
            return 304
    return None


def range_applies(
    headers: Mapping[str, str],
    *,
    etag: EntityTag | str | None = None,
    last_modified: datetime | None = None,
) -> bool:
    """Whether the Range of a request counts, as far as If-Range is concerned (RFC 9110 §13.1.5).

    True without If-Range. An entity tag is compared strongly, a date must be the exact one.

    >>> range_applies({"If-Range": '"a"'}, etag=EntityTag("b"))
    False
    """
    value = headers.get("If-Range")
    if value is None:
        return True
    wanted = parse_entity_tag(value)
    if wanted is not None:
        current = _entity_tag(etag)
        return current is not None and wanted.matches_strongly(current)
    date = _date(value)
    return date is not None and date == _whole_seconds(last_modified)


def _any_match(value: str, current: EntityTag | None, exists: bool, *, strong: bool) -> bool:
    tags = parse_entity_tags(value)
    if tags == "*":
        return exists
    if current is None or not exists:
        return False
    if strong:
        return any(tag.matches_strongly(current) for tag in tags)
    return any(tag.matches_weakly(current) for tag in tags)


def _entity_tag(etag: EntityTag | str | None) -> EntityTag | None:
    return parse_entity_tag(etag) if isinstance(etag, str) else etag


def _date(value: str | None) -> datetime | None:
    return None if value is None else parse_date(value.strip(" \t"))


def _whole_seconds(date: datetime | None) -> datetime | None:
    if date is None:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date.replace(microsecond=0)
