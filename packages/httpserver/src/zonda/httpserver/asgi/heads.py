"""Heads of responses that an application sends again and again, kept in the form they are sent in.

In: status and fields of a response. Out: a `ReadyHead` if this head has come before; None the
first time, and for heads that need a decision: these are made as any other. Of what is kept there
is a bounded number, and nothing that is one client's alone (``Set-Cookie``).
"""

from http import HTTPStatus

from zonda.httpserver.asgi.fields import response_fields
from zonda.httputil.http1 import ReadyHead, ready_head

PHRASES = {status.value: status.phrase for status in HTTPStatus}
"""Reason phrases by status code."""

Key = tuple[object, ...]
"""A status, and the pairs of a head."""

_MOST = 1024
_LONGEST = 1024  # octets of a head
_MOST_FIELDS = 32
_PRIVATE = frozenset((b"set-cookie",))

_heads: dict[Key, tuple[ReadyHead, bool] | None] = {}
_seen: set[int] = set()


def known_head(
    status: int, fields: tuple[tuple[bytes, bytes], ...]
) -> tuple[ReadyHead, bool] | None:
    """Return the head, if it is known by now, and whether it lacks ``Date``.

    Args:
        status: The status code.
        fields: The application's fields.
    """
    key = (status, fields)
    try:
        return _heads[key]
    except KeyError:
        pass
    except TypeError:  # names and values in something that can be changed
        return None
    # What comes once will hardly come again: a length, an entity tag. Only that it came is noted.
    mark = hash(key)
    if mark not in _seen:
        if len(_seen) >= _MOST:
            _seen.clear()
        _seen.add(mark)
        return None
    size = 0
    lacks_date = True
    for name, value in fields:
        size += len(name) + len(value)
        lower = name.lower()
        if lower in _PRIVATE:
            return None
        if lower == b"date":
            lacks_date = False
    if size > _LONGEST or len(fields) > _MOST_FIELDS:
        return None
    if len(_heads) >= _MOST:
        _heads.clear()
    headers = response_fields(fields)
    if lacks_date:
        del headers["Date"]
    head = None
    if status < 500:  # these are counted
        head = ready_head(status, PHRASES.get(status, ""), headers)
    made = _heads[key] = None if head is None else (head, lacks_date)
    return made
