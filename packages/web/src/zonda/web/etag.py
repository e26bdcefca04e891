"""Entity tags: that of some content, and whether the client has the version that it says."""

import hashlib
from collections.abc import Iterable
from typing import Final

from zonda.httputil.conditional import parse_entity_tag, parse_entity_tags

_EMPTY_DIGEST: Final = hashlib.sha1(usedforsecurity=False)


def tag_of(chunks: Iterable[bytes]) -> str:
    """Return the strong entity tag of some content (RFC 9110 §8.8.3).

    >>> tag_of([b"Hello", b", world"])
    '"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"'
    """
    digest = _EMPTY_DIGEST.copy()  # faster than a new one
    for chunk in chunks:
        digest.update(chunk)
    return f'"{digest.hexdigest()}"'


def client_has(if_none_match: str, etag: str) -> bool:
    """Say whether ``If-None-Match`` names this entity tag (weak comparison, RFC 9110 §13.1.2).

    Args:
        if_none_match: The field of the request.
        etag: The field of the response.
    """
    current = parse_entity_tag(etag)
    if current is None:
        return False
    known = parse_entity_tags(if_none_match)
    if known == "*":
        return True
    return any(tag.matches_weakly(current) for tag in known)
